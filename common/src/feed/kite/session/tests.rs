use proptest::prelude::*;

use super::*;
use crate::feed::{Failure, Remedy};

fn topic(mode: &str, token: u32) -> Topic {
    let symbol = if token == 408_065 { "NSE:INFY".to_owned() } else { token.to_string() };
    Topic { symbol: symbol.into(), stream: format!("{mode}:{token}").into(), lane: "" }
}

fn session(tokens: impl IntoIterator<Item = u32>) -> Session {
    let topics: Vec<Topic> = tokens.into_iter().map(|token| topic("full", token)).collect();
    Session::new("wss://example.test/?access_token=CANARY".into(), &topics, &Catalog::default())
}

fn read<'f>(session: &mut Session, bytes: &'f [u8]) -> Vec<Reading<'f>> {
    let mut out = Vec::new();
    session.read(Incoming::Binary(bytes), &mut out);
    out
}

/// A packet of these words.
fn packet(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn frame(packets: &[Vec<u8>]) -> Vec<u8> {
    let number = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
    let mut frame = number(packets.len()).to_vec();
    for packet in packets {
        frame.extend(number(packet.len()));
        frame.extend(packet);
    }
    frame
}

fn text(sent: &Outgoing) -> &str {
    let Outgoing::Text(text) = sent else { panic!("{sent:?}") };
    text
}

#[test]
fn instruments_are_asked_for_two_hundred_at_a_time_and_then_their_mode() {
    let asked = session(1..=201).opening();
    assert_eq!(asked.len(), 4);
    assert!(text(&asked[0]).starts_with(r#"{"a":"subscribe","v":[1,2,3,"#));
    assert_eq!(text(&asked[1]), r#"{"a":"subscribe","v":[201]}"#);
    assert!(text(&asked[2]).starts_with(r#"{"a":"mode","v":["full",[1,2,"#));
    assert_eq!(text(&asked[3]), r#"{"a":"mode","v":["full",[201]]}"#);
}

#[test]
fn the_first_packet_of_an_instrument_confirms_it() {
    let mut session = session([408_065, 256_265]);
    let bytes = frame(&[packet(&[408_065, 157_315])]);
    let readings = read(&mut session, &bytes);
    assert_eq!(readings[1], Reading::Confirmed(vec!["full:408065".into()]));
    assert_eq!(read(&mut session, &bytes).len(), 1, "once");
    assert_eq!(text(&session.opening()[0]), r#"{"a":"subscribe","v":[256265]}"#, "only the other is asked for again");
}

#[test]
fn each_packet_of_a_frame_is_a_tick_with_its_symbol_where_that_is_known() {
    let index = packet(&[256_265, 2_450_000, 2_460_000, 2_440_000, 2_445_000, 2_449_950, 50]);
    let bytes = frame(&[packet(&[408_065, 157_315]), index]);
    let readings = read(&mut session([408_065]), &bytes);
    let shown: Vec<(&str, &str, &str)> = readings
        .iter()
        .filter_map(|reading| {
            let Reading::Data { kind, body, key, .. } = reading else { return None };
            Some((&**kind, &**key, &**body))
        })
        .collect();
    let ltp =
        r#"{"mode":"ltp","tradable":true,"instrument_token":408065,"tradingsymbol":"NSE:INFY","last_price":1573.15}"#;
    let index = r#"{"mode":"quote","tradable":false,"instrument_token":256265,"last_price":24500,"ohlc":{"open":24450,"high":24600,"low":24400,"close":24499.5},"change":0.5}"#;
    assert_eq!(shown, [("ltp", "408065", ltp), ("index", "256265", index)]);
}

#[test]
fn prices_are_divided_by_what_their_segment_says() {
    for (segment, price) in [(1, "8351.23"), (3, "0.0835123"), (6, "83.5123"), (7, "8351.23")] {
        let bytes = frame(&[packet(&[256 + segment, 835_123])]);
        let readings = read(&mut session([]), &bytes);
        let Reading::Data { body, .. } = &readings[0] else { panic!("{readings:?}") };
        assert!(body.ends_with(&format!(r#""last_price":{price}}}"#)), "{segment}: {body}");
    }
}

#[test]
fn one_byte_is_the_heartbeat() {
    assert_eq!(read(&mut session([]), &[0]), [Reading::Heartbeat]);
    assert_eq!(read(&mut session([]), &[0, 0]), [], "a frame of no packets");
}

#[test]
fn a_broken_frame_keeps_the_packets_before_the_break() {
    let good = frame(&[packet(&[1, 100]), packet(&[2, 100])]);
    let readings = read(&mut session([]), &good[..good.len() - 1]);
    assert!(matches!(readings[..], [Reading::Data { .. }, Reading::Rejected("bad_frame")]), "{readings:?}");
    let odd = frame(&[vec![0; 9], packet(&[2, 100])]);
    let readings = read(&mut session([]), &odd);
    assert!(matches!(readings[..], [Reading::Rejected("unknown_packet"), Reading::Data { .. }]), "{readings:?}");
    assert_eq!(read(&mut session([]), &[]), [Reading::Rejected("bad_frame")]);
}

#[test]
fn instruments_can_be_added_and_taken_away_while_connected() {
    let mut session = session([1, 2]);
    let sent = session.change(&[topic("ltp", 3)], &[topic("full", 2), topic("full", 9)]).unwrap();
    let sent: Vec<&str> = sent.iter().map(text).collect();
    let wanted = [r#"{"a":"unsubscribe","v":[2]}"#, r#"{"a":"subscribe","v":[3]}"#, r#"{"a":"mode","v":["ltp",[3]]}"#];
    assert_eq!(sent, wanted);
}

#[test]
fn text_frames_are_told_apart() {
    for (text, remedy) in [
        (r#"{"type":"error","data":"Invalid `api_key` or `access_token`."}"#, Remedy::NewCredentials),
        (r#"{"type":"error","data":"Session expired"}"#, Remedy::NewCredentials),
        (r#"{"type":"error","data":"Invalid instrument token"}"#, Remedy::Retry),
        (r#"{"type":"error","data":"Insufficient permission for that call."}"#, Remedy::Stop),
        (r#"{"type":"error","data":{"code":1}}"#, Remedy::Retry),
        (r#"{"type":"error"}"#, Remedy::Retry),
    ] {
        let mut out = Vec::new();
        session([]).read(Incoming::Text(text), &mut out);
        let [Reading::Failed(Failure { remedy: found, reason })] = &out[..] else { panic!("{out:?}") };
        assert_eq!((*found, reason.is_empty()), (remedy, false), "{text}");
    }
    for (text, reading) in [
        (r#"{"type":"order","data":{"order_id":"1"}}"#, Reading::Heartbeat),
        (r#"{"type":"message","data":"hello"}"#, Reading::Heartbeat),
        (r#"{"type":"news"}"#, Reading::Rejected("unknown_message")),
        ("{}", Reading::Rejected("unknown_message")),
        ("", Reading::Rejected("not_json")),
    ] {
        let mut out = Vec::new();
        session([]).read(Incoming::Text(text), &mut out);
        assert_eq!(out, [reading], "{text}");
    }
}

#[test]
fn the_access_token_is_not_shown() {
    assert!(!format!("{:?}", session([1])).contains("CANARY"));
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        length in prop::sample::select(vec![8_usize, 28, 32, 44, 184]),
        text in any::<String>(),
    ) {
        let mut session = session([1]);
        read(&mut session, &bytes);
        let mut one = bytes.clone();
        one.resize(length, 0xff);
        for reading in read(&mut session, &frame(&[one])) {
            if let Reading::Data { kind, body, .. } = reading {
                prop_assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
                drop(crate::feed::kite::decode::observation(&kind, &body));
            }
        }
        let mut out = Vec::new();
        session.read(Incoming::Text(&text), &mut out);
        prop_assert_eq!(out.len(), 1);
    }
}
