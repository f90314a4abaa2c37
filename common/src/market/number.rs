//! Exact decimal numbers as exchanges send them.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A price: exact, finite, may be negative (spreads, and oil in April 2020). Never `NaN`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

/// An amount of something traded: exact, finite, not negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

/// A number that no table may hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// `NaN`, an infinity, an empty text, or no number at all.
    #[error("not a finite decimal number: {0:?}")]
    NotANumber(Box<str>),
    /// More than 28 digits: storing it would round it.
    #[error("more digits than can be kept exactly: {0:?}")]
    TooLong(Box<str>),
    /// A quantity below zero.
    #[error("a quantity below zero: {0}")]
    Negative(Decimal),
}

/// Longest text of a number that is looked at; the rest of a longer one is not worth an error message either.
const TEXT_MAX: usize = 64;

fn parse(text: &str) -> Result<Decimal, BadNumber> {
    if text.len() > TEXT_MAX {
        return Err(BadNumber::TooLong(text.chars().take(TEXT_MAX).collect()));
    }
    if let Some(number) = short(text) {
        return Ok(number);
    }
    let plain = Decimal::from_str_exact(text);
    let parsed = match plain {
        Err(_) if text.contains(['e', 'E']) => Decimal::from_scientific(text),
        other => other,
    };
    parsed.map_err(|error| match error {
        rust_decimal::Error::ErrorString(_)
        | rust_decimal::Error::ConversionTo(_)
        | rust_decimal::Error::LessThanMinimumPossibleValue => BadNumber::NotANumber(text.into()),
        rust_decimal::Error::ExceedsMaximumPossibleValue
        | rust_decimal::Error::Underflow
        | rust_decimal::Error::ScaleExceedsMaximumPrecision(_) => BadNumber::TooLong(text.into()),
    })
}

/// A number of at most 18 digits, as nearly all are: what the library makes of it, several times as quickly.
fn short(text: &str) -> Option<Decimal> {
    const DIGITS_MAX: usize = 18;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() > DIGITS_MAX + 1 {
        return None;
    }
    let (mut mantissa, mut point) = (0_u64, None); // has room for a digit too many
    for (place, byte) in digits.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && 0 < place => point = Some(place),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |point| digits.len() - 1 - point);
    let whole = point.unwrap_or(digits.len());
    if whole == 0 || (point.is_some() && scale == 0) || DIGITS_MAX < whole + scale {
        return None;
    }
    let mantissa = i64::try_from(mantissa).ok()?;
    let is_negative = digits.len() < text.len();
    if is_negative && mantissa == 0 {
        return None; // whether a zero keeps its sign is the library's to say
    }
    Some(Decimal::new(if is_negative { -mantissa } else { mantissa }, u32::try_from(scale).ok()?))
}

impl FromStr for Price {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        parse(text).map(Self)
    }
}

impl FromStr for Quantity {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        Self::new(parse(text)?)
    }
}

impl Price {
    /// Any finite decimal is a price.
    pub fn new(value: Decimal) -> Self {
        Self(value)
    }

    /// The number.
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl Quantity {
    /// Refuses what is below zero.
    pub fn new(value: Decimal) -> Result<Self, BadNumber> {
        if value.is_sign_negative() && !value.is_zero() {
            return Err(BadNumber::Negative(value));
        }
        Ok(Self(value))
    }

    /// The number.
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Price({})", self.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_as_sent() {
        for text in ["61685.99000000", "0.00000637", "-37.63", "24.05", "0"] {
            assert_eq!(text.parse::<Price>().unwrap().to_string(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_short_number_is_what_the_library_makes_of_it(text in "-?[0-9]{0,10}[.]?[0-9]{0,10}") {
            if let Some(number) = short(&text) {
                let slow = Decimal::from_str_exact(&text).unwrap();
                proptest::prop_assert_eq!(number.serialize(), slow.serialize());
            }
        }
    }

    #[test]
    fn a_digit_too_many_for_the_short_way_is_read_all_the_same() {
        for text in ["9223400000000000000", "-9999999999999999999", "999999999999999999.9"] {
            assert_eq!(text.parse::<Price>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn scientific_notation_is_read_exactly() {
        assert_eq!("1e-8".parse::<Price>().unwrap(), "0.00000001".parse().unwrap());
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["NaN", "nan", "Infinity", "-inf", "", " ", "1,234.5", "0x10", "null", "1.2.3"] {
            assert!(matches!(text.parse::<Price>(), Err(BadNumber::NotANumber(_))), "{text:?}");
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        for text in ["1e-40", "0.12345678901234567890123456789012", &"9".repeat(309)] {
            let refused = text.parse::<Price>().unwrap_err();
            assert!(matches!(refused, BadNumber::TooLong(_) | BadNumber::NotANumber(_)), "{text:?}: {refused}");
        }
    }

    #[test]
    fn a_quantity_is_not_negative() {
        assert_eq!("-1".parse::<Quantity>(), Err(BadNumber::Negative(Decimal::NEGATIVE_ONE)));
        assert!("-0".parse::<Quantity>().is_ok());
    }
}
