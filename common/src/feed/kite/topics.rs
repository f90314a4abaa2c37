//! From symbols to the numbers that Kite streams by.

use std::collections::HashSet;

use crate::feed::kite::{MODES, NAME};
use crate::feed::{FeedError, SymbolError, Topic};
use crate::market::Catalog;
use crate::market::symbol::refusal;

/// Segments that a symbol without one is looked for in.
const SEGMENTS: [&str; 2] = ["NSE", "NFO"];

/// One topic for each instrument. Of several modes the fullest counts: it holds what the others tell.
pub(super) fn topics(symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
    let mut mode = 0;
    for channel in channels {
        let rank = MODES.iter().position(|known| known == channel).ok_or_else(|| unknown_channel(channel))?;
        mode = mode.max(rank);
    }
    let Some(mode) = MODES.get(mode).filter(|_| !channels.is_empty()) else { return Ok(Vec::new()) };
    let mut topics = Vec::with_capacity(symbols.len());
    let mut seen = HashSet::with_capacity(symbols.len());
    for symbol in symbols {
        let token = token(symbol, catalog)?;
        if seen.insert(token) {
            topics.push(Topic { symbol: symbol.as_str().into(), stream: format!("{mode}:{token}").into(), lane: "" });
        }
    }
    Ok(topics)
}

/// The mode and number that a topic's stream names.
pub(super) fn parts(stream: &str) -> Option<(&'static str, u32)> {
    let (mode, token) = stream.split_once(':')?;
    let mode = MODES.iter().find(|known| **known == mode)?;
    Some((mode, token.parse().ok()?))
}

/// `NSE:INFY` by the instruments list, or the number itself.
fn token(symbol: &str, catalog: &Catalog) -> Result<u32, SymbolError> {
    let found = catalog.find(NAME, symbol).or_else(|| {
        let bare = Some(symbol).filter(|symbol| !symbol.contains(':'))?;
        SEGMENTS.iter().find_map(|segment| catalog.find(NAME, &format!("{segment}:{bare}")))
    });
    let token: Option<u32> = found.map_or(symbol, |row| &row.key).parse().ok();
    token.filter(|token| *token != 0).ok_or_else(|| {
        let problem = "its instrument number is not known; load Kite's instruments list, or write the number itself";
        refusal(NAME, symbol, problem.into())
    })
}

fn unknown_channel(channel: &str) -> FeedError {
    FeedError::UnknownChannel { feed: NAME, channel: channel.to_owned(), known: MODES.join(", ") }
}
