use proptest::prelude::*;

use super::*;

const KEY: &str = "s3cret-key";
const CONNECTED: &str = r#"[{"ev":"status","status":"connected","message":"Connected Successfully"}]"#;
const AUTHENTICATED: &str = r#"[{"ev":"status","status":"auth_success","message":"authenticated"}]"#;
const REFUSED: &str = r#"[{"ev":"status","status":"error","message":"not authorized"}]"#;
const TRADE: &str = r#"{"ev":"T","sym":"MSFT","x":4,"i":"12345","z":3,"p":114.125,"s":100,"ds":"100.5","c":[0,12],"t":1536036818784,"q":3681328}"#;

fn topic(stream: &str) -> Topic {
    Topic { symbol: stream[2..].into(), stream: stream.into(), lane: "stocks" }
}

fn session(streams: &[&str]) -> Session {
    let key = ApiKey::new("massive", Some(&KEY.into())).unwrap();
    Session::new("ws://127.0.0.1:9443/", key, &streams.iter().map(|stream| topic(stream)).collect::<Vec<_>>())
}

/// A session that has sent its first request.
fn logged_in(streams: &[&str]) -> Session {
    let mut session = session(streams);
    assert_eq!(session.opening(), [], "the server speaks first");
    assert_eq!(read(&mut session, CONNECTED).len(), 1);
    assert_eq!(read(&mut session, AUTHENTICATED).len(), 1 + usize::from(!streams.is_empty()));
    session
}

fn read<'f>(session: &mut Session, text: &'f str) -> Vec<Reading<'f>> {
    let mut out = Vec::new();
    session.read(Incoming::Text(text), &mut out);
    assert!(!out.is_empty(), "a frame has a meaning");
    out
}

fn ask(stream: &str) -> Outgoing {
    Outgoing::Text(format!(r#"{{"action":"subscribe","params":"{stream}"}}"#))
}

fn accepted(stream: &str) -> String {
    format!(r#"[{{"ev":"status","status":"success","message":"subscribed to: {stream}"}}]"#)
}

#[test]
fn the_key_is_sent_when_the_server_has_spoken_and_the_first_stream_when_it_is_accepted() {
    let mut session = session(&["T.AAPL", "Q.AAPL"]);
    assert_eq!(session.url(), "ws://127.0.0.1:9443/stocks");
    assert_eq!(session.opening(), []);
    let login = Outgoing::Text(format!(r#"{{"action":"auth","params":"{KEY}"}}"#));
    assert_eq!(read(&mut session, CONNECTED), [Reading::Reply(login)]);
    assert_eq!(read(&mut session, AUTHENTICATED), [Reading::Heartbeat, Reading::Reply(ask("T.AAPL"))]);
    assert!(!format!("{session:?}").contains(KEY));
}

#[test]
fn streams_are_asked_for_one_after_the_other() {
    let mut session = logged_in(&["T.AAPL", "Q.AAPL", "T.*"]);
    for (answered, next) in [("T.AAPL", "Q.AAPL"), ("Q.AAPL", "T.*")] {
        let confirmed = Reading::Confirmed(vec![answered.into()]);
        assert_eq!(read(&mut session, &accepted(answered)), [confirmed, Reading::Reply(ask(next))]);
    }
    assert_eq!(read(&mut session, &accepted("T.*")), [Reading::Confirmed(vec!["T.*".into()])]);
    assert_eq!(session.heartbeat(), None);
}

#[test]
fn a_refusal_means_the_stream_under_way() {
    let mut session = logged_in(&["T.AAPL", "Q.AAPL"]);
    let refused = Reading::Refused { streams: vec!["T.AAPL".into()], reason: "not authorized".into() };
    assert_eq!(read(&mut session, REFUSED), [refused, Reading::Reply(ask("Q.AAPL"))]);
    let refused = Reading::Refused { streams: vec!["Q.AAPL".into()], reason: "not authorized".into() };
    assert_eq!(read(&mut session, REFUSED), [refused]);
    assert_eq!(read(&mut session, REFUSED), [Reading::Rejected("unexpected_refusal")]);
}

#[test]
fn a_request_without_an_answer_is_passed_over_when_the_caller_asks_again() {
    let mut session = logged_in(&["T.A", "T.B", "T.C"]);
    assert_eq!(session.opening(), [ask("T.B")]);
    let late = Reading::Confirmed(vec!["T.A".into()]);
    assert_eq!(read(&mut session, &accepted("T.A")), [late], "a late answer counts and asks for nothing");
    read(&mut session, &accepted("T.B"));
    assert_eq!(session.opening(), [], "T.C got no answer and nothing is left to ask");
}

#[test]
fn a_request_that_sticks_later_is_passed_over_at_the_second_ping() {
    let mut session = logged_in(&["T.A", "T.B", "T.C"]);
    read(&mut session, &accepted("T.A"));
    assert_eq!(session.heartbeat(), None, "T.B may have been asked for just now");
    assert_eq!(session.heartbeat(), Some(ask("T.C")));
}

#[test]
fn a_lost_handshake_is_tried_again() {
    let mut session = session(&["T.A"]);
    assert_eq!(session.opening(), []);
    assert_eq!(session.heartbeat(), None);
    let [Outgoing::Text(login)] = &*session.opening() else { panic!() };
    assert!(login.contains("auth"));
    assert_eq!(read(&mut session, CONNECTED), [Reading::Heartbeat], "the key is on its way");
}

#[test]
fn errors_of_the_login_say_what_helps_and_not_the_key() {
    for (status, remedy) in [("auth_failed", Remedy::NewCredentials), ("auth_timeout", Remedy::Retry)] {
        let text = format!(r#"[{{"ev":"status","status":"{status}","message":"bad key {KEY}"}}]"#);
        let readings = read(&mut session(&["T.A"]), &text);
        let [Reading::Failed(failure)] = &*readings else { panic!("{readings:?}") };
        assert_eq!(failure.remedy, remedy);
        assert!(failure.reason.contains("bad key ***"), "{}", failure.reason);
    }
}

#[test]
fn a_connection_that_was_put_out_stops() {
    let text =
        r#"[{"ev":"status","status":"max_connections","message":"Maximum number of websocket connections exceeded."}]"#;
    let readings = read(&mut logged_in(&["T.A"]), text);
    let [Reading::Failed(failure)] = &*readings else { panic!("{readings:?}") };
    assert_eq!(failure.remedy, Remedy::Stop);
    assert!(failure.reason.contains("one per key") && failure.reason.len() <= 200, "{}", failure.reason);
}

#[test]
fn every_event_of_a_frame_is_data_of_its_own_in_its_own_bytes() {
    let crypto = r#"{"ev":"XT","pair":"BTC-USD","p":33021.9,"t":1610462007425,"s":0.0161,"q":5}"#;
    let value = r#"{"ev":"V","val":3988.5,"T":"I:SPX","t":1678220098130}"#;
    let forex = r#"{"ev":"C","p":"USD/CNH","x":"44","a":6.83366,"b":6.83363,"t":1536036818784}"#;
    let text = format!("[{TRADE}, {crypto},{value},{forex}]");
    let mut session = logged_in(&["T.MSFT"]);
    let mut said = Vec::new();
    for reading in read(&mut session, &text) {
        let Reading::Data { kind, body: Cow::Borrowed(body), key, mark } = reading else { panic!("{reading:?}") };
        assert!(matches!((&kind, &key), (Cow::Borrowed(_), Cow::Borrowed(_))), "the names are not copied");
        said.push((kind.into_owned(), key.into_owned(), body, mark));
    }
    let wanted = [
        ("T", "MSFT", TRADE, Some(Mark::Increasing(3_681_328))),
        ("XT", "BTC-USD", crypto, None),
        ("V", "I:SPX", value, None),
        ("C", "USD/CNH", forex, None),
    ];
    assert_eq!(said, wanted.map(|(kind, key, body, mark)| (kind.to_owned(), key.to_owned(), body, mark)));
}

#[test]
fn status_and_data_may_share_a_frame() {
    let mut session = logged_in(&["T.MSFT", "Q.MSFT"]);
    let text = format!(
        r#"[{{"ev":"status","status":"success","message":"subscribed to: T.MSFT"}},{TRADE},{{"ev":"status","status":"error","message":"not authorized"}}]"#
    );
    let readings = read(&mut session, &text);
    assert_eq!(readings[0], Reading::Confirmed(vec!["T.MSFT".into()]));
    assert_eq!(readings[1], Reading::Reply(ask("Q.MSFT")));
    assert!(matches!(readings[2], Reading::Data { .. }));
    assert!(matches!(&readings[3], Reading::Refused { streams, .. } if *streams == [Box::from("Q.MSFT")]));
}

#[test]
fn streams_can_be_added_and_taken_away_while_connected() {
    let mut session = logged_in(&["T.A", "T.B"]);
    let unsubscribe = Outgoing::Text(r#"{"action":"unsubscribe","params":"T.B,Q.B"}"#.to_owned());
    let sent = session.change(&[topic("T.C")], &[topic("T.B"), topic("Q.B")]);
    assert_eq!(sent, Some(vec![unsubscribe]), "T.A is under way");
    let answer = accepted("T.A");
    let next = read(&mut session, &answer).pop();
    assert_eq!(next, Some(Reading::Reply(ask("T.C"))), "T.B is not asked for any more");
    read(&mut session, &accepted("T.C"));
    let text = r#"[{"ev":"status","status":"success","message":"unsubscribed to: T.B"}]"#;
    assert_eq!(read(&mut session, text), [Reading::Heartbeat]);
    assert_eq!(session.change(&[topic("T.D")], &[]), Some(vec![ask("T.D")]));
    assert_eq!(session.heartbeat(), None, "T.D was asked for just now");
}

#[test]
fn everything_else_is_rejected_under_its_reason() {
    for (text, reason) in [
        ("", "not_json"),
        ("[{]", "not_json"),
        (TRADE, "unknown_message"),
        ("null", "unknown_message"),
        ("[7]", "unknown_message"),
        (r#"[["T"]]"#, "unknown_message"),
        ("[{}]", "unknown_message"),
        (r#"[{"ev":7}]"#, "unknown_message"),
        (r#"[{"ev":""}]"#, "unknown_message"),
        (r#"[{"ev":"T","ev":"Q"}]"#, "unknown_message"),
        (r#"[{"ev":"status"}]"#, "unknown_status"),
        (r#"[{"ev":"status","status":"success","message":"hello"}]"#, "unknown_status"),
        (r#"[{"ev":"status","status":"tired"}]"#, "unknown_status"),
    ] {
        assert_eq!(read(&mut session(&[]), text), [Reading::Rejected(reason)], "{text}");
    }
    assert_eq!(read(&mut session(&[]), "[]"), [Reading::Heartbeat]);
    let mut out = Vec::new();
    session(&[]).read(Incoming::Binary(&[0xff]), &mut out);
    assert_eq!(out, [Reading::Rejected("binary_frame")]);
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        read(&mut session(&["T.A"]), &text);
        // One character of a good frame changed, and the frame cut there.
        for good in [&*format!("[{TRADE}]"), CONNECTED, AUTHENTICATED, REFUSED, &accepted("T.A")] {
            let at = at.index(good.len());
            read(&mut session(&["T.A"]), &format!("{}{with}{}", &good[..at], &good[at + 1..]));
            read(&mut session(&["T.A"]), &good[..at]);
        }
    }
}
