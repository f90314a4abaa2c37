//! Market messages: each an array with one event.

use std::ops::Range;

use crate::exchange::digits::{push, push_fixed, push_fixed_sum};
use crate::exchange::walk::{Book, Candle, Event, Trade};

/// Appends `[<event>]` and returns where the event lies.
pub(super) fn render(out: &mut Vec<u8>, stream: &str, event: &Event) -> Range<usize> {
    let (channel, ticker) = stream.split_once('.').unwrap_or((stream, ""));
    let start = out.len() + 1;
    text(out, r#"[{"ev":""#);
    text(out, channel);
    text(out, if channel.starts_with('X') { r#"","pair":""# } else { r#"","sym":""# });
    text(out, ticker);
    text(out, "\"");
    match event {
        Event::Trade(event) | Event::AggregateTrade(event) => trade(out, event),
        Event::Book(event) => quote(out, event),
        Event::Candle(event) => bar(out, event),
        // No stream of this venue asks for them.
        Event::Day(_) | Event::Ticker(_) => {}
    }
    text(out, "}]");
    start..out.len() - 1
}

/// The size comes twice, as a number and, with its fraction, as a text: so the provider does it.
fn trade(out: &mut Vec<u8>, trade: &Trade) {
    text(out, r#","x":4,"i":""#);
    push(out, trade.id);
    price(out, r#"","z":3,"p":"#, trade.price);
    price(out, r#","s":"#, trade.quantity);
    price(out, r#","ds":""#, trade.quantity);
    number(out, r#"","c":[14,41],"t":"#, trade.at_ms);
    number(out, r#","q":"#, trade.id);
}

fn quote(out: &mut Vec<u8>, book: &Book) {
    price(out, r#","bx":4,"bp":"#, book.bid);
    price(out, r#","bs":"#, book.bid_quantity);
    price(out, r#","ax":7,"ap":"#, book.ask);
    price(out, r#","as":"#, book.ask_quantity);
    number(out, r#","c":0,"z":3,"q":"#, book.update_id);
}

fn bar(out: &mut Vec<u8>, candle: &Candle) {
    text(out, r#","v":"#);
    push_fixed_sum(out, candle.volume);
    price(out, r#","o":"#, candle.open);
    price(out, r#","c":"#, candle.close);
    price(out, r#","h":"#, candle.high);
    price(out, r#","l":"#, candle.low);
    number(out, r#","s":"#, candle.opened_ms);
    number(out, r#","e":"#, candle.opened_ms + candle.interval_ms);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    text(out, key);
    push(out, value);
}

fn price(out: &mut Vec<u8>, key: &str, value: u64) {
    text(out, key);
    push_fixed(out, value);
}
