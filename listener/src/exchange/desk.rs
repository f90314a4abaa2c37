//! What all connections of an exchange share: whom it admits, what it lists, whether it trades.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One-time codes that are remembered.
const CODES_MAX: usize = 10_000;

/// The exchange's front desk.
#[derive(Debug)]
pub(super) struct Desk {
    /// The symbols of a walk, in their order; none for a recording.
    symbols: Vec<String>,
    known: HashSet<String>,
    // Never held across an await.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The one credential that is admitted; `None` admits any.
    credential: Option<String>,
    refused: BTreeSet<String>,
    is_open: bool,
    /// Codes that were issued and not yet used.
    codes: BTreeSet<String>,
    issued: u64,
}

impl Desk {
    pub(super) fn new(symbols: Vec<String>, credential: Option<String>, refused: Vec<String>) -> Self {
        let known = symbols.iter().cloned().collect();
        let refused = refused.into_iter().collect();
        let state = State { credential, refused, is_open: true, codes: BTreeSet::new(), issued: 0 };
        Self { symbols, known, state: Mutex::new(state) }
    }

    pub(super) fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// Whether this credential is admitted now. An empty one never is.
    pub(super) fn admits(&self, credential: &str) -> bool {
        !credential.is_empty() && self.lock().credential.as_deref().is_none_or(|wanted| wanted == credential)
    }

    /// As [`admits`](Self::admits), where a client shows only a part of its credential.
    pub(super) fn admits_by(&self, shows: impl FnOnce(&str) -> bool) -> bool {
        self.lock().credential.as_deref().is_none_or(shows)
    }

    /// Whether a symbol can be subscribed. A recording lists none, so that any can.
    pub(super) fn lists(&self, symbol: &str) -> bool {
        (self.symbols.is_empty() || self.known.contains(symbol)) && !self.lock().refused.contains(symbol)
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// A code that [`redeem`](Self::redeem) takes once.
    pub(super) fn issue_code(&self) -> String {
        let mut state = self.lock();
        state.issued += 1;
        let code = format!("code-{:06}", state.issued);
        if CODES_MAX <= state.codes.len() {
            state.codes.pop_first();
        }
        state.codes.insert(code.clone());
        code
    }

    pub(super) fn redeem(&self, code: &str) -> bool {
        self.lock().codes.remove(code)
    }

    pub(super) fn set_credential(&self, credential: Option<String>) {
        self.lock().credential = credential;
    }

    pub(super) fn set_open(&self, is_open: bool) {
        self.lock().is_open = is_open;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once() {
        let desk = Desk::new(Vec::new(), None, Vec::new());
        let code = desk.issue_code();
        assert_eq!((desk.redeem(&code), desk.redeem(&code), desk.redeem("other")), (true, false, false));
    }

    #[test]
    fn only_the_wanted_credential_is_admitted_and_none_never() {
        let desk = Desk::new(Vec::new(), Some("old".into()), Vec::new());
        assert!(desk.admits("old") && !desk.admits("new"));
        desk.set_credential(None);
        assert!(desk.admits("new") && !desk.admits(""));
    }

    #[test]
    fn a_symbol_is_listed_unless_it_is_unknown_or_refused() {
        let desk = Desk::new(vec!["A".into(), "B".into()], None, vec!["B".into()]);
        assert_eq!(["A", "B", "C"].map(|symbol| desk.lists(symbol)), [true, false, false]);
    }
}
