//! Other names of one underlying, so that a company after its renaming, or an index and its derivatives, share a ticker.
//!
//! Providers call an index by its title (`Nifty 50`) and its derivatives by a short name (`NIFTY`). Masters are read
//! with the short name where it is known ([`index_name`]); what a grammar reads keeps the symbol's own name, unless the
//! settings say otherwise: `NIFTY50=NIFTY`, or [`INDICES`] for all of them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::market::{Instrument, Kind};

/// The word in the settings that stands for the built-in names of indices.
pub const INDICES: &str = "indices";

/// Titles of indices that derivatives are traded on, and the derivatives' underlying. In any case. Sources: the
/// providers' lists of indices (Fyers `NIFTY50-INDEX`, Upstox `Nifty 50`, Kite `NIFTY 50`).
const INDEX_NAMES: [(&str, &str); 17] = [
    ("NIFTY50", "NIFTY"),
    ("NIFTY 50", "NIFTY"),
    ("NIFTYBANK", "BANKNIFTY"),
    ("NIFTY BANK", "BANKNIFTY"),
    ("NIFTY FIN SERVICE", "FINNIFTY"),
    ("NIFTY FINANCIAL SERVICES", "FINNIFTY"),
    ("NIFTYFINSERVICE", "FINNIFTY"),
    ("NIFTY MID SELECT", "MIDCPNIFTY"),
    ("NIFTY MIDCAP SELECT", "MIDCPNIFTY"),
    ("NIFTYMIDCAPSELECT", "MIDCPNIFTY"),
    ("NIFTYMIDSELECT", "MIDCPNIFTY"),
    ("NIFTY NEXT 50", "NIFTYNXT50"),
    ("NIFTYNEXT50", "NIFTYNXT50"),
    ("BSE SENSEX", "SENSEX"),
    ("BSE BANKEX", "BANKEX"),
    ("BSE SENSEX 50", "SENSEX50"),
    ("SNSX50", "SENSEX50"),
];

/// What the derivatives of an index are called, where it differs from the index' own name.
pub fn index_name(title: &str) -> Option<&'static str> {
    INDEX_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(title)).map(|(_, name)| *name)
}

/// Names that are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    given: HashMap<Box<str>, Box<str>, RandomState>,
    indices: bool,
}

/// A word of the settings that is no alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no alias: write OLD=NEW, EXCHANGE:OLD=NEW or `{INDICES}`")]
pub struct BadAlias(pub Box<str>);

impl Aliases {
    /// From the words of the settings: `OLD=NEW`, `NSE:OLD=NEW` for one exchange only, [`INDICES`].
    ///
    /// # Errors
    /// With the first word that is neither.
    pub fn parse<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, BadAlias> {
        let mut aliases = Self::default();
        for word in words {
            if word.eq_ignore_ascii_case(INDICES) {
                aliases.indices = true;
                continue;
            }
            let bad = || BadAlias(word.chars().take(64).collect());
            let (old, new) = word.split_once('=').ok_or_else(bad)?;
            let (old, new) = (old.trim(), new.trim());
            if old.is_empty() || new.is_empty() || new.contains([':', '=']) {
                return Err(bad());
            }
            aliases.given.insert(old.into(), new.into());
        }
        Ok(aliases)
    }

    /// The name that counts for an underlying of this exchange.
    pub fn name<'n>(&'n self, exchange: &str, kind: Kind, underlying: &'n str) -> &'n str {
        if !self.given.is_empty() {
            let on_exchange = self.given.get(&*format!("{exchange}:{underlying}"));
            if let Some(name) = on_exchange.or_else(|| self.given.get(underlying)) {
                return name;
            }
        }
        let index = (self.indices && kind == Kind::Index).then(|| index_name(underlying)).flatten();
        index.unwrap_or(underlying)
    }

    /// The instrument under the name that counts.
    #[must_use]
    pub fn apply(&self, instrument: Instrument) -> Instrument {
        let name = self.name(&instrument.exchange, instrument.kind, &instrument.underlying);
        if name == &*instrument.underlying {
            return instrument;
        }
        Instrument { underlying: name.into(), ..instrument }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::symbol::fyers;

    fn ticker(aliases: &Aliases, symbol: &str) -> String {
        aliases.apply(fyers::parse(symbol).unwrap()).ticker_symbol()
    }

    #[test]
    fn an_index_and_its_derivatives_share_the_ticker_when_the_settings_ask_for_it() {
        let aliases = Aliases::parse(["indices"]).unwrap();
        for (index, future) in [
            ("NSE:NIFTY50-INDEX", "NSE:NIFTY25JULFUT"),
            ("NSE:NIFTYBANK-INDEX", "NSE:BANKNIFTY25JULFUT"),
            ("NSE:FINNIFTY-INDEX", "NSE:FINNIFTY25JULFUT"),
            ("NSE:NIFTYNXT50-INDEX", "NSE:NIFTYNXT5025JULFUT"),
            ("BSE:SENSEX-INDEX", "BSE:SENSEX25JULFUT"),
            ("BSE:BANKEX-INDEX", "BSE:BANKEX25JULFUT"),
        ] {
            assert_eq!(ticker(&aliases, index), ticker(&aliases, future));
        }
        assert_eq!(ticker(&Aliases::default(), "NSE:NIFTY50-INDEX"), "nifty50", "not unless they ask");
    }

    #[test]
    fn a_renamed_company_keeps_its_ticker_and_an_exchange_may_differ() {
        let aliases = Aliases::parse(["NIITTECH=COFORGE", "BSE:M&M=MAHINDRA"]).unwrap();
        assert_eq!(ticker(&aliases, "NSE:NIITTECH-EQ"), "coforge");
        assert_eq!(ticker(&aliases, "BSE:M&M-A"), "mahindra");
        assert_eq!(ticker(&aliases, "NSE:M&M-EQ"), "mm");
    }

    #[test]
    fn what_is_no_alias_is_named() {
        for word in ["", "OLD", "=NEW", "OLD=", "A=B=C", "A=NSE:B"] {
            assert_eq!(Aliases::parse([word]), Err(BadAlias(word.into())));
        }
    }
}
