//! What happened, in Upstox' frames.

use common::feed::upstox::schema::{
    Feed, FeedEntry, FeedResponse, FeedUnion, FirstLevelWithGreeks, FullFeed, FullFeedUnion, Ltpc, MarketFullFeed,
    MarketInfo, MarketLevel, MarketOhlc, MarketStatus, Ohlc, OptionGreeks, Quote, RequestMode, ResponseType,
};

use crate::exchange::digits;
use crate::exchange::walk::{Event, Ticker};

/// Segments whose state is told.
const SEGMENTS: [&str; 5] = ["BSE_EQ", "MCX_FO", "NSE_EQ", "NSE_FO", "NSE_INDEX"];

/// Of so many live frames in `full`, one leaves out the book, as the real ones do now and then.
const BOOKLESS_EVERY: u64 = 4;

/// A change.
pub(super) fn live(stream: &str, event: &Event) -> Vec<u8> {
    frame(ResponseType::LiveFeed, stream, event)
}

/// The state at the time of a subscription.
pub(super) fn snapshot(stream: &str, event: &Event) -> Vec<u8> {
    frame(ResponseType::InitialFeed, stream, event)
}

/// Whether the market trades.
pub(super) fn market_info(is_open: bool) -> Vec<u8> {
    let status = if is_open { MarketStatus::NormalOpen } else { MarketStatus::NormalClose };
    let segment_status = SEGMENTS.map(|segment| (segment.to_owned(), status.into())).into();
    FeedResponse {
        response_type: ResponseType::MarketInfo.into(),
        current_ts: 0,
        feeds: Vec::new(),
        market_info: Some(MarketInfo { segment_status, ..MarketInfo::default() }),
    }
    .write()
}

/// Nothing for a stream that is none of ours.
fn frame(response_type: ResponseType, stream: &str, event: &Event) -> Vec<u8> {
    let (Some((mode, key)), Event::Ticker(ticker)) = (stream.split_once(':'), event) else { return Vec::new() };
    let has_book = response_type == ResponseType::InitialFeed || !ticker.book.update_id.is_multiple_of(BOOKLESS_EVERY);
    let (union, request_mode) = match mode {
        "ltpc" => (FeedUnion::Ltpc(ltpc(ticker)), RequestMode::Ltpc),
        "option_greeks" => (FeedUnion::FirstLevelWithGreeks(Box::new(first_level(ticker))), RequestMode::OptionGreeks),
        "full_d30" => (full(ticker, has_book), RequestMode::FullD30),
        _ => (full(ticker, has_book), RequestMode::FullD5),
    };
    let feed = Some(Feed { union: Some(union), request_mode: request_mode.into() });
    FeedResponse {
        response_type: response_type.into(),
        feeds: vec![FeedEntry { key: key.to_owned(), feed }],
        current_ts: millis(ticker.day.at_ms),
        market_info: None,
    }
    .write()
}

fn ltpc(ticker: &Ticker) -> Ltpc {
    Ltpc {
        ltp: double(ticker.day.close),
        ltt: millis(ticker.day.at_ms),
        ltq: whole(ticker.last_quantity),
        cp: double(ticker.day.open),
        iep: None,
    }
}

fn full(ticker: &Ticker, has_book: bool) -> FeedUnion {
    let day = &ticker.day;
    let bar = Ohlc {
        interval: "1d".to_owned(),
        open: double(day.open),
        high: double(day.high),
        low: double(day.low),
        close: double(day.close),
        vol: sum(day.volume),
        ts: millis(ticker.since_ms),
    };
    let market = MarketFullFeed {
        ltpc: Some(ltpc(ticker)),
        market_level: has_book.then(|| MarketLevel { bid_ask_quote: vec![quote(ticker)] }),
        option_greeks: has_book.then(OptionGreeks::default),
        market_ohlc: Some(MarketOhlc { ohlc: vec![bar] }),
        vtt: sum(day.volume),
        ..MarketFullFeed::default()
    };
    FeedUnion::FullFeed(Box::new(FullFeed { union: Some(FullFeedUnion::MarketFf(Box::new(market))) }))
}

fn first_level(ticker: &Ticker) -> FirstLevelWithGreeks {
    FirstLevelWithGreeks {
        ltpc: Some(ltpc(ticker)),
        first_depth: Some(quote(ticker)),
        option_greeks: Some(OptionGreeks { delta: 0.5, ..OptionGreeks::default() }),
        vtt: sum(ticker.day.volume),
        ..FirstLevelWithGreeks::default()
    }
}

fn quote(ticker: &Ticker) -> Quote {
    let book = &ticker.book;
    Quote {
        bid_q: whole(book.bid_quantity),
        bid_p: double(book.bid),
        ask_q: whole(book.ask_quantity),
        ask_p: double(book.ask),
    }
}

/// A price counted in 10^-8, by way of its digits: the nearest double, as if it had been typed.
fn double(price: u64) -> f64 {
    let mut text = Vec::new();
    digits::push_fixed(&mut text, price);
    str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Shares are whole: the smallest amount of the walk stands for one.
fn whole(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}

fn sum(quantity: u128) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}

fn millis(at_ms: u64) -> i64 {
    i64::try_from(at_ms).unwrap_or(i64::MAX)
}
