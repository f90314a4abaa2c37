//! The judgement as a table, the rates and the goals.

use common::presence::ListenerCounts;
use common::wipe::Wiped;

use super::*;

/// The codes of the reasons, the state they make, and the scene that has them.
type Row = (&'static [&'static str], State, Scene);

fn queue_troubles() -> Vec<Row> {
    vec![
        (&[], State::Healthy, Scene::healthy()),
        (&["lost"], State::Loss, Scene::spoilt(|scene| scene.census.ledger.accepted += 1)),
        (&["ticks_unbalanced"], State::Loss, Scene::spoilt(|scene| scene.census.ledger.stored -= 1)),
        (&[], State::Healthy, Scene::spoilt(|scene| scene.census.ledger.waiting += 7)), // a foreign producer's
        (
            &["dead_letters"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.census.ledger.dead = 2;
                scene.census.ledger.accepted += 2;
            }),
        ),
        (&["no_worker"], State::Degraded, Scene::spoilt(|scene| scene.worker = None)),
        (
            &["no_worker"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.worker = Some(WorkerState { queues: vec!["other".parse().unwrap()], ..worker() });
            }),
        ),
        (&["old_tasks"], State::Degraded, Scene::spoilt(|scene| scene.census.oldest_at = Some(ago(30_001)))),
        (&[], State::Healthy, Scene::spoilt(|scene| scene.census.oldest_at = Some(ago(30_000)))),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn part_troubles() -> Vec<Row> {
    vec![
        (
            &["connection_not_live"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.listener = Some(listener(&[Link::Live, Link::Reconnecting]));
            }),
        ),
        (
            &["connection_not_live"; 4],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.listener =
                    Some(listener(&[Link::Connecting, Link::Subscribing, Link::Reconnecting, Link::Stopped]));
            }),
        ),
        (
            &["needs_login"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.listener = Some(listener(&[Link::NeedsLogin, Link::NeedsLogin, Link::Live]));
            }),
        ),
        (
            &["needs_login", "connection_not_live"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.listener = Some(listener(&[Link::Unknown, Link::NeedsLogin]));
            }),
        ),
        (
            &["symbol_refused"],
            State::Degraded,
            Scene::spoilt(|scene| {
                let mut listener = listener(&[Link::Live]);
                listener.connections[0].refused.insert("NOSUCH".into(), "invalid symbol".into());
                scene.listener = Some(listener);
            }),
        ),
        (
            &["listener_trouble"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.listener =
                    Some(ListenerState { trouble: Some("the queue is full".into()), ..listener(&[Link::Live]) });
            }),
        ),
        (
            &["worker_trouble"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.worker = Some(WorkerState { trouble: Some("the store is away".into()), ..worker() });
            }),
        ),
        (
            &["worker_stuck"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.worker = Some(WorkerState { last_take_at: Some(ago(31_000)), ..worker() });
            }),
        ),
        (
            &["store_away"],
            State::Degraded,
            Scene::spoilt(|scene| {
                scene.store = Store::Away { place: "postgres://db".into(), trouble: away() };
            }),
        ),
        (&[], State::Healthy, Scene::spoilt(|scene| scene.census.paused = true)),
        (
            &[],
            State::Healthy,
            Scene::spoilt(|scene| {
                (scene.listener, scene.worker, scene.census) = (None, None, Census::default());
            }),
        ),
        (
            &["lost", "no_worker"],
            State::Loss,
            Scene::spoilt(|scene| {
                scene.census.ledger.accepted += 1;
                scene.worker = None;
            }),
        ),
    ]
}

#[test]
fn each_trouble_has_its_state_and_its_reason() {
    for (codes, state, scene) in queue_troubles().into_iter().chain(part_troubles()) {
        let judgement = judgement::judge(&scene.look());
        let found: Vec<&str> = judgement.reasons.iter().map(|reason| reason.code).collect();
        assert_eq!((found.as_slice(), judgement.state()), (codes, state), "{judgement:?}");
    }
}

fn wiped(lost_max: u64) -> Wiped {
    Wiped { queue: queue(), at: ago(5_000), known_accepted: 1_200, known_settled: 1_200 - lost_max, lost_max }
}

#[test]
fn an_emptied_queue_is_a_loss_though_its_new_ledger_balances() {
    let report = |in_listener: u64, in_worker: u64| {
        let scene = Scene::spoilt(|scene| {
            scene.listener = Some(ListenerState { wiped: Some(wiped(in_listener)), ..listener(&[Link::Live]) });
            scene.worker = Some(WorkerState { wiped: vec![wiped(in_worker)], ..worker() });
        });
        Report::of(&scene.look(), None)
    };
    let seen = report(1_150, 1_100);
    assert_eq!((seen.state, seen.state.exit(), seen.reasons.len()), (State::Loss, Exit::Loss, 1));
    assert_eq!(seen.reasons[0].code, "broker_wiped");
    assert!(seen.reasons[0].text.contains("up to 1,150 accepted tasks lost"), "{}", seen.reasons[0].text);
    assert_eq!(report(0, 0).state, State::Degraded, "nothing was waiting");
}

#[test]
fn what_a_listener_has_spooled_is_shown_and_no_trouble_by_itself() {
    let counts = ListenerCounts { received: 50, accepted: 8, spooled: 42, ..ListenerCounts::default() };
    let scene = Scene::spoilt(|scene| {
        scene.listener = Some(ListenerState { counts: Some(counts), ..listener(&[Link::Live]) });
    });
    let report = Report::of(&scene.look(), None);
    assert_eq!(report.state, State::Healthy);
    assert!(report.notes[0].ends_with("42 messages in its spool, on the way to the queue"), "{:?}", report.notes);
    assert_eq!(serde_json::to_value(&report).unwrap()["listeners"][0]["counts"]["spooled"], 42);
}

#[test]
fn a_broker_that_cannot_be_seen_is_unreachable_and_not_lost() {
    let report = Report::of(&unreachable(), None);
    assert_eq!((report.state, report.state.exit()), (State::Unreachable, Exit::Unreachable));
    assert_eq!(report.reasons[0].fix.as_deref(), Some("start it"));
}

#[test]
fn one_queues_surplus_does_not_hide_anothers_loss() {
    let mut look = Scene::spoilt(|scene| scene.census.ledger.accepted += 5).look();
    let foreign = Census { ledger: Ledger { waiting: 9, ..Ledger::default() }, ..Census::default() };
    look.desk.as_mut().unwrap().queues.push(("foreign".parse().unwrap(), foreign));
    let report = Report::of(&look, None);
    let ledger = report.ledger.unwrap();
    assert_eq!((ledger.lost, ledger.uncounted, report.state), (5, 9, State::Loss));
}

#[test]
fn rates_come_from_two_looks_and_never_from_a_count_that_began_anew() {
    let before = Scene::healthy().look();
    let mut after = Scene::spoilt(|scene| {
        scene.census.ledger.accepted += 3_000;
        scene.census.ledger.settled = 0;
        scene.listener.as_mut().unwrap().connections[0].messages += 1_000;
    })
    .look();
    after.at = UnixMicros(NOW.0 + 2_000_000);
    let report = Report::of(&after, Some(&before));
    assert_eq!((report.queues[0].accepted_per_s, report.queues[0].settled_per_s), (Some(1_500), None));
    let rates: Vec<_> = report.connections.iter().map(|connection| connection.messages_per_s).collect();
    assert_eq!(rates, [Some(500), Some(0)]);
    assert_eq!(Report::of(&after, Some(&unreachable())).queues[0].accepted_per_s, None);
}

#[test]
fn goals_are_reached_when_they_are_true() {
    let idle = Scene::spoilt(|scene| {
        (scene.listener, scene.worker, scene.census) = (None, None, Census::default());
    });
    let table = [
        (Scene::healthy().look(), [true, true, false]),
        (idle.look(), [true, false, true]),
        (unreachable(), [false, false, false]),
    ];
    for (look, reached) in table {
        let report = Report::of(&look, None);
        let found = [Goal::Healthy, Goal::Running, Goal::Drained].map(|goal| is_reached(goal, &report));
        assert_eq!(found, reached, "{:?}", report.state);
    }
}
