//! The faults that can be run, by their row in the fault matrix (`docs/reliability.md`).

use std::fmt;
use std::str::FromStr;

use common::failpoint::Point;

use crate::pair::Pair;
use Lasts::{Holds, HoldsWhole, Passes, ThreeLeases};
use Within::{LeaseAndSoon, Reconnect, Soon};

/// What goes wrong. Rows of the matrix that are no fault of a running system are tests, not faults of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    Part(PartFault),
    Redis(RedisFault),
    Postgres(PostgresFault),
    Line(LineFault),
    Machine(MachineFault),
    /// Nothing: the end of a soak.
    Quiet,
}

/// A process of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PartFault {
    KillWorker,
    KillListener,
    KillLauncher,
    StopWorker,
    StopListener,
    StopWorkers,
    StopWhileStoreHangs,
    FreezeWorker,
    Reload,
    /// It dies by itself when it comes to this edge.
    #[cfg_attr(not(feature = "failpoints"), expect(dead_code, reason = "no part has edges to die at then"))]
    DieAt(Point),
}

/// The queue's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RedisFault {
    Restart,
    Freeze,
    Full,
    DiskFull,
    Password,
    Forgets,
}

/// The store's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PostgresFault {
    Restart,
    Kill,
    Freeze,
    EndSessions,
    LockRows,
    RefuseRows,
    ReadOnly,
}

/// The way between two of them, or the other end of the feed's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LineFault {
    RepliesCut,
    StoreFar,
    ListenerCut,
    WorkersCut,
    StoreCut,
    AllBad,
    FeedSilent,
    FeedGarbled,
    FeedReset,
    FeedCloses,
}

/// What all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MachineFault {
    FileLocked,
    FewFiles,
    Starved,
}

/// Which pair can have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairs {
    Both,
    Servers,
    Embedded,
}

/// How long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    /// It is over when it has happened.
    Passes,
    /// Half to all of the time that is asked for.
    Holds,
    /// All of that time.
    HoldsWhole,
    /// Three leases.
    ThreeLeases,
}

/// When everything must be as before, after it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// What a worker held comes again when the lease has run out.
    LeaseAndSoon,
    /// Connect and subscribe again.
    Reconnect,
    Soon,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) fault: Fault,
    /// As in the matrix. Several faults may be ways of one row.
    pub(super) name: &'static str,
    /// What happens, for people.
    pub(super) about: &'static str,
    pub(super) lasts: Lasts,
    pub(super) within: Within,
    pairs: Pairs,
}

const fn part(name: &'static str, fault: PartFault, lasts: Lasts, within: Within, about: &'static str) -> Row {
    Row { fault: Fault::Part(fault), name, about, lasts, within, pairs: Pairs::Both }
}

#[cfg(feature = "failpoints")]
const fn die(name: &'static str, point: Point, about: &'static str) -> Row {
    part(name, PartFault::DieAt(point), Passes, LeaseAndSoon, about)
}

const fn redis(name: &'static str, fault: RedisFault, about: &'static str) -> Row {
    let (lasts, within) = (Holds, LeaseAndSoon);
    Row { fault: Fault::Redis(fault), name, about, lasts, within, pairs: Pairs::Servers }
}

const fn postgres(name: &'static str, fault: PostgresFault, about: &'static str) -> Row {
    let (lasts, within) = (Holds, Soon);
    Row { fault: Fault::Postgres(fault), name, about, lasts, within, pairs: Pairs::Servers }
}

const fn line(name: &'static str, fault: LineFault, within: Within, about: &'static str) -> Row {
    Row { fault: Fault::Line(fault), name, about, lasts: Holds, within, pairs: Pairs::Servers }
}

const fn both(row: Row) -> Row {
    Row { pairs: Pairs::Both, ..row }
}

const fn machine(name: &'static str, fault: MachineFault, pairs: Pairs, about: &'static str) -> Row {
    Row { fault: Fault::Machine(fault), name, about, lasts: Holds, within: Soon, pairs }
}

/// Every fault, in the order of the matrix.
pub(super) const TABLE: &[Row] = &[
    part("F1", PartFault::KillWorker, Passes, LeaseAndSoon, "SIGKILL for a worker"),
    #[cfg(feature = "failpoints")]
    die("F1", Point::TakeAfter, "a worker dies with a batch in its hand"),
    #[cfg(feature = "failpoints")]
    die("F1", Point::CommitAfter, "a worker dies between commit and acknowledgement"),
    #[cfg(feature = "failpoints")]
    die("F1", Point::SettleAfter, "a worker dies when its batch is settled"),
    #[cfg(feature = "failpoints")]
    Row { pairs: Pairs::Servers, ..die("F1", Point::EachBefore, "a worker dies before it stores row by row") },
    #[cfg(feature = "failpoints")]
    Row { pairs: Pairs::Servers, ..die("F1", Point::EachAfter, "a worker dies after it stored row by row") },
    #[cfg(feature = "failpoints")]
    die("F2", Point::Received, "the listener dies with messages that it has read"),
    #[cfg(feature = "failpoints")]
    die("F2", Point::EnqueueBefore, "the listener dies before it enqueues"),
    #[cfg(feature = "failpoints")]
    die("F2", Point::EnqueueAfter, "the listener dies between enqueue and note"),
    #[cfg(feature = "failpoints")]
    Row { pairs: Pairs::Servers, ..die("F2", Point::SpoolAfter, "the listener dies when its spool has a record") },
    part("F2", PartFault::KillListener, Passes, Reconnect, "SIGKILL for the listener"),
    part("F4", PartFault::KillLauncher, Passes, LeaseAndSoon, "SIGKILL for a launcher with its parts"),
    part("F5", PartFault::StopWorker, Passes, Soon, "SIGTERM for a worker"),
    part("F5", PartFault::StopListener, Passes, Reconnect, "SIGTERM for the listener"),
    Row {
        pairs: Pairs::Servers,
        ..part("F6", PartFault::StopWhileStoreHangs, Passes, LeaseAndSoon, "SIGTERM for a worker, PostgreSQL frozen")
    },
    part("F7", PartFault::Reload, Holds, Soon, "SIGHUP for every part, again and again"),
    part("F9", PartFault::FreezeWorker, ThreeLeases, Soon, "a worker frozen for three leases"),
    redis("F13", RedisFault::Restart, "Redis killed and started again (AOF everysec)"),
    redis("F15", RedisFault::Freeze, "Redis frozen"),
    redis("F16", RedisFault::Full, "Redis has no memory left"),
    redis("F18", RedisFault::DiskFull, "the disk of Redis is full"),
    redis("F20", RedisFault::Password, "Redis wants another password"),
    redis("F21", RedisFault::Forgets, "SCRIPT FLUSH and CLIENT KILL, again and again"),
    postgres("F23", PostgresFault::Restart, "PostgreSQL stopped and started again"),
    postgres("F23", PostgresFault::Kill, "PostgreSQL killed and started again"),
    line("F24", LineFault::RepliesCut, Soon, "answers of PostgreSQL are cut off"),
    postgres("F24", PostgresFault::EndSessions, "every session of PostgreSQL is ended, again and again"),
    postgres("F25", PostgresFault::Freeze, "PostgreSQL frozen"),
    Row {
        lasts: HoldsWhole, // the other session sleeps so long
        ..postgres("F28", PostgresFault::LockRows, "another session holds every price row")
    },
    postgres("F33", PostgresFault::ReadOnly, "PostgreSQL is read-only"),
    postgres("F34", PostgresFault::RefuseRows, "PostgreSQL refuses every row"),
    line("F35", LineFault::StoreFar, Soon, "PostgreSQL 200 ms away"),
    machine("F36", MachineFault::FileLocked, Pairs::Embedded, "another process holds the store's file"),
    both(line("F40", LineFault::FeedGarbled, Soon, "the feed's line spoils bytes")),
    both(line("F41", LineFault::FeedSilent, Soon, "the feed's line is dead and stays open")),
    Row { lasts: Passes, ..both(line("F42", LineFault::FeedCloses, Soon, "the feed closes with any code")) },
    both(line("F49", LineFault::FeedReset, Soon, "all connections of the feed are reset")),
    part("F56", PartFault::StopWorkers, Holds, Soon, "every worker is stopped"),
    line("F60", LineFault::ListenerCut, Soon, "the listener is cut off from Redis"),
    line("F61", LineFault::WorkersCut, LeaseAndSoon, "the workers are cut off from Redis"),
    line("F62", LineFault::StoreCut, Soon, "the workers are cut off from PostgreSQL"),
    both(line("F64", LineFault::AllBad, Soon, "every line is slow and narrow")),
    machine("F65", MachineFault::FewFiles, Pairs::Both, "no part may open another file"),
    machine("F67", MachineFault::Starved, Pairs::Both, "other programs take all processors"),
];

const QUIET: Row = Row { name: "-", ..part("", PartFault::Reload, Passes, Soon, "quiet after the last fault") };

impl Fault {
    /// Its row.
    pub(super) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.fault == self).unwrap_or(&QUIET)
    }
}

impl Row {
    /// Whether this pair can have it.
    pub(super) fn suits(&self, pair: Pair) -> bool {
        match self.pairs {
            Pairs::Both => true,
            Pairs::Servers => pair == Pair::Servers,
            Pairs::Embedded => pair == Pair::Embedded,
        }
    }
}

/// One thing to go wrong, or two at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) fault: Fault,
    pub(super) beside: Option<Fault>,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.row().name)?;
        self.beside.map_or(Ok(()), |beside| write!(f, "+{}", beside.row().name))
    }
}

/// What `--plan` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan(Vec<Trial>);

impl Plan {
    /// What of it this pair can have.
    pub(super) fn of(&self, pair: Pair) -> Vec<Trial> {
        let suits = |fault: Fault| fault.row().suits(pair);
        let fits = |trial: &&Trial| suits(trial.fault) && trial.beside.is_none_or(suits);
        self.0.iter().filter(fits).copied().collect()
    }
}

/// Those whose pairs are worth a run: one of each kind.
const PAIRED: [Fault; 11] = [
    Fault::Part(PartFault::KillWorker),
    Fault::Part(PartFault::KillListener),
    Fault::Redis(RedisFault::Restart),
    Fault::Redis(RedisFault::Freeze),
    Fault::Redis(RedisFault::Full),
    Fault::Postgres(PostgresFault::Restart),
    Fault::Postgres(PostgresFault::Freeze),
    Fault::Line(LineFault::FeedSilent),
    Fault::Part(PartFault::StopWorkers),
    Fault::Line(LineFault::ListenerCut),
    Fault::Line(LineFault::StoreCut),
];

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut trials = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "all" => trials.extend(TABLE.iter().map(|row| Trial { fault: row.fault, beside: None })),
                "pairs" => trials.extend(pairs()),
                named => trials.extend(parse(named).ok_or_else(|| unknown(named))?),
            }
        }
        if trials.is_empty() { Err(unknown(text)) } else { Ok(Self(trials)) }
    }
}

fn unknown(text: &str) -> String {
    format!("`{text}` is no fault of a running system; give rows as F1,F13, two at once as F1+F23, `all`, or `pairs`")
}

fn pairs() -> impl Iterator<Item = Trial> {
    let pair = |(at, &fault): (usize, &Fault)| {
        PAIRED[at + 1..].iter().map(move |&other| Trial { fault, beside: Some(other) }).collect::<Vec<_>>()
    };
    PAIRED.iter().enumerate().flat_map(pair)
}

/// All ways of a row, or of two rows at once.
fn parse(text: &str) -> Option<Vec<Trial>> {
    let ways = |name: &str| {
        let rows = TABLE.iter().filter(|row| row.name.eq_ignore_ascii_case(name));
        let faults: Vec<Fault> = rows.map(|row| row.fault).collect();
        (!faults.is_empty()).then_some(faults)
    };
    let Some((one, other)) = text.split_once('+') else {
        return Some(ways(text)?.into_iter().map(|fault| Trial { fault, beside: None }).collect());
    };
    let others = ways(other)?;
    let beside = |fault| others.iter().map(move |&other| Trial { fault, beside: Some(other) });
    Some(ways(one)?.into_iter().flat_map(beside).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_rows_pairs_or_everything() {
        let names = |text: &str| {
            let plan: Plan = text.parse().unwrap();
            plan.of(Pair::Servers).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("F1, f13"), ["F1", "F13"]);
        assert_eq!(names("F1+F23"), ["F1+F23", "F1+F23"], "both ways of F23");
        assert_eq!(names("pairs").len(), 55);
        assert_eq!(names("all").len(), TABLE.len() - 1);
        assert!("F99".parse::<Plan>().is_err());
        assert!("".parse::<Plan>().is_err());
    }

    #[test]
    fn every_fault_has_a_row_of_its_own() {
        for row in TABLE {
            assert_eq!(row.fault.row().about, row.about);
        }
    }
}
