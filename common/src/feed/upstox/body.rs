//! One instrument's part of a frame as JSON: the form in which Upstox' own clients hand frames on.
//!
//! That is the JSON of Protocol Buffers 3: names in camel case, 64-bit integers as texts, doubles in the fewest digits
//! that say them, enums by name, and no field that is zero. A number that is no finite one is left out as well: no table
//! may hold it, and its neighbours are good.

mod json;

use crate::feed::upstox::schema::{
    Feed, FeedEntry, FeedResponse, FeedUnion, FirstLevelWithGreeks, FullFeedUnion, IndexFullFeed, Ltpc, MarketFullFeed,
    MarketOhlc, OptionGreeks, Quote, RequestMode, ResponseType,
};

use json::Json;

/// What a task carries of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// `{"type":"live_feed","feeds":{"NSE_EQ|INE..":{..}},"currentTs":"1742373998921"}`
    pub(super) text: String,
    /// Numbers that were left out because they are not finite.
    pub(super) not_finite: usize,
}

/// The JSON of `response` with `entry` alone.
pub(super) fn body(response: &FeedResponse, entry: &FeedEntry) -> Body {
    let mut json = Json::default();
    json.object(|json| {
        json.variant("type", response.response_type, type_name(response.response_type));
        json.field("feeds", |json| {
            json.field(&entry.key, |json| {
                if let Some(feed) = &entry.feed {
                    write_feed(json, feed);
                }
            });
        });
        json.integer("currentTs", response.current_ts);
    });
    json.finish()
}

fn write_feed(json: &mut Json, feed: &Feed) {
    match &feed.union {
        Some(FeedUnion::Ltpc(ltpc)) => write_ltpc(json, Some(ltpc)),
        Some(FeedUnion::FullFeed(full)) => json.field("fullFeed", |json| match &full.union {
            Some(FullFeedUnion::MarketFf(market)) => json.field("marketFF", |json| write_market(json, market)),
            Some(FullFeedUnion::IndexFf(index)) => json.field("indexFF", |json| write_index(json, index)),
            None => {}
        }),
        Some(FeedUnion::FirstLevelWithGreeks(greeks)) => {
            json.field("firstLevelWithGreeks", |json| write_first_level(json, greeks));
        }
        None => {}
    }
    json.variant("requestMode", feed.request_mode, mode_name(feed.request_mode));
}

fn write_market(json: &mut Json, market: &MarketFullFeed) {
    write_ltpc(json, market.ltpc.as_ref());
    if let Some(level) = &market.market_level {
        json.field("marketLevel", |json| {
            json.list("bidAskQuote", &level.bid_ask_quote, write_quote);
        });
    }
    write_greeks(json, market.option_greeks.as_ref());
    write_bars(json, market.market_ohlc.as_ref());
    json.double("atp", market.atp);
    json.integer("vtt", market.vtt);
    json.double("oi", market.oi);
    json.double("iv", market.iv);
    json.double("tbq", market.tbq);
    json.double("tsq", market.tsq);
    json.double("iep", market.iep);
    json.double("rp", market.rp);
    json.integer("ieq", market.ieq);
    json.integer("iiqTotal", market.iiq_total);
    json.integer("iiqM", market.iiq_m);
    json.flag("casEligible", market.cas_eligible);
}

fn write_index(json: &mut Json, index: &IndexFullFeed) {
    write_ltpc(json, index.ltpc.as_ref());
    write_bars(json, index.market_ohlc.as_ref());
}

fn write_first_level(json: &mut Json, first: &FirstLevelWithGreeks) {
    write_ltpc(json, first.ltpc.as_ref());
    if let Some(quote) = &first.first_depth {
        json.field("firstDepth", |json| write_quote(json, quote));
    }
    write_greeks(json, first.option_greeks.as_ref());
    json.integer("vtt", first.vtt);
    json.double("oi", first.oi);
    json.double("iv", first.iv);
}

fn write_ltpc(json: &mut Json, ltpc: Option<&Ltpc>) {
    let Some(ltpc) = ltpc else { return };
    json.field("ltpc", |json| {
        json.double("ltp", ltpc.ltp);
        json.integer("ltt", ltpc.ltt);
        json.integer("ltq", ltpc.ltq);
        json.double("cp", ltpc.cp);
        if let Some(price) = ltpc.iep {
            json.double_or_zero("iep", price);
        }
    });
}

fn write_quote(json: &mut Json, quote: &Quote) {
    json.integer("bidQ", quote.bid_q);
    json.double("bidP", quote.bid_p);
    json.integer("askQ", quote.ask_q);
    json.double("askP", quote.ask_p);
}

fn write_greeks(json: &mut Json, greeks: Option<&OptionGreeks>) {
    let Some(greeks) = greeks else { return };
    json.field("optionGreeks", |json| {
        json.double("delta", greeks.delta);
        json.double("theta", greeks.theta);
        json.double("gamma", greeks.gamma);
        json.double("vega", greeks.vega);
        json.double("rho", greeks.rho);
    });
}

fn write_bars(json: &mut Json, bars: Option<&MarketOhlc>) {
    let Some(bars) = bars else { return };
    json.field("marketOHLC", |json| {
        json.list("ohlc", &bars.ohlc, |json, bar| {
            json.text("interval", &bar.interval);
            json.double("open", bar.open);
            json.double("high", bar.high);
            json.double("low", bar.low);
            json.double("close", bar.close);
            json.integer("vol", bar.vol);
            json.integer("ts", bar.ts);
        });
    });
}

fn type_name(number: i32) -> Option<&'static str> {
    ResponseType::try_from(number).ok().map(|known| match known {
        ResponseType::InitialFeed => "initial_feed",
        ResponseType::LiveFeed => "live_feed",
        ResponseType::MarketInfo => "market_info",
    })
}

fn mode_name(number: i32) -> Option<&'static str> {
    RequestMode::try_from(number).ok().map(|known| match known {
        RequestMode::Ltpc => "ltpc",
        RequestMode::FullD5 => "full_d5",
        RequestMode::OptionGreeks => "option_greeks",
        RequestMode::FullD30 => "full_d30",
    })
}

#[cfg(test)]
mod tests;
