//! What is traded, independent of how a provider spells it.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

/// What kind of thing an instrument is. The names are those of the canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the field's standard terms")]
pub enum Kind {
    Eq,
    Index,
    Fut,
    Opt,
    Spot,
    Perp,
    Fx,
    Debt,
    Fund,
    Etf,
    Misc,
    Commodity,
}

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "the field's standard terms")]
pub enum Right {
    #[serde(rename = "C")]
    Call,
    #[serde(rename = "P")]
    Put,
}

/// When a contract ends, as far as its symbol says it. The day is never computed by rule: exchanges move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// A known day.
    Day(Date),
    /// Year and month: monthly contracts do not name their day.
    Month {
        /// e.g. 2025
        year: i16,
        /// 1 to 12
        month: i8,
    },
}

/// One instrument. Its display is the canonical form
/// `EXCH:UNDERLYING:KIND[:EXPIRY[:STRIKE:C|P]]`, e.g. `NSE:NIFTY:OPT:2026-08-18:24500:C`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Instrument {
    /// Upper-case name of the venue, e.g. `NSE`, `BINANCE`.
    pub exchange: Box<str>,
    /// What the contract is about, e.g. `RELIANCE`, `BTC/USDT`.
    pub underlying: Box<str>,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Futures and options only.
    pub expiry: Option<Expiry>,
    /// Options only: strike without trailing zeros, and right.
    pub option: Option<(Decimal, Right)>,
    /// The exchange's series of a share, e.g. `EQ`, `BE`: an attribute, not part of the identity.
    pub series: Option<Box<str>>,
}

impl Instrument {
    /// The key of `ticker_base.ticker_symbol`: the underlying, lower case, letters and digits only. They may be of any
    /// script: Binance lists coins with Chinese names, and without those letters all of them would be their quote asset.
    pub fn ticker_symbol(&self) -> String {
        self.underlying.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.exchange, self.underlying, self.kind)?;
        if let Some(expiry) = self.expiry {
            write!(f, ":{expiry}")?;
        }
        if let Some((strike, right)) = self.option {
            write!(f, ":{}:{right}", strike.normalize())?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "EQ",
            Self::Index => "INDEX",
            Self::Fut => "FUT",
            Self::Opt => "OPT",
            Self::Spot => "SPOT",
            Self::Perp => "PERP",
            Self::Fx => "FX",
            Self::Debt => "DEBT",
            Self::Fund => "FUND",
            Self::Etf => "ETF",
            Self::Misc => "MISC",
            Self::Commodity => "COMMODITY",
        })
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "C",
            Self::Put => "P",
        })
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Month { year, month } => write!(f, "{year:04}-{month:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticker_keeps_letters_and_digits_of_any_script() {
        for (underlying, ticker) in [
            ("BTC/USDT", "btcusdt"),
            ("M&M", "mm"),
            ("币安人生/USDT", "币安人生usdt"),
            ("ÉTÉ/TRY", "ététry"),
            ("&-", ""),
        ] {
            let instrument = Instrument {
                exchange: "BINANCE".into(),
                underlying: underlying.into(),
                kind: Kind::Spot,
                expiry: None,
                option: None,
                series: None,
            };
            assert_eq!(instrument.ticker_symbol(), ticker);
        }
    }
}
