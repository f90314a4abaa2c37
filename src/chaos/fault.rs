//! The faults that can be run, by their row in the fault matrix (`docs/reliability.md`).

use std::fmt;
use std::str::FromStr;

use super::setup::Pair;

/// What goes wrong. Rows of the matrix that are no fault of a running system are tests, not faults of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    KillWorker,
    KillListener,
    KillLauncher,
    StopWorker,
    StopListener,
    StopWhileStoreHangs,
    Reload,
    FreezeWorker,
    RedisRestart,
    RedisFreeze,
    RedisFull,
    RedisForgets,
    PostgresRestart,
    PostgresKill,
    CommitUnknown,
    SessionsEnded,
    PostgresFreeze,
    RowsLocked,
    SlowStore,
    FileLocked,
    FeedSilent,
    FeedCloses,
    FeedGarbled,
    FeedCut,
    WorkersAway,
    ListenerCutOff,
    WorkersCutOff,
    StoreCutOff,
    BadNetwork,
    FewFiles,
    Starved,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) fault: Fault,
    /// As in the matrix. Several faults may be ways of one row.
    pub(super) name: &'static str,
    /// What happens, for people.
    pub(super) about: &'static str,
    pub(super) servers_only: bool,
    pub(super) embedded_only: bool,
}

const fn row(name: &'static str, fault: Fault, about: &'static str) -> Row {
    Row { fault, name, about, servers_only: false, embedded_only: false }
}

const fn servers(name: &'static str, fault: Fault, about: &'static str) -> Row {
    Row { servers_only: true, ..row(name, fault, about) }
}

/// Every fault, in the order of the matrix.
pub(super) const TABLE: &[Row] = &[
    row("F1", Fault::KillWorker, "SIGKILL for a worker"),
    row("F2", Fault::KillListener, "SIGKILL for the listener"),
    row("F4", Fault::KillLauncher, "SIGKILL for a launcher with its parts"),
    row("F5", Fault::StopWorker, "SIGTERM for a worker"),
    row("F5", Fault::StopListener, "SIGTERM for the listener"),
    servers("F6", Fault::StopWhileStoreHangs, "SIGTERM for a worker while PostgreSQL is frozen"),
    row("F7", Fault::Reload, "SIGHUP for every part, again and again"),
    row("F9", Fault::FreezeWorker, "a worker frozen for three leases"),
    servers("F13", Fault::RedisRestart, "Redis killed and started again (AOF everysec)"),
    servers("F15", Fault::RedisFreeze, "Redis frozen"),
    servers("F16", Fault::RedisFull, "Redis has no memory left"),
    servers("F21", Fault::RedisForgets, "SCRIPT FLUSH and CLIENT KILL, again and again"),
    servers("F23", Fault::PostgresRestart, "PostgreSQL stopped and started again"),
    servers("F23", Fault::PostgresKill, "PostgreSQL killed and started again"),
    servers("F24", Fault::CommitUnknown, "answers of PostgreSQL are cut off"),
    servers("F24", Fault::SessionsEnded, "every session of PostgreSQL is ended, again and again"),
    servers("F25", Fault::PostgresFreeze, "PostgreSQL frozen"),
    servers("F28", Fault::RowsLocked, "another session holds every price row"),
    servers("F35", Fault::SlowStore, "PostgreSQL 200 ms away"),
    Row { embedded_only: true, ..row("F36", Fault::FileLocked, "another process holds the store's file") },
    row("F41", Fault::FeedSilent, "the feed's line is dead and stays open"),
    row("F42", Fault::FeedCloses, "the feed closes with any code"),
    row("F40", Fault::FeedGarbled, "the feed's line spoils bytes"),
    row("F49", Fault::FeedCut, "all connections of the feed are reset"),
    row("F56", Fault::WorkersAway, "every worker is stopped"),
    servers("F60", Fault::ListenerCutOff, "the listener is cut off from Redis"),
    servers("F61", Fault::WorkersCutOff, "the workers are cut off from Redis"),
    servers("F62", Fault::StoreCutOff, "the workers are cut off from PostgreSQL"),
    row("F64", Fault::BadNetwork, "every line is slow and narrow"),
    row("F65", Fault::FewFiles, "no part may open another file"),
    row("F67", Fault::Starved, "other programs take all processors"),
];

impl Fault {
    /// Its row.
    pub(super) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.fault == self).unwrap_or(&TABLE[0])
    }
}

impl Row {
    /// Whether this pair can have it.
    pub(super) fn suits(&self, pair: Pair) -> bool {
        match pair {
            Pair::Servers => !self.embedded_only,
            Pair::Embedded => !self.servers_only,
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
    Fault::KillWorker,
    Fault::KillListener,
    Fault::RedisRestart,
    Fault::RedisFreeze,
    Fault::RedisFull,
    Fault::PostgresRestart,
    Fault::PostgresFreeze,
    Fault::FeedSilent,
    Fault::WorkersAway,
    Fault::ListenerCutOff,
    Fault::StoreCutOff,
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
