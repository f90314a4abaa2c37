use proptest::prelude::*;

use super::*;

const KEY: &str = "s3cret-key";
const PRICE: &str = r#"{"event":"price","symbol":"RY","currency":"CAD","exchange":"TSX","type":"Common Stock","timestamp":1728501600,"price":168.5}"#;

fn topic(symbol: &str) -> Topic {
    Topic { symbol: symbol.into(), stream: symbol.into(), lane: "" }
}

fn session(symbols: &[&str]) -> Session {
    let key = ApiKey::new("twelvedata", Some(&KEY.into())).unwrap();
    Session::new("ws://127.0.0.1:9443/", key, &symbols.iter().map(|symbol| topic(symbol)).collect::<Vec<_>>())
}

fn read<'f>(session: &mut Session, text: &'f str) -> Vec<Reading<'f>> {
    let mut out = Vec::new();
    session.read(Incoming::Text(text), &mut out);
    assert!(!out.is_empty(), "a frame has a meaning");
    out
}

fn sent(action: &str, symbols: &str) -> Outgoing {
    Outgoing::Text(format!(r#"{{"action":"{action}","params":{{"symbols":"{symbols}"}}}}"#))
}

#[test]
fn the_key_is_in_the_url_and_nowhere_else() {
    let mut session = session(&["AAPL"]);
    assert_eq!(session.url(), "ws://127.0.0.1:9443/v1/quotes/price?apikey=s3cret-key");
    assert!(!format!("{session:?}{:?}", session.opening()).contains(KEY));
}

#[test]
fn symbols_are_asked_for_in_messages_of_at_most_one_hundred() {
    let symbols: Vec<String> = (0..201).map(|n| format!("S{n}")).collect();
    let mut session = session(&symbols.iter().map(String::as_str).collect::<Vec<_>>());
    let opening = session.opening();
    assert_eq!(opening.len(), 3);
    assert_eq!(opening[2], sent("subscribe", "S200"));
}

#[test]
fn each_symbol_is_confirmed_or_refused_by_name() {
    let mut session = session(&["AAPL", "RY", "RY:TSX", "EUR/USD", "NOPE"]);
    let text = r#"{"event":"subscribe-status","status":"ok","success":[
        {"symbol":"RY","exchange":"TSX","mic_code":"XTSE","country":"Canada","type":"Common Stock"},
        {"symbol":"EUR/USD","exchange":"PHYSICAL CURRENCY","type":"PHYSICAL_CURRENCY"},
        {"symbol":"AAPL","exchange":"NASDAQ","country":"United States","type":"Common Stock"}],
        "fails":[{"symbol":"NOPE"}]}"#;
    let refused = Reading::Refused { streams: vec!["NOPE".into()], reason: REFUSED.into() };
    let confirmed = Reading::Confirmed(vec!["RY:TSX".into(), "EUR/USD".into(), "AAPL".into()]);
    assert_eq!(read(&mut session, text), [confirmed, refused]);
    assert_eq!(session.opening(), [sent("subscribe", "RY")], "only what has had no answer is asked for again");
}

#[test]
fn a_refusal_of_a_ticker_means_the_listing_that_was_not_confirmed() {
    let mut session = session(&["RY", "RY:TSX"]);
    let text = r#"{"event":"subscribe-status","status":"ok","success":[{"symbol":"RY","exchange":"NYSE"}],"fails":[{"symbol":"RY"}]}"#;
    let readings = read(&mut session, text);
    assert_eq!(readings[0], Reading::Confirmed(vec!["RY".into()]));
    assert!(matches!(&readings[1], Reading::Refused { streams, .. } if *streams == [Box::from("RY:TSX")]));
}

#[test]
fn a_refusal_may_give_texts_and_a_reason() {
    let text =
        r#"{"event":"subscribe-status","status":"error","message":"no credits for s3cret-key","fails":["MSFT",7]}"#;
    let refused = Reading::Refused { streams: vec!["MSFT".into()], reason: "no credits for ***".into() };
    assert_eq!(read(&mut session(&["MSFT"]), text), [refused]);
    let text = r#"{"event":"subscribe-status","status":"error","fails":null}"#;
    assert_eq!(read(&mut session(&["MSFT"]), text), [Reading::Rejected("unexplained_refusal")]);
    let text = r#"{"event":"subscribe-status","status":"ok","success":[{"symbol":"MSFT"}]}"#;
    assert_eq!(read(&mut session(&[]), text), [Reading::Heartbeat], "it was not asked for");
}

#[test]
fn an_error_without_an_event_is_classed_by_its_code() {
    for (code, remedy) in [
        ("401", Remedy::NewCredentials),
        ("403", Remedy::NewCredentials),
        (r#""403""#, Remedy::NewCredentials),
        ("429", Remedy::Retry),
        ("500", Remedy::Retry),
        ("null", Remedy::Retry),
        ("402", Remedy::Stop),
        ("400", Remedy::Stop),
    ] {
        let text = format!(r#"{{"status":"error","code":{code},"message":"apikey s3cret-key is no good"}}"#);
        let readings = read(&mut session(&["AAPL"]), &text);
        let [Reading::Failed(failure)] = &*readings else { panic!("{readings:?}") };
        assert_eq!(failure.remedy, remedy, "{code}");
        assert!(failure.reason.starts_with("apikey *** is no good"), "{}", failure.reason);
    }
}

#[test]
fn a_price_is_data_and_kept_whole() {
    let mut session = session(&["RY:TSX"]);
    let readings = read(&mut session, PRICE);
    let [Reading::Data { kind, body: Cow::Borrowed(body), key, mark: None }] = &*readings else { panic!() };
    assert_eq!((&**kind, &**key, *body), ("price", "RY:TSX", PRICE));
    assert!(std::ptr::eq(*body, PRICE), "the body is not copied");
}

#[test]
fn symbols_can_be_added_and_taken_away_while_connected() {
    let mut session = session(&["AAPL"]);
    let changed = session.change(&[topic("MSFT"), topic("RY:TSX")], &[topic("AAPL")]).unwrap();
    assert_eq!(changed, [sent("unsubscribe", "AAPL"), sent("subscribe", "MSFT,RY:TSX")]);
    assert_eq!(session.opening(), [sent("subscribe", "MSFT,RY:TSX")]);
    let text = r#"{"event":"unsubscribe-status","status":"ok","success":[{"symbol":"AAPL"}]}"#;
    assert_eq!(read(&mut session, text), [Reading::Heartbeat]);
}

#[test]
fn heartbeats_go_both_ways() {
    let mut session = session(&["AAPL"]);
    assert_eq!(session.heartbeat(), Some(Outgoing::Text(r#"{"action":"heartbeat"}"#.to_owned())));
    assert_eq!(read(&mut session, r#"{"event":"heartbeat","status":"ok"}"#), [Reading::Heartbeat]);
}

#[test]
fn everything_else_is_rejected_under_its_reason() {
    for (text, reason) in [
        ("", "not_json"),
        ("{", "not_json"),
        ("null", "unknown_message"),
        ("[]", "unknown_message"),
        ("{}", "unknown_message"),
        (r#"{"event":"tide"}"#, "unknown_message"),
        (r#"{"status":"ok"}"#, "unknown_message"),
        (r#"{"event":7,"status":7}"#, "unknown_message"),
        (r#"{"event":"price","event":"price"}"#, "unknown_message"),
    ] {
        assert_eq!(read(&mut session(&["AAPL"]), text), [Reading::Rejected(reason)], "{text}");
    }
    let mut out = Vec::new();
    session(&[]).read(Incoming::Binary(&[0xff]), &mut out);
    assert_eq!(out, [Reading::Rejected("binary_frame")]);
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        read(&mut session(&["AAPL"]), &text);
        let status = r#"{"event":"subscribe-status","status":"ok","success":[{"symbol":"AAPL"}],"fails":[{"symbol":"X"}]}"#;
        // One character of a good frame changed, and the frame cut there.
        for good in [PRICE, status, r#"{"status":"error","code":401,"message":"no"}"#] {
            let at = at.index(good.len());
            read(&mut session(&["AAPL"]), &format!("{}{with}{}", &good[..at], &good[at + 1..]));
            read(&mut session(&["AAPL"]), &good[..at]);
        }
    }
}
