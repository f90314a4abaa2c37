//! Operations by name, as `scripts/counts.sh` asks for them: performed so many times under a counter of instructions, or
//! timed without one.

use std::time::Duration;

use common::clock::monotonic;

/// Rounds of a timing; the median counts.
const ROUNDS: usize = 21;

/// A round takes at least this long, so that reading the clock does not count.
const ROUND_MIN: Duration = Duration::from_millis(2);

/// An operation on prepared input.
pub(crate) struct Case<'a> {
    name: String,
    operation: Box<dyn FnMut() + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(name: impl Into<String>, operation: impl FnMut() + 'a) -> Self {
        Self { name: name.into(), operation: Box::new(operation) }
    }

    fn perform(&mut self, times: u32) -> Duration {
        let began = monotonic();
        (0..times).for_each(|_| (self.operation)());
        began.elapsed()
    }

    /// Nanoseconds of one operation.
    fn time(&mut self) -> u128 {
        let mut times = 1;
        while self.perform(times) < ROUND_MIN {
            times *= 2;
        }
        let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| self.perform(times)).collect();
        rounds.sort_unstable();
        rounds.get(ROUNDS / 2).copied().unwrap_or_default().as_nanos() / u128::from(times)
    }
}

/// What the arguments ask for.
#[derive(Debug)]
pub(crate) enum Wish {
    /// `--cases`: a line for each, its nanoseconds before its name.
    Time,
    /// `--case NAME TIMES`: performs one that often and prints nothing.
    Perform { name: String, times: u32 },
}

/// `None` where the arguments speak of no case.
pub(crate) fn wish() -> Option<Wish> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [list, ..] if list == "--cases" => Some(Wish::Time),
        [one, name, times, ..] if one == "--case" => {
            let times = times.parse().expect("TIMES is a number");
            Some(Wish::Perform { name: name.clone(), times })
        }
        _ => None,
    }
}

/// Does as wished.
pub(crate) fn fulfil(wish: &Wish, mut cases: Vec<Case<'_>>) {
    match wish {
        Wish::Time => {
            for case in &mut cases {
                println!("{} {}", case.time(), case.name);
            }
        }
        Wish::Perform { name, times } => {
            let case = cases.iter_mut().find(|case| case.name == *name).expect("NAME is one of --cases");
            case.perform(*times);
        }
    }
}
