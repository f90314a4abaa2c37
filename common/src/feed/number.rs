//! Numbers and times as providers write them.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::market::BadNumber;

/// A decimal as its JSON, in the digits it was sent with: a text or a plain number, read just as exactly.
#[derive(Clone, Copy)]
pub(super) struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    /// The price or quantity that `field` holds.
    pub(super) fn read<T: FromStr<Err = BadNumber>>(self, field: &'static str) -> Result<T, DecodeError> {
        self.text().parse().map_err(|number| DecodeError::Number { field, number })
    }

    fn text(self) -> Cow<'a, str> {
        match self.0.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            // No number needs an escape, but JSON permits one. What cannot be unescaped is no number as it stands.
            Some(text) if text.contains('\\') => serde_json::from_str(self.0).map_or(text.into(), Cow::Owned),
            Some(text) => text.into(),
            None => self.0.into(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Number<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let raw = <&'a RawValue>::deserialize(value)?.get();
        match raw.as_bytes().first() {
            Some(b'"' | b'-' | b'0'..=b'9') => Ok(Self(raw)),
            _ => Err(D::Error::custom("expected a number, as text or plain")),
        }
    }
}

/// A moment, sent as milliseconds since 1970.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct At(pub(super) UnixMicros);

impl TryFrom<i64> for At {
    type Error = &'static str;

    fn try_from(millis: i64) -> Result<Self, &'static str> {
        UnixMicros::from_millis(millis).map(Self).ok_or("a time outside the calendar")
    }
}
