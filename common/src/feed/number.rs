//! Numbers and times as providers write them in JSON.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::loose::unquoted;
use crate::market::BadNumber;

/// A decimal as its JSON, in the digits it was sent with: a text or a plain number, both read exactly.
#[derive(Clone, Copy)]
pub(in crate::feed) struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    /// The price or quantity that `field` holds.
    pub(in crate::feed) fn read<T: FromStr<Err = BadNumber>>(self, field: &'static str) -> Result<T, DecodeError> {
        self.text().parse().map_err(|number| DecodeError::Number { field, number })
    }

    /// Its digits, not yet known to be a number.
    pub(in crate::feed) fn text(self) -> Cow<'a, str> {
        unquoted(self.0)
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

/// What can only be microseconds: from 1973 to 5138, and as milliseconds all of it would lie behind that.
const MICROS: std::ops::Range<i64> = 100_000_000_000_000..100_000_000_000_000_000;

/// A moment, sent as milliseconds since 1970; or as microseconds, which Binance sends to whoever asks for them with
/// `timeUnit=MICROSECOND`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(in crate::feed) struct At(pub(in crate::feed) UnixMicros);

impl TryFrom<i64> for At {
    type Error = &'static str;

    fn try_from(sent: i64) -> Result<Self, &'static str> {
        if MICROS.contains(&sent) {
            return Ok(Self(UnixMicros(sent)));
        }
        UnixMicros::from_millis(sent).map(Self).ok_or("a time outside the calendar")
    }
}
