//! What kinds of messages there are.
//!
//! The listener may merge messages that wait, and then keeps the newest of one instrument and kind. So a message that
//! leaves out a part, the book or the day's bar, is of another kind than one that has it: it must not replace it.

use crate::feed::upstox::schema::{Feed, FeedEntry, FeedUnion, FullFeedUnion, MarketLevel, MarketOhlc};

/// All kinds.
pub(super) const ALL: [&str; 9] = [
    "ltpc",
    "full",
    "full_without_book",
    "full_without_day",
    "full_trade",
    "index",
    "index_trade",
    "greeks",
    "greeks_trade",
];

/// The kind of what is said of one instrument; `None` for what this program does not know.
pub(super) fn of(entry: &FeedEntry) -> Option<&'static str> {
    let Feed { union, request_mode: _ } = entry.feed.as_ref()?;
    match union.as_ref()? {
        FeedUnion::Ltpc(_) => Some("ltpc"),
        FeedUnion::FullFeed(full) => match full.union.as_ref()? {
            FullFeedUnion::MarketFf(market) => {
                Some(match (has_book(market.market_level.as_ref()), has_day(market.market_ohlc.as_ref())) {
                    (true, true) => "full",
                    (false, true) => "full_without_book",
                    (true, false) => "full_without_day",
                    (false, false) => "full_trade",
                })
            }
            FullFeedUnion::IndexFf(index) => {
                Some(if has_day(index.market_ohlc.as_ref()) { "index" } else { "index_trade" })
            }
        },
        FeedUnion::FirstLevelWithGreeks(first) => {
            Some(if first.first_depth.is_some() { "greeks" } else { "greeks_trade" })
        }
    }
}

fn has_book(level: Option<&MarketLevel>) -> bool {
    level.is_some_and(|level| !level.bid_ask_quote.is_empty())
}

fn has_day(bars: Option<&MarketOhlc>) -> bool {
    bars.is_some_and(|bars| bars.ohlc.iter().any(|bar| bar.interval == "1d"))
}
