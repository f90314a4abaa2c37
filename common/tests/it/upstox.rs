//! Recorded frames of Upstox come out as Upstox' own client decoded them, and requests look as its clients send them.

#![expect(clippy::unwrap_used, reason = "what surprises here fails its test")]

use common::clock::UnixMicros;
use common::feed::{self, Feed, FeedSession, Incoming, Outgoing, Reading, SessionRequest, Topic};
use common::market::{Catalog, Fields, Observation, Price};
use serde_json::{Value, json};

use crate::captures;

/// A recorded frame, and what Upstox' example client made of it.
struct Recorded {
    frame: Vec<u8>,
    decoded: Value,
}

fn recorded() -> Option<Vec<Recorded>> {
    let text = captures::read("upstox/recorded_frames.jsonl")?;
    let read = |line| {
        let mut line: Value = serde_json::from_str(line).expect("one JSON value per line");
        Recorded { frame: bytes(line["hex"].as_str().unwrap()), decoded: line["decoded"].take() }
    };
    Some(text.lines().map(read).collect())
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

fn upstox() -> &'static dyn Feed {
    feed::by_name("upstox").expect("the table has it")
}

fn topics(symbols: &[&str], mode: &str) -> Vec<Topic> {
    let symbols: Vec<String> = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
    upstox().topics(&symbols, &[mode.to_owned()], &Catalog::default()).unwrap()
}

fn session(topics: &[Topic]) -> Box<dyn FeedSession> {
    let token = "header.payload.signature".into();
    let request = SessionRequest {
        endpoints: upstox().endpoints(),
        topics,
        credential: Some(&token),
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    upstox().session(&request).unwrap()
}

fn read<'f>(session: &mut dyn FeedSession, frame: &'f [u8]) -> Vec<Reading<'f>> {
    let mut out = Vec::new();
    session.read(Incoming::Binary(frame), &mut out);
    out
}

/// What a client would have decoded, had the frame held this instrument alone.
fn alone(decoded: &Value, key: &str) -> Value {
    let mut alone = decoded.clone();
    alone["feeds"] = json!({ key: decoded["feeds"][key] });
    alone
}

#[test]
fn recorded_frames_become_the_messages_that_upstox_own_client_decoded() {
    let Some(recorded) = recorded() else { return };
    let mut session = session(&topics(&["NSE_EQ|INE090A01021"], "full"));
    let (mut kinds, mut confirmed) = (Vec::new(), 0);
    for Recorded { frame, decoded } in &recorded {
        let mut messages = 0;
        for reading in read(&mut *session, frame) {
            match reading {
                Reading::Data { kind, body, key, mark: None } => {
                    let body: Value = serde_json::from_str(&body).expect("a body is JSON");
                    assert_eq!(body, alone(decoded, &key));
                    kinds.push(kind.into_owned());
                    messages += 1;
                }
                Reading::Confirmed(streams) => {
                    assert_eq!(streams, [Box::<str>::from("full:NSE_EQ|INE090A01021")]);
                    confirmed += 1;
                }
                Reading::Market { segment, is_open } => {
                    assert_eq!(decoded["marketInfo"]["segmentStatus"][&*segment], "NORMAL_OPEN");
                    assert!(is_open);
                }
                other @ (Reading::Data { mark: Some(_), .. }
                | Reading::Refused { .. }
                | Reading::Reply(_)
                | Reading::Heartbeat
                | Reading::Closing(_)
                | Reading::Failed(_)
                | Reading::Rejected(_)) => panic!("{other:?}"),
            }
        }
        assert_eq!(messages, decoded["feeds"].as_object().map_or(0, serde_json::Map::len), "none is missing");
    }
    assert_eq!(kinds, ["full", "full_without_book", "full", "full", "full", "full"]);
    assert_eq!(confirmed, 1);
}

#[test]
fn the_state_of_every_recorded_segment_is_told() {
    let Some(recorded) = recorded() else { return };
    let readings = read(&mut *session(&[]), &recorded[0].frame);
    let segments = recorded[0].decoded["marketInfo"]["segmentStatus"].as_object().unwrap();
    assert_eq!(readings.len(), segments.len());
    let told = |name: &String| {
        readings.iter().any(|reading| matches!(reading, Reading::Market { segment, .. } if **segment == **name))
    };
    assert!(segments.keys().all(told), "{readings:?}");
}

#[test]
fn recorded_messages_decode_into_prices_and_a_partial_one_overwrites_nothing() {
    let Some(recorded) = recorded() else { return };
    let mut session = session(&[]);
    let mut seen: Vec<Fields> = Vec::new();
    for Recorded { frame, decoded } in &recorded[1..] {
        for reading in read(&mut *session, frame) {
            let Reading::Data { kind, body, .. } = reading else { panic!("{reading:?}") };
            let mut out: Vec<Observation<'_>> = Vec::new();
            upstox().decode(&kind, &body, &mut out).unwrap();
            let [tick] = &*out else { panic!("{out:?}") };
            assert_eq!(tick.symbol, "NSE_EQ|INE090A01021");
            let ltpc = &decoded["feeds"][&*tick.symbol]["fullFeed"]["marketFF"]["ltpc"];
            let traded_at: i64 = ltpc["ltt"].as_str().unwrap().parse().unwrap();
            assert_eq!(tick.exchange_at, UnixMicros::from_millis(traded_at));
            assert_eq!(tick.fields.last_price.unwrap().to_string(), ltpc["ltp"].to_string());
            seen.push(tick.fields);
        }
    }
    assert_eq!((seen[1].bid_price, seen[1].ask_size), (None, None), "the second one has no book");
    let shown = |price: Option<Price>| price.unwrap().to_string();
    let last = seen.last().unwrap();
    assert_eq!(
        [shown(last.bid_price), shown(last.ask_price), shown(last.previous_close)],
        ["1313.65", "1313.7", "1309.85"]
    );
    assert_eq!(
        [shown(last.open_price), shown(last.high_price), shown(last.low_price)],
        ["1305.6", "1316.2", "1302.15"]
    );
    let sizes = [last.last_size, last.bid_size, last.ask_size, last.volume].map(|size| size.unwrap().to_string());
    assert_eq!(sizes, ["5", "817", "555", "7792081"]);
    assert_eq!(last.open_interest, None, "a share has none, and none is not zero");
}

#[test]
fn requests_look_as_upstox_clients_send_them() {
    let Some(text) = captures::read("upstox/client_requests.jsonl") else { return };
    let wanted: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let full = topics(&["NSE_INDEX|Nifty Bank", "NSE_INDEX|Nifty 50"], "full");
    let ltpc = topics(&["NSE_INDEX|Nifty Bank"], "ltpc");
    let mut session = session(&full);
    let mut sent = session.opening();
    sent.extend(session.change(&ltpc, &full[..1]).unwrap());
    sent.extend(session.change(&[], &ltpc).unwrap());
    assert_eq!(sent.len(), wanted.len());
    for (sent, mut wanted) in sent.iter().zip(wanted) {
        let Outgoing::Binary(bytes) = sent else { panic!("{sent:?}") };
        let sent: Value = serde_json::from_slice(bytes).unwrap();
        assert!(sent["guid"].as_str().is_some_and(|guid| !guid.is_empty()));
        wanted["json"]["guid"] = sent["guid"].clone();
        assert_eq!((sent, json!("binary")), (wanted["json"].take(), wanted["opcode"].take()));
    }
}

#[test]
fn a_recorded_frame_with_any_byte_changed_is_data_or_is_counted() {
    let Some(recorded) = recorded() else { return };
    let mut session = session(&[]);
    for Recorded { frame, .. } in &recorded {
        for (at, change) in (0..frame.len()).flat_map(|at| [0x01, 0x80, 0xff].map(|change| (at, change))) {
            let mut changed = frame.clone();
            changed[at] ^= change;
            let readings = read(&mut *session, &changed);
            assert!(!readings.is_empty(), "no frame is passed over in silence");
            readings.iter().for_each(can_be_decoded_or_refused);
        }
    }
}

fn can_be_decoded_or_refused(reading: &Reading<'_>) {
    let Reading::Data { kind, body, .. } = reading else { return };
    assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
    // An error is fine, e.g. a quantity below zero; the task keeps the message.
    drop(upstox().decode(kind, body, &mut Vec::new()));
}

#[test]
fn a_connection_carries_what_the_plan_allows_in_its_mode() {
    let most = |channels: &[&str]| {
        let channels: Vec<String> = channels.iter().map(|&channel| channel.to_owned()).collect();
        upstox().streams_per_connection(&channels)
    };
    assert_eq!(["ltpc", "full", "option_greeks", "full_d30"].map(|mode| most(&[mode])), [5_000, 2_000, 3_000, 50]);
    assert_eq!(most(upstox().default_channels()), upstox().limits().streams_per_connection);
}
