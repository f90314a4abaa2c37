//! One line of a recording.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::exchange::protocol::{Asked, Place, Provider};
use crate::exchange::switchboard::connection_stream;

/// A recorded data frame.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::exchange) struct Recorded {
    /// When it was received: nanoseconds since 1970.
    pub(in crate::exchange) at_ns: u64,
    pub(in crate::exchange) stream: Box<str>,
    /// As it was received, byte for byte.
    pub(in crate::exchange) frame: Box<[u8]>,
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

/// A frame of a recording.
enum Frame<'a> {
    Text(Cow<'a, str>),
    Binary(Vec<u8>),
}

/// Reads a line of either known form: `<receive time in ns> <frame>`, or
/// `{"t":<receive time in s>,"conn":<number from 1>,"dir":"recv","raw":"<frame>"}`, a binary frame as `"hex"`.
pub(super) fn read_line(line: &[u8], provider: Provider) -> Line {
    let Ok(line) = std::str::from_utf8(line) else { return Line::Garbled };
    let line = line.trim();
    if line.is_empty() {
        return Line::Other;
    }
    let read = if line.starts_with('{') { wrapped(line) } else { stamped(line) };
    let Some((at_ns, conn, frame)) = read else { return Line::Garbled };
    let asked = match &frame {
        None => return Line::Other,
        Some(Frame::Text(text)) => Asked::Text(text),
        Some(Frame::Binary(bytes)) => Asked::Binary(bytes),
    };
    let is_readable = match asked {
        Asked::Text(text) => serde_json::from_str::<&RawValue>(text).is_ok(),
        Asked::Binary(_) => true,
    };
    let (stream, data) = match provider.0.recorded(asked) {
        Some(Place::Stream(stream, data)) => (stream, Some(data)),
        Some(Place::Connection) => (connection_stream(conn), None),
        None if is_readable => return Line::Other,
        None => return Line::Garbled,
    };
    let frame: Box<[u8]> = match asked {
        Asked::Text(text) => text.as_bytes().into(),
        Asked::Binary(bytes) => bytes.into(),
    };
    let data = data.unwrap_or(0..frame.len());
    Line::Frame(Recorded { at_ns, stream, frame, data })
}

/// Receive time, connection, and the frame if there is one.
type Received<'a> = (u64, u32, Option<Frame<'a>>);

fn stamped(line: &str) -> Option<Received<'_>> {
    let (at, frame) = line.split_once(' ')?;
    Some((at.parse().ok()?, 1, Some(Frame::Text(frame.trim_start().into()))))
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
        #[serde(borrow)]
        hex: Option<Cow<'a, str>>,
        conn: Option<u32>,
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(line).ok()?;
    let at_ns = nanos(wrapped.t.get())?;
    let conn = wrapped.conn.unwrap_or(1);
    if wrapped.dir != "recv" {
        return Some((at_ns, conn, None));
    }
    let binary = wrapped.hex.map(|hex| bytes_of(&hex).map(Frame::Binary));
    let frame = binary.unwrap_or_else(|| wrapped.raw.map(Frame::Text));
    Some((at_ns, conn, Some(frame?)))
}

/// Two digits for each byte.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if hex.len().is_multiple_of(2) { hex.as_bytes().chunks(2).map(byte).collect() } else { None }
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
            Line::Frame(Recorded {
                at_ns,
                stream: "a@trade".into(),
                frame: frame.as_bytes().into(),
                data: 27..frame.len() - 1,
            })
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
