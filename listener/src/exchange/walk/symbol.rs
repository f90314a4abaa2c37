//! One symbol's state.

use super::Channel;
use super::candle::{Candle, Candles};
use super::numbered::{Numbered, ask_of, numbered_price};
use crate::exchange::digits::ONE;
use crate::exchange::random::Random;

/// A trade. Prices and quantities count 10^-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) struct Trade {
    pub(in crate::exchange) id: u64,
    pub(in crate::exchange) price: u64,
    pub(in crate::exchange) quantity: u64,
    pub(in crate::exchange) at_ms: u64,
    pub(in crate::exchange) buyer_is_maker: bool,
}

/// The best bid and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) struct Book {
    pub(in crate::exchange) update_id: u64,
    pub(in crate::exchange) bid: u64,
    pub(in crate::exchange) bid_quantity: u64,
    pub(in crate::exchange) ask: u64,
    pub(in crate::exchange) ask_quantity: u64,
}

/// The session so far; a simulated market is not 24 hours old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) struct Day {
    pub(in crate::exchange) at_ms: u64,
    pub(in crate::exchange) open: u64,
    pub(in crate::exchange) high: u64,
    pub(in crate::exchange) low: u64,
    pub(in crate::exchange) close: u64,
    pub(in crate::exchange) volume: u128,
    pub(in crate::exchange) turnover: u128,
}

/// The session so far, at length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) struct Ticker {
    pub(in crate::exchange) day: Day,
    pub(in crate::exchange) book: Book,
    pub(in crate::exchange) last_quantity: u64,
    /// When the session began.
    pub(in crate::exchange) since_ms: u64,
    /// The first trade has the id 1, so this is also how many there were.
    pub(in crate::exchange) last_trade_id: u64,
}

/// Price steps that a price has at least: below, a step would move it by too large a part.
const STEPS_MIN: u64 = 1_000;

/// What the smallest quantity is worth at most, in 10^-8 of the quote currency: five cents.
const LOT_WORTH_MAX: u128 = 5_000_000;

/// Largest quantity, in lots.
const LOTS_MAX: u32 = 5_000;

/// The walk of one symbol.
#[derive(Debug)]
pub(super) struct WalkedSymbol {
    name: Box<str>,
    /// What one price step is, in 10^-8.
    step: u64,
    /// What one lot is, in 10^-8.
    lot: u64,
    price: u64,
    trade_id: u64,
    aggregate_id: u64,
    update_id: u64,
    day: Day,
    /// When the first trade happened; 0 before it.
    since_ms: u64,
    last_quantity: u64,
    candles: Candles,
    /// Whether a trade stream shows this symbol's trades. If not, summaries make their own.
    trades_are_seen: bool,
    /// Whether prices follow from numbers instead of walking.
    is_numbered: bool,
    random: Random,
}

impl WalkedSymbol {
    pub(super) fn new(name: &str, price: u64, random: Random) -> Self {
        let step = power_of_ten_up_to(u128::from(price / STEPS_MIN));
        let lot = power_of_ten_up_to(LOT_WORTH_MAX * u128::from(ONE) / u128::from(price.max(1)));
        let price = (price / step).max(STEPS_MIN) * step;
        let day = Day { at_ms: 0, open: price, high: price, low: price, close: price, volume: 0, turnover: 0 };
        Self {
            name: name.into(),
            step,
            lot,
            price,
            trade_id: 0,
            aggregate_id: 0,
            update_id: 0,
            day,
            since_ms: 0,
            last_quantity: 0,
            candles: Candles::default(),
            trades_are_seen: false,
            is_numbered: false,
            random,
        }
    }

    /// From now on, prices follow from numbers.
    pub(super) fn number(&mut self) {
        self.is_numbered = true;
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn forget_wishes(&mut self) {
        self.trades_are_seen = false;
    }

    pub(super) fn wish(&mut self, channel: Channel) {
        self.trades_are_seen |= channel == Channel::Trade;
    }

    /// The next trade. Its id follows the last one's.
    pub(super) fn trade(&mut self, now_ms: u64) -> Trade {
        let dice = self.random.next();
        self.walk(dice);
        self.trade_id += 1;
        if self.is_numbered {
            self.price = numbered_price(&self.name, Numbered::Trade, self.trade_id);
        }
        let trade = Trade {
            id: self.trade_id,
            price: self.price,
            quantity: self.quantity(dice >> 32),
            at_ms: now_ms,
            buyer_is_maker: dice & (1 << 63) == 0,
        };
        let worth = u128::from(trade.price) * u128::from(trade.quantity) / u128::from(ONE);
        self.day.high = self.day.high.max(trade.price);
        self.day.low = self.day.low.min(trade.price);
        self.day.close = trade.price;
        self.day.volume += u128::from(trade.quantity);
        self.day.turnover += worth;
        self.last_quantity = trade.quantity;
        if self.trade_id == 1 {
            self.since_ms = now_ms;
        }
        self.candles.add(&trade, worth);
        trade
    }

    /// The next aggregate trade. Where a trade stream counts the trades, this one only restates the price.
    pub(super) fn aggregate_trade(&mut self, now_ms: u64) -> Trade {
        self.aggregate_id += 1;
        let dice = self.random.next();
        if !self.trades_are_seen {
            let trade = self.trade(now_ms);
            return Trade { id: self.aggregate_id, ..trade };
        }
        let quantity = self.quantity(dice >> 32);
        Trade { id: self.aggregate_id, price: self.price, quantity, at_ms: now_ms, buyer_is_maker: dice & 1 == 0 }
    }

    /// The next change of the best bid or ask.
    pub(super) fn book(&mut self) -> Book {
        let dice = self.random.next();
        self.walk(dice);
        self.update_id += 1 + (dice >> 61);
        if self.is_numbered {
            let (size, bid) = (self.update_id, numbered_price(&self.name, Numbered::Book, self.update_id));
            return Book { update_id: size, bid, bid_quantity: size, ask: ask_of(bid), ask_quantity: size };
        }
        Book {
            update_id: self.update_id,
            bid: self.price,
            bid_quantity: self.quantity(dice >> 16),
            ask: self.price + self.step,
            ask_quantity: self.quantity(dice >> 32),
        }
    }

    pub(super) fn day(&mut self, now_ms: u64) -> Day {
        self.trade_unseen(now_ms);
        Day { at_ms: now_ms, ..self.day }
    }

    pub(super) fn ticker(&mut self, now_ms: u64) -> Ticker {
        let day = self.day(now_ms);
        Ticker {
            day,
            book: self.book(),
            last_quantity: self.last_quantity,
            since_ms: self.since_ms,
            last_trade_id: self.trade_id,
        }
    }

    pub(super) fn candle(&mut self, interval_ms: u64, now_ms: u64) -> Candle {
        self.trade_unseen(now_ms);
        self.candles.show(interval_ms, self.price, now_ms)
    }

    fn trade_unseen(&mut self, now_ms: u64) {
        if !self.trades_are_seen {
            self.trade(now_ms);
        }
    }

    /// Down, stay or up by up to two steps, never below [`STEPS_MIN`] steps.
    fn walk(&mut self, dice: u64) {
        let up = (dice & 0xff) % 5;
        self.price = (self.price + up * self.step).saturating_sub(2 * self.step).max(STEPS_MIN * self.step);
    }

    fn quantity(&self, dice: u64) -> u64 {
        (1 + dice % u64::from(LOTS_MAX)) * self.lot
    }
}

/// The largest power of ten that is not above `bound`, at least 1.
fn power_of_ten_up_to(bound: u128) -> u64 {
    let mut power = 1_u64;
    while u128::from(power) * 10 <= bound && power < ONE * 10_000 {
        power *= 10;
    }
    power
}
