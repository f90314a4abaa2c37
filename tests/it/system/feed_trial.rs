//! `tidemill feed test`: what a connection brings, without queueing any of it.

use serde_json::{Value, json};

use super::rig::{Pair, Rig};
use super::websocket_server::WebsocketServer;

const SYMBOLS: &str = "BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT,XRPUSDT,DOGEUSDT";

fn tried(rig: &Rig, endpoint: &str, patience: &str) -> (Option<i32>, Value) {
    let args = ["feed", "test", "--endpoint", endpoint, "--symbols", SYMBOLS, "--patience", patience, "--json"];
    let (code, out, err) = rig.run(&args);
    let report = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (code, report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_that_works_shows_its_first_message_and_nothing_is_queued() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "1000"]).await;
    let (code, report) = tried(&rig, &endpoint, "60s");
    assert_eq!((code, &report["result"]), (Some(0), &json!("works")), "{report}");
    assert_eq!(report["symbols"].as_array().map(Vec::len), Some(5), "the first few: {report}");
    let tick = &report["first"]["ticks"][0];
    let instrument = tick["instrument"].as_str().unwrap_or_default();
    assert!(instrument.ends_with("/USDT:SPOT"), "{report}");
    assert!(tick["last"].is_string() || tick["bid"].is_string(), "{report}");

    let text = rig.succeeds(&["feed", "test", "--endpoint", &endpoint, "--symbols", SYMBOLS, "--patience", "60s"]);
    assert!(text.starts_with("feed        binance\n") && text.ends_with("result      it works\n"), "{text}");
    assert_eq!(rig.ledger().of("received"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_no_connection_have_exit_codes_of_their_own() {
    let rig = Rig::new(Pair::Embedded).await;
    let silent = WebsocketServer::start().await;
    let (code, report) = tried(&rig, &silent.url(), "2s");
    assert_eq!((code, &report["result"], &report["first"]), (Some(5), &json!("silent"), &Value::Null), "{report}");

    // Nobody listens on a port that was given back.
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let (code, report) = tried(&rig, &format!("ws://me:CANARY@{closed}"), "500ms");
    assert_eq!((code, &report["result"]), (Some(1), &json!("not_connected")), "{report}");
    assert!(report["connection"]["reason"].is_string() && !report.to_string().contains("CANARY"), "{report}");
}
