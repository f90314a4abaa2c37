//! A made-up market: every symbol's price walks by whole price steps. No floating point, and a seed fixes it all
//! except the time stamps.
//!
//! The market stands still where nobody looks: a symbol moves only when one of its subscribed streams is drawn. So the
//! trade ids that subscribers see are contiguous, and an id that is missing somewhere behind was lost on the way.

mod candle;
mod names;
mod numbered;
mod symbol;

use std::collections::HashMap;

pub(super) use candle::Candle;
pub use numbered::{Numbered, numbered_price};
use symbol::WalkedSymbol;
pub(super) use symbol::{Book, Day, Ticker, Trade};

use super::random::Random;

/// Most symbols of a walk.
pub const WALK_SYMBOLS_MAX: usize = 20_000;

/// What a stream tells about a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Every trade.
    Trade,
    /// Trades of one taker at one price, taken together; each of ours is alone.
    AggregateTrade,
    /// The best bid and ask, at every change.
    Book,
    /// The last 24 hours, in short.
    Day,
    /// The last 24 hours, with best bid and ask.
    Ticker,
    /// A candlestick of so many milliseconds.
    Candle {
        /// Its length.
        interval_ms: u64,
    },
}

impl Channel {
    /// How often it is drawn, relative to the others. A recorded hour of Binance has three quotes for each trade.
    fn weight(self) -> usize {
        match self {
            Self::Book => 6,
            Self::Trade | Self::AggregateTrade => 2,
            Self::Day | Self::Ticker | Self::Candle { .. } => 1,
        }
    }
}

/// Something that happened, in no provider's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Trade(Trade),
    AggregateTrade(Trade),
    Book(Book),
    Day(Day),
    Ticker(Ticker),
    Candle(Candle),
}

/// A stream that somebody wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The caller's number of the stream.
    pub(super) stream: usize,
    /// Which symbol, by [`Walk::symbol`].
    pub(super) symbol: usize,
    /// What about it.
    pub(super) channel: Channel,
}

/// The market.
#[derive(Debug)]
pub(super) struct Walk {
    symbols: Vec<WalkedSymbol>,
    by_name: HashMap<Box<str>, usize>,
    /// The wanted streams, each as often as its weight says: drawing is one look-up.
    wheel: Vec<Wanted>,
    random: Random,
}

impl Walk {
    /// `spell` makes a symbol of an asset and its number from 0.
    pub(super) fn new(symbols: usize, seed: u64, spell: impl Fn(usize, &str) -> String) -> Self {
        let symbols: Vec<_> = names::list(symbols)
            .enumerate()
            .zip(1..)
            .map(|((n, (asset, price)), stream)| WalkedSymbol::new(&spell(n, &asset), price, Random::new(seed, stream)))
            .collect();
        let by_name = symbols.iter().enumerate().map(|(at, symbol)| (symbol.name().into(), at)).collect();
        Self { symbols, by_name, wheel: Vec::new(), random: Random::new(seed, 0) }
    }

    /// From now on, prices follow from symbol and number.
    pub(super) fn number(&mut self) {
        self.symbols.iter_mut().for_each(WalkedSymbol::number);
    }

    /// The number of a symbol, by its name.
    pub(super) fn symbol(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The names, most traded first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter().map(WalkedSymbol::name)
    }

    /// From now on, only these streams move.
    pub(super) fn want(&mut self, wanted: impl Iterator<Item = Wanted>) {
        self.wheel.clear();
        for symbol in &mut self.symbols {
            symbol.forget_wishes();
        }
        for want in wanted {
            self.symbols[want.symbol].wish(want.channel);
            self.wheel.extend(std::iter::repeat_n(want, want.channel.weight()));
        }
    }

    /// Whether nobody wants anything.
    pub(super) fn is_idle(&self) -> bool {
        self.wheel.is_empty()
    }

    /// The next event: its stream, its symbol's name and what happened. `None` when idle.
    pub(super) fn next(&mut self, now_ms: u64) -> Option<(usize, &str, Event)> {
        let drawn = self.random.below(u32::try_from(self.wheel.len()).unwrap_or(u32::MAX));
        let want = *self.wheel.get(drawn as usize)?;
        let symbol = &mut self.symbols[want.symbol];
        let event = match want.channel {
            Channel::Trade => Event::Trade(symbol.trade(now_ms)),
            Channel::AggregateTrade => Event::AggregateTrade(symbol.aggregate_trade(now_ms)),
            Channel::Book => Event::Book(symbol.book()),
            Channel::Day => Event::Day(symbol.day(now_ms)),
            Channel::Ticker => Event::Ticker(symbol.ticker(now_ms)),
            Channel::Candle { interval_ms } => Event::Candle(symbol.candle(interval_ms, now_ms)),
        };
        Some((want.stream, symbol.name(), event))
    }
}

#[cfg(test)]
mod tests;
