//! Audits of ledgers that are made up.

use common::clock::UnixMicros;
use common::presence::{InstanceId, ListenerState, Part, WorkerState};

use super::*;

fn good() -> Ledger {
    Ledger {
        received: 12_010,
        accepted: 12_000,
        shed: [("merge".into(), 8)].into(),
        rejected: [("not_json".into(), 3)].into(),
        settled: 11_800,
        waiting: 184,
        leased: 10,
        delayed: 3,
        dead: 2,
        purged: 1,
        ticks: 11_900,
        stored: 500,
        superseded: 11_390,
        skipped: [("depth".into(), 10)].into(),
        ..Ledger::default()
    }
}

fn presence(part: Part) -> Presence {
    Presence {
        instance: InstanceId::fresh(),
        host: "host-a".into(),
        pid: 7,
        life: None,
        version: "0.1.0".into(),
        started_at: UnixMicros(0),
        beat_at: UnixMicros(0),
        memory_bytes: 0,
        cpu_us: 0,
        part,
    }
}

fn audit(ledger: Ledger) -> Audit {
    let presences = vec![
        presence(Part::Listener(ListenerState { buffered: 2, ..ListenerState::default() })),
        presence(Part::Worker(WorkerState { tasks: 11_000, ..WorkerState::default() })),
        presence(Part::Worker(WorkerState { tasks: 800, ..WorkerState::default() })),
    ];
    let queues = vec![("websocket_data".parse().unwrap(), ledger)];
    Audit::of(&Look { queues, presences, history: Some(11_890) })
}

#[test]
fn every_number_stands_in_its_equation() {
    let audit = audit(good());
    assert!(audit.balanced && audit.exit() == Exit::Ok);
    insta::assert_snapshot!(text::render(&audit), @"
    websocket_data
      tasks    accepted 12,000 = settled 11,800 + waiting 184 + leased 10 + delayed 3 + dead 2 + purged 1   ok
      ticks    ticks 11,900 = stored 500 + superseded 11,390 + legacy 0 + expired 0 + skipped: depth 10   ok
    beside the ledger
      intake   received 12,010 = accepted 12,000 + shed: merge 8 + buffered 2   ok
      rejects  frames that were no message 3 = rejected: not_json 3   ok
      workers  settled 11,800 = settled by the 2 workers that run now 11,800   ok
      history  stored 500 + superseded 11,390 = rows of tick_history 11,890   ok
    balanced
    ");
}

#[test]
fn a_task_or_a_tick_that_is_nowhere_is_a_loss() {
    let lost = audit(Ledger { waiting: 181, ..good() });
    assert_eq!((lost.exit(), lost.balanced), (Exit::Loss, false));
    assert!(text::render(&lost).contains("purged 1   OFF BY 3\n"), "{}", text::render(&lost));
    assert_eq!(audit(Ledger { stored: 499, ..good() }).exit(), Exit::Loss);
    assert_eq!(audit(Ledger { stored: 501, ..good() }).exit(), Exit::Loss, "ended twice");
}

#[test]
fn what_was_written_off_stands_in_the_equation() {
    let written = Ledger { waiting: 181, written_off: [(Ledger::LOST_TASKS.into(), 3)].into(), ..good() };
    let audit = audit(written);
    assert!(audit.balanced);
    assert!(text::render(&audit).contains("purged 1 + written off: lost_tasks 3   ok\n"));
}

#[test]
fn tasks_of_other_producers_are_no_loss() {
    let waiting = audit(Ledger { waiting: 190, ..good() });
    assert_eq!((waiting.exit(), waiting.balanced), (Exit::Ok, true));
    assert!(text::render(&waiting).contains("ok, 6 to be counted\n"));
    let ended = audit(Ledger { accepted: 4, settled: 5, ..Ledger::default() });
    assert_eq!((ended.exit(), ended.balanced), (Exit::Degraded, false));
}

#[test]
fn one_queues_surplus_hides_no_other_ones_loss() {
    let queues = vec![
        ("a".parse().unwrap(), Ledger { accepted: 5, settled: 4, ..Ledger::default() }),
        ("b".parse().unwrap(), Ledger { accepted: 5, settled: 6, ..Ledger::default() }),
    ];
    assert_eq!(Audit::of(&Look { queues, ..Look::default() }).exit(), Exit::Loss);
}

#[test]
fn other_counters_decide_nothing() {
    let look = Look { queues: vec![("a".parse().unwrap(), good())], presences: Vec::new(), history: Some(1) };
    let audit = Audit::of(&look);
    assert!(audit.comparisons.iter().any(|one| one.verdict == Verdict::Differs));
    assert_eq!(audit.exit(), Exit::Ok);
}
