//! Market messages: one packet to a frame. The real one gathers many.

use crate::exchange::digits::ONE;
use crate::exchange::walk::{Event, Ticker};

/// What a price of the wire counts: hundredths.
const HUNDREDTH: u64 = ONE / 100;

/// Levels of depth on each side; the simulated book has one.
const LEVELS: usize = 5;

/// Appends one frame: the number of packets, the packet's length, the packet.
pub(super) fn frame(out: &mut Vec<u8>, mode: &str, token: u32, event: &Event) {
    let start = out.len();
    out.extend_from_slice(&[0, 1, 0, 0]);
    match event {
        Event::Trade(trade) | Event::AggregateTrade(trade) => words(out, &[token, price(trade.price)]),
        Event::Ticker(ticker) => {
            quote(out, token, ticker);
            if mode == "full" {
                full(out, ticker);
            }
        }
        // No mode asks the walk for these.
        Event::Book(_) | Event::Day(_) | Event::Candle(_) => words(out, &[token, 0]),
    }
    let length = u16::try_from(out.len() - start - 4).unwrap_or(u16::MAX);
    out[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn quote(out: &mut Vec<u8>, token: u32, ticker: &Ticker) {
    let Ticker { day, book, last_quantity, .. } = ticker;
    let average = day.turnover.checked_div(day.volume / u128::from(ONE)).unwrap_or(0);
    words(
        out,
        &[
            token,
            price(day.close),
            units((*last_quantity).into()),
            price(u64::try_from(average).unwrap_or(0)),
            units(day.volume),
            units(book.bid_quantity.into()),
            units(book.ask_quantity.into()),
            price(day.open),
            price(day.high),
            price(day.low),
            price(day.open),
        ],
    );
}

fn full(out: &mut Vec<u8>, ticker: &Ticker) {
    let at = u32::try_from(ticker.day.at_ms / 1_000).unwrap_or(u32::MAX);
    let book = ticker.book;
    words(out, &[at, 0, 0, 0, at]);
    for (side_price, quantity) in [(book.bid, book.bid_quantity), (book.ask, book.ask_quantity)] {
        // Quantity, price, one order in the upper two bytes.
        words(out, &[units(quantity.into()), price(side_price), 1 << 16]);
        words(out, &[0; 3 * (LEVELS - 1)]);
    }
}

/// Hundredths, rounded down; what is worth less shows as one.
fn price(price: u64) -> u32 {
    u32::try_from((price / HUNDREDTH).max(u64::from(price != 0))).unwrap_or(u32::MAX >> 1)
}

/// Whole units, at least one of something.
fn units(quantity: u128) -> u32 {
    u32::try_from((quantity / u128::from(ONE)).max(u128::from(quantity != 0))).unwrap_or(u32::MAX)
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}
