//! How providers spell instruments: one grammar per file.

pub mod binance;
pub mod coinbase;
pub mod dated;
pub mod fyers;
pub mod kite;
pub mod kraken;
pub mod massive;
mod pair;
pub mod twelvedata;
pub mod upstox;

use std::borrow::Cow;

use jiff::civil::Date;

use crate::feed::SymbolError;

/// Longest symbol that is read at all, in bytes. The longest known ones have about 30.
const SYMBOL_BYTES_MAX: usize = 128;

/// What an error message shows of a symbol, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// What is wrong with a symbol, in words.
pub(crate) type Problem = Cow<'static, str>;

/// Puts a problem beside the symbol it was found in.
pub(crate) fn refusal(feed: &'static str, symbol: &str, problem: Problem) -> SymbolError {
    let shown = symbol.chars().take(SHOWN_CHARS_MAX).collect();
    SymbolError { feed, symbol: shown, problem: problem.into() }
}

/// Refuses what is empty or longer than any symbol, before anything else looks at it.
pub(crate) fn check_length(symbol: &str) -> Result<(), Problem> {
    match symbol.len() {
        0 => Err("it is empty".into()),
        1..=SYMBOL_BYTES_MAX => Ok(()),
        length => Err(format!("{length} bytes, and the most is {SYMBOL_BYTES_MAX}").into()),
    }
}

/// Symbols write years with two digits.
fn full_year(two_digits: i8) -> i16 {
    2000 + i16::from(two_digits)
}

/// A day of the calendar, or nothing.
pub(in crate::market) fn real_day(two_digit_year: i8, month: i8, day: i8) -> Option<Date> {
    Date::new(full_year(two_digit_year), month, day).ok()
}

/// The number that exactly two digits write; nothing for any other text.
pub(in crate::market) fn two_digits(text: &str) -> Option<i8> {
    let [tens, ones] = text.as_bytes() else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(10).and_then(|digit| i8::try_from(digit).ok());
    Some(digit(tens)? * 10 + digit(ones)?)
}
