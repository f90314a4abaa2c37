//! The codes of errors. A code never changes its meaning; `docs/errors.md` is written from this table.

use std::fmt;

use crate::exit::Exit;

/// Which error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Code {
    Usage = 1,
    UnknownKey = 101,
    BadValue = 102,
    GivenTwice = 103,
    Syntax = 104,
    Unreadable = 105,
    Contradiction = 106,
    Calendar = 107,
    UnknownFeed = 201,
    NoSymbols = 202,
    Listener = 203,
    Exchange = 204,
    NoToken = 205,
    BadToken = 206,
    BrokerUnreachable = 301,
    BrokerFull = 302,
    BrokerDenied = 303,
    BrokerUnexpected = 304,
    BrokerUnfit = 305,
    StoreUnavailable = 401,
    StoreUnfit = 402,
    StoreBusy = 403,
    StoreRefused = 404,
    Output = 501,
    Runtime = 502,
    DataDir = 503,
    HealthAddress = 504,
    Panicked = 505,
    UnknownQueue = 601,
    UnknownLetter = 602,
    Unconfirmed = 603,
    BadExport = 604,
    BadSymbol = 610,
    NotSubscribed = 611,
    Timeout = 701,
    PartEnded = 702,
    Server = 703,
}

/// Every code with what it means and where to look, in order.
const TABLE: &[(Code, Exit, &str)] = &[
    (Code::Usage, Exit::Usage, "The command line is well-formed but asks for something that makes no sense."),
    (Code::UnknownKey, Exit::Config, "A key of the settings file or a `TIDEMILL_` variable is no setting."),
    (Code::BadValue, Exit::Config, "A setting has the wrong type or is out of its range."),
    (Code::GivenTwice, Exit::Config, "One setting is given twice in one place, for example under two names."),
    (Code::Syntax, Exit::Config, "The settings file is no TOML."),
    (Code::Unreadable, Exit::Config, "The settings file, or a file that holds a secret, cannot be read."),
    (Code::Contradiction, Exit::Config, "Two settings are good alone but not together."),
    (Code::Calendar, Exit::Config, "The file of `market.calendar` cannot be read, or has a line that makes no sense."),
    (Code::UnknownFeed, Exit::Config, "No feed has this name."),
    (Code::NoSymbols, Exit::Config, "A listener has nothing to subscribe."),
    (Code::Listener, Exit::Config, "A listener cannot do what its settings ask for."),
    (Code::Exchange, Exit::Failed, "The simulated exchange cannot start."),
    (Code::NoToken, Exit::Failed, "No source has a token of the feed that may be used."),
    (Code::BadToken, Exit::Failed, "What was handed over is no token, or one that has run out."),
    (Code::BrokerUnreachable, Exit::Unreachable, "The queue cannot be reached, does not answer, or is read-only."),
    (Code::BrokerFull, Exit::Unreachable, "The queue has no room for more tasks. Taking and settling still work."),
    (Code::BrokerDenied, Exit::Unreachable, "The queue refuses our name or password, or we lack rights there."),
    (Code::BrokerUnexpected, Exit::Bug, "The queue answered what it should never answer."),
    (Code::BrokerUnfit, Exit::Config, "The queue would lose tasks as it is configured, or its URL makes no sense."),
    (
        Code::StoreUnavailable,
        Exit::Unreachable,
        "The database cannot be reached, is full, read-only, or lacks its tables.",
    ),
    (Code::StoreUnfit, Exit::Config, "The database's URL or its tables cannot be used until somebody acts."),
    (Code::StoreBusy, Exit::Unreachable, "The database was busy with another writer for too long."),
    (Code::StoreRefused, Exit::Failed, "The database refused a row."),
    (Code::Output, Exit::Io, "The output could not be written."),
    (Code::Runtime, Exit::Io, "The operating system refused what every run needs: threads, or the current folder."),
    (Code::DataDir, Exit::Io, "The data folder cannot be written."),
    (Code::HealthAddress, Exit::Config, "The address for health checks is in use or not ours."),
    (Code::Panicked, Exit::Bug, "Loops of a part panicked again and again. A supervisor shall start it afresh."),
    (Code::UnknownQueue, Exit::Failed, "No queue has this name."),
    (Code::UnknownLetter, Exit::Failed, "No dead letter has this id."),
    (Code::Unconfirmed, Exit::Usage, "Something would be deleted for good, and `--yes` was not given."),
    (Code::BadExport, Exit::Failed, "A file of exported dead letters cannot be read, or holds something else."),
    (Code::BadSymbol, Exit::Failed, "A symbol is not in the feed's grammar. Nothing was subscribed."),
    (
        Code::NotSubscribed,
        Exit::Failed,
        "A symbol is not subscribed, so it cannot be unsubscribed. Nothing was changed.",
    ),
    (Code::Timeout, Exit::Failed, "What was waited for did not happen in time."),
    (
        Code::PartEnded,
        Exit::Failed,
        "A measurement was disturbed: a process of it ended, or its queue was used by others.",
    ),
    (Code::Server, Exit::Failed, "A server that a trial starts for itself is not installed, or does not do as told."),
];

impl Code {
    /// The exit code of a command that ends because of it.
    pub(crate) fn exit(self) -> Exit {
        TABLE.iter().find(|(code, ..)| *code == self).map_or(Exit::Failed, |(_, exit, _)| *exit)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TM-{:03}", *self as u16)
    }
}

/// The page of all codes, as Markdown.
#[cfg(test)]
fn reference() -> String {
    let rows: Vec<String> =
        TABLE.iter().map(|(code, exit, meaning)| format!("| {code} | {} | {meaning} |\n", *exit as u8)).collect();
    format!("{HEAD}{}", rows.concat())
}

#[cfg(test)]
const HEAD: &str = "\
# Errors

Every error begins with a code, then says the thing in one line; below it *what* that means, *why* it is so, what is
*safe* (what happened to the data), how to *fix* it, and a *note*.

Exit codes: 0 ok or healthy; 1 failed; 2 usage; 3 configuration; 4 unreachable; 5 degraded; 6 loss detected;
70 a bug; 74 input or output; 130 interrupted.

| code | exit | meaning |
|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_in_order() {
        let codes: Vec<u16> = TABLE.iter().map(|(code, ..)| *code as u16).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }

    #[test]
    fn the_page_of_errors_is_written_from_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(page, reference(), "docs/errors.md must read like the right side");
    }
}
