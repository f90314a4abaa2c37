//! Recorded frames of Twelve Data: answers, prices with and without their optional fields.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what surprises here fails its test"
)]

use common::clock::UnixMicros;
use common::feed::{self, Feed, FeedSession, Incoming, Outgoing, Reading, SessionRequest};
use common::market::{Catalog, Observation, Price};
use secrecy::SecretString;
use serde_json::Value;

use crate::captures;

fn twelvedata() -> &'static dyn Feed {
    feed::by_name("twelvedata").expect("the table has it")
}

fn session(symbols: &[String]) -> Box<dyn FeedSession> {
    let request = SessionRequest {
        endpoints: twelvedata().endpoints(),
        topics: &twelvedata().topics(symbols, &["price".to_owned()], &Catalog::default()).unwrap(),
        credential: Some(&SecretString::from("YOUR_API_KEY")),
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    twelvedata().session(&request).unwrap()
}

fn recorded() -> Option<Vec<(String, String)>> {
    let recording = captures::read("twelvedata/frames.jsonl")?;
    let lines = recording.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some(lines.map(|line| (text(&line["dir"]), text(&line["raw"]))).collect())
}

#[test]
fn what_is_sent_is_what_the_official_client_sends() {
    let Some(recorded) = recorded() else { return };
    let sent: Vec<Value> = recorded
        .iter()
        .filter(|(direction, raw)| direction == "send" && !raw.contains("reset"))
        .map(|(_, raw)| serde_json::from_str(raw).unwrap())
        .collect();
    let symbols = sent[0]["params"]["symbols"].as_str().unwrap().split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut session = session(&symbols);
    assert_eq!(session.url(), "wss://ws.twelvedata.com/v1/quotes/price?apikey=YOUR_API_KEY");
    let ours = session.opening().into_iter().chain(session.heartbeat()).map(|message| match message {
        Outgoing::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
        Outgoing::Binary(bytes) => panic!("{bytes:?}"),
    });
    assert_eq!(ours.collect::<Vec<_>>(), sent);
}

#[test]
fn every_recorded_frame_is_understood() {
    let Some(recorded) = recorded() else { return };
    let received: Vec<&String> = recorded.iter().filter(|(dir, _)| dir == "recv").map(|(_, raw)| raw).collect();
    let mut session = session(&["EUR/USD", "GBP/USD", "AAPL"].map(str::to_owned));
    let mut shown = Vec::new();
    for frame in received {
        let mut readings = Vec::new();
        session.read(Incoming::Text(frame), &mut readings);
        shown.extend(readings.iter().map(|reading| match reading {
            Reading::Confirmed(streams) => format!("carries {}", streams.join(" ")),
            Reading::Refused { streams, .. } => format!("refuses {}", streams.join(" ")),
            Reading::Data { kind, key, body, .. } => price(kind, key, body),
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(
        shown,
        [
            "BTC/USD: 29299.0 (29299.0 to 29299.0) at 2022-05-21T07:09:48Z",
            "carries EUR/USD",
            "refuses GBP/USD",
            "EUR/USD: 1.17613 (- to -) at -",
            "carries AAPL",
            "AAPL: 172.8700 (- to -) at 2022-02-04T11:06:06Z",
        ]
    );
}

fn price(kind: &str, key: &str, body: &str) -> String {
    let mut ticks = Vec::new();
    twelvedata().decode(kind, body, &mut ticks).unwrap();
    let [Observation { symbol, exchange_at, trade_id: None, fields }] = &*ticks else { panic!("{ticks:?}") };
    assert_eq!(symbol, key);
    let digits = |price: Option<Price>| price.map_or("-".to_owned(), |price| price.to_string());
    let [last, bid, ask] = [fields.last_price, fields.bid_price, fields.ask_price].map(digits);
    let at = exchange_at.map_or("-".to_owned(), |at| at.to_string());
    format!("{symbol}: {last} ({bid} to {ask}) at {at}")
}
