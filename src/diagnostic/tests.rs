//! The error screens.

use common::broker::BrokerError;
use common::settings::{Environment, Sources, resolve};
use common::store::StoreError;

use super::*;
use crate::failure::Failure;

#[test]
fn a_misspelt_key_shows_its_place_and_the_right_key() {
    let environment = Environment::from([("TIDEMILL_WORKER__CONCURENCY", "8")]);
    let error = resolve(&Sources { environment, ..Sources::default() }).unwrap_err();
    let shown: Vec<String> = error.problems.iter().map(|problem| Diagnostic::from(problem).to_string()).collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r#"
    error[TM-101]: unknown variable `TIDEMILL_WORKER__CONCURENCY`
      --> environment TIDEMILL_WORKER__CONCURENCY
      = why   settings are checked strictly: a typo must not silently do nothing
      = fix   did you mean `TIDEMILL_WORKER__CONCURRENCY`?
    "#);
}

#[test]
fn a_bad_value_is_underlined() {
    let environment = Environment::from([("TIDEMILL_WORKER__LEASE", "soon")]);
    let error = resolve(&Sources { environment, ..Sources::default() }).unwrap_err();
    insta::assert_snapshot!(Diagnostic::from(&error.problems[0]), @r#"
    error[TM-102]: `worker.lease` must be a duration from 2s to 1h, such as `500ms`, `3s`, `2m` or bare seconds, not `soon`
      --> environment TIDEMILL_WORKER__LEASE
       |
       | soon
       | ^^^^
    "#);
}

#[test]
fn an_unreachable_broker_says_why_and_what_is_safe() {
    let error = BrokerError::Unavailable {
        place: "redis://cache-1:6379/0".into(),
        source: std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into(),
    };
    insta::assert_snapshot!(Diagnostic::from(&error), @r#"
    error[TM-301]: cannot reach the broker at redis://cache-1:6379/0
      = what  tasks can neither be put on the queue nor taken until it is back
      = why   connection refused
      = safe  what was accepted stays on the queue; nothing is lost by waiting
      = fix   start it, or correct broker.url: tidemill config show --origin
              or run without it: unset REDIS_URL and broker.url for the embedded queue
    "#);
}

#[test]
fn an_unfit_broker_passes_on_its_fix() {
    let error = BrokerError::Unfit {
        place: "redis://h:6379".into(),
        problem: "maxmemory-policy is `allkeys-lru`; a queue needs `noeviction`".into(),
        fix: "redis-cli CONFIG SET maxmemory-policy noeviction".into(),
    };
    insta::assert_snapshot!(Diagnostic::from(&error), @r#"
    error[TM-305]: the broker at redis://h:6379 cannot be used: maxmemory-policy is `allkeys-lru`; a queue needs `noeviction`
      = fix   redis-cli CONFIG SET maxmemory-policy noeviction
      = note  nothing was started, so nothing can be lost
    "#);
}

#[test]
fn a_missing_store_names_its_sqlstate() {
    let error = StoreError::Systemic {
        place: "postgres://tidemill@db/market".into(),
        code: Some("57P03".into()),
        source: "the database system is starting up".into(),
    };
    insta::assert_snapshot!(Diagnostic::from(&error), @r#"
    error[TM-401]: the price store at postgres://tidemill@db/market is not available
      = why   the database system is starting up (SQLSTATE 57P03)
      = safe  ticks wait on the queue until it is back
      = fix   start it, or correct store.url: tidemill config show --origin
              if its tables are missing: tidemill migrate
    "#);
}

#[test]
fn each_situation_ends_with_its_exit_code() {
    use crate::exit::Exit;
    let place = || "p".to_owned();
    let broker = |error: BrokerError| Failure::from(error);
    let store = |error: StoreError| Failure::from(error);
    for (failure, expected) in [
        (broker(BrokerError::Unavailable { place: place(), source: "x".into() }), Exit::Unreachable),
        (broker(BrokerError::Denied { place: place(), source: "x".into() }), Exit::Unreachable),
        (broker(BrokerError::Unfit { place: place(), problem: place(), fix: place() }), Exit::Config),
        (broker(BrokerError::Unexpected { place: place(), answer: place() }), Exit::Bug),
        (store(StoreError::Systemic { place: place(), code: None, source: "x".into() }), Exit::Unreachable),
        (store(StoreError::Unfit { place: place(), problem: place(), fix: place() }), Exit::Config),
        (store(StoreError::Row { place: place(), source: "x".into() }), Exit::Failed),
    ] {
        let Failure::Told { exit, diagnostics } = failure else { panic!("nothing told") };
        assert_eq!(exit, expected, "{diagnostics:?}");
    }
}

#[test]
fn text_of_others_cannot_move_the_cursor() {
    let shown = Diagnostic::new(Code::Usage, "bad \u{1b}[2J symbol").why("a\u{7}b").to_string();
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
}
