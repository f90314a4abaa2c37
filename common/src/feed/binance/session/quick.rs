//! Market data as Binance nearly always sends it: an event without nested values. Everything else is `None`.

use std::borrow::Cow;

use crate::feed::binance::channel;
use crate::feed::{Mark, Reading};
use crate::scan::{Scalar, Scanner};

use super::SHUTDOWN_STREAM;

/// What `{"stream":"btcusdt@trade","data":{..}}` means: the same as a parser that reads all JSON would find.
pub(super) fn data(text: &str) -> Option<Reading<'_>> {
    let mut scanner = Scanner::new(text);
    scanner.literal("{\"stream\":\"")?;
    let stream = scanner.until_quote().filter(|stream| *stream != SHUTDOWN_STREAM)?;
    scanner.literal(",\"data\":")?;
    let key = Cow::Borrowed(stream);
    let kind = channel::kind(&key);
    let number_key = match &*kind {
        "trade" => Some(b't'),
        "aggTrade" => Some(b'a'),
        _ => None,
    };
    let mut number = None;
    scanner.object(|key, value| {
        if let [letter] = key.as_bytes()
            && number_key == Some(*letter)
        {
            // A number that comes twice, or is none, is for the parser to judge.
            let Scalar::Number(digits) = value else { return None };
            if number.replace(digits.parse().ok()?).is_some() {
                return None;
            }
        }
        Some(())
    })?;
    if scanner.rest() != "}" {
        return None;
    }
    Some(Reading::Data { kind, body: Cow::Borrowed(text), key, mark: number.map(Mark::Contiguous) })
}
