//! The names of streams: what to subscribe, and what kind of message a stream carries.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::feed::binance::Market;
use crate::feed::{FeedError, Topic};

/// A channel that is subscribed by its plain name.
#[derive(Debug)]
pub(super) struct Channel {
    /// e.g. `trade`
    pub(super) name: &'static str,
    /// The part of the path that its streams need.
    pub(super) lane: &'static str,
}

/// Bars are one channel per interval: `kline_1m`. The name is case-sensitive: `1m` is a minute, `1M` a month.
const KLINE: &str = "kline_";

/// One topic for each symbol and channel, each once.
pub(super) fn topics(market: &Market, symbols: &[String], channels: &[String]) -> Result<Vec<Topic>, FeedError> {
    let lanes = channels.iter().map(|channel| lane_of(market, channel));
    let lanes = lanes.collect::<Result<Vec<&'static str>, FeedError>>()?;
    let mut topics = Vec::with_capacity(symbols.len() * channels.len());
    let mut seen = HashSet::with_capacity(topics.capacity());
    for symbol in symbols {
        // What the worker could not name must not be subscribed.
        (market.parse)(symbol)?;
        let lower = symbol.to_lowercase();
        for (channel, lane) in channels.iter().zip(&lanes) {
            let stream: Box<str> = format!("{lower}@{channel}").into();
            if seen.insert(stream.clone()) {
                topics.push(Topic { symbol: symbol.as_str().into(), stream, lane });
            }
        }
    }
    Ok(topics)
}

/// The kind of the messages of `stream`: `btcusdt@trade` -> `trade`, `btcusdt@kline_1m` -> `kline`,
/// `btcusdt@depth@100ms` -> `depth`. A stream of the whole market (`!miniTicker@arr`) is a kind of its own.
pub(super) fn kind_of(stream: &str) -> &str {
    let Some((symbol, name)) = parted(stream) else { return stream };
    if symbol.starts_with('!') {
        return stream;
    }
    if name.starts_with(KLINE) {
        return "kline";
    }
    match parted(name).map_or(name, |(name, _speed)| name) {
        "24hrMiniTicker" => "miniTicker",
        "24hrTicker" => "ticker",
        name => name,
    }
}

/// What is before and behind the first `@`. Names are short, and the library's search is made for long texts.
fn parted(name: &str) -> Option<(&str, &str)> {
    let at = name.bytes().position(|byte| byte == b'@')?;
    Some((&name[..at], &name[at + 1..]))
}

/// As [`kind_of`], and borrowed from the frame where the stream's name is.
pub(super) fn kind<'f>(stream: &Cow<'f, str>) -> Cow<'f, str> {
    match stream {
        Cow::Borrowed(stream) => Cow::Borrowed(kind_of(stream)),
        Cow::Owned(stream) => Cow::Owned(kind_of(stream).to_owned()),
    }
}

fn lane_of(market: &Market, channel: &str) -> Result<&'static str, FeedError> {
    if channel.strip_prefix(KLINE).is_some_and(|interval| market.intervals.contains(&interval)) {
        return Ok(market.kline_lane);
    }
    let plain = market.channels.iter().find(|known| known.name == channel);
    plain.map(|known| known.lane).ok_or_else(|| unknown_channel(market, channel))
}

fn unknown_channel(market: &Market, channel: &str) -> FeedError {
    let plain: Vec<&str> = market.channels.iter().map(|known| known.name).collect();
    let known = format!("{}, {KLINE} followed by {}", plain.join(", "), market.intervals.join(" "));
    FeedError::UnknownChannel { feed: market.name, channel: channel.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::binance::SPOT;

    fn streams(symbols: &[&str], channels: &[&str]) -> Result<Vec<Box<str>>, FeedError> {
        let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
        Ok(topics(&SPOT, &own(symbols), &own(channels))?.into_iter().map(|topic| topic.stream).collect())
    }

    #[test]
    fn a_symbol_in_any_case_is_subscribed_in_lower_case() {
        let streams = streams(&["BTCUSDT", "EthUsdt", "币安人生USDT"], &["trade", "kline_1M"]).unwrap();
        let wanted = [
            "btcusdt@trade",
            "btcusdt@kline_1M",
            "ethusdt@trade",
            "ethusdt@kline_1M",
            "币安人生usdt@trade",
            "币安人生usdt@kline_1M",
        ];
        assert_eq!(streams.iter().map(|stream| &**stream).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_stream_is_subscribed_once() {
        assert_eq!(streams(&["BTCUSDT", "btcusdt"], &["trade", "trade"]).unwrap().len(), 1);
    }

    #[test]
    fn an_unknown_channel_is_refused_with_the_known_ones() {
        for channel in ["trades", "Trade", "", "kline", "kline_", "kline_7m", "depth"] {
            let said = streams(&["BTCUSDT"], &[channel]).unwrap_err().to_string();
            assert!(said.contains("bookTicker") && said.contains("12h"), "{said}");
        }
    }

    #[test]
    fn a_symbol_without_a_known_quote_is_refused_before_it_is_subscribed() {
        assert!(matches!(streams(&["BTCQQQ"], &["trade"]), Err(FeedError::Symbol(_))));
    }

    #[test]
    fn the_kind_follows_from_the_stream() {
        for (stream, kind) in [
            ("btcusdt@trade", "trade"),
            ("btcusdt@kline_1m", "kline"),
            ("btcusdt@kline_1d@+08:00", "kline"),
            ("btcusdt@depth", "depth"),
            ("btcusdt@depth@100ms", "depth"),
            ("btcusdt@depth5@100ms", "depth5"),
            ("btcusdt@24hrMiniTicker", "miniTicker"),
            ("btcusdt@avgPrice", "avgPrice"),
            ("!miniTicker@arr", "!miniTicker@arr"),
            ("btcusdt", "btcusdt"),
            ("", ""),
            ("@", ""),
        ] {
            assert_eq!(kind_of(stream), kind, "{stream}");
        }
    }
}
