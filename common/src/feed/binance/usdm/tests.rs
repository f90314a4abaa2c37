use super::*;
use crate::clock::UnixMicros;
use crate::feed::{Feed, SessionRequest, Topic};
use crate::market::Catalog;

fn topics(symbols: &[&str], channels: &[&str]) -> Vec<Topic> {
    let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
    USDM.topics(&own(symbols), &own(channels), &Catalog::default()).unwrap()
}

#[test]
fn books_and_computed_streams_have_lanes_of_their_own() {
    let topics = topics(&["BTCUSDT_261225"], &["bookTicker", "depth10@500ms", "aggTrade", "kline_1m", "markPrice@1s"]);
    let lanes: Vec<(&str, &str)> = topics.iter().map(|topic| (&*topic.stream, topic.lane)).collect();
    let wanted = [
        ("btcusdt_261225@bookTicker", "public"),
        ("btcusdt_261225@depth10@500ms", "public"),
        ("btcusdt_261225@aggTrade", "market"),
        ("btcusdt_261225@kline_1m", "market"),
        ("btcusdt_261225@markPrice@1s", "market"),
    ];
    assert_eq!(lanes, wanted);
}

#[test]
fn a_session_connects_to_the_path_of_its_topics() {
    for (channel, url) in [
        ("bookTicker", "wss://fstream.binance.com/public/stream"),
        ("aggTrade", "wss://fstream.binance.com/market/stream"),
    ] {
        let topics = topics(&["BTCUSDT"], &[channel]);
        let request = SessionRequest {
            endpoints: USDM.endpoints(),
            topics: &topics,
            credential: None,
            catalog: &Catalog::default(),
            now: UnixMicros(0),
        };
        assert_eq!(USDM.session(&request).unwrap().url(), url);
    }
}

#[test]
fn every_channel_that_is_subscribed_by_default_is_known() {
    topics(&["BTCUSDT"], USDM.default_channels());
    topics(&["BTCUSDT"], USDM.lite_channels());
}
