//! Option contracts in the OSI's form: `SPY251219C00650000`. Only its last 15 characters have fixed places.

use rust_decimal::Decimal;

use crate::market::symbol::{Problem, real_day, two_digits};
use crate::market::{Expiry, Right};

/// `251219C00650000`
const TERMS_BYTES: usize = 15;

/// The strike is given in thousandths.
const STRIKE_SCALE: u32 = 3;

/// Root, expiry, and strike with right.
pub(super) fn read(contract: &str) -> Result<(&str, Expiry, (Decimal, Right)), Problem> {
    let split = contract.len().checked_sub(TERMS_BYTES).and_then(|at| contract.split_at_checked(at));
    let (root, terms) =
        split.filter(|(root, _)| !root.is_empty()).ok_or("shorter than ROOT YYMMDD C/P and 8 digits")?;
    if !root.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') {
        return Err(format!("{root:?} is no root: letters and digits only").into());
    }
    let part = |from: usize| two_digits(terms.get(from..from + 2)?);
    let day = (|| real_day(part(0)?, part(2)?, part(4)?))();
    let day = day.ok_or_else(|| format!("{:?} is no day (YYMMDD)", terms.get(..6).unwrap_or(terms)))?;
    let right = match terms.get(6..7) {
        Some("C") => Right::Call,
        Some("P") => Right::Put,
        Some(_) | None => return Err("neither C nor P before the strike's 8 digits".into()),
    };
    let digits = terms.get(7..).unwrap_or_default();
    let thousandths = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<i64>().ok() } else { None };
    match thousandths {
        None | Some(0) => Err(format!("{digits:?} is no strike (8 digits, in thousandths)").into()),
        Some(strike) => Ok((root, Expiry::Day(day), (Decimal::new(strike, STRIKE_SCALE).normalize(), right))),
    }
}
