//! Recordings, sent once and byte for byte.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::testing::eventually;
use listener::exchange::{AtEnd, ExchangeOptions, ExchangeSource, ReplayOptions, Speed, Target};

use super::client::Client;
use super::running::{PATIENCE, start};

const RECORDED_MINUTES: &str = "hft_spot_btcusdt_20240808.txt.gz";

/// A recording of Binance, if it is beside the project. On a build server it must be.
fn recording(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures/binance").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(!is_build_server(), "{} is missing", path.display());
    println!("skipped: {} is not here", path.display());
    None
}

#[expect(clippy::disallowed_methods, reason = "not a setting: whether a test may skip")]
fn is_build_server() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// The recorded frames of the streams, in order.
fn frames(path: &Path, streams: &[&str]) -> Vec<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let heads: Vec<_> = streams.iter().map(|stream| format!(r#"{{"stream":"{stream}","#)).collect();
    text.lines()
        .filter_map(|line| line.split_once(' ').map(|(_, frame)| frame))
        .filter(|frame| heads.iter().any(|head| frame.starts_with(head)))
        .map(str::to_owned)
        .collect()
}

fn replay(path: impl Into<PathBuf>) -> ReplayOptions {
    ReplayOptions::new(path)
}

fn options(replay: ReplayOptions) -> ExchangeOptions {
    ExchangeOptions::new(ExchangeSource::Replay(replay))
}

/// A recording of `count` trades, a millisecond apart, alternating between two symbols.
fn small_recording(count: u64) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("small.txt");
    let line = |id: u64| format!("{} {}\n", 1_000_000_000 + id * 1_000_000, trade(id));
    std::fs::write(&path, (1..=count).map(line).collect::<String>()).unwrap();
    (directory, path)
}

fn trade(id: u64) -> String {
    let symbol = if id.is_multiple_of(2) { "even" } else { "odd" };
    format!(r#"{{"stream":"{symbol}@trade","data":{{"t":{id}}}}}"#)
}

fn trades(ids: impl Iterator<Item = u64>) -> Vec<String> {
    ids.map(trade).collect()
}

#[tokio::test]
async fn a_recording_is_served_whole_and_byte_for_byte() {
    let Some(path) = recording(RECORDED_MINUTES) else { return };
    let wanted = ["btcusdt@trade", "btcusdt@bookTicker"];
    let exchange = start(options(replay(&path))).await;
    let mut client = exchange.connect("/stream?streams=btcusdt@trade/btcusdt@bookTicker").await;
    let received = client.texts(9_757 + 28_040).await;
    assert!(received == frames(&path, &wanted), "the frames differ from the recording");
    exchange.until("the replay is finished", |stats| stats.finished).await;
    assert!(client.close().await.is_empty());
    let stats = exchange.stop().await.stats;
    assert_eq!((stats.sent["trade"], stats.sent["bookTicker"], stats.sent_total), (9_757, 28_040, 37_797));
    assert_eq!((stats.unsent, stats.skipped, stats.garbled), (3_451, 1, 0));
}

#[tokio::test]
async fn a_recording_of_another_recorder_is_served_as_well() {
    let Some(path) = recording("spot_2021-10-12.jsonl") else { return };
    let exchange = start(options(replay(&path))).await;
    let symbols = ["nknusdt", "blzeth", "lrcbtc", "runeeur"];
    let streams: Vec<_> = symbols.iter().map(|symbol| format!("{symbol}@bookTicker/{symbol}@aggTrade")).collect();
    let mut client = exchange.connect(&format!("/stream?streams={}", streams.join("/"))).await;
    for text in client.texts(84 + 2).await {
        assert!(text.starts_with(r#"{"stream":""#) && text.contains(r#"","data":{""#), "{text}");
    }
    exchange.until("the replay is finished", |stats| stats.finished).await;
    assert!(client.close().await.is_empty());
    let stats = exchange.stop().await.stats;
    assert_eq!((stats.sent["bookTicker"], stats.sent["aggTrade"]), (84, 2));
    assert_eq!((stats.unsent, stats.skipped, stats.garbled), (177 + 2, 1, 0));
}

#[tokio::test]
async fn two_connections_share_one_replay() {
    let (_directory, path) = small_recording(1_000);
    let waiting = ReplayOptions { wait_for_connections: 2, ..replay(path) };
    let exchange = start(ExchangeOptions { at_end: AtEnd::Exit, ..options(waiting) }).await;
    let mut odd = exchange.connect("/stream?streams=odd@trade").await;
    let mut both = exchange.connect("/stream?streams=even@trade/odd@trade").await;
    assert_eq!(odd.texts(500).await, trades((1..=1_000).step_by(2)));
    assert_eq!(both.texts(1_000).await, trades(1..=1_000));
    drop((odd, both));
    assert_eq!(exchange.ended().await.stats.sent_total, 1_500);
}

#[tokio::test]
async fn a_replay_waits_for_as_many_streams_as_it_is_told() {
    let (_directory, path) = small_recording(10);
    let exchange = start(options(ReplayOptions { wait_for_streams: 2, ..replay(path) })).await;
    let mut client = exchange.connect("/stream?streams=odd@trade").await;
    client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    client.send(r#"{"method":"SUBSCRIBE","params":["even@trade"],"id":7}"#).await;
    assert_eq!(client.text().await, r#"{"result":null,"id":7}"#);
    assert_eq!(client.texts(10).await, trades(1..=10));
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn with_hold_a_client_that_closes_and_comes_back_misses_nothing() {
    let (_directory, path) = small_recording(4_000);
    let speed: Speed = "4x".parse().unwrap();
    let exchange = start(options(ReplayOptions { speed, hold: true, ..replay(path) })).await;
    let mut received = Vec::new();
    while received.len() < 4_000 {
        let mut client = exchange.connect("/stream?streams=odd@trade/even@trade").await;
        received.extend(client.texts(500.min(4_000 - received.len())).await);
        received.extend(client.close().await);
    }
    assert_eq!(received, trades(1..=4_000));
    let stats = exchange.stop().await.stats;
    assert_eq!((stats.sent_total, stats.unsent, stats.undelivered), (4_000, 0, 0));
    assert!(3 < stats.connections_total, "{stats:?}");
}

#[tokio::test]
async fn without_hold_the_market_goes_on_without_the_client() {
    let (_directory, path) = small_recording(300);
    let speed: Speed = "1x".parse().unwrap();
    let exchange = start(options(ReplayOptions { speed, ..replay(path) })).await;
    let mut client = exchange.connect("/stream?streams=odd@trade/even@trade").await;
    let mut seen = client.texts(10).await.len();
    seen += client.close().await.len();
    exchange.until("the replay is finished", |stats| stats.finished).await;
    let stats = exchange.stop().await.stats;
    assert!(0 < stats.unsent, "{stats:?}");
    assert_eq!(stats.sent_total, seen as u64);
    assert_eq!(stats.sent_total + stats.unsent + stats.undelivered, 300);
}

#[tokio::test]
async fn with_hold_and_resend_a_client_that_crashes_again_and_again_still_gets_every_trade() {
    const TRADES: u64 = 8_000;
    /// More than is repeated to each client, so that each gets further.
    const READ_BEFORE_CRASH: usize = 2_500;
    let (_directory, path) = small_recording(TRADES);
    let held = ReplayOptions { hold: true, speed: "4x".parse().unwrap(), ..replay(path) };
    let exchange = start(ExchangeOptions { resend: 600, ..options(held) }).await;
    let mut stored = HashSet::new();
    let mut crashes = 0;
    let all: HashSet<_> = trades(1..=TRADES).into_iter().collect();
    while stored.len() < all.len() {
        let mut client = exchange.connect("/stream?streams=odd@trade/even@trade").await;
        // A crashed client leaves without a word and with frames unread.
        for _ in 0..READ_BEFORE_CRASH {
            if stored.len() < all.len() {
                stored.insert(client.text().await);
            }
        }
        crash(client);
        crashes += 1;
    }
    assert_eq!(stored, all);
    let stats = exchange.stop().await.stats;
    assert!(1 < crashes && 0 < stats.resent, "{stats:?}");
    assert_eq!(stats.unsent, 0);
}

fn crash(client: Client) {
    let tokio_tungstenite::MaybeTlsStream::Plain(stream) = client.socket.get_ref() else { panic!("not encrypted") };
    stream.set_zero_linger().unwrap();
    drop(client);
}

#[tokio::test]
async fn after_a_cut_by_the_exchange_the_newest_frames_come_again() {
    let (_directory, path) = small_recording(100);
    let exchange = start(ExchangeOptions { resend: 3, ..options(replay(path)) }).await;
    let mut client = exchange.connect("/stream?streams=odd@trade/even@trade").await;
    assert_eq!(client.texts(100).await, trades(1..=100));
    exchange.controls.cut(Target::Everyone).await.unwrap();
    exchange.until("the connection is gone", |stats| stats.subscribed == 0).await;
    let mut client = exchange.connect("/stream").await;
    client.send(r#"{"method":"SUBSCRIBE","params":["odd@trade","even@trade"],"id":1}"#).await;
    assert_eq!(client.text().await, r#"{"result":null,"id":1}"#);
    assert_eq!(client.texts(6).await, trades([95, 97, 99, 96, 98, 100].into_iter()));
    drop(client);
    let stats = exchange.stop().await.stats;
    assert_eq!((stats.resent, stats.sent_total), (6, 106));
}

#[tokio::test]
async fn a_replay_stays_open_after_its_end_and_says_that_it_is_finished() {
    let (_directory, path) = small_recording(10);
    let exchange = start(options(replay(path))).await;
    let mut client = exchange.connect("/stream?streams=odd@trade/even@trade").await;
    client.texts(10).await;
    eventually("the replay is finished", PATIENCE, || async { exchange.stats.now().finished }).await;
    let list = client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    assert_eq!(list["result"].as_array().unwrap().len(), 2);
    drop(client);
    exchange.stop().await;
}
