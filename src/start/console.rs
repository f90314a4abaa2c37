//! What can be typed while the launcher runs.

use std::io::BufRead;

use tokio::sync::mpsc;

/// A typed wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Run so many workers.
    Workers(u32),
    /// Something else was typed.
    Unclear,
}

/// More wishes than this are not typed ahead.
const WISHES_MAX: usize = 8;

/// The most workers one launcher runs.
pub(crate) const WORKERS_MAX: u32 = 64;

/// Reads wishes from standard input, on a thread of its own: a blocked read must not keep the process from ending.
pub(crate) fn wishes() -> mpsc::Receiver<Wish> {
    let (sender, receiver) = mpsc::channel(WISHES_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Some(wish) = read(&line) else { continue };
            if sender.blocking_send(wish).is_err() {
                return; // the launcher is stopping
            }
        }
    });
    receiver
}

fn read(line: &str) -> Option<Wish> {
    let mut words = line.split_whitespace();
    match (words.next()?, words.next(), words.next()) {
        ("workers" | "w", Some(number), None) => {
            Some(number.parse().ok().filter(|&n| n <= WORKERS_MAX).map_or(Wish::Unclear, Wish::Workers))
        }
        _ => Some(Wish::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_workers_can_be_typed() {
        assert_eq!(read("workers 4"), Some(Wish::Workers(4)));
        assert_eq!(read("  w 0 "), Some(Wish::Workers(0)));
        assert_eq!(read(""), None);
        for unclear in ["workers", "workers many", "workers 65", "workers 1 2", "help"] {
            assert_eq!(read(unclear), Some(Wish::Unclear), "{unclear:?}");
        }
    }
}
