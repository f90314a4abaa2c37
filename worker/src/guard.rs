//! Tells bad rows from a bad store: when many rows of batch after batch are refused with one code, it is not the rows.
//! Pure.
//!
//! A constraint that somebody added or a trigger that raises would else turn a whole queue into dead letters, as fast as
//! the database can refuse them.

use std::collections::BTreeMap;

/// More than this share of the rows, in percent, is suspicious.
const SHARE_MAX_PERCENT: u64 = 20;

/// So many suspicious batches in a row are proof.
const BATCHES: u32 = 3;

/// Smaller batches are judged together with the next: the only row of a batch is all of its rows.
const ROWS_MIN: u64 = 20;

/// As much of the store's message as is shown.
const MESSAGE_SHOWN: usize = 200;

/// What became of the rows of a batch.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Rows that the store was given.
    rows: u64,
    refused: BTreeMap<Box<str>, Refused>,
    /// Whether they were refused before, in another delivery: those come in batches of their own.
    again: bool,
}

/// Rows that were refused with one code.
#[derive(Debug, Default)]
struct Refused {
    rows: u64,
    symbol: Option<Box<str>>,
    /// Of more than one symbol.
    several: bool,
    message: String,
}

/// What to do with a batch whose rows were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The rows are to blame: their tasks are tried later or given up.
    Settle,
    /// The store is to blame: keep the batch and try it again.
    Hold,
    /// The store is to blame: give these few back to the queue, the try does not count.
    Postpone,
}

/// Why the store is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusing {
    code: Box<str>,
    percent: u64,
    message: String,
}

impl std::fmt::Display for Refusing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, percent, message } = self;
        let shown = message.floor_char_boundary(MESSAGE_SHOWN);
        let message = &message[..shown];
        write!(f, "the store refuses {percent} % of the rows with {code} ({message}), pausing; nothing is given up")
    }
}

/// Judges the batches of a worker, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Small batches since the last judgement.
    window: Tally,
    /// Suspicious batches in a row, and their code.
    strikes: u32,
    code: Box<str>,
    paused: Option<Refusing>,
}

impl Tally {
    /// So many rows were tried, whether `again` or for the first time.
    pub(crate) fn of(rows: u64, again: bool) -> Self {
        Self { rows, refused: BTreeMap::new(), again }
    }

    /// One of them was refused.
    pub(crate) fn refuse(&mut self, code: &str, symbol: Option<&str>, message: &str) {
        let refused = self.refused.entry(code.into()).or_default();
        refused.rows += 1;
        match (&refused.symbol, symbol) {
            (None, symbol) => refused.symbol = symbol.map(Into::into),
            (Some(one), Some(other)) => refused.several |= **one != *other,
            (Some(_), None) => {}
        }
        if refused.message.is_empty() {
            message.clone_into(&mut refused.message);
        }
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        for (code, more) in other.refused {
            let refused = self.refused.entry(code).or_default();
            let differs = matches!((&refused.symbol, &more.symbol), (Some(one), Some(other)) if one != other);
            refused.several |= more.several || differs;
            refused.rows += more.rows;
            refused.symbol = refused.symbol.take().or(more.symbol);
            if refused.message.is_empty() {
                refused.message = more.message;
            }
        }
    }

    /// What speaks against the store: one code, more rows than by chance, and of more than one symbol unless all are
    /// refused. One bad symbol among four must not stop the others.
    fn suspicion(&self) -> Option<Refusing> {
        let (code, worst) = self.refused.iter().max_by_key(|(_, refused)| refused.rows)?;
        let percent = (worst.rows * 100).checked_div(self.rows)?;
        let too_many = self.rows * SHARE_MAX_PERCENT < worst.rows * 100;
        (too_many && (worst.several || self.rows <= worst.rows)).then(|| Refusing {
            code: code.clone(),
            percent,
            message: worst.message.clone(),
        })
    }
}

impl Guard {
    /// Why the worker pauses, if it does.
    pub(crate) fn paused(&self) -> Option<&Refusing> {
        self.paused.as_ref()
    }

    /// Judges one batch. While paused every batch is a probe: one that passes ends the pause.
    pub(crate) fn judge(&mut self, tally: Tally) -> Verdict {
        let is_refused = !tally.refused.is_empty();
        if self.paused.is_some() {
            return self.probed(&tally);
        }
        if tally.again {
            return Verdict::Settle; // each says once what it says
        }
        let is_small = tally.rows < ROWS_MIN;
        self.window.add(tally);
        if self.window.rows < ROWS_MIN {
            return Verdict::Settle;
        }
        let suspicion = std::mem::take(&mut self.window).suspicion();
        let Some(refusing) = suspicion else {
            self.strikes = 0;
            return Verdict::Settle;
        };
        self.strikes = if self.code == refusing.code { self.strikes + 1 } else { 1 };
        self.code.clone_from(&refusing.code);
        if self.strikes < BATCHES {
            return Verdict::Settle;
        }
        self.paused = Some(refusing);
        keeping(is_refused, is_small)
    }

    fn probed(&mut self, tally: &Tally) -> Verdict {
        if let Some(refusing) = tally.suspicion() {
            if ROWS_MIN <= tally.rows {
                self.paused = Some(refusing);
            }
            return keeping(true, tally.again || tally.rows < ROWS_MIN);
        }
        if 0 < tally.rows {
            self.paused = None;
            // On probation: the next suspicious batch pauses again.
            self.strikes = BATCHES - 1;
        }
        Verdict::Settle
    }
}

/// Big batches are kept. A small one would only keep its loop from finding out whether others pass.
fn keeping(is_refused: bool, is_small: bool) -> Verdict {
    match (is_refused, is_small) {
        (false, _) => Verdict::Settle,
        (true, false) => Verdict::Hold,
        (true, true) => Verdict::Postpone,
    }
}

#[cfg(test)]
mod tests;
