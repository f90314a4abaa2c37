//! Writes a task's wire form around a body that is known to be one JSON value.
//!
//! [`Task::encode`](common::queue::Task::encode) needs the body as a checked `RawValue`; the feed has just read it, so
//! checking it again would only cost time. A test holds both forms equal.

use common::clock::UnixMicros;
use common::market::OrderKey;
use common::queue::{GAP_KIND, Gap, WIRE_VERSION};

/// Writes the tasks of one connection.
#[derive(Debug)]
pub(crate) struct ElementWriter {
    head: Box<[u8]>,
    conn: u32,
}

/// Room for the numbers and names between head and body.
const ENVELOPE_BYTES: usize = 112;

impl ElementWriter {
    pub(crate) fn new(feed: &str, conn: u32) -> Self {
        let mut head = format!("{{\"v\":{WIRE_VERSION},\"feed\":").into_bytes();
        write_json_text(&mut head, feed);
        head.extend(b",\"kind\":");
        Self { head: head.into(), conn }
    }

    /// `body` must be one JSON value; nothing checks it.
    pub(crate) fn write(&self, kind: &str, order: OrderKey, at: UnixMicros, body: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.head.len() + kind.len() + ENVELOPE_BYTES + body.len());
        out.extend_from_slice(&self.head);
        write_json_text(&mut out, kind);
        let mut digits = itoa::Buffer::new();
        let mut number = |out: &mut Vec<u8>, name: &str, number: i64| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(digits.format(number).as_bytes());
        };
        number(&mut out, ",\"conn\":", self.conn.into());
        number(&mut out, ",\"epoch\":", order.epoch().cast_signed());
        number(&mut out, ",\"seq\":", order.seq().into());
        number(&mut out, ",\"at\":", at.0);
        out.extend_from_slice(b",\"attempt\":0,\"body\":");
        out.extend_from_slice(body.as_bytes());
        out.push(b'}');
        out
    }

    /// The task that tells of a hole. It takes an order of its own, which makes its row unique: the next one of the
    /// connection's numbering.
    pub(crate) fn write_gap(&self, order: OrderKey, at: UnixMicros, gap: &Gap<'_>) -> Vec<u8> {
        self.write(GAP_KIND, order, at, &gap.to_body())
    }
}

/// Before the receive time. Texts before it hold no quote without a backslash, so it is found there only.
const AT: &[u8] = b",\"at\":";

/// When the message of an element was received, read without decoding it. `None` where no writer of ours made it.
pub(crate) fn received_at(element: &[u8]) -> Option<UnixMicros> {
    let found = element.windows(AT.len()).position(|bytes| bytes == AT)?;
    let mut digits = element[found + AT.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let micros = digits.try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
    micros.map(UnixMicros)
}

fn write_json_text(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("text always serialises to memory");
    }
}

#[cfg(test)]
mod tests {
    use common::market::Epoch;
    use common::queue::Task;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_gap_is_a_task_whose_body_says_what_is_missing() {
        let body = r#"{"stream":"btcusdt@\"trade","kind":"trade","until":9,"reason":"shed"}"#;
        let gap: Gap<'_> = serde_json::from_str(body).unwrap();
        let order = OrderKey::new(Epoch::new(7).unwrap(), 3).unwrap();
        let element = ElementWriter::new("binance", 2).write_gap(order, UnixMicros(9), &gap);
        let task = Task::decode(&element).unwrap();
        assert_eq!((&*task.feed, &*task.kind, task.conn, task.order()), ("binance", GAP_KIND, 2, Some(order)));
        assert_eq!(serde_json::from_str::<Gap<'_>>(task.body.get()).unwrap(), gap);
    }

    #[test]
    fn the_receive_time_is_found_whatever_the_texts_before_and_behind_it_say() {
        let order = OrderKey::new(Epoch::new(7).unwrap(), 3).unwrap();
        let at = UnixMicros(1_763_726_400_123_456);
        for text in ["trade", r#"x","at":1"#, r#","at":2"#] {
            let element = ElementWriter::new(text, 2).write(text, order, at, r#"{"a":0,"at":3}"#);
            assert_eq!(received_at(&element), Some(at), "{text}");
        }
        assert_eq!(received_at(b"{}"), None);
    }

    proptest! {
        #[test]
        fn it_equals_the_task_that_the_vocabulary_writes(
            feed in ".*", kind in ".*", conn: u32, epoch in 1..=Epoch::MAX.get(), seq in 0..=OrderKey::SEQ_MAX, at: i64,
            text in ".*",
        ) {
            let body = serde_json::to_string(&[text]).unwrap();
            let epoch = Epoch::new(epoch).unwrap();
            let order = OrderKey::new(epoch, seq).unwrap();
            let raw: &RawValue = serde_json::from_str(&body).unwrap();
            let task = Task {
                v: WIRE_VERSION, feed: feed.as_str().into(), kind: kind.as_str().into(), conn, epoch, seq,
                at: UnixMicros(at), attempt: 0, body: raw,
            };
            let written = ElementWriter::new(&feed, conn).write(&kind, order, UnixMicros(at), &body);
            prop_assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(task.encode()).unwrap());
        }
    }
}
