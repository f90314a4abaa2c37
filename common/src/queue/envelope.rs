//! What stands around a task's body, in the form that our own producers write it.

use crate::clock::UnixMicros;
use crate::market::{Epoch, OrderKey};
use crate::scan::Scanner;

/// A task without a look into its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Name of the feed whose decoder reads the body.
    pub feed: &'a str,
    /// What the feed calls this kind of message.
    pub kind: &'a str,
    /// The message's order among all of the deployment.
    pub order: OrderKey,
    /// When the listener received it.
    pub at: UnixMicros,
    /// The provider's message, if the element is a task at all: what is here need not be JSON, or not only.
    pub body: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads an element that [`Task::encode`](super::Task::encode) wrote. `None` for all others, tasks or not.
    ///
    /// The element is a task of this meaning if the body turns out to be one JSON value; otherwise only
    /// [`Task::decode`](super::Task::decode) can tell.
    pub fn quick(element: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(std::str::from_utf8(element).ok()?);
        scanner.literal("{\"v\":1,\"feed\":\"")?;
        let feed = scanner.until_quote()?;
        scanner.literal(",\"kind\":\"")?;
        let kind = scanner.until_quote()?;
        scanner.literal(",\"conn\":")?;
        u32::try_from(scanner.unsigned()?).ok()?;
        scanner.literal(",\"epoch\":")?;
        let epoch = Epoch::new(scanner.unsigned()?)?;
        scanner.literal(",\"seq\":")?;
        let seq = u32::try_from(scanner.unsigned()?).ok()?;
        scanner.literal(",\"at\":")?;
        let at = UnixMicros(i64::try_from(scanner.unsigned()?).ok()?);
        scanner.literal(",\"attempt\":")?;
        u32::try_from(scanner.unsigned()?).ok()?;
        scanner.literal(",\"body\":")?;
        let body = scanner.rest().strip_suffix('}')?;
        Some(Self { feed, kind, order: OrderKey::new(epoch, seq)?, at, body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::queue::{Task, WIRE_VERSION};

    fn element(kind: &str, seq: u32, body: &str) -> Vec<u8> {
        let body: &RawValue = serde_json::from_str(body).unwrap();
        let (epoch, at) = (Epoch::new(2_171_190_000).unwrap(), UnixMicros(1_763_726_400_000_000));
        let (v, feed, conn) = (WIRE_VERSION, "binance".into(), 3);
        Task { v, feed, kind: kind.into(), conn, epoch, seq, at, attempt: 2, body }.encode()
    }

    #[test]
    fn what_we_write_is_read_quickly_and_what_others_write_is_not() {
        let ours = element("trade", 17, r#"{"p":"1.0"}"#);
        let envelope = Envelope::quick(&ours).unwrap();
        assert_eq!((envelope.feed, envelope.kind, envelope.body), ("binance", "trade", r#"{"p":"1.0"}"#));
        assert_eq!(Envelope::quick(&element("tr\"ade", 17, "{}")), None);
        assert_eq!(Envelope::quick(&[b" ".as_slice(), &ours].concat()), None);
        assert_eq!(Envelope::quick(br#"{"v":2,"feed":"binance"}"#), None);
    }

    proptest! {
        #[test]
        fn where_the_body_is_json_both_readers_agree(at in any::<prop::sample::Index>(), with in any::<u8>(), seq in any::<u32>()) {
            let mut changed = element("trade", seq, r#"{"p":"1.0","q":[1,2]}"#);
            let at = at.index(changed.len());
            changed[at] = with;
            if let Some(quick) = Envelope::quick(&changed)
                && serde_json::from_str::<&RawValue>(quick.body).is_ok_and(|body| body.get() == quick.body)
            {
                let task = Task::decode(&changed).unwrap();
                prop_assert_eq!((quick.feed, quick.kind, quick.body), (&*task.feed, &*task.kind, task.body.get()));
                prop_assert_eq!((Some(quick.order), quick.at), (task.order(), task.at));
            }
        }
    }
}
