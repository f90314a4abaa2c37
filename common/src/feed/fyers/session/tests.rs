use proptest::prelude::*;

use super::*;
use crate::clock::UnixMicros;
use crate::feed::Endpoints;
use crate::feed::fyers::{channel, token};
use crate::market::{Instrument, Kind, MasterRow};

/// Length, type, and the field `K`.
const fn ok(kind: u8) -> [u8; 8] {
    [0, 6, kind, 1, 1, 0, 1, b'K']
}

const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);

fn topics(symbols: &[&str], channels: &[&str]) -> Vec<Topic> {
    let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    channel::topics(&own(symbols), &own(channels), &Catalog::default()).unwrap()
}

/// A master that knows `symbols` under the numbers 1, 2, 3 ..
fn catalog(symbols: &[&str]) -> Catalog {
    let mut catalog = Catalog::default();
    catalog.add(
        NAME,
        symbols.iter().zip(1..).map(|(symbol, number)| MasterRow {
            symbol: (*symbol).into(),
            key: format!("1010000000{number}").into(),
            instrument: Instrument {
                exchange: "NSE".into(),
                underlying: "A".into(),
                kind: if symbol.ends_with("-INDEX") { Kind::Index } else { Kind::Eq },
                expiry: None,
                option: None,
                series: None,
            },
        }),
    );
    catalog
}

fn open(topics: &[Topic], catalog: &Catalog) -> Session {
    let credential = token::tests::token(r#"{"hsm_key":"0123abcd","exp":1700000001}"#);
    let endpoints = Endpoints { socket: "ws://127.0.0.1:1", http: "http://127.0.0.1:2" };
    let request = SessionRequest { endpoints, topics, credential: Some(&credential), catalog, now: NOW };
    Session::new(&request).unwrap()
}

/// A session of symbols that a master knows.
fn session(symbols: &[&str], channels: &[&str]) -> Session {
    open(&topics(symbols, channels), &catalog(symbols))
}

fn read(session: &mut Session, frame: &[u8]) -> Vec<Reading<'static>> {
    let mut out = Vec::new();
    let frame: &'static [u8] = frame.to_vec().leak();
    session.read(Incoming::Binary(frame), &mut out);
    out
}

/// The frames among the replies, by their type.
fn replied(readings: &[Reading<'_>]) -> Vec<u8> {
    let mut types = Vec::new();
    for reading in readings {
        if let Reading::Reply(Outgoing::Binary(frame)) = reading {
            types.push(frame[2]);
        }
    }
    types
}

fn data(number: u8, entries: &[&[u8]]) -> Vec<u8> {
    let mut frame = vec![0, 0, 6, 0, 0, 0, number, 0, u8::try_from(entries.len()).unwrap()];
    frame.extend(entries.concat());
    frame
}

fn snapshot(id: u8, topic: &str, values: &[i32]) -> Vec<u8> {
    let mut entry = vec![b'S', 0, id, u8::try_from(topic.len()).unwrap()];
    entry.extend(topic.as_bytes());
    entry.push(u8::try_from(values.len()).unwrap());
    entry.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    entry.extend([0, 0, 0, 1, 2, 0, 0, 0]);
    entry
}

fn update(id: u8, values: &[i32]) -> Vec<u8> {
    let mut entry = vec![b'U', 0, id, u8::try_from(values.len()).unwrap()];
    entry.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    entry
}

fn bodies(readings: &[Reading<'_>]) -> Vec<String> {
    let mut bodies = Vec::new();
    for reading in readings {
        if let Reading::Data { body, .. } = reading {
            bodies.push(body.to_string());
        }
    }
    bodies
}

#[test]
fn login_comes_first_then_mode_and_the_first_subscription() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    assert_eq!(session.url(), "ws://127.0.0.1:1/hsm/v1-5/prod");
    assert_eq!(session.opening(), [Outgoing::Binary(request::auth("0123abcd"))]);
    assert_eq!(replied(&read(&mut session, &ok(1))), [12, 4]);
    let readings = read(&mut session, &ok(4));
    assert_eq!(readings, [Reading::Confirmed(vec!["sf:NSE:A-EQ".into()])]);
    assert_eq!(read(&mut session, &ok(4)), [Reading::Heartbeat], "an answer to nothing");
    assert_eq!(session.opening(), [], "all is answered");
}

#[test]
fn the_next_subscription_leaves_with_the_answer_to_the_one_before() {
    let symbols: Vec<String> = (0..3_001).map(|n| format!("NSE:S{n}-EQ")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let mut session = session(&symbols, &["symbol"]);
    read(&mut session, &ok(1));
    let mut confirmed = 0;
    for replies in [&[4][..], &[4], &[]] {
        let readings = read(&mut session, &ok(4));
        let Reading::Confirmed(streams) = &readings[0] else { panic!("{readings:?}") };
        confirmed += streams.len();
        assert_eq!(replied(&readings), replies);
    }
    assert_eq!(confirmed, 3_001);
}

#[test]
fn a_refused_subscription_names_its_streams_and_the_next_one_is_asked() {
    let mut session = session(&["NSE:A-EQ", "NSE:B-EQ"], &["symbol"]);
    read(&mut session, &ok(1));
    read(&mut session, &data(1, &[&snapshot(1, "sf|nse_cm|2", &[100])]));
    let readings = read(&mut session, &[0, 6, 4, 1, 1, 0, 1, b'N']);
    let Reading::Refused { streams, reason } = &readings[0] else { panic!("{readings:?}") };
    assert_eq!(streams, &[Box::<str>::from("sf:NSE:A-EQ")], "the other one is carried, its snapshot shows it");
    assert!(reason.contains("11011"), "{reason}");
}

#[test]
fn a_snapshot_confirms_its_stream_and_stands_for_a_lost_answer() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    read(&mut session, &ok(1));
    let readings = read(&mut session, &data(1, &[&snapshot(1, "sf|nse_cm|1", &[100])]));
    assert_eq!(bodies(&readings).len(), 1);
    assert_eq!(readings[1], Reading::Confirmed(vec!["sf:NSE:A-EQ".into()]));
    assert_eq!(session.opening(), []);
}

#[test]
fn what_has_had_no_answer_is_asked_again() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    assert_eq!(session.opening(), session.opening(), "the login");
    read(&mut session, &ok(1));
    let again = session.opening();
    assert!(matches!(&again[..], [Outgoing::Binary(frame)] if frame[2] == 4), "{again:?}");
}

#[test]
fn a_refused_login_asks_for_another_token() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    let readings = read(&mut session, &[0, 6, 1, 1, 1, 0, 1, b'N']);
    assert!(matches!(&readings[..], [Reading::Failed(Failure { remedy: Remedy::NewCredentials, .. })]), "{readings:?}");
}

#[test]
fn every_so_many_data_frames_are_acknowledged_with_the_latest_number() {
    // The number of frames is sent with two bytes or with four.
    for every in [&[2, 0, 2, 0, 2][..], &[2, 0, 4, 0, 0, 0, 2]] {
        let mut session = session(&["NSE:A-EQ"], &["symbol"]);
        let mut login = vec![0, 0, 1, 2, 1, 0, 1, b'K'];
        login.extend(every);
        read(&mut session, &login);
        assert_eq!(read(&mut session, &data(7, &[])), [Reading::Heartbeat]);
        let acknowledged = [Reading::Reply(Outgoing::Binary(request::acknowledge(8)))];
        assert_eq!(read(&mut session, &data(8, &[])), acknowledged);
        assert_eq!(read(&mut session, &data(9, &[])), [Reading::Heartbeat]);
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_of_the_frame_is_kept() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    read(&mut session, &ok(1));
    read(&mut session, &data(1, &[&snapshot(1, "sf|nse_cm|1", &[100])]));
    let unknown = [&update(9, &[1, 2])[..], &snapshot(8, "sf|nse_cm|77", &[5]), b"L\x00\x09\x00\x00\x00\x01"];
    let mut entries = unknown.to_vec();
    let good = update(1, &[101]);
    entries.push(&good);
    let readings = read(&mut session, &data(2, &entries));
    assert_eq!(readings[..3], [const { Reading::Rejected("unknown_topic") }; 3]);
    assert_eq!(bodies(&readings).len(), 1);

    let readings = read(&mut session, &data(3, &[&update(1, &[102]), b"?", &update(1, &[103])]));
    assert!(bodies(&readings)[0].contains("1.02"));
    assert_eq!(readings[1..], [Reading::Rejected("unknown_entry")]);

    let cut = data(4, &[&update(1, &[104]), &update(1, &[105])]);
    let readings = read(&mut session, &cut[..cut.len() - 1]);
    assert!(bodies(&readings)[0].contains("1.04"));
    assert_eq!(readings[1..], [Reading::Rejected("short_frame")]);

    for (frame, reason) in [(&[][..], "short_frame"), (&[0, 1], "short_frame"), (&[0, 5, 6, 0, 0], "short_frame")] {
        assert_eq!(read(&mut session, frame), [Reading::Rejected(reason)]);
    }
    let mut out = Vec::new();
    session.read(Incoming::Text("pong"), &mut out);
    assert_eq!(out, [Reading::Rejected("text_frame")]);
}

#[test]
fn an_impossible_scale_is_counted() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    let mut entry = snapshot(1, "sf|nse_cm|1", &[100]);
    let multiplier = entry.len() - 5;
    entry[multiplier] = 0;
    assert_eq!(read(&mut session, &data(1, &[&entry])), [Reading::Rejected("bad_scale")]);
}

#[test]
fn other_frames_are_signs_of_life() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    for kind in [5, 7, 8, 12, 13, 99] {
        assert_eq!(read(&mut session, &ok(kind)), [Reading::Heartbeat], "{kind}");
    }
    assert_eq!(read(&mut session, &[0, 6, 12, 1, 1, 0, 1, b'N']), [Reading::Rejected("mode_refused")]);
}

/// The server's own words about a request of a type.
fn words(code: i32, text: &str, about: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, 51, 3, 1, 0, 4];
    frame.extend(code.to_be_bytes());
    frame.extend([2, 0, u8::try_from(text.len()).unwrap()]);
    frame.extend(text.as_bytes());
    frame.extend([3, 0, 1, about]);
    frame
}

#[test]
fn the_servers_words_refuse_what_was_asked_or_tell_of_the_token() {
    let mut session = session(&["NSE:A-EQ"], &["symbol"]);
    read(&mut session, &ok(1));
    let readings = read(&mut session, &words(51_001, "Symbol limit exceeded", 4));
    let reason = "Symbol limit exceeded (code 51001)".into();
    assert_eq!(readings, [Reading::Refused { streams: vec!["sf:NSE:A-EQ".into()], reason }]);
    let readings = read(&mut session, &words(7, "odd", 5));
    assert_eq!(readings, [Reading::Refused { streams: Vec::new(), reason: "odd (code 7)".into() }]);
    for (code, text, about) in [(-99, "Token is expired", 4), (-300, "Invalid token", 1)] {
        let readings = read(&mut session, &words(code, text, about));
        let remedy = Remedy::NewCredentials;
        assert_eq!(readings, [Reading::Failed(Failure { remedy, reason: format!("{text} (code {code})").into() })]);
    }
    let readings = read(&mut session, &words(-99, "Symbol limit", 4));
    assert!(matches!(&readings[..], [Reading::Refused { .. }]), "{readings:?}");
}

#[test]
fn a_lite_session_tells_prices_only_and_each_once() {
    let mut session = session(&["NSE:A-EQ", "NSE:NIFTY50-INDEX"], &["lite"]);
    read(&mut session, &ok(1));
    let first = [&snapshot(1, "sf|nse_cm|1", &[100, 5])[..], &snapshot(2, "if|nse_cm|Nifty 50", &[2_000, 1])];
    let told = bodies(&read(&mut session, &data(1, &first)));
    let index = r#"{"ltp":20,"symbol":"NSE:NIFTY50-INDEX","type":"if"}"#;
    assert_eq!(told, [r#"{"ltp":1,"symbol":"NSE:A-EQ","type":"sf"}"#, index]);
    for (price, news) in [(101_i32, 1), (101, 0), (i32::MIN, 0), (102, 1)] {
        let mut entry = vec![b'L', 0, 1];
        entry.extend(price.to_be_bytes());
        assert_eq!(bodies(&read(&mut session, &data(2, &[&entry]))).len(), news, "{price}");
    }
    assert_eq!(bodies(&read(&mut session, &data(3, &[&update(1, &[102, 9])]))).len(), 0, "only the volume is new");
}

#[test]
fn symbols_without_a_master_are_asked_for_and_refused_by_name() {
    let symbols = ["NSE:A-EQ", "NSE:B-EQ", "NSE:C-EQ"];
    let mut session = open(&topics(&symbols, &["symbol", "depth"]), &catalog(&symbols[..1]));
    let errand = session.errand().unwrap();
    assert_eq!(errand.body.as_deref(), Some(r#"{"symbols":["NSE:B-EQ","NSE:C-EQ"]}"#));
    let body = r#"{"s":"ok","validSymbol":{"NSE:B-EQ":"99990000001"},"invalidSymbol":["NSE:C-EQ"]}"#.to_owned();
    let mut out = Vec::new();
    session.returned(&HttpAnswer { status: 200, body }, &mut out);
    assert_eq!(session.errand(), None);
    let mut refused = Vec::new();
    for reading in out {
        let Reading::Refused { streams, .. } = reading else { panic!("{reading:?}") };
        refused.extend(streams);
    }
    assert_eq!(refused, ["sf:NSE:C-EQ", "dp:NSE:C-EQ", "sf:NSE:B-EQ", "dp:NSE:B-EQ"].map(Box::from));
    read(&mut session, &ok(1));
    let carried = vec!["sf:NSE:A-EQ".into(), "dp:NSE:A-EQ".into()];
    assert_eq!(read(&mut session, &ok(4)), [Reading::Confirmed(carried)]);
}

#[test]
fn two_names_of_one_instrument_are_told_apart_by_refusing_the_second() {
    let mut session = session(&["NSE:FINNIFTY-INDEX", "NSE:NIFTYFINSERVICE-INDEX"], &["symbol"]);
    let readings = read(&mut session, &ok(1));
    let Reading::Refused { streams, reason } = &readings[0] else { panic!("{readings:?}") };
    assert_eq!(streams, &[Box::<str>::from("if:NSE:NIFTYFINSERVICE-INDEX")]);
    assert!(reason.contains("NSE:FINNIFTY-INDEX"), "{reason}");
}

#[test]
fn a_change_sends_the_end_first_and_hands_on_nothing_of_it() {
    let mut session = session(&["NSE:A-EQ", "NSE:B-EQ"], &["symbol"]);
    read(&mut session, &ok(1));
    read(&mut session, &ok(4));
    read(&mut session, &data(1, &[&snapshot(1, "sf|nse_cm|1", &[100])]));
    let sent = session.change(&topics(&["NSE:A-EQ"], &["depth"]), &topics(&["NSE:A-EQ"], &["symbol"])).unwrap();
    assert!(matches!(&sent[..], [Outgoing::Binary(frame)] if frame[2] == 5), "{sent:?}");
    assert_eq!(read(&mut session, &data(2, &[&update(1, &[101])])), [Reading::Heartbeat]);
    assert_eq!(replied(&read(&mut session, &ok(5))), [4]);
    assert_eq!(read(&mut session, &ok(4)), [Reading::Confirmed(vec!["dp:NSE:A-EQ".into()])]);
    let sent = session.change(&topics(&["NSE:A-EQ"], &["symbol"]), &[]).unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(bodies(&read(&mut session, &data(3, &[&update(1, &[102])]))).len(), 1);
    assert_eq!(session.change(&topics(&["NSE:C-EQ"], &["symbol"]), &[]), None, "its number is not known");
    assert_eq!(session.change(&topics(&["NSE:A-EQ"], &["lite"]), &[]), None, "the mode is the connection's");
}

#[test]
fn the_token_is_not_shown() {
    let shown = format!("{:?}", session(&["NSE:A-EQ"], &["symbol"]));
    assert!(!shown.contains("0123abcd") && !shown.contains("e30"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_make_a_session_panic(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..8)) {
        let mut session = session(&["NSE:A-EQ", "NSE:NIFTY50-INDEX"], &["symbol"]);
        for mut frame in frames {
            for kind in [None, Some(1), Some(4), Some(6), Some(51)] {
                if let (Some(kind), Some(place)) = (kind, frame.get_mut(2)) {
                    *place = kind;
                }
                read(&mut session, &frame);
            }
        }
    }

    #[test]
    fn no_damage_to_good_frames_makes_a_session_panic(place in 0_usize..120, byte in any::<u8>(), cut in 0_usize..120) {
        let mut session = session(&["NSE:A-EQ"], &["symbol", "depth"]);
        read(&mut session, &ok(1));
        let values: Vec<i32> = (0..21).collect();
        let mut frame = data(1, &[&snapshot(1, "sf|nse_cm|1", &values), &update(1, &values)]);
        if let Some(place) = frame.get_mut(place) {
            *place = byte;
        }
        read(&mut session, &frame);
        frame.truncate(cut);
        read(&mut session, &frame);
    }
}
