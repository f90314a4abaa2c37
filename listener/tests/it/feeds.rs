//! Feeds on the simulated exchange: what it sends is what arrives.

use std::net::SocketAddr;
use std::time::Duration;

use common::feed::described::{Description, Pointer, Rule, Slot, Verdict};
use common::feed::{self, Feed};
use common::market::{Catalog, Kind, MasterRow};
use common::masters::Catalogs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_exchange::OnExchange;

const CREDENTIAL: &str = "key:token";

#[tokio::test(flavor = "multi_thread")]
async fn both_categories_of_binance_futures_arrive_over_connections_of_their_own() {
    let exchange = OnExchange::start("binance_usdm", None).await;
    let mut options = exchange.options(feed::by_name("binance_usdm").unwrap());
    options.shards.symbols_per_connection = 100;
    let arrived = exchange.everything_arrives(options).await;
    assert_eq!((arrived.conns.len(), arrived.symbols.len()), (6, 250), "three connections for each category");
    assert_eq!(arrived.kinds.keys().collect::<Vec<_>>(), ["aggTrade", "bookTicker"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_depth_arrives_over_five_connections_with_the_symbols_of_its_streams() {
    let exchange = OnExchange::start("binance", None).await;
    let mut options = exchange.options(feed::by_name("binance").unwrap());
    options.channels = vec!["depth5@100ms".to_owned()];
    let arrived = exchange.everything_arrives(options).await;
    assert_eq!((arrived.conns.len(), arrived.symbols.len()), (5, 250));
    assert!(arrived.symbols.contains("BTCUSDT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn kites_packets_arrive_over_its_three_connections_with_their_trading_symbols() {
    let (exchange, kite) = (OnExchange::start("kite", Some(CREDENTIAL)).await, feed::by_name("kite").unwrap());
    let (status, list) = instruments(exchange.address, CREDENTIAL).await;
    assert!(status.contains("200"), "{status}");
    let mut options = exchange.options(kite);
    options.shards.symbols_per_connection = 100;
    options.credential = Some(CREDENTIAL.into());
    options.catalog = Catalogs::new(catalog(&list, kite));
    let arrived = exchange.everything_arrives(options).await;
    assert_eq!((arrived.conns.len(), arrived.symbols.len()), (3, 250));
    assert!(arrived.symbols.contains("NSE:SIM0249"));
    assert_eq!(arrived.kinds.keys().collect::<Vec<_>>(), ["full"]);
}

#[tokio::test]
async fn a_dead_token_of_kite_is_refused_at_the_list_and_at_the_handshake() {
    let (exchange, kite) = (OnExchange::start("kite", Some("key:new")).await, feed::by_name("kite").unwrap());
    let (status, body) = instruments(exchange.address, CREDENTIAL).await;
    assert!(status.contains("403") && body.contains("TokenException"), "{status} {body}");
    let mut options = exchange.options(kite);
    options.symbols = vec!["257".to_owned()];
    options.credential = Some(CREDENTIAL.into());
    exchange.turns_away(options, "403").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_described_feed_receives_all_that_the_exchange_sends() {
    let exchange = OnExchange::start("binance", None).await;
    let acme = feed::described::feed(description(&exchange.url));
    let mut options = exchange.options(acme);
    options.endpoint = None;
    options.symbols = exchange.symbols.iter().map(|symbol| format!("{}@trade", symbol.to_lowercase())).collect();
    let arrived = exchange.everything_arrives(options).await;
    assert_eq!((arrived.conns.len(), arrived.symbols.len()), (5, 250));
    assert!(arrived.symbols.contains("btcusdt@trade"));
}

/// Binance's own protocol, as somebody could describe it who knows no Rust. Symbols are names of streams.
fn description(url: &str) -> Description {
    let pointer = |text: &str| text.parse::<Pointer>().unwrap();
    Description {
        name: "acme".to_owned(),
        url: format!("{url}/stream").parse().unwrap(),
        headers: Vec::new(),
        subscribe: vec![r#"{"method":"SUBSCRIBE","params":{symbols},"id":1}"#.parse().unwrap()],
        unsubscribe: Vec::new(),
        heartbeat: None,
        heartbeat_interval: Duration::from_secs(20),
        symbols_per_connection: 50,
        symbols_per_message: 50,
        connections_max: None,
        message_interval: Duration::from_millis(250),
        silence_max: Duration::from_mins(1),
        events: Pointer::default(),
        only: Vec::new(),
        symbol: pointer("/stream"),
        values: vec![(Slot::LastPrice, pointer("/data/p")), (Slot::LastSize, pointer("/data/q"))],
        time: None,
        confirm: Some(Verdict { rules: vec![Rule { pointer: pointer("/id"), value: "1".to_owned() }], symbols: None }),
        refuse: None,
        refuse_reason: None,
        exchange: "ACME".to_owned(),
        kind: Kind::Spot,
    }
}

/// Asks for Kite's list of instruments: status line and body.
async fn instruments(address: SocketAddr, credential: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /instruments HTTP/1.1\r\nHost: kite\r\nAuthorization: token {credential}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

fn catalog(list: &str, kite: &dyn Feed) -> Catalog {
    let rows = list.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split(',').collect();
        let symbol = format!("{}:{}", columns[11], columns[2]);
        MasterRow { instrument: kite.instrument(&symbol).unwrap(), symbol: symbol.into(), key: columns[0].into() }
    });
    let mut catalog = Catalog::default();
    catalog.add("kite", rows);
    catalog
}
