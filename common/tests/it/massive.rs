//! Recorded frames of Massive, from the greeting to the data.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what surprises here fails its test"
)]

use common::clock::UnixMicros;
use common::feed::{self, Feed, FeedSession, Incoming, Outgoing, Reading, Remedy, SessionRequest};
use common::market::{Catalog, Observation};
use secrecy::SecretString;
use serde_json::Value;

use crate::captures;

const KEY: &str = "YOUR_API_KEY";

fn massive() -> &'static dyn Feed {
    feed::by_name("massive").expect("the table has it")
}

fn session(symbols: &[&str]) -> Box<dyn FeedSession> {
    let symbols: Vec<String> = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
    let topics = massive().topics(&symbols, &["T".to_owned()], &Catalog::default()).unwrap();
    let request = SessionRequest {
        endpoints: massive().endpoints(),
        topics: &topics,
        credential: Some(&SecretString::from(KEY)),
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    massive().session(&request).unwrap()
}

/// The texts that were received, or sent, in their order.
fn recorded(direction: &str) -> Option<Vec<String>> {
    let recording = captures::read("massive/frames.jsonl")?;
    let lines = recording.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(lines.filter(|line| line["dir"] == direction).map(|line| line["raw"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn the_recorded_connection_runs_from_greeting_to_data() {
    let (Some(received), Some(sent)) = (recorded("recv"), recorded("send")) else { return };
    let mut session = session(&["AAPL", "AMZN"]);
    assert_eq!(session.url(), "wss://socket.massive.com/stocks");
    assert_eq!(session.opening(), []);
    let mut readings = Vec::new();
    for frame in &received[..5] {
        session.read(Incoming::Text(frame), &mut readings);
    }
    let shown = readings.iter().map(|reading| match reading {
        Reading::Reply(Outgoing::Text(text)) => text.clone(),
        Reading::Confirmed(streams) => format!("carries {}", streams.join(" ")),
        Reading::Data { kind, key, body, .. } => shown(kind, key, body),
        Reading::Heartbeat => "alive".to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            &*sent[0],
            "alive",
            r#"{"action":"subscribe","params":"T.AAPL"}"#,
            "carries T.AAPL",
            r#"{"action":"subscribe","params":"T.AMZN"}"#,
            "AAPL: 161.87 x 300 at 2022-05-04T17:09:52.462Z, 5096",
            "AMZN: 161.87 x 1 at 2022-05-04T17:09:52.536Z, 72815",
            "AMZN: 161.87 x 100 at 2022-05-04T17:09:52.717Z, 799",
        ]
    );
}

fn shown(kind: &str, key: &str, body: &str) -> String {
    let mut ticks = Vec::new();
    massive().decode(kind, body, &mut ticks).unwrap();
    let [Observation { symbol, exchange_at, trade_id, fields }] = &*ticks else { panic!("{ticks:?}") };
    assert_eq!(symbol, key);
    let (price, size) = (fields.last_price.unwrap(), fields.last_size.unwrap());
    format!("{symbol}: {price} x {size} at {}, {}", exchange_at.unwrap(), trade_id.unwrap())
}

#[test]
fn the_recorded_eviction_stops_for_a_person() {
    let Some(received) = recorded("recv") else { return };
    let eviction = received.iter().find(|frame| frame.contains("max_connections")).unwrap();
    let mut readings = Vec::new();
    session(&["AAPL"]).read(Incoming::Text(eviction), &mut readings);
    let [Reading::Failed(failure)] = &*readings else { panic!("{readings:?}") };
    assert_eq!(failure.remedy, Remedy::Stop);
}

#[test]
fn the_recorded_refusal_beside_a_confirmation_means_the_stream_asked_for_last() {
    let Some(received) = recorded("recv") else { return };
    let mut session = session(&["BTC-USD", "ETH-USD", "SOL-USD"]);
    session.opening();
    let mut readings = Vec::new();
    for frame in [&received[0], &received[1], received.last().unwrap()] {
        session.read(Incoming::Text(frame), &mut readings);
    }
    assert_eq!(session.url(), "wss://socket.massive.com/crypto");
    let refused = readings.iter().find_map(|reading| match reading {
        Reading::Refused { streams, reason } => Some((streams.join(" "), &**reason)),
        _ => None,
    });
    assert!(readings.contains(&Reading::Confirmed(vec!["XT.BTC-USD".into()])));
    assert_eq!(refused, Some(("XT.ETH-USD".to_owned(), "not authorized")));
}

#[test]
fn no_session_without_a_key() {
    let request = SessionRequest {
        endpoints: massive().endpoints(),
        topics: &[],
        credential: None,
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    let failure = massive().session(&request).unwrap_err();
    assert_eq!(
        (failure.remedy, &*failure.reason),
        (Remedy::NewCredentials, "massive needs an API key, and none is set")
    );
}
