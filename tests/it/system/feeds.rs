//! Every feed at once: an exchange and a listener process each, one worker, one store; every symbol gets its row.

use common::market::Fields;
use common::testing::eventually;
use listener::exchange::WalkOptions;

use super::rig::{Pair, Rig, SOON};
use super::venues::{Venue, walk};

/// Symbols of each listener.
const SYMBOLS: usize = 250;

/// Messages a second of each exchange.
const RATE: u32 = 500;

/// What each exchange sends. Symbols are drawn at random: that one of 250 is never drawn happens once in two million.
const MESSAGES: u64 = 5_000;

/// `{"hsm_key":"0123456789abcdef","exp":4102444800}` in the middle: Fyers' token tells these two.
const FYERS_TOKEN: &str = "APP-100:e30.eyJoc21fa2V5IjoiMDEyMzQ1Njc4OWFiY2RlZiIsImV4cCI6NDEwMjQ0NDgwMH0.x";

/// One listener and what is expected of it.
struct Case {
    /// Its process, its group, and its name in what fails.
    name: &'static str,
    feed: &'static str,
    credential: &'static str,
    /// 50 symbols per connection are asked for; each provider's own limit holds.
    connections: u64,
    /// Streams of one symbol.
    streams: u64,
    flags: &'static [&'static str],
    /// Where its symbols begin in the market: two listeners of one feed have rows of their own.
    first_symbol: usize,
}

impl Case {
    const fn of(feed: &'static str, credential: &'static str, connections: u64, streams: u64) -> Self {
        Self { name: feed, feed, credential, connections, streams, flags: &[], first_symbol: 0 }
    }
}

const CASES: &[Case] = &[
    Case::of("binance", "none", 5, 2),
    // Trades and books of the futures come from two addresses.
    Case::of("binance_usdm", "none", 10, 2),
    Case::of("fyers", FYERS_TOKEN, 5, 1),
    Case { name: "fyers_lite", flags: &["--litemode"], first_symbol: SYMBOLS, ..Case::of("fyers", FYERS_TOKEN, 5, 1) },
    Case::of("kite", "thekey:thetoken", 3, 1),
    Case::of("massive", "thekey", 1, 2),
    Case::of("twelvedata", "thekey", 3, 1),
    Case::of("upstox", "header.payload.signature", 2, 1),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_symbol_of_every_feed_becomes_a_row_and_no_message_is_lost_embedded() {
    all_feeds(Pair::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_symbol_of_every_feed_becomes_a_row_and_no_message_is_lost_on_servers() {
    all_feeds(Pair::Servers).await;
}

async fn all_feeds(pair: Pair) {
    let mut rig = Rig::new(pair).await;
    rig.processes.set("TIDEMILL_STORE__HISTORY", "false");
    // A busy machine may be late to renew a short lease, and that is not what this is about.
    rig.processes.set("TIDEMILL_WORKER__LEASE", "15s");
    let mut venues = Vec::new();
    for case in CASES {
        let walk = WalkOptions { messages: Some(MESSAGES), ..walk(case.first_symbol + SYMBOLS, RATE) };
        let venue = Venue::open(case.feed, walk, case.credential).await;
        // Nothing is sent before all are subscribed.
        venue.set_open(false).await;
        venues.push(venue);
    }
    let (_, kite) = CASES.iter().zip(&venues).find(|(case, _)| case.feed == "kite").expect("it is in the table");
    let instruments = kite.get("/instruments", "token thekey:thetoken").await;
    let master = rig.write("kite.csv", &instruments);
    rig.processes.set("TIDEMILL_INSTRUMENTS__MASTERS", format!("kite={master}"));
    rig.processes.start("worker", &["worker"]);
    for (case, venue) in CASES.iter().zip(&venues) {
        rig.processes.set("TIDEMILL_TOKEN", case.credential);
        rig.processes.set("TIDEMILL_LISTENER__GROUP", case.name);
        rig.listen_to(case.name, venue, &venue.symbols[case.first_symbol..], case.flags);
    }

    for (case, venue) in CASES.iter().zip(&venues) {
        let wanted = (case.connections, case.streams * SYMBOLS as u64);
        let is_ready = || (venue.stats().connections, venue.stats().subscribed) == wanted;
        let what = format!("{pair:?} {}: (connections, streams) are {wanted:?}", case.name);
        eventually(&what, SOON, async || is_ready()).await;
        venue.set_open(true).await;
    }
    let sent = MESSAGES * CASES.len() as u64;
    rig.ended(sent).await;

    let ledger = rig.ledger();
    for count in ["received", "accepted", "settled"] {
        assert_eq!(ledger.of(count), sent, "{pair:?} {count}: {ledger:?}");
    }
    rig.assert_all_is_well();
    for (case, venue) in CASES.iter().zip(&venues) {
        let stats = venue.stats();
        let seen = (stats.sent_total, stats.connections, stats.connections_total);
        assert_eq!(seen, (MESSAGES, case.connections, case.connections), "{pair:?} {}: {stats:?}", case.name);
        let wanted = SYMBOLS * CASES.iter().filter(|other| other.feed == case.feed).count();
        let rows = rows_of(&rig, case.feed, |fields| fields.last_price.or(fields.bid_price).is_some()).await;
        assert_eq!(rows, wanted, "{pair:?} {}: rows with a price", case.name);
        eprintln!("{pair:?} {}: {MESSAGES} messages, {} connections, {rows} rows", case.name, case.connections);
    }
    // The other listener asked for less.
    assert_eq!(rows_of(&rig, "fyers", |fields| fields.bid_price.is_some()).await, SYMBOLS, "{pair:?} fyers: bids");
}

/// Rows of a feed whose values are as wanted.
async fn rows_of(rig: &Rig, feed: &str, is_wanted: impl Fn(&Fields) -> bool) -> usize {
    rig.prices().await.iter().filter(|price| price.feed == feed && is_wanted(&price.row.fields)).count()
}
