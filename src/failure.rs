//! Why a command ended early.

use std::io;

use common::broker::BrokerError;
use common::outage::chain;
use common::servers::ServerError;
use common::settings::SettingsError;
use common::store::StoreError;

use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;

/// Why a command ended early, with the exit code that says so.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to tell the user.
    Told {
        /// The exit code.
        exit: Exit,
        /// What to tell; never empty.
        diagnostics: Vec<Diagnostic>,
    },
    /// Nobody reads our output any more, e.g. `| head`: not an error.
    ReaderGone,
}

impl Failure {
    /// One diagnostic, its code's usual exit code.
    pub(crate) fn new(diagnostic: Diagnostic) -> Self {
        Self::Told { exit: diagnostic.code.exit(), diagnostics: vec![diagnostic] }
    }

    /// A command line that clap accepts and we cannot.
    pub(crate) fn usage(title: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Diagnostic::new(Code::Usage, title).fix(fix))
    }

    /// A stream could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        Self::new(Diagnostic::new(Code::Output, format!("cannot write the output: {error}")))
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        let why = std::error::Error::source(&error).map(chain);
        let diagnostic = Diagnostic::new(Code::Server, error.to_string());
        Self::new(why.map_or(diagnostic.clone(), |why| diagnostic.why(why)))
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let exit = if error.is_usage() { Exit::Usage } else { Exit::Config };
        Self::Told { exit, diagnostics: error.problems.iter().map(Diagnostic::from).collect() }
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::new(Diagnostic::from(&error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Diagnostic::from(&error))
    }
}
