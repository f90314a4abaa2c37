//! Candlesticks of one symbol.

use super::symbol::Trade;

/// A candlestick. Prices and volumes count 10^-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) struct Candle {
    pub(in crate::exchange) at_ms: u64,
    pub(in crate::exchange) interval_ms: u64,
    pub(in crate::exchange) opened_ms: u64,
    pub(in crate::exchange) open: u64,
    pub(in crate::exchange) high: u64,
    pub(in crate::exchange) low: u64,
    pub(in crate::exchange) close: u64,
    pub(in crate::exchange) volume: u128,
    pub(in crate::exchange) turnover: u128,
    pub(in crate::exchange) taker_volume: u128,
    pub(in crate::exchange) taker_turnover: u128,
    pub(in crate::exchange) trades: u64,
    /// First and last trade id; `None` while there is no trade in it.
    pub(in crate::exchange) trade_ids: Option<(u64, u64)>,
    /// Whether it is complete: its last word.
    pub(in crate::exchange) is_closed: bool,
}

impl Candle {
    fn open(interval_ms: u64, price: u64, now_ms: u64) -> Self {
        Self {
            at_ms: now_ms,
            interval_ms,
            opened_ms: now_ms - now_ms % interval_ms,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            turnover: 0,
            taker_volume: 0,
            taker_turnover: 0,
            trades: 0,
            trade_ids: None,
            is_closed: false,
        }
    }

    fn is_over(&self, now_ms: u64) -> bool {
        self.opened_ms + self.interval_ms <= now_ms
    }

    fn add(&mut self, trade: &Trade, worth: u128) {
        if self.trades == 0 {
            (self.open, self.high, self.low) = (trade.price, trade.price, trade.price);
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume += u128::from(trade.quantity);
        self.turnover += worth;
        if !trade.buyer_is_maker {
            self.taker_volume += u128::from(trade.quantity);
            self.taker_turnover += worth;
        }
        self.trades += 1;
        self.trade_ids = Some((self.trade_ids.map_or(trade.id, |(first, _)| first), trade.id));
    }
}

/// The candlesticks that somebody asked for, one per interval.
#[derive(Debug, Default)]
pub(super) struct Candles(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    current: Candle,
    /// Complete and not shown yet.
    closed: Option<Candle>,
}

impl Slot {
    fn roll(&mut self, price: u64, now_ms: u64) {
        if self.current.is_over(now_ms) {
            self.closed = Some(Candle { is_closed: true, ..self.current });
            self.current = Candle::open(self.current.interval_ms, price, now_ms);
        }
    }
}

impl Candles {
    pub(super) fn add(&mut self, trade: &Trade, worth: u128) {
        for slot in &mut self.0 {
            slot.roll(trade.price, trade.at_ms);
            slot.current.add(trade, worth);
        }
    }

    /// What the stream of this interval says now: a completed candlestick once, else the running one.
    pub(super) fn show(&mut self, interval_ms: u64, price: u64, now_ms: u64) -> Candle {
        let at = self.0.iter().position(|slot| slot.current.interval_ms == interval_ms).unwrap_or_else(|| {
            self.0.push(Slot { current: Candle::open(interval_ms, price, now_ms), closed: None });
            self.0.len() - 1
        });
        let slot = &mut self.0[at];
        slot.roll(price, now_ms);
        let shown = slot.closed.take().unwrap_or(slot.current);
        Candle { at_ms: now_ms, ..shown }
    }
}
