//! One line of a recording.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::exchange::protocol::Provider;

/// A recorded data frame.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::exchange) struct Recorded {
    /// When it was received: nanoseconds since 1970.
    pub(in crate::exchange) at_ns: u64,
    pub(in crate::exchange) stream: Box<str>,
    /// As it was received, byte for byte.
    pub(in crate::exchange) frame: Box<str>,
    /// Where the message alone lies in it.
    pub(in crate::exchange) data: Range<usize>,
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Frame(Recorded),
    /// No market data: a snapshot, an answer to a request, a note of the recorder, an empty line.
    Other,
    Garbled,
}

/// Reads a line of either known form: `<receive time in ns> <frame>`, or
/// `{"t":<receive time in s>,"dir":"recv","raw":"<frame>"}`.
pub(super) fn read_line(line: &[u8], provider: Provider) -> Line {
    let Ok(line) = std::str::from_utf8(line) else { return Line::Garbled };
    let line = line.trim();
    if line.is_empty() {
        return Line::Other;
    }
    let read = if line.starts_with('{') { wrapped(line) } else { stamped(line) };
    let Some((at_ns, frame)) = read else { return Line::Garbled };
    let Some(frame) = frame else { return Line::Other };
    match provider.0.recorded(&frame) {
        Some((stream, data)) => Line::Frame(Recorded { at_ns, stream, frame: frame.into(), data }),
        None if serde_json::from_str::<&RawValue>(&frame).is_ok() => Line::Other,
        None => Line::Garbled,
    }
}

type Received<'a> = (u64, Option<Cow<'a, str>>);

fn stamped(line: &str) -> Option<Received<'_>> {
    let (at, frame) = line.split_once(' ')?;
    Some((at.parse().ok()?, Some(frame.trim_start().into())))
}

/// The frame is there only if the line says that it was received.
fn wrapped(line: &str) -> Option<Received<'_>> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        t: &'a RawValue,
        #[serde(borrow)]
        dir: Cow<'a, str>,
        #[serde(borrow)]
        raw: Option<Cow<'a, str>>,
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(line).ok()?;
    let at_ns = nanos(wrapped.t.get())?;
    Some((at_ns, if wrapped.dir == "recv" { wrapped.raw } else { None }))
}

/// Unix seconds with a fraction, read without a detour through a float.
fn nanos(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Line {
        read_line(line.as_bytes(), Provider::default())
    }

    #[test]
    fn both_forms_give_the_frame_byte_for_byte() {
        let frame = r#"{"stream":"a@trade","data":{"p":"1.0", "q":"\u0031"}}"#;
        let expected = |at_ns| {
            Line::Frame(Recorded { at_ns, stream: "a@trade".into(), frame: frame.into(), data: 27..frame.len() - 1 })
        };
        assert_eq!(read(&format!("1723161253937085768 {frame}\n")), expected(1_723_161_253_937_085_768));
        let quoted = serde_json::Value::from(frame);
        let line = format!(r#"{{"t": 1633998512.0633569, "dir": "recv", "raw": {quoted}}}"#);
        assert_eq!(read(&line), expected(1_633_998_512_063_356_900));
    }

    #[test]
    fn what_is_no_market_data_is_told_from_what_is_broken() {
        for other in [
            "",
            "  \r\n",
            r#"5 {"lastUpdateId":1,"bids":[]}"#,
            r#"5 {"result":null,"id":1}"#,
            r#"{"t":1.5,"dir":"connect","url":"wss://example.com"}"#,
            r#"{"t":1.5,"dir":"send","raw":"{\"stream\":\"a@trade\",\"data\":1}"}"#,
        ] {
            assert_eq!(read(other), Line::Other, "{other}");
        }
        for garbled in ["x", "5", "5 ", "-1 {}", "5 {", r#"{"t":"x","dir":"recv"}"#, "{", r#"{"t":1,"raw":"1"}"#] {
            assert_eq!(read(garbled), Line::Garbled, "{garbled}");
        }
        assert_eq!(read_line(b"5 \xff", Provider::default()), Line::Garbled);
    }
}
