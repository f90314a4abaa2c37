//! Errors of the seams and of the settings, as diagnostics.

use common::broker::BrokerError;
use common::chain;
use common::health::HealthError;
use common::settings::{Class, Problem};
use common::store::StoreError;

use std::error::Error;

use super::{Code, Diagnostic};

impl From<&Problem> for Diagnostic {
    fn from(problem: &Problem) -> Self {
        let code = match problem.class {
            Class::UnknownKey => Code::UnknownKey,
            Class::BadValue => Code::BadValue,
            Class::Twice => Code::GivenTwice,
            Class::Syntax => Code::Syntax,
            Class::Unreadable => Code::Unreadable,
            Class::Contradiction => Code::Contradiction,
        };
        let mut diagnostic = Self::new(code, problem.message.as_str());
        diagnostic.place = problem.origin.as_ref().map(ToString::to_string);
        diagnostic.excerpt.clone_from(&problem.excerpt);
        if problem.class == Class::UnknownKey {
            diagnostic = diagnostic.why("settings are checked strictly: a typo must not silently do nothing");
        }
        match &problem.fix {
            Some(fix) => diagnostic.fix(fix.as_str()),
            None if problem.class == Class::UnknownKey => diagnostic.fix("see all settings: tidemill config reference"),
            None => diagnostic,
        }
    }
}

impl From<&BrokerError> for Diagnostic {
    fn from(error: &BrokerError) -> Self {
        let title = error.to_string();
        match error {
            BrokerError::Unavailable { source, .. } => Self::new(Code::BrokerUnreachable, title)
                .what("tasks can neither be put on the queue nor taken until it is back")
                .why(chain(source.as_ref()))
                .safe("what was accepted stays on the queue; nothing is lost by waiting")
                .fix("start it, or correct broker.url: tidemill config show --origin\nor run without it: unset REDIS_URL and broker.url for the embedded queue"),
            BrokerError::OutOfRoom { source, .. } => Self::new(Code::BrokerFull, title)
                .why(chain(source.as_ref()))
                .safe("waiting tasks are kept; taking and settling still work")
                .fix("give it more memory or disk, or add workers to empty the queue"),
            BrokerError::Denied { source, .. } => Self::new(Code::BrokerDenied, title)
                .why(chain(source.as_ref()))
                .fix("correct the user or password in broker.url: tidemill config show --origin"),
            BrokerError::Unfit { fix, .. } => {
                Self::new(Code::BrokerUnfit, title).fix(fix.as_str()).note("nothing was started, so nothing can be lost")
            }
            BrokerError::Unexpected { .. } => Self::new(Code::BrokerUnexpected, title)
                .safe("the call may be repeated: nothing is settled twice")
                .fix("check that nothing else writes to its keys; otherwise please report this"),
        }
    }
}

impl From<&HealthError> for Diagnostic {
    fn from(error: &HealthError) -> Self {
        Self::new(Code::HealthAddress, error.to_string())
            .why(error.source().map(ToString::to_string).unwrap_or_default())
            .fix("choose a free port with health.listen, one per process, or leave it out")
            .note("nothing was started, so nothing can be lost")
    }
}

impl From<&StoreError> for Diagnostic {
    fn from(error: &StoreError) -> Self {
        let title = error.to_string();
        match error {
            StoreError::Systemic { source, code, .. } => {
                let why = chain(source.as_ref());
                let why = code.as_ref().map_or_else(|| why.clone(), |code| format!("{why} (SQLSTATE {code})"));
                Self::new(Code::StoreUnavailable, title)
                    .why(why)
                    .safe("ticks wait on the queue until it is back")
                    .fix("start it, or correct store.url: tidemill config show --origin\nif its tables are missing: tidemill migrate")
            }
            StoreError::Contention { source, .. } => Self::new(Code::StoreBusy, title)
                .why(chain(source.as_ref()))
                .safe("nothing was written; the same call may be repeated"),
            StoreError::Row { source, .. } => {
                Self::new(Code::StoreRefused, title).why(chain(source.as_ref())).safe("nothing was written")
            }
            StoreError::Unfit { fix, .. } => Self::new(Code::StoreUnfit, title).fix(fix.as_str()),
        }
    }
}
