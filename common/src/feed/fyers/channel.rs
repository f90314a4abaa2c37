//! The names of streams: `sf:NSE:SBIN-EQ`, `if:NSE:NIFTY50-INDEX`, `dp:NSE:SBIN-EQ`, `lite:NSE:SBIN-EQ`.

use std::collections::HashSet;

use crate::feed::fyers::NAME;
use crate::feed::{FeedError, SymbolError, Topic};
use crate::market::symbol::fyers::parse;
use crate::market::{Catalog, Kind};

/// The channels there are.
const KNOWN: &str = "symbol and depth, alone or together, or lite alone";

/// What a stream's messages are about. Each family has its own fields on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// Trade, quote and day of shares and contracts.
    Symbol,
    /// Value and day of an index.
    Index,
    /// Five levels of bids and asks.
    Depth,
}

impl Family {
    /// As topics begin on the wire, and as messages name their type.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Symbol => "sf",
            Self::Index => "if",
            Self::Depth => "dp",
        }
    }
}

/// Begins the names of streams of the lite channel.
const LITE: &str = "lite";

/// What the channel's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Symbol,
    Depth,
    /// A connection's mode, not a stream of its own: so it is the only channel.
    Lite,
}

/// One topic for each symbol and channel, each once.
pub(super) fn topics(symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
    let channels = channels.iter().map(|channel| read(channel)).collect::<Result<Vec<_>, _>>()?;
    if channels.contains(&Channel::Lite) && channels.iter().any(|channel| *channel != Channel::Lite) {
        return Err(unknown_channel("lite beside others: lite is a mode of the whole connection"));
    }
    let mut topics = Vec::with_capacity(symbols.len() * channels.len());
    let mut seen = HashSet::with_capacity(topics.capacity());
    for symbol in symbols {
        // What the worker could not name must not be subscribed.
        let is_index = is_index(symbol, catalog)?;
        for channel in &channels {
            let prefix = match (channel, is_index) {
                (Channel::Depth, true) => return Err(no_depth(symbol).into()),
                (Channel::Depth, false) => Family::Depth.prefix(),
                (Channel::Symbol, true) => Family::Index.prefix(),
                (Channel::Symbol, false) => Family::Symbol.prefix(),
                (Channel::Lite, _) => LITE,
            };
            let stream: Box<str> = format!("{prefix}:{symbol}").into();
            if seen.insert(stream.clone()) {
                topics.push(Topic { symbol: symbol.as_str().into(), stream, lane: "" });
            }
        }
    }
    Ok(topics)
}

/// The family of a stream that [`topics`] has named.
pub(super) fn family_of(topic: &Topic, catalog: &Catalog) -> Family {
    let prefix = topic.stream.split(':').next().unwrap_or_default();
    let told = [Family::Symbol, Family::Index, Family::Depth].into_iter().find(|family| family.prefix() == prefix);
    told.unwrap_or_else(|| match is_index(&topic.symbol, catalog) {
        Ok(true) => Family::Index,
        Ok(false) | Err(_) => Family::Symbol,
    })
}

/// Whether a stream belongs to the lite channel.
pub(super) fn is_lite(topic: &Topic) -> bool {
    topic.stream.split_once(':').is_some_and(|(prefix, _symbol)| prefix == LITE)
}

fn is_index(symbol: &str, catalog: &Catalog) -> Result<bool, SymbolError> {
    let kind = match catalog.find(NAME, symbol) {
        Some(row) => row.instrument.kind,
        None => parse(symbol)?.kind,
    };
    Ok(kind == Kind::Index)
}

fn read(channel: &str) -> Result<Channel, FeedError> {
    match channel {
        "symbol" => Ok(Channel::Symbol),
        "depth" => Ok(Channel::Depth),
        "lite" => Ok(Channel::Lite),
        unknown => Err(unknown_channel(unknown)),
    }
}

fn unknown_channel(channel: &str) -> FeedError {
    FeedError::UnknownChannel { feed: NAME, channel: channel.to_owned(), known: KNOWN.to_owned() }
}

fn no_depth(symbol: &str) -> SymbolError {
    let problem = "an index has no depth; take the channel symbol or lite for it".into();
    SymbolError { feed: NAME, symbol: symbol.chars().take(64).collect(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn streams(symbols: &[&str], channels: &[&str]) -> Result<Vec<Box<str>>, FeedError> {
        let topics = topics(&own(symbols), &own(channels), &Catalog::default())?;
        Ok(topics.into_iter().map(|topic| topic.stream).collect())
    }

    #[test]
    fn a_stream_is_named_by_its_family_and_symbol_and_subscribed_once() {
        let named = streams(&["NSE:SBIN-EQ", "NSE:SBIN-EQ"], &["symbol", "depth", "symbol"]).unwrap();
        assert_eq!(named.iter().map(|name| &**name).collect::<Vec<_>>(), ["sf:NSE:SBIN-EQ", "dp:NSE:SBIN-EQ"]);
        let named = streams(&["NSE:NIFTY50-INDEX", "NSE:RELIANCE25JULFUT"], &["symbol"]).unwrap();
        assert_eq!(
            named.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["if:NSE:NIFTY50-INDEX", "sf:NSE:RELIANCE25JULFUT"]
        );
    }

    #[test]
    fn an_unknown_channel_is_refused_with_the_known_ones() {
        for channel in ["trade", "Symbol", ""] {
            let said = streams(&["NSE:SBIN-EQ"], &[channel]).unwrap_err().to_string();
            assert!(said.contains("symbol and depth"), "{said}");
        }
    }

    #[test]
    fn lite_stands_alone() {
        assert_eq!(streams(&["NSE:SBIN-EQ"], &["lite"]).unwrap(), [Box::<str>::from("lite:NSE:SBIN-EQ")]);
        assert!(matches!(streams(&["NSE:SBIN-EQ"], &["lite", "depth"]), Err(FeedError::UnknownChannel { .. })));
    }

    #[test]
    fn an_index_has_no_depth_and_is_named() {
        let said = streams(&["NSE:NIFTY50-INDEX"], &["symbol", "depth"]).unwrap_err();
        assert!(matches!(said, FeedError::Symbol(_)));
        assert!(said.to_string().contains("NSE:NIFTY50-INDEX"), "{said}");
    }

    #[test]
    fn a_symbol_that_cannot_be_named_is_refused_before_it_is_subscribed() {
        assert!(matches!(streams(&["SBIN"], &["symbol"]), Err(FeedError::Symbol(_))));
    }

    #[test]
    fn the_family_follows_from_the_stream_and_in_lite_mode_from_the_symbol() {
        let catalog = Catalog::default();
        for (symbols, channels, family) in [
            ("NSE:SBIN-EQ", "symbol", Family::Symbol),
            ("NSE:SBIN-EQ", "depth", Family::Depth),
            ("NSE:SBIN-EQ", "lite", Family::Symbol),
            ("BSE:SENSEX-INDEX", "symbol", Family::Index),
            ("BSE:SENSEX-INDEX", "lite", Family::Index),
        ] {
            let topic = &topics(&own(&[symbols]), &own(&[channels]), &catalog).unwrap()[0];
            assert_eq!((family_of(topic, &catalog), is_lite(topic)), (family, channels == "lite"));
        }
    }
}
