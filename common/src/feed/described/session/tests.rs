use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::feed::described::{Pointer, Rule, Slot};
use crate::market::Kind;

fn pointer(text: &str) -> Pointer {
    text.parse().unwrap()
}

fn rule(at: &str, value: &str) -> Vec<Rule> {
    vec![Rule { pointer: pointer(at), value: value.to_owned() }]
}

fn description() -> Description {
    Description {
        name: "acme".to_owned(),
        url: "wss://h".parse().unwrap(),
        headers: Vec::new(),
        subscribe: vec![r#"{"sub":{symbols}}"#.parse().unwrap()],
        unsubscribe: vec![r#"{"unsub":"{symbol}"}"#.parse().unwrap()],
        heartbeat: Some("ping".parse().unwrap()),
        heartbeat_interval: Duration::from_secs(10),
        symbols_per_connection: 50,
        symbols_per_message: 2,
        connections_max: None,
        message_interval: Duration::ZERO,
        silence_max: Duration::from_secs(30),
        events: pointer("/data"),
        only: rule("/type", "trade"),
        symbol: pointer("/s"),
        values: vec![(Slot::LastPrice, pointer("/p"))],
        time: None,
        confirm: Some(Verdict { rules: rule("/type", "ok"), symbols: Some(pointer("/symbols")) }),
        refuse: Some(Verdict { rules: rule("/type", "no"), symbols: Some(pointer("/symbols")) }),
        refuse_reason: Some(pointer("/why")),
        exchange: "ACME".to_owned(),
        kind: Kind::Eq,
    }
}

fn topics(symbols: &[&str]) -> Vec<Topic> {
    symbols.iter().map(|&symbol| Topic { symbol: symbol.into(), stream: symbol.into(), lane: "" }).collect()
}

fn session(description: Description, symbols: &[&str]) -> Session {
    let url = description.url.clone();
    Session::new(Box::leak(Box::new(description)), url, "".into(), &topics(symbols))
}

fn read<'f>(session: &mut Session, text: &'f str) -> Vec<Reading<'f>> {
    let mut out = Vec::new();
    session.read(Incoming::Text(text), &mut out);
    out
}

fn texts_of(sent: &[Outgoing]) -> Vec<&str> {
    sent.iter().map(text_of).collect()
}

fn text_of(sent: &Outgoing) -> &str {
    if let Outgoing::Text(text) = sent { text.as_str() } else { "binary" }
}

#[test]
fn symbols_are_asked_for_as_many_to_a_message_as_it_may_name() {
    let mut session = session(description(), &["A", "B", "C"]);
    assert_eq!(texts_of(&session.opening()), [r#"{"sub":["A","B"]}"#, r#"{"sub":["C"]}"#]);
    assert_eq!(session.heartbeat(), Some(Outgoing::Text("ping".to_owned())));
}

#[test]
fn answers_confirm_and_refuse_by_name_and_only_the_rest_is_asked_for_again() {
    let mut session = session(description(), &["A", "B", "C"]);
    let confirmed = read(&mut session, r#"{"type":"ok","symbols":["a"]}"#);
    assert_eq!(confirmed, [Reading::Confirmed(vec!["A".into()])], "whatever the case");
    let refused = read(&mut session, r#"{"type":"no","symbols":"B","why":"unknown"}"#);
    assert_eq!(refused, [Reading::Refused { streams: vec!["B".into()], reason: "unknown".into() }]);
    assert_eq!(texts_of(&session.opening()), [r#"{"sub":["C"]}"#]);
}

#[test]
fn a_refusal_that_names_nothing_fails_the_connection() {
    let refuse = Some(Verdict { rules: rule("/type", "no"), symbols: None });
    let mut session = session(Description { refuse, ..description() }, &["A"]);
    let read = read(&mut session, r#"{"type":"no","why":"bad key"}"#);
    assert!(matches!(&read[..], [Reading::Failed(Failure { reason, .. })] if &**reason == "bad key"), "{read:?}");
}

#[test]
fn without_a_confirmation_the_first_event_confirms() {
    let mut session = session(Description { confirm: None, ..description() }, &["A"]);
    let text = r#"{"type":"trade","data":[{"s":"A","p":1}]}"#;
    let data = Reading::Data { kind: "event".into(), body: text.into(), key: "A".into(), mark: None };
    assert_eq!(read(&mut session, text), [Reading::Confirmed(vec!["A".into()]), data.clone()]);
    assert_eq!(read(&mut session, text), [data]);
}

#[test]
fn a_frame_of_several_symbols_is_replaced_only_by_one_of_the_same() {
    let text = r#"{"type":"trade","data":[{"s":"A","p":1},{"s":"B","p":1},{"s":"A","p":2}]}"#;
    let read = read(&mut session(description(), &[]), text);
    assert!(matches!(&read[..], [Reading::Data { key, .. }] if key == "A,B"), "{read:?}");
}

#[test]
fn what_is_no_event_is_a_sign_of_life_or_rejected() {
    let mut of_rule = session(description(), &[]);
    assert_eq!(read(&mut of_rule, r#"{"type":"pong"}"#), [Reading::Heartbeat]);
    assert_eq!(read(&mut of_rule, "pong"), [Reading::Rejected("not_json")]);
    let mut of_none = session(Description { only: Vec::new(), ..description() }, &[]);
    assert_eq!(read(&mut of_none, r#"{"type":"pong"}"#), [Reading::Rejected("unknown_message")]);
    let mut out = Vec::new();
    of_none.read(Incoming::Binary(&[0xff]), &mut out);
    of_none.read(Incoming::Binary(br#"{"data":{"s":"A","p":1}}"#), &mut out);
    assert!(matches!(&out[..], [Reading::Rejected("binary_frame"), Reading::Data { .. }]), "{out:?}");
}

#[test]
fn symbols_can_be_exchanged_while_connected_where_there_are_messages_for_it() {
    let mut can = session(description(), &["A", "B"]);
    let sent = can.change(&topics(&["C"]), &topics(&["A", "B"])).unwrap();
    assert_eq!(texts_of(&sent), [r#"{"unsub":"A"}"#, r#"{"unsub":"B"}"#, r#"{"sub":["C"]}"#]);
    assert_eq!(texts_of(&can.opening()), [r#"{"sub":["C"]}"#]);
    let mut cannot = session(Description { unsubscribe: Vec::new(), ..description() }, &["A"]);
    assert_eq!(cannot.change(&[], &topics(&["A"])), None);
    let by_url = Description { url: "wss://h/?s={symbols}".parse().unwrap(), ..description() };
    assert_eq!(session(by_url, &["A"]).change(&topics(&["B"]), &[]), None);
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for good in [r#"{"type":"trade","data":[{"s":"A","p":1}]}"#, r#"{"type":"no","symbols":["A"],"why":{}}"#] {
            let at = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
            for text in [&text, &good[..at], &changed] {
                prop_assert_eq!(read(&mut session(description(), &["A"]), text).len(), 1);
            }
        }
    }
}
