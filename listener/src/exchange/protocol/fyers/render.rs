//! Events as data frames: `u16 length, u8 6, u32 number, u16 entries`, then one entry.

use std::ops::Range;

use super::StreamName;
use crate::exchange::protocol::Named;
use crate::exchange::walk::{Book, Event, Ticker};

/// The type of data frames.
pub(super) const DATA: u8 = 6;

/// A value that is not told.
const ABSENT: i32 = i32::MIN;

/// Places of a price on the wire, and what the market's 10^-8 are divided by to have two of them.
const PRECISION: u8 = 4;
const PER_CENT: u64 = 1_000_000;

/// Values of a topic.
const SYMBOL_VALUES: usize = 21;
const DEPTH_VALUES: usize = 30;
const LEVELS: i32 = 5;

/// Appends what has changed.
pub(super) fn update(out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
    let start = out.len();
    head(out);
    let values = values(event, false);
    if StreamName::read(stream.stream).is_some_and(|name| name.is_lite) {
        out.push(b'L');
        out.extend(id(stream));
        out.extend(values.first().unwrap_or(&ABSENT).to_be_bytes());
    } else {
        out.push(b'U');
        out.extend(id(stream));
        push_values(out, &values);
    }
    finish(out, start)
}

/// Appends everything, with the topic's name.
pub(super) fn snapshot(out: &mut Vec<u8>, stream: Named<'_>, event: &Event) {
    let start = out.len();
    head(out);
    let topic = StreamName::read(stream.stream).map_or(stream.stream, |name| name.topic);
    out.push(b'S');
    out.extend(id(stream));
    push_text(out, topic);
    push_values(out, &values(event, true));
    out.extend([0, 0, 0, 1, PRECISION]);
    let token = topic.rsplit('|').next().unwrap_or_default();
    for text in ["nse_cm", token, stream.symbol.rsplit(':').next().unwrap_or_default()] {
        push_text(out, text);
    }
    finish(out, start);
}

fn head(out: &mut Vec<u8>) {
    // The length and the number come later.
    out.extend([0, 0, DATA, 0, 0, 0, 0, 0, 1]);
}

fn finish(out: &mut [u8], start: usize) -> Range<usize> {
    let length = u16::try_from(out.len() - start - 2).unwrap_or(u16::MAX).to_be_bytes();
    out[start..start + 2].copy_from_slice(&length);
    start..out.len()
}

/// The topic's number.
fn id(stream: Named<'_>) -> [u8; 2] {
    u16::try_from(stream.number).unwrap_or(u16::MAX).to_be_bytes()
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(u8::MAX.into())];
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

fn push_values(out: &mut Vec<u8>, values: &[i32]) {
    out.push(u8::try_from(values.len()).unwrap_or(u8::MAX));
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

/// The values by their place; `is_first` tells those, too, that do not change in a session.
fn values(event: &Event, is_first: bool) -> Vec<i32> {
    match event {
        Event::Ticker(ticker) => symbol(ticker, is_first),
        Event::Book(book) => depth(book),
        // No topic asks for them.
        Event::Trade(_) | Event::AggregateTrade(_) | Event::Day(_) | Event::Candle(_) => Vec::new(),
    }
}

fn symbol(ticker: &Ticker, is_first: bool) -> Vec<i32> {
    let Ticker { day, book, .. } = ticker;
    let mut values = vec![ABSENT; SYMBOL_VALUES];
    let seconds = whole(day.at_ms / 1_000);
    // The last place makes each price another one than the last.
    values[0] = price(day.close) + i32::from(ticker.last_trade_id % 2 == 1);
    values[1] = whole(ticker.last_trade_id);
    values[2] = seconds;
    values[3] = seconds;
    values[4] = size(book.bid_quantity);
    values[5] = size(book.ask_quantity);
    values[6] = price(book.bid);
    values[7] = price(book.ask);
    // Every trade is of one share, so that the volume counts them.
    values[8] = 1;
    values[13] = price(day.low);
    values[14] = price(day.high);
    if is_first {
        values[19] = price(day.open);
        values[20] = price(day.open);
    }
    values
}

fn depth(book: &Book) -> Vec<i32> {
    let mut values = Vec::with_capacity(DEPTH_VALUES);
    values.extend((0..LEVELS).map(|level| (price(book.bid) - level * 100).max(0)));
    values.extend((0..LEVELS).map(|level| price(book.ask) + level * 100));
    values.extend((0..LEVELS).map(|level| size(book.bid_quantity) + level));
    values.extend((0..LEVELS).map(|level| size(book.ask_quantity) + level));
    // Its number grows with each change, so that every message tells something new.
    values.extend((0..2 * LEVELS).map(|level| whole(book.update_id % 1_000_000) + level));
    values
}

/// In 10^-4, with zeros in the last two places.
fn price(price: u64) -> i32 {
    whole(price / PER_CENT).saturating_mul(100).min(i32::MAX - 1_000)
}

/// At least one.
fn size(quantity: u64) -> i32 {
    whole(quantity / PER_CENT + 1).min(i32::MAX / 2)
}

fn whole(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
