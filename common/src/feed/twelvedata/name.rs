//! Which symbol an event or an answer is about. They name ticker and exchange apart, and leave either out at times.

use std::borrow::Cow;

use crate::market::symbol::twelvedata::is_us_venue;

/// The symbol of an event, as settings spell it: `RY` of `NYSE` -> `RY`, `RY` of `TSX` -> `RY:TSX`. Pairs have no
/// exchange: what their events name there is only where the price comes from.
pub(super) fn qualified<'a>(symbol: Cow<'a, str>, exchange: Option<&str>) -> Cow<'a, str> {
    match exchange.map(str::trim) {
        Some(exchange) if !exchange.is_empty() && !is_us_venue(exchange) && !symbol.contains(['/', ':']) => {
            format!("{symbol}:{exchange}").into()
        }
        Some(_) | None => symbol,
    }
}

/// Ticker and exchange of a symbol as settings spell it.
fn parts(symbol: &str) -> (&str, Option<&str>) {
    symbol.split_once(':').map_or((symbol, None), |(ticker, exchange)| (ticker, Some(exchange)))
}

/// What an answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named<'f> {
    pub(super) symbol: Cow<'f, str>,
    /// The exchange under its names: Twelve Data's own, the market identifier code, the country.
    pub(super) venues: Vec<Cow<'f, str>>,
}

impl Named<'_> {
    /// The places in `streams` that this answer settles.
    pub(super) fn among(&self, streams: &[Box<str>]) -> Vec<usize> {
        let (ticker, venue) = parts(&self.symbol);
        let venues: Vec<&str> = venue.into_iter().chain(self.venues.iter().map(|venue| &**venue)).collect();
        let of_ticker = |stream: &str| parts(stream).0.eq_ignore_ascii_case(ticker);
        let is_here = |stream: &str| {
            parts(stream).1.is_some_and(|wanted| venues.iter().any(|venue| venue.eq_ignore_ascii_case(wanted)))
        };
        let places = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let found = streams.iter().enumerate().filter(|(_, stream)| of_ticker(stream) && fits(stream));
            found.map(|(place, _)| place).collect()
        };
        let exact = places(&is_here);
        let is_bare = |stream: &str| parts(stream).1.is_none();
        let is_us = venues.iter().any(|venue| is_us_venue(venue));
        if exact.is_empty() || is_us {
            // A ticker alone is the listing in the United States, or the only one there is.
            let bare = places(&is_bare);
            if !bare.is_empty() {
                return exact.into_iter().chain(bare).collect();
            }
        }
        if !exact.is_empty() {
            return exact;
        }
        // The exchange is left out, or spelled unlike ours.
        match *places(&|_| true) {
            [only] => vec![only],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settles(symbol: &str, venues: &[&str], streams: &[&str]) -> Vec<String> {
        let streams: Vec<Box<str>> = streams.iter().map(|&stream| stream.into()).collect();
        let named = Named { symbol: symbol.into(), venues: venues.iter().map(|&venue| venue.into()).collect() };
        named.among(&streams).into_iter().map(|place| streams[place].to_string()).collect()
    }

    #[test]
    fn an_event_names_its_exchange_unless_that_is_in_the_united_states() {
        for (symbol, exchange, wanted) in [
            ("AAPL", Some("NASDAQ"), "AAPL"),
            ("RY", Some("NYSE"), "RY"),
            ("RY", Some("TSX"), "RY:TSX"),
            ("RY", None, "RY"),
            ("RY", Some(" "), "RY"),
            ("RY:TSX", Some("TSX"), "RY:TSX"),
            ("BTC/USD", Some("Coinbase Pro"), "BTC/USD"),
            ("EUR/USD", Some("PHYSICAL CURRENCY"), "EUR/USD"),
        ] {
            assert_eq!(qualified(symbol.into(), exchange), wanted);
        }
    }

    #[test]
    fn two_listings_of_one_ticker_are_told_apart() {
        let streams = ["AAPL", "RY", "RY:TSX", "EUR/USD"];
        assert_eq!(settles("RY", &["TSX", "Canada"], &streams), ["RY:TSX"]);
        assert_eq!(settles("RY", &["NYSE", "United States"], &streams), ["RY"]);
        assert_eq!(settles("RY:TSX", &[], &streams), ["RY:TSX"]);
        assert_eq!(settles("RY", &[], &streams), ["RY"]);
        assert_eq!(settles("EUR/USD", &["PHYSICAL CURRENCY"], &streams), ["EUR/USD"]);
        assert_eq!(settles("MSFT", &["NASDAQ"], &streams), [""; 0]);
    }

    #[test]
    fn an_exchange_may_be_spelled_by_its_code_or_in_any_case() {
        assert_eq!(settles("RY", &["TSX", "XTSE"], &["RY:XTSE"]), ["RY:XTSE"]);
        assert_eq!(settles("RY", &["TSX"], &["ry:tsx"]), ["ry:tsx"]);
        assert_eq!(settles("AAPL", &["NASDAQ"], &["AAPL:NASDAQ", "AAPL"]), ["AAPL:NASDAQ", "AAPL"]);
    }

    #[test]
    fn the_only_listing_that_was_asked_for_is_meant_whatever_its_exchange_is_called() {
        assert_eq!(settles("RY", &["Toronto"], &["RY:TSX", "AAPL"]), ["RY:TSX"]);
        assert_eq!(settles("RY", &["Toronto"], &["RY:TSX", "RY:NEO"]), [""; 0]);
    }
}
