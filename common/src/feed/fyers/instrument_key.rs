//! From Fyers' token numbers to the topics of the wire.
//!
//! ```text
//! fyToken := exchange (2) segment (2) YYMMDD or zeros (6) token     10 10 000000 3045
//! topic   := ("sf" | "dp") "|" segment "|" token                    sf|nse_cm|3045
//!          | "if" "|" segment "|" name                              if|nse_cm|Nifty 50
//! ```

use crate::feed::fyers::channel::Family;
use crate::feed::fyers::indices::broadcast_name;

/// Exchange and segment as token numbers begin, and the wire's name of both.
const SEGMENTS: [(&str, &str); 8] = [
    ("1010", "nse_cm"),
    ("1011", "nse_fo"),
    ("1012", "cde_fo"),
    ("1020", "nse_com"),
    ("1120", "mcx_fo"),
    ("1210", "bse_cm"),
    ("1211", "bse_fo"),
    ("1212", "bcs_fo"),
];

/// Digits before the token itself.
const HEAD_DIGITS: usize = 10;

/// Longest token number that is taken; real ones have about 16 digits.
const DIGITS_MAX: usize = 32;

/// Longest topic: its length is one byte on the wire.
const TOPIC_BYTES_MAX: usize = 255;

/// The topic of `symbol`, which Fyers numbers `fy_token`; what is wrong with the number otherwise.
pub(super) fn topic(family: Family, symbol: &str, fy_token: &str) -> Result<Box<str>, &'static str> {
    if !fy_token.bytes().all(|byte| byte.is_ascii_digit()) || DIGITS_MAX < fy_token.len() {
        return Err("its token number is no number");
    }
    let Some((head, token)) = fy_token.split_at_checked(HEAD_DIGITS).filter(|(_, token)| !token.is_empty()) else {
        return Err("its token number is too short");
    };
    let Some((_, segment)) = SEGMENTS.iter().find(|(digits, _)| head.starts_with(digits)) else {
        return Err("its token number names an unknown segment");
    };
    let name = match family {
        Family::Index => broadcast_name(symbol),
        Family::Symbol | Family::Depth => token,
    };
    let topic = format!("{}|{segment}|{name}", family.prefix());
    if topic.is_ascii() && topic.len() <= TOPIC_BYTES_MAX { Ok(topic.into()) } else { Err("its name is no topic") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_number_names_segment_and_token() {
        for (family, symbol, number, wanted) in [
            (Family::Symbol, "NSE:SBIN-EQ", "10100000003045", "sf|nse_cm|3045"),
            (Family::Depth, "NSE:SBIN-EQ", "10100000003045", "dp|nse_cm|3045"),
            (Family::Symbol, "NSE:RELIANCE25JULFUT", "101125073135003", "sf|nse_fo|35003"),
            (Family::Symbol, "NSE:USDINR25JULFUT", "10122507291234", "sf|cde_fo|1234"),
            (Family::Symbol, "MCX:GOLD25AUGFUT", "1120250805440939", "sf|mcx_fo|440939"),
            (Family::Index, "NSE:NIFTY50-INDEX", "101000000026000", "if|nse_cm|Nifty 50"),
            (Family::Index, "BSE:SENSEX-INDEX", "12100000001", "if|bse_cm|SENSEX"),
        ] {
            assert_eq!(topic(family, symbol, number).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn an_odd_token_number_is_told() {
        let long = "1".repeat(33);
        for number in ["", "1010000000", "99990000001", "1010x0000001", "१०१०००००००३०४५", &long]
        {
            assert!(topic(Family::Symbol, "NSE:SBIN-EQ", number).is_err(), "{number}");
        }
    }
}
