//! Market messages, written without a serializer: a million per second are wanted.

use std::ops::Range;

use super::{Binance, interval_name};
use crate::exchange::digits::{
    ONE, push, push_fixed, push_fixed_sum, push_keyed as number, push_percent, push_text as text,
};
use crate::exchange::protocol::Named;
use crate::exchange::walk::{Book, Candle, Day, Event, Ticker, Trade};

/// Appends `{"stream":"<stream>","data":<message>}` and returns where the message lies.
pub(in crate::exchange::protocol) fn render(
    out: &mut Vec<u8>,
    market: Binance,
    stream: Named<'_>,
    event: &Event,
) -> Range<usize> {
    let symbol = stream.symbol;
    let is_depth = stream.stream.contains("@depth");
    combined(out, stream.stream, |out| match event {
        Event::Trade(event) => trade(out, symbol, event),
        Event::AggregateTrade(event) => aggregate_trade(out, symbol, event),
        Event::Book(event) if is_depth => partial_depth(out, market, symbol, event),
        Event::Book(event) => book_ticker(out, market, symbol, event),
        Event::Day(event) => mini_ticker(out, symbol, event),
        Event::Ticker(event) => ticker(out, symbol, event),
        Event::Candle(event) => kline(out, symbol, event),
    })
}

pub(in crate::exchange::protocol) fn shutdown_notice(out: &mut Vec<u8>, now_ms: u64) -> Range<usize> {
    combined(out, "!serverShutdown", |out| {
        text(out, r#"{"e":"serverShutdown","E":"#);
        push(out, now_ms);
        text(out, "}");
    })
}

fn combined(out: &mut Vec<u8>, stream: &str, message: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    text(out, r#"{"stream":""#);
    text(out, stream);
    text(out, r#"","data":"#);
    let start = out.len();
    message(out);
    let end = out.len();
    text(out, "}");
    start..end
}

fn trade(out: &mut Vec<u8>, symbol: &str, trade: &Trade) {
    head(out, "trade", trade.at_ms, symbol);
    number(out, r#","t":"#, trade.id);
    price(out, r#","p":""#, trade.price);
    price(out, r#","q":""#, trade.quantity);
    number(out, r#","T":"#, trade.at_ms);
    text(out, if trade.buyer_is_maker { r#","m":true,"M":true}"# } else { r#","m":false,"M":true}"# });
}

fn aggregate_trade(out: &mut Vec<u8>, symbol: &str, trade: &Trade) {
    head(out, "aggTrade", trade.at_ms, symbol);
    number(out, r#","a":"#, trade.id);
    price(out, r#","p":""#, trade.price);
    price(out, r#","q":""#, trade.quantity);
    number(out, r#","f":"#, trade.id);
    number(out, r#","l":"#, trade.id);
    number(out, r#","T":"#, trade.at_ms);
    text(out, if trade.buyer_is_maker { r#","m":true,"M":true}"# } else { r#","m":false,"M":true}"# });
}

/// The one level that is known, without a time: the walk gives its quotes none.
fn partial_depth(out: &mut Vec<u8>, market: Binance, symbol: &str, book: &Book) {
    let (bids, asks) = match market {
        Binance::Spot => (r#","bids":[[""#, r#"]],"asks":[[""#),
        Binance::Usdm => (r#","b":[[""#, r#"]],"a":[[""#),
    };
    if market == Binance::Usdm {
        text(out, r#"{"e":"depthUpdate","s":""#);
        text(out, symbol);
        number(out, r#"","u":"#, book.update_id);
    } else {
        number(out, r#"{"lastUpdateId":"#, book.update_id);
    }
    price(out, bids, book.bid);
    price(out, r#",""#, book.bid_quantity);
    price(out, asks, book.ask);
    price(out, r#",""#, book.ask_quantity);
    text(out, "]]}");
}

fn book_ticker(out: &mut Vec<u8>, market: Binance, symbol: &str, book: &Book) {
    let start = if market == Binance::Usdm { r#"{"e":"bookTicker","u":"# } else { r#"{"u":"# };
    number(out, start, book.update_id);
    text(out, r#","s":""#);
    text(out, symbol);
    price(out, r#"","b":""#, book.bid);
    price(out, r#","B":""#, book.bid_quantity);
    price(out, r#","a":""#, book.ask);
    price(out, r#","A":""#, book.ask_quantity);
    text(out, "}");
}

fn mini_ticker(out: &mut Vec<u8>, symbol: &str, day: &Day) {
    head(out, "24hrMiniTicker", day.at_ms, symbol);
    price(out, r#","c":""#, day.close);
    price(out, r#","o":""#, day.open);
    price(out, r#","h":""#, day.high);
    price(out, r#","l":""#, day.low);
    sum(out, r#","v":""#, day.volume);
    sum(out, r#","q":""#, day.turnover);
    text(out, "}");
}

fn ticker(out: &mut Vec<u8>, symbol: &str, ticker: &Ticker) {
    let Ticker { day, book, last_quantity, since_ms, last_trade_id } = ticker;
    let sign = if day.close < day.open { "-" } else { "" };
    let change = day.close.abs_diff(day.open);
    head(out, "24hrTicker", day.at_ms, symbol);
    text(out, r#","p":""#);
    text(out, sign);
    push_fixed(out, change);
    text(out, r#"","P":""#);
    text(out, sign);
    push_percent(out, change, day.open);
    sum(out, r#"","w":""#, (day.turnover * u128::from(ONE)).checked_div(day.volume).unwrap_or(0));
    price(out, r#","x":""#, day.open);
    price(out, r#","c":""#, day.close);
    price(out, r#","Q":""#, *last_quantity);
    price(out, r#","b":""#, book.bid);
    price(out, r#","B":""#, book.bid_quantity);
    price(out, r#","a":""#, book.ask);
    price(out, r#","A":""#, book.ask_quantity);
    price(out, r#","o":""#, day.open);
    price(out, r#","h":""#, day.high);
    price(out, r#","l":""#, day.low);
    sum(out, r#","v":""#, day.volume);
    sum(out, r#","q":""#, day.turnover);
    number(out, r#","O":"#, *since_ms);
    number(out, r#","C":"#, day.at_ms);
    number(out, r#","F":"#, u64::from(0 < *last_trade_id));
    number(out, r#","L":"#, *last_trade_id);
    number(out, r#","n":"#, *last_trade_id);
    text(out, "}");
}

fn kline(out: &mut Vec<u8>, symbol: &str, candle: &Candle) {
    head(out, "kline", candle.at_ms, symbol);
    number(out, r#","k":{"t":"#, candle.opened_ms);
    number(out, r#","T":"#, candle.opened_ms + candle.interval_ms - 1);
    text(out, r#","s":""#);
    text(out, symbol);
    text(out, r#"","i":""#);
    text(out, interval_name(candle.interval_ms));
    match candle.trade_ids {
        Some((first, last)) => {
            number(out, r#"","f":"#, first);
            number(out, r#","L":"#, last);
        }
        None => text(out, r#"","f":-1,"L":-1"#),
    }
    price(out, r#","o":""#, candle.open);
    price(out, r#","c":""#, candle.close);
    price(out, r#","h":""#, candle.high);
    price(out, r#","l":""#, candle.low);
    sum(out, r#","v":""#, candle.volume);
    number(out, r#","n":"#, candle.trades);
    text(out, if candle.is_closed { r#","x":true"# } else { r#","x":false"# });
    sum(out, r#","q":""#, candle.turnover);
    sum(out, r#","V":""#, candle.taker_volume);
    sum(out, r#","Q":""#, candle.taker_turnover);
    text(out, r#","B":"0"}}"#);
}

/// `{"e":"<kind>","E":<time>,"s":"<symbol>"`
fn head(out: &mut Vec<u8>, kind: &str, at_ms: u64, symbol: &str) {
    text(out, r#"{"e":""#);
    text(out, kind);
    number(out, r#"","E":"#, at_ms);
    text(out, r#","s":""#);
    text(out, symbol);
    text(out, r#"""#);
}

/// The key ends with an opening quote.
fn price(out: &mut Vec<u8>, key: &str, value: u64) {
    text(out, key);
    push_fixed(out, value);
    text(out, r#"""#);
}

fn sum(out: &mut Vec<u8>, key: &str, value: u128) {
    text(out, key);
    push_fixed_sum(out, value);
    text(out, r#"""#);
}
