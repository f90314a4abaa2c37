use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::clock::UnixMicros;

fn event(action: RosterAction) -> RosterEvent {
    RosterEvent::new(action, "asha@desk-3", UnixMicros(1_763_726_400_000_000))
}

fn subscribe(symbol: &str) -> RosterEvent {
    event(RosterAction::Subscribe { symbol: symbol.into() })
}

fn unsubscribe(symbol: &str) -> RosterEvent {
    event(RosterAction::Unsubscribe { symbol: symbol.into() })
}

#[test]
fn two_subscriptions_need_two_to_end() {
    let mut roster = Roster::new(&["A", "A"]);
    assert_eq!(roster.apply(&subscribe("B")), Applied::Changed);
    assert_eq!(roster.apply(&subscribe("B")), Applied::Unchanged);
    assert_eq!(roster.apply(&unsubscribe("B")), Applied::Unchanged);
    assert_eq!(roster.symbols(), ["A", "B"]);
    assert_eq!(roster.apply(&unsubscribe("B")), Applied::Changed);
    assert_eq!(roster.apply(&unsubscribe("B")), Applied::Unchanged);
    assert_eq!(roster.apply(&subscribe("A")), Applied::Unchanged);
    assert_eq!(roster.count("A"), 2, "the settings count one, however often they say it");
    for last in [Applied::Unchanged, Applied::Changed] {
        assert_eq!(roster.apply(&unsubscribe("A")), last);
    }
    assert_eq!(roster.symbols(), [""; 0]);
}

#[test]
fn a_new_symbol_takes_the_place_of_one_that_left() {
    let mut roster = Roster::new(&["A", "B"]);
    for symbol in ["C", "D", "E"] {
        roster.apply(&subscribe(symbol));
    }
    roster.apply(&unsubscribe("C"));
    roster.apply(&unsubscribe("A"));
    assert_eq!(roster.places(), [None, Some("B"), None, Some("D"), Some("E")]);
    roster.apply(&subscribe("F"));
    assert_eq!(roster.places(), [None, Some("B"), Some("F"), Some("D"), Some("E")]);
    roster.apply(&subscribe("A"));
    assert_eq!(roster.places()[0], Some("A"), "a base symbol's place is its own");
    for symbol in ["D", "E"] {
        roster.apply(&unsubscribe(symbol));
    }
    assert_eq!(roster.places(), [Some("A"), Some("B"), Some("F")]);
}

#[test]
fn a_pause_is_of_the_whole_feed() {
    let mut roster = Roster::new(&["A"]);
    for (action, applied) in [
        (RosterAction::Pause, Applied::Changed),
        (RosterAction::Pause, Applied::Unchanged),
        (RosterAction::Resume, Applied::Changed),
        (RosterAction::Resume, Applied::Unchanged),
    ] {
        let pauses = action == RosterAction::Pause;
        assert_eq!(roster.apply(&event(action)), applied);
        assert_eq!((roster.is_paused(), roster.symbols()), (pauses, vec!["A"]));
    }
}

#[test]
fn a_restart_that_says_the_same_is_no_change() {
    let mut roster = Roster::new(&["A"]);
    let news = |events, is_restart| RosterNews { events, revision: 7, is_restart };
    assert_eq!(roster.catch_up(&news(vec![subscribe("B")], false)), Applied::Changed);
    assert_eq!(roster.catch_up(&news(vec![subscribe("B")], true)), Applied::Unchanged);
    assert_eq!(roster.count("B"), 1);
    assert_eq!(roster.catch_up(&news(Vec::new(), true)), Applied::Changed);
    assert_eq!((roster.symbols(), roster.revision()), (vec!["A"], 7));
}

#[test]
fn more_symbols_than_the_limit_are_refused_by_everybody_alike() {
    let mut roster = Roster::default();
    for number in 0..Roster::SYMBOLS_MAX {
        roster.apply(&subscribe(&number.to_string()));
    }
    assert_eq!(roster.apply(&subscribe("more")), Applied::Full);
    assert_eq!(roster.apply(&unsubscribe("other")), Applied::Full);
    assert_eq!(roster.apply(&unsubscribe("7")), Applied::Changed);
    assert_eq!(roster.apply(&subscribe("more")), Applied::Changed);
    assert_eq!(roster.places().get(7), Some(&Some("more")));
}

#[test]
fn the_wire_is_frozen() {
    let text = r#"{"v":1,"id":"0199c5d0-7d2e-7c55-a7bb-0123456789ab","at":1763726400000000,"by":"a\"b","do":"subscribe","symbol":"BTCUSDT"}"#;
    let read = RosterEvent::decode(text).unwrap();
    assert_eq!(read.encode(), text);
    assert_eq!(read.action, RosterAction::Subscribe { symbol: "BTCUSDT".into() });
    let state = r#"{"v":1,"id":"0199c5d0-7d2e-7c55-a7bb-0123456789ab","at":1,"by":"","do":"snapshot","paused":true,"symbols":[{"symbol":"A","alone":2,"based":3,"place":0},{"symbol":"B","alone":0,"based":0,"place":null}]}"#;
    assert_eq!(RosterEvent::decode(state).unwrap().encode(), state);
    for word in ["pause", "resume"] {
        assert!(RosterEvent::decode(&text.replace(r#"subscribe","symbol":"BTCUSDT""#, &format!("{word}\""))).is_ok());
    }
}

#[test]
fn what_cannot_be_replayed_is_refused_with_a_reason() {
    let frame = |rest: &str| format!(r#"{{"v":1,"id":"0199c5d0-7d2e-7c55-a7bb-0123456789ab","at":1,"by":"",{rest}}}"#);
    let symbols = |list: &str| frame(&format!(r#""do":"snapshot","paused":false,"symbols":[{list}]"#));
    assert_eq!(RosterEvent::decode(r#"{"v":2,"do":"dance"}"#), Err(BadEvent::Newer(2)));
    for (text, problem) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), ""),
        (frame(r#""do":"dance""#), "dance"),
        (frame(r#""do":"subscribe""#), "symbol"),
        (frame(r#""do":"subscribe","symbol":"""#), "0 bytes"),
        (frame(&format!(r#""do":"unsubscribe","symbol":"{}""#, "x".repeat(201))), "201 bytes"),
        (symbols(r#"{"symbol":"A","alone":1,"based":2,"place":null}"#), "none for somebody"),
        (symbols(r#"{"symbol":"A","alone":0,"based":0,"place":3}"#), "place for nobody"),
        (symbols(r#"{"symbol":"A","alone":1,"based":2,"place":4000000000}"#), "out of range"),
        (
            symbols(r#"{"symbol":"A","alone":1,"based":2,"place":0},{"symbol":"B","alone":1,"based":2,"place":0}"#),
            "twice",
        ),
    ] {
        let bad = RosterEvent::decode(&text).unwrap_err();
        assert!(matches!(bad, BadEvent::Unreadable(_)) && bad.to_string().contains(problem), "{text}: {bad}");
        assert!(!bad.fix().is_empty());
    }
}

/// Symbols 0 to 11; the base lists are taken from the first of them.
fn events() -> impl Strategy<Value = Vec<RosterEvent>> {
    let one = (0..12_u8, 0..20_u8).prop_map(|(symbol, what)| match what {
        0 => event(RosterAction::Pause),
        1 => event(RosterAction::Resume),
        2..11 => subscribe(&symbol.to_string()),
        _ => unsubscribe(&symbol.to_string()),
    });
    vec(one, 0..80)
}

fn replayed(base: &[String], events: &[RosterEvent]) -> Roster {
    let mut roster = Roster::new(base);
    for event in events {
        roster.apply(event);
    }
    roster
}

proptest! {
    #[test]
    fn a_count_is_what_counting_gives(base in 0..5_u8, events in events()) {
        let base: Vec<String> = (0..base).map(|n| n.to_string()).collect();
        let mut counts = std::collections::HashMap::<String, u32>::new();
        counts.extend(base.iter().map(|symbol| (symbol.clone(), 1)));
        for event in &events {
            match &event.action {
                RosterAction::Subscribe { symbol } => *counts.entry(symbol.to_string()).or_default() += 1,
                RosterAction::Unsubscribe { symbol } => {
                    let count = counts.entry(symbol.to_string()).or_default();
                    *count = count.saturating_sub(1);
                }
                RosterAction::Pause | RosterAction::Resume | RosterAction::Snapshot(_) => {}
            }
        }
        let roster = replayed(&base, &events);
        let mut expected: Vec<&str> = counts.iter().filter(|(_, n)| 0 < **n).map(|(symbol, _)| &**symbol).collect();
        let mut symbols = roster.symbols();
        expected.sort_unstable();
        symbols.sort_unstable();
        prop_assert_eq!(symbols, expected);
        for (symbol, count) in &counts {
            prop_assert_eq!(roster.count(symbol), *count);
        }
    }

    #[test]
    fn an_event_moves_nobody_but_its_own_symbol(base in 0..5_u8, events in events()) {
        let base: Vec<String> = (0..base).map(|n| n.to_string()).collect();
        let mut roster = Roster::new(&base);
        for event in &events {
            let before: Vec<Option<String>> = roster.places().into_iter().map(|s| s.map(str::to_owned)).collect();
            let applied = roster.apply(event);
            let after = roster.places();
            let place = |n: usize| (before.get(n).and_then(|s| s.as_deref()), after.get(n).copied().flatten());
            let moved = (0..before.len().max(after.len())).filter(|n| place(*n).0 != place(*n).1).count();
            prop_assert!(moved <= 1, "{before:?} {after:?}");
            let pause = matches!(event.action, RosterAction::Pause | RosterAction::Resume);
            prop_assert_eq!(moved == 1, applied == Applied::Changed && !pause);
        }
    }

    #[test]
    fn a_snapshot_stands_for_the_events_before_it_whatever_the_base_list(
        base in 0..5_u8,
        events in events(),
        cut in any::<prop::sample::Index>(),
    ) {
        let base: Vec<String> = (0..base).map(|n| n.to_string()).collect();
        let (old, new) = events.split_at(cut.index(events.len() + 1));
        let snapshot = RosterEvent::snapshot(old, UnixMicros(0));
        let snapshot = RosterEvent::decode(&snapshot.encode()).unwrap();
        let short: Vec<RosterEvent> = [snapshot].into_iter().chain(new.iter().cloned()).collect();
        prop_assert_eq!(replayed(&base, &short), replayed(&base, &events));
        // Put together twice is put together once.
        let twice = RosterEvent::snapshot(&short, UnixMicros(0));
        prop_assert_eq!(replayed(&base, &[twice]), replayed(&base, &events));
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        drop(RosterEvent::decode(&text));
    }
}
