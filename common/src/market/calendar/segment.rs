//! Markets that keep one set of hours and holidays.

use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::hours::{Phase, Span};
use crate::market::{Instrument, Kind};

/// A market with hours and holidays of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Shares, funds, indices and their derivatives at NSE and BSE.
    IndiaEquity,
    /// Currency derivatives at NSE and BSE.
    IndiaCurrency,
    /// Commodity derivatives at MCX (those that are traded until late in the evening).
    Mcx,
    /// Shares, funds, indices and options in the US.
    UsEquity,
    /// Around the clock.
    Crypto,
    /// Interbank currencies: from Sunday to Friday 17:00 in New York.
    Forex,
}

/// Always +05:30, so no database of time zones is needed.
static INDIA: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::fixed(Offset::from_seconds(5 * 3_600 + 1_800).expect("less than a day")));
/// The rule since 2007: summer time from the second Sunday of March to the first Sunday of November.
static NEW_YORK: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a rule as POSIX writes it"));

static UTC: TimeZone = TimeZone::UTC;

const INDIA_EQUITY: [Span; 2] = [Span::new(Phase::Pre, (9, 0), (9, 15)), Span::new(Phase::Open, (9, 15), (15, 30))];
const INDIA_CURRENCY: [Span; 1] = [Span::new(Phase::Open, (9, 0), (17, 0))];
const MCX_SUMMER: [Span; 1] = [Span::new(Phase::Open, (9, 0), (23, 30))];
const MCX_WINTER: [Span; 1] = [Span::new(Phase::Open, (9, 0), (23, 55))];
const US_EQUITY: [Span; 3] = [
    Span::new(Phase::Pre, (4, 0), (9, 30)),
    Span::new(Phase::Open, (9, 30), (16, 0)),
    Span::new(Phase::Post, (16, 0), (20, 0)),
];
const ALL_DAY: [Span; 1] = [Span::new(Phase::Open, (0, 0), (24, 0))];
const FROM_17: [Span; 1] = [Span::new(Phase::Open, (17, 0), (24, 0))];
const UNTIL_17: [Span; 1] = [Span::new(Phase::Open, (0, 0), (17, 0))];

/// Currencies whose derivatives are listed in India; their contracts carry the exchange's name of the shares.
const INDIA_PAIRS: [&str; 7] = ["USDINR", "EURINR", "GBPINR", "JPYINR", "EURUSD", "GBPUSD", "USDJPY"];
const US_EXCHANGES: [&str; 8] = ["US", "NYSE", "NASDAQ", "AMEX", "ARCA", "BATS", "IEX", "OPRA"];
const CRYPTO_EXCHANGES: [&str; 8] = ["BINANCE", "BYBIT", "COINBASE", "CRYPTO", "DERIBIT", "KRAKEN", "OKX", "DELTA"];

impl Segment {
    /// All segments.
    pub const ALL: [Self; 6] =
        [Self::IndiaEquity, Self::IndiaCurrency, Self::Mcx, Self::UsEquity, Self::Crypto, Self::Forex];

    /// Its name in calendar files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IndiaEquity => "india_equity",
            Self::IndiaCurrency => "india_currency",
            Self::Mcx => "mcx",
            Self::UsEquity => "us_equity",
            Self::Crypto => "crypto",
            Self::Forex => "forex",
        }
    }

    /// Where the instrument trades; `None` where its hours are not known.
    pub fn of(instrument: &Instrument) -> Option<Self> {
        let exchange = &*instrument.exchange;
        if CRYPTO_EXCHANGES.contains(&exchange) {
            return Some(Self::Crypto);
        }
        if US_EXCHANGES.contains(&exchange) {
            return Some(if instrument.kind == Kind::Fx { Self::Forex } else { Self::UsEquity });
        }
        match (exchange, instrument.kind) {
            ("NSE" | "BSE", Kind::Fx) | ("CDS" | "BCD", _) => Some(Self::IndiaCurrency),
            ("NSE" | "BSE", Kind::Fut | Kind::Opt) if INDIA_PAIRS.contains(&&*instrument.underlying) => {
                Some(Self::IndiaCurrency)
            }
            ("MCX", _) | ("NSE" | "BSE", Kind::Commodity) => Some(Self::Mcx),
            ("NSE" | "BSE" | "NFO" | "BFO", _) => Some(Self::IndiaEquity),
            (_, Kind::Spot | Kind::Perp) => Some(Self::Crypto),
            (_, Kind::Fx) => Some(Self::Forex),
            (
                _,
                Kind::Eq
                | Kind::Index
                | Kind::Fut
                | Kind::Opt
                | Kind::Debt
                | Kind::Fund
                | Kind::Etf
                | Kind::Misc
                | Kind::Commodity,
            ) => None,
        }
    }

    /// Whether it has days that are not as their weekday says.
    pub(super) fn has_holidays(self) -> bool {
        match self {
            Self::IndiaEquity | Self::IndiaCurrency | Self::Mcx | Self::UsEquity => true,
            Self::Crypto | Self::Forex => false,
        }
    }

    /// The time zone of its hours.
    pub(super) fn zone(self) -> &'static TimeZone {
        match self {
            Self::IndiaEquity | Self::IndiaCurrency | Self::Mcx => &INDIA,
            Self::UsEquity | Self::Forex => &NEW_YORK,
            Self::Crypto => &UTC,
        }
    }

    /// The sessions of a day that is as its weekday says.
    pub(super) fn regular(self, date: Date) -> Vec<Span> {
        let weekday = date.weekday();
        let is_weekend = matches!(weekday, Weekday::Saturday | Weekday::Sunday);
        match self {
            Self::Crypto => ALL_DAY.into(),
            Self::Forex => match weekday {
                Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday => ALL_DAY.into(),
                Weekday::Friday => UNTIL_17.into(),
                Weekday::Saturday => Vec::new(),
                Weekday::Sunday => FROM_17.into(),
            },
            Self::IndiaEquity | Self::IndiaCurrency | Self::Mcx | Self::UsEquity if is_weekend => Vec::new(),
            Self::IndiaEquity => INDIA_EQUITY.into(),
            Self::IndiaCurrency => INDIA_CURRENCY.into(),
            Self::Mcx if is_us_summer(date) => MCX_SUMMER.into(),
            Self::Mcx => MCX_WINTER.into(),
            Self::UsEquity => US_EQUITY.into(),
        }
    }
}

/// Whether New York has summer time on this day, at noon.
fn is_us_summer(date: Date) -> bool {
    let noon = NEW_YORK.to_timestamp(date.at(12, 0, 0, 0));
    noon.is_ok_and(|noon| NEW_YORK.to_offset(noon) == Offset::constant(-4))
}
