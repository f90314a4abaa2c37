//! Channels, which Upstox calls modes, and the streams that symbols mean under one.

use std::collections::HashSet;

use crate::feed::upstox::NAME;
use crate::feed::{FeedError, SymbolError, Topic};
use crate::market::Catalog;
use crate::market::symbol::upstox::parse_key;

/// What a subscription wants of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Last trade and the close before.
    Ltpc,
    /// That, five levels of depth, bars, volume and open interest.
    Full,
    /// Last trade, best bid and ask, and the greeks.
    OptionGreeks,
    /// As `Full` with thirty levels of depth; of the Plus plan.
    FullD30,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Ltpc, Self::Full, Self::OptionGreeks, Self::FullD30];

    /// Its name in settings and requests.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ltpc => "ltpc",
            Self::Full => "full",
            Self::OptionGreeks => "option_greeks",
            Self::FullD30 => "full_d30",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Instruments that one connection may carry in this mode and no other. A connection of ours has one mode, so the
    /// lower limits of mixed ones do not apply.
    pub(super) fn instruments_max(self) -> usize {
        match self {
            Self::Ltpc => 5_000,
            Self::Full => 2_000,
            Self::OptionGreeks => 3_000,
            Self::FullD30 => 50,
        }
    }
}

/// What a topic's stream says: `full:NSE_EQ|INE002A01018`.
pub(super) fn stream(mode: Mode, key: &str) -> Box<str> {
    format!("{}:{key}", mode.name()).into()
}

/// The other way round.
pub(super) fn mode_and_key(stream: &str) -> Option<(Mode, &str)> {
    let (mode, key) = stream.split_once(':')?;
    Some((Mode::from_name(mode)?, key))
}

/// The one mode that `channels` name.
pub(super) fn mode(channels: &[String]) -> Result<Mode, FeedError> {
    let mut wanted = None;
    for channel in channels {
        let mode = Mode::from_name(channel).ok_or_else(|| unknown_channel(channel))?;
        if wanted.is_some_and(|other| other != mode) {
            return Err(FeedError::OneChannelOnly { feed: NAME, channels: channels.join(", ") });
        }
        wanted = Some(mode);
    }
    Ok(wanted.unwrap_or(Mode::Full))
}

/// One topic for each instrument, once.
pub(super) fn topics(symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
    let mode = mode(channels)?;
    let mut topics = Vec::with_capacity(symbols.len());
    let mut seen = HashSet::with_capacity(symbols.len());
    for symbol in symbols {
        let stream = stream(mode, key(symbol, catalog)?);
        if seen.insert(stream.clone()) {
            topics.push(Topic { symbol: symbol.as_str().into(), stream, lane: "" });
        }
    }
    Ok(topics)
}

/// The instrument key of a symbol of the settings: what a symbol master says, or the symbol itself when it is a key.
fn key<'a>(symbol: &'a str, catalog: &'a Catalog) -> Result<&'a str, SymbolError> {
    if let Some(row) = catalog.find(NAME, symbol) {
        return Ok(&row.key);
    }
    if symbol.contains('|') {
        // What the worker could not name must not be subscribed.
        return parse_key(symbol).map(|_| symbol);
    }
    let problem = if catalog.len(NAME) == 0 {
        "no instrument key, and no symbol master was read that could tell it: write the key, such as \
         NSE_EQ|INE002A01018, or name Upstox' instruments file under `masters` in `[instruments]`"
    } else {
        "no instrument key, and the symbol master does not know it: write it as the master does, such as \
         NSE_EQ:RELIANCE, or its key, such as NSE_EQ|INE002A01018"
    };
    Err(SymbolError { feed: NAME, symbol: symbol.chars().take(64).collect(), problem: problem.into() })
}

fn unknown_channel(channel: &str) -> FeedError {
    let known = Mode::ALL.map(Mode::name).join(", ");
    FeedError::UnknownChannel { feed: NAME, channel: channel.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Instrument, Kind, MasterRow};

    fn catalog() -> Catalog {
        let instrument = Instrument {
            exchange: "NSE".into(),
            underlying: "RELIANCE".into(),
            kind: Kind::Eq,
            expiry: None,
            option: None,
            series: None,
        };
        let mut catalog = Catalog::default();
        let row = |symbol: &str, key: &str| MasterRow {
            symbol: symbol.into(),
            key: key.into(),
            instrument: instrument.clone(),
        };
        catalog.add(NAME, [row("NSE_EQ:RELIANCE", "NSE_EQ|INE002A01018"), row("RELIANCE25AUGFUT", "NSE_FO|53216")]);
        catalog
    }

    fn streams(symbols: &[&str], channels: &[&str], catalog: &Catalog) -> Result<Vec<Box<str>>, FeedError> {
        let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
        Ok(topics(&own(symbols), &own(channels), catalog)?.into_iter().map(|topic| topic.stream).collect())
    }

    #[test]
    fn a_key_is_its_own_stream_and_a_symbol_is_what_the_master_says() {
        let symbols = ["NSE_INDEX|Nifty 50", "NSE_EQ:RELIANCE", "RELIANCE25AUGFUT"];
        let wanted = ["full:NSE_INDEX|Nifty 50", "full:NSE_EQ|INE002A01018", "full:NSE_FO|53216"];
        let streams = streams(&symbols, &["full"], &catalog()).unwrap();
        assert_eq!(streams.iter().map(|stream| &**stream).collect::<Vec<_>>(), wanted);
        let read = mode_and_key(wanted[0]);
        assert_eq!(read, Some((Mode::Full, "NSE_INDEX|Nifty 50")));
    }

    #[test]
    fn an_instrument_under_two_names_is_subscribed_once() {
        let symbols = ["NSE_EQ|INE002A01018", "NSE_EQ:RELIANCE", "NSE_EQ|INE002A01018"];
        let streams = streams(&symbols, &["ltpc", "ltpc"], &catalog()).unwrap();
        assert_eq!(streams, [Box::<str>::from("ltpc:NSE_EQ|INE002A01018")]);
    }

    #[test]
    fn a_symbol_that_nobody_knows_is_refused_with_what_to_do() {
        let empty = Catalog::default();
        for (symbol, catalog, part) in [
            ("RELIANCE", &empty, "name Upstox' instruments file under `masters`"),
            ("RELIANCE", &catalog(), "the symbol master does not know it"),
            ("NSE_FO|53001", &empty, "under `masters`"),
            ("", &empty, "no instrument key"),
        ] {
            let said = streams(&[symbol], &["full"], catalog).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
        assert!(streams(&["NSE_FO|53216"], &["full"], &catalog()).is_ok(), "the master names it");
    }

    #[test]
    fn two_modes_of_one_instrument_are_refused() {
        let said = streams(&["NSE_INDEX|Nifty 50"], &["full", "ltpc"], &Catalog::default()).unwrap_err().to_string();
        assert_eq!(
            said,
            "upstox carries a symbol in one of its channels only, and full, ltpc were asked for: name one"
        );
    }

    #[test]
    fn an_unknown_mode_is_refused_with_the_known_ones() {
        for channel in ["quote", "FULL", "", "full_d5"] {
            let said = streams(&[], &[channel], &Catalog::default()).unwrap_err().to_string();
            assert!(said.contains("ltpc, full, option_greeks, full_d30"), "{said}");
        }
    }
}
