//! Reads the JSON that nearly all messages are: no blanks, no escapes, plain decimals. Several times as quick as a full
//! parser, because it need not be one.
//!
//! What it reads is JSON and means what `serde_json` would say it means. Whatever else may be JSON is `None` here, and
//! then the caller asks `serde_json`, which reads everything and says what is wrong with the rest.

/// One value without parts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    /// What stands between the quotes: no escapes.
    Text(&'a str),
    /// An optional sign, digits, and perhaps a point and digits.
    Number(&'a str),
    /// `true` or `false`.
    Bool,
    Null,
}

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// Bytes that end the plain part of a text: its closing quote, an escape, and what no JSON text may hold.
const ENDS_TEXT: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read.
    pub(crate) fn rest(self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Exactly `expected`.
    #[expect(clippy::inline_always, reason = "called with literals: comparing them becomes one comparison of numbers")]
    #[inline(always)]
    pub(crate) fn literal(&mut self, expected: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(expected.as_bytes());
        found.then(|| self.at += expected.len())
    }

    /// Up to the next quote, which is read as well.
    #[inline]
    pub(crate) fn until_quote(&mut self) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest.iter().position(|&byte| ENDS_TEXT[usize::from(byte)])?;
        if rest[length] != b'"' {
            return None;
        }
        let text = self.text.get(self.at..self.at + length)?;
        self.at += length + 1;
        Some(text)
    }

    /// Digits, not more than a number of 64 bits can hold whatever they are, and no zero before others.
    #[inline]
    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        const DIGITS_MAX: usize = 18;
        let rest = self.text.as_bytes().get(self.at..)?;
        let mut number = 0;
        let mut length = 0;
        while let Some(digit @ b'0'..=b'9') = rest.get(length) {
            number = number * 10 + u64::from(digit - b'0');
            length += 1;
            if DIGITS_MAX < length {
                return None;
            }
        }
        if length == 0 || (1 < length && rest[0] == b'0') {
            return None;
        }
        self.at += length;
        Some(number)
    }

    /// Any value that has no parts.
    pub(crate) fn scalar(&mut self) -> Option<Scalar<'a>> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.until_quote().map(Scalar::Text)
            }
            b'-' | b'0'..=b'9' => self.number().map(Scalar::Number),
            b't' => self.literal("true").map(|()| Scalar::Bool),
            b'f' => self.literal("false").map(|()| Scalar::Bool),
            b'n' => self.literal("null").map(|()| Scalar::Null),
            _ => None,
        }
    }

    /// An object of such values; `member` is given each, and may refuse by `None`.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&'a str, Scalar<'a>) -> Option<()>) -> Option<()> {
        self.literal("{\"")?;
        loop {
            let key = self.until_quote()?;
            self.literal(":")?;
            let value = self.scalar()?;
            member(key, value)?;
            let next = self.peek()?;
            self.at += 1;
            match next {
                b'}' => return Some(()),
                b',' => self.literal("\"")?,
                _ => return None,
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn number(&mut self) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let first = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(first);
        if whole == 0 || (1 < whole && rest[first] == b'0') {
            return None;
        }
        let mut length = first + whole;
        if rest.get(length) == Some(&b'.') {
            let fraction = digits(length + 1);
            if fraction == 0 {
                return None;
            }
            length += 1 + fraction;
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            return None;
        }
        let number = self.text.get(self.at..self.at + length)?;
        self.at += length;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn members(json: &str) -> Option<Vec<(String, String)>> {
        let mut members = Vec::new();
        let mut scanner = Scanner::new(json);
        scanner.object(|key, value| {
            let value = match value {
                Scalar::Text(text) => format!("{text:?}"),
                Scalar::Number(number) => number.to_owned(),
                Scalar::Bool | Scalar::Null => String::new(),
            };
            members.push((key.to_owned(), value));
            Some(())
        })?;
        scanner.rest().is_empty().then_some(members)
    }

    #[test]
    fn a_flat_message_is_read() {
        let json = r#"{"s":"BTCUSDT","t":12345,"p":"-0.00","q":-1.50,"m":true,"x":null,"é":"ü"}"#;
        let read = members(json).unwrap();
        let keys: Vec<&str> = read.iter().map(|(key, _)| &**key).collect();
        assert_eq!(keys, ["s", "t", "p", "q", "m", "x", "é"]);
        assert_eq!(read[3].1, "-1.50");
    }

    #[test]
    fn what_is_unusual_or_no_json_is_left_to_the_parser() {
        for json in [
            "",
            "{",
            "{}",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e5}",
            "{\"a\":-}",
            "{\"a\":\"\\n\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":tru}",
            "{\"a\":[1]}",
            "{\"a\":{}}",
            "{ \"a\":1}",
            "{\"a\": 1}",
            "{\"a\\u0062\":1}",
            "{\"a\":+1}",
            "{\"a\":NaN}",
            "[1]",
            "{\"a\":1}x",
        ] {
            assert_eq!(members(json), None, "{json}");
        }
    }

    #[test]
    fn a_whole_number_that_may_not_fit_is_left_to_the_parser() {
        assert_eq!(Scanner::new("999999999999999999,").unsigned(), Some(999_999_999_999_999_999));
        for text in ["1000000000000000000", "007", "-1", "", "x"] {
            assert_eq!(Scanner::new(text).unsigned(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_reads_the_parser_reads_alike(json in "[{]\"[a-c\\\\é\u{1}]{0,3}\":[-0-9.eEtrufalsn\"\\\\]{0,8}(,\"[a-c]\":[0-9\".]{1,5})?[},]{1,2}") {
            if let Some(read) = members(&json) {
                let value: serde_json::Map<String, Value> = serde_json::from_str(&json).expect(&json);
                for (key, text) in read.into_iter().rev().take(value.len()) {
                    match &value[&key] {
                        Value::String(string) => prop_assert_eq!(format!("{string:?}"), text),
                        Value::Number(number) => {
                            prop_assert_eq!(number.as_f64(), text.parse::<f64>().ok());
                        }
                        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
                    }
                }
            }
        }
    }
}
