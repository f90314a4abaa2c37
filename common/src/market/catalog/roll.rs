//! Symbols that mean whichever contract is the nearest: `NSE:RELIANCE:FUT:near`.
//!
//! ```text
//! symbol := EXCH ":" UNDERLYING ":FUT:" ( "near" | "next" | "far" )       in any case but UNDERLYING's
//! ```

use std::borrow::Cow;

use jiff::civil::Date;

use super::{Catalog, MasterRow};
use crate::clock::UnixMicros;
use crate::feed::SymbolError;
use crate::market::alias::index_name;
use crate::market::day::trading_day;
use crate::market::symbol::refusal;
use crate::market::{Expiry, Kind};

/// The words, nearest first.
const TERMS: [&str; 3] = ["near", "next", "far"];

/// A symbol of the form above.
struct Rolling<'s> {
    exchange: &'s str,
    underlying: &'s str,
    /// 0 for the nearest.
    term: usize,
}

impl<'s> Rolling<'s> {
    /// `None` for symbols that are not meant so.
    fn read(symbol: &'s str) -> Option<Result<Self, &'static str>> {
        let (head, word) = symbol.rsplit_once(':')?;
        let term = TERMS.iter().position(|term| term.eq_ignore_ascii_case(word))?;
        Some(Self::of_head(head, term).ok_or("a contract that rolls is written EXCHANGE:UNDERLYING:FUT:near"))
    }

    fn of_head(head: &'s str, term: usize) -> Option<Self> {
        let (head, kind) = head.rsplit_once(':')?;
        let (exchange, underlying) = head.split_once(':')?;
        (kind.eq_ignore_ascii_case("FUT") && !underlying.is_empty()).then_some(Self { exchange, underlying, term })
    }
}

impl Catalog {
    /// The provider's symbol of what `symbol` means at `now`. `EXCH:UNDERLYING:FUT:near` (or `next`, `far`) is the
    /// future with the nearest (second, third) expiry that is not past: on its last day a contract is still the nearest.
    /// Days are those of the exchange's time zone. Every other symbol is given back as it is.
    ///
    /// # Errors
    /// When the feed's master was not read, or does not list such a contract.
    pub fn resolve<'s>(
        &self,
        feed: &'static str,
        symbol: &'s str,
        now: UnixMicros,
    ) -> Result<Cow<'s, str>, SymbolError> {
        let refuse = |problem: String| refusal(feed, symbol, problem.into());
        let Some(rolling) = Rolling::read(symbol) else { return Ok(Cow::Borrowed(symbol)) };
        let rolling = rolling.map_err(|problem| refuse(problem.to_owned()))?;
        if self.len(feed) == 0 {
            return Err(refuse(format!(
                "which contract that is, only a symbol master can tell, and none of {feed} is loaded: name one in \
                 instruments.masters"
            )));
        }
        let today = trading_day(rolling.exchange, now).ok_or_else(|| refuse("the clock is out of range".to_owned()))?;
        let contracts = self.contracts(feed, &rolling, today);
        match contracts.get(rolling.term) {
            Some((_, row)) => Ok(Cow::Owned(row.symbol.to_string())),
            None => Err(refuse(format!(
                "the master of {feed} lists {} futures of {} on {} that end on {today} or later",
                contracts.len(),
                rolling.underlying,
                rolling.exchange,
            ))),
        }
    }

    /// The futures that are not past, one per expiry, nearest first.
    fn contracts(&self, feed: &str, rolling: &Rolling<'_>, today: Date) -> Vec<(Date, &MasterRow)> {
        let Some(master) = self.feeds.get(feed) else { return Vec::new() };
        let rows = master.futures.iter().filter_map(|place| master.rows.get(*place));
        let mut contracts: Vec<(Date, &MasterRow)> = rows
            .filter(|row| self.is_of(row, rolling))
            .filter_map(|row| match row.instrument.expiry {
                Some(Expiry::Day(day)) if today <= day => Some((day, row)),
                Some(Expiry::Day(_) | Expiry::Month { .. }) | None => None,
            })
            .collect();
        contracts.sort_by_key(|(day, _)| *day);
        contracts.dedup_by_key(|(day, _)| *day);
        contracts
    }

    /// Whether the row is a contract on this underlying, under any of its names.
    fn is_of(&self, row: &MasterRow, rolling: &Rolling<'_>) -> bool {
        let Rolling { exchange, underlying, .. } = *rolling;
        let own = &*row.instrument.underlying;
        row.instrument.exchange.eq_ignore_ascii_case(exchange)
            && (own == underlying
                || self.aliases.name(exchange, Kind::Fut, own) == self.aliases.name(exchange, Kind::Fut, underlying)
                || index_name(underlying) == Some(own))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::market::Instrument;
    use crate::market::alias::Aliases;

    /// 2025-07-31, 18:29 UTC is still the 31st in India one minute later it is August there.
    const LAST_MINUTE: i64 = 1_753_986_540;

    fn future(exchange: &str, underlying: &str, symbol: &str, expiry: Date) -> MasterRow {
        let instrument = Instrument {
            exchange: exchange.into(),
            underlying: underlying.into(),
            kind: Kind::Fut,
            expiry: Some(Expiry::Day(expiry)),
            option: None,
            series: None,
        };
        MasterRow { symbol: symbol.into(), key: symbol.into(), instrument }
    }

    fn catalog() -> Catalog {
        let mut catalog = Catalog::with_aliases(Aliases::parse(["RIL=RELIANCE"]).unwrap());
        let rows = [
            ("NSE", "RELIANCE", "NSE:RELIANCE25SEPFUT", date(2025, 9, 30)),
            ("NSE", "RELIANCE", "NSE:RELIANCE25JULFUT", date(2025, 7, 31)),
            ("NSE", "RELIANCE", "NSE:RELIANCE25AUGFUT", date(2025, 8, 28)),
            ("BSE", "RELIANCE", "BSE:RELIANCE25JULFUT", date(2025, 7, 31)),
            ("NSE", "NIFTY", "NSE:NIFTY25JULFUT", date(2025, 7, 31)),
            ("MCX", "CRUDEOIL", "MCX:CRUDEOIL25AUGFUT", date(2025, 8, 19)),
        ];
        catalog.add("fyers", rows.map(|(exchange, name, symbol, day)| future(exchange, name, symbol, day)));
        catalog
    }

    fn at(seconds: i64, symbol: &str) -> Result<String, String> {
        let now = UnixMicros::from_secs(seconds).unwrap();
        let resolved = catalog().resolve("fyers", symbol, now).map(Cow::into_owned);
        resolved.map_err(|error| error.problem.into())
    }

    #[test]
    fn the_word_picks_the_contract_and_every_other_symbol_stays() {
        for (symbol, contract) in [
            ("NSE:RELIANCE:FUT:near", "NSE:RELIANCE25JULFUT"),
            ("NSE:RELIANCE:FUT:NEXT", "NSE:RELIANCE25AUGFUT"),
            ("NSE:RELIANCE:FUT:far", "NSE:RELIANCE25SEPFUT"),
            ("BSE:RELIANCE:fut:near", "BSE:RELIANCE25JULFUT"),
            ("MCX:CRUDEOIL:FUT:near", "MCX:CRUDEOIL25AUGFUT"),
            ("NSE:RIL:FUT:near", "NSE:RELIANCE25JULFUT"),
            ("NSE:NIFTY50:FUT:near", "NSE:NIFTY25JULFUT"),
            ("NSE:SBIN-EQ", "NSE:SBIN-EQ"),
            ("RY:TSX", "RY:TSX"),
        ] {
            assert_eq!(at(LAST_MINUTE, symbol).as_deref(), Ok(contract), "{symbol}");
        }
    }

    #[test]
    fn a_contract_is_the_nearest_until_its_last_day_ends_where_it_trades() {
        assert_eq!(at(LAST_MINUTE, "NSE:RELIANCE:FUT:near").as_deref(), Ok("NSE:RELIANCE25JULFUT"));
        assert_eq!(at(LAST_MINUTE + 60, "NSE:RELIANCE:FUT:near").as_deref(), Ok("NSE:RELIANCE25AUGFUT"));
    }

    #[test]
    fn what_cannot_be_resolved_says_why() {
        let now = UnixMicros::from_secs(LAST_MINUTE).unwrap();
        let error = Catalog::default().resolve("fyers", "NSE:RELIANCE:FUT:near", now).unwrap_err();
        assert!(error.problem.contains("instruments.masters"), "{error}");
        assert!(at(LAST_MINUTE, "BSE:RELIANCE:FUT:far").unwrap_err().contains("lists 1 futures of RELIANCE on BSE"));
        assert!(at(LAST_MINUTE, "NSE:RELIANCE:OPT:near").unwrap_err().contains("EXCHANGE:UNDERLYING:FUT:near"));
    }
}
