//! What no exchange should send, between good trades: each is counted with its reason and harms nothing else.

use common::testing::eventually;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::rig::{Pair, Rig, SOON};
use super::websocket_server::WebsocketServer;

/// Far more than a message of this feed may have.
const HUGE_BYTES: usize = 64 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_messages_are_counted_with_their_reasons_and_good_ones_around_them_are_stored() {
    let server = WebsocketServer::start().await;
    let rig = listening(&server).await;
    let bad = bad_frames();
    let kinds = bad.len() as u64;
    for (frame, id) in bad.into_iter().zip(1..) {
        server.send(trade(id)).await;
        server.send(frame).await;
    }
    server.send(trade(kinds + 1)).await;
    stored(&rig, kinds + 1).await;
    rejections_are_counted(&rig, &[("not_json", 2), ("binary_frame", 1), ("unknown_message", 3)]).await;

    let ledger = rig.ledger();
    for reason in ["unknown_stream", "unknown_symbol", "depth"] {
        assert_eq!(ledger.of_reason("skipped_by_reason", reason), 1, "{reason}: {ledger:?}");
    }
    assert_eq!((ledger.of("rejected"), ledger.of("skipped"), ledger.of("dead")), (6, 3, 6), "{ledger:?}");
    assert_eq!((ledger.of("lost"), &ledger.0["balanced"]), (0, &json!(true)), "{ledger:?}");
    assert_eq!(ledger.of("received"), 2 * kinds + 1 - 6, "{ledger:?}");
    let mut reasons: Vec<String> = letters(&rig).iter().map(|letter| letter["reason"].to_string()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.join(" "), r#""bad_number" "bad_number" "bad_number" "malformed" "malformed" "malformed""#);

    assert_eq!(server.subscribed(), 1, "the connection stays");
    // A listener tells of itself once in a while.
    eventually("the status shows the connection", SOON, async || {
        let connection = connection(&rig);
        (&connection["state"], &connection["errors"]) == (&json!("live"), &json!(6)) && connection["reconnects"] == 0
    })
    .await;
    assert_eq!(last_price(&rig).await, price(kinds + 1));
    samples_are_shown(&rig).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_message_ends_its_connection_and_the_next_one_goes_on() {
    let server = WebsocketServer::start().await;
    let rig = listening(&server).await;
    server.send(trade(1)).await;
    stored(&rig, 1).await;
    server.send(Message::text(" ".repeat(HUGE_BYTES))).await;
    eventually("the listener subscribes again", SOON, async || server.subscribed() == 2).await;
    server.send(trade(2)).await;
    stored(&rig, 2).await;
    rejections_are_counted(&rig, &[("too_large", 1)]).await;

    rig.assert_all_is_well();
    eventually("the connection is live again", SOON, async || {
        let connection = connection(&rig);
        connection["state"] == "live" && connection["reconnects"] == 1
    })
    .await;
    let connection = connection(&rig);
    let reason = connection["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("message too large") && reason.contains("67108864"), "{connection}");
    assert_eq!(last_price(&rig).await, price(2));
}

/// A listener that is subscribed, and a worker, on the embedded pair.
async fn listening(server: &WebsocketServer) -> Rig {
    let mut rig = Rig::new(Pair::Embedded).await;
    rig.processes.start("worker", &["worker"]);
    rig.listen(&server.url(), "BTCUSDT", "trade");
    eventually("the listener subscribes", SOON, async || server.subscribed() == 1).await;
    rig
}

/// Six that are no message of the feed, three with nothing to store, six that cannot be stored.
fn bad_frames() -> Vec<Message> {
    let texts = [
        "garbage",
        r#"{"stream":"btcusdt@trade","data":"#,
        "[]",
        r#"{"stream":"btcusdt@trade"}"#,
        r#"{"stream":7,"data":{}}"#,
        r#"{"stream":"btcusdt@nonsense","data":{}}"#,
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","b":[],"a":[]}}"#,
        r#"{"stream":"btcusdt@trade","data":[1,2]}"#,
    ];
    let wrong_fields = [
        ("s", json!("QQQQQ")),
        ("p", json!("NaN")),
        ("p", json!("1e999")),
        ("q", json!("-1")),
        ("t", json!("seven")),
        ("T", json!({})),
    ];
    let mut frames: Vec<Message> = texts.into_iter().map(Message::text).collect();
    frames.extend(wrong_fields.into_iter().map(|(field, value)| {
        let mut frame = trade_of(1);
        frame["data"][field] = value;
        Message::text(frame.to_string())
    }));
    frames.push(Message::binary(vec![0, 159, 146, 150]));
    frames
}

fn trade(id: u64) -> Message {
    Message::text(trade_of(id).to_string())
}

fn trade_of(id: u64) -> Value {
    let event = json!({
        "e": "trade", "E": 1_723_161_601_272_u64, "s": "BTCUSDT", "t": id, "p": price(id), "q": "0.02000000",
        "T": 1_723_161_601_271_u64, "m": true, "M": true
    });
    json!({ "stream": "btcusdt@trade", "data": event })
}

/// Each trade has a price of its own.
fn price(id: u64) -> String {
    format!("616{id:02}.99000000")
}

async fn stored(rig: &Rig, trades: u64) {
    let ids = "SELECT CAST(trade_id AS TEXT) AS value FROM tick_history ORDER BY trade_id";
    let wanted: Vec<String> = (1..=trades).map(|id| id.to_string()).collect();
    eventually("the good trades are stored", SOON, async || rig.values(ids).await == wanted).await;
}

/// Rejections travel without tasks, a moment later.
async fn rejections_are_counted(rig: &Rig, wanted: &[(&str, u64)]) {
    eventually("rejected frames are counted by reason", SOON, async || {
        let ledger = rig.ledger();
        wanted.iter().all(|(reason, count)| ledger.of_reason("rejected_by_reason", reason) == *count)
    })
    .await;
}

/// As the status shows it; null until the listener has told of itself.
fn connection(rig: &Rig) -> Value {
    rig.status()["connections"].get(0).cloned().unwrap_or_default()
}

/// How the newest frame of each reason begins.
async fn samples_are_shown(rig: &Rig) {
    let unfinished = (json!("not_json"), json!(2), json!(r#"{"stream":"btcusdt@trade","data":"#));
    let binary = (json!("binary_frame"), json!(1), json!("009f9296"));
    eventually("the samples are shown", SOON, async || {
        let shown: Value =
            serde_json::from_str(&rig.succeeds(&["feed", "samples", "binance", "--json"])).expect("JSON");
        let samples = shown["samples"].as_array().expect("a list");
        let seen: Vec<_> = samples.iter().map(|found| &found["sample"]).map(seen).collect();
        seen.contains(&unfinished) && seen.contains(&binary)
    })
    .await;
    assert!(rig.succeeds(&["feed", "samples"]).contains("hex 009f9296"));
    assert!(rig.succeeds(&["feed", "samples", "kite"]).starts_with("no rejected frames"));
}

fn seen(sample: &Value) -> (Value, Value, Value) {
    (sample["reason"].clone(), sample["frames"].clone(), sample["start"].clone())
}

fn letters(rig: &Rig) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&rig.succeeds(&["dead", "ls", "--json"])).expect("it is JSON");
    listed["letters"].as_array().cloned().expect("a list")
}

async fn last_price(rig: &Rig) -> String {
    let prices = rig.prices().await;
    prices[0].row.fields.last_price.expect("it has traded").to_string()
}
