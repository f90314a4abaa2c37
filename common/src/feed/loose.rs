//! Values of JSON messages whose types a provider does not keep to: numbers that come as texts, and the reverse.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One JSON value as it was sent. An `Option` of it is `None` for `null` too.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Loose<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Loose<'a> {
    /// As it was sent.
    pub(super) fn json(self) -> &'a str {
        self.0.get()
    }

    /// The text, when it is one.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.0.get();
        let plain = raw.strip_prefix('"')?.strip_suffix('"')?;
        if plain.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(plain.into()) }
    }

    /// What a text holds, or the digits of a number, read without any rounding.
    pub(super) fn read<T: FromStr>(self) -> Result<T, T::Err> {
        unquoted(self.0.get()).parse()
    }

    /// A whole number.
    pub(super) fn integer(self) -> Option<i64> {
        self.read().ok().or_else(|| {
            let number: Decimal = self.read().ok()?;
            if number.fract().is_zero() { number.to_i64() } else { None }
        })
    }
}

/// The JSON text `raw` without its quotes and escapes; any other JSON value as it stands.
pub(super) fn unquoted(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // What cannot be unescaped, e.g. half a surrogate pair, stays as it is: no number and no symbol.
        Some(text) if text.contains('\\') => serde_json::from_str(raw).map_or(text.into(), Cow::Owned),
        Some(text) => text.into(),
        None => raw.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Price;

    fn loose(json: &str) -> Loose<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_number_reads_the_same_plain_and_as_a_text() {
        for json in ["161.870", r#""161.870""#, r#""161\u002e870""#] {
            assert_eq!(loose(json).read::<Price>().unwrap().to_string(), "161.870", "{json}");
        }
        for json in ["true", "[1]", "{}", r#""""#, r#""NaN""#, r#""\ud800""#] {
            assert!(loose(json).read::<Price>().is_err(), "{json}");
        }
    }

    #[test]
    fn whole_numbers_are_read_from_every_spelling() {
        for json in ["17", r#""17""#, "17.0", r#""17.00""#] {
            assert_eq!(loose(json).integer(), Some(17), "{json}");
        }
        for json in ["17.5", "true", r#""x""#, "92233720368547758070"] {
            assert_eq!(loose(json).integer(), None, "{json}");
        }
    }

    #[test]
    fn only_a_text_is_a_text() {
        assert_eq!(loose(r#""AAPL""#).text().as_deref(), Some("AAPL"));
        assert_eq!(loose(r#""\u0041APL""#).text().as_deref(), Some("AAPL"));
        assert_eq!(loose(r#""""#).text().as_deref(), Some(""));
        for json in ["5", "[]", "false", r#""\ud800""#] {
            assert_eq!(loose(json).text(), None, "{json}");
        }
    }

    #[test]
    fn null_is_absent() {
        assert!(serde_json::from_str::<Option<Loose<'_>>>("null").unwrap().is_none());
    }
}
