//! JSON pointers (RFC 6901), followed in the text itself: numbers keep their digits.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// Steps of one pointer at most: deeper than any message.
const STEPS_MAX: usize = 16;

/// Where a value lies in a JSON text: `/data/0/price`; the empty one is the whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointer(Vec<Box<str>>);

impl FromStr for Pointer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let steps = text.strip_prefix('/').ok_or("a JSON pointer begins with `/`, such as `/data/price`")?;
        let steps: Vec<Box<str>> = steps
            .split('/')
            .map(unescaped)
            .collect::<Option<_>>()
            .ok_or("in a JSON pointer `~` is written `~0`, and `/` inside a name `~1`")?;
        if STEPS_MAX < steps.len() { Err("a JSON pointer of more than 16 steps") } else { Ok(Self(steps)) }
    }
}

/// `~1` is a slash and `~0` a tilde; any other tilde is a mistake.
fn unescaped(step: &str) -> Option<Box<str>> {
    let mut parts = step.split('~');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) =
            part.strip_prefix('0').map(|rest| ('~', rest)).or(part.strip_prefix('1').map(|rest| ('/', rest)))?;
        name.push(sign);
        name.push_str(rest);
    }
    Some(name.into())
}

impl Pointer {
    /// The value it points to, unless there is none or it is `null`.
    pub(super) fn find<'a>(&self, json: &'a RawValue) -> Option<&'a RawValue> {
        let found = self.0.iter().try_fold(json, |json, step| {
            let mut text = Deserializer::from_str(json.get());
            text.deserialize_any(Step(step)).ok().flatten()
        });
        found.filter(|found| found.get() != "null")
    }
}

/// The content of a text, or the digits of a number.
pub(super) fn text(json: &RawValue) -> Cow<'_, str> {
    let json = json.get();
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) if text.contains('\\') => serde_json::from_str(json).map_or(text.into(), Cow::Owned),
        Some(text) => text.into(),
        None => json.into(),
    }
}

/// Looks one step down.
struct Step<'p>(&'p str);

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(self.0))? {
            // As everywhere in JSON, the last of two equal names counts.
            if is_it { found = Some(map.next_value()?) } else { _ = map.next_value::<IgnoredAny>()? }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted: usize = self.0.parse().map_err(A::Error::custom)?;
        for _ in 0..wanted {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// Whether a name is this one.
struct Is<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(pointer: &str, json: &str) -> Option<String> {
        let json: &RawValue = serde_json::from_str(json).unwrap();
        pointer.parse::<Pointer>().unwrap().find(json).map(|found| found.get().to_owned())
    }

    #[test]
    fn a_pointer_is_followed_into_objects_and_arrays() {
        let json = r#"{"a":[{"b":"x"},{"b":1.50}],"":{"m~n":2,"a/b":3},"n":null,"a2":"s"}"#;
        for (pointer, value) in [
            ("/a/1/b", Some("1.50")),
            ("/a/0/b", Some("\"x\"")),
            ("//m~0n", Some("2")),
            ("//a~1b", Some("3")),
            ("/n", None),
            ("/a/2/b", None),
            ("/a/b", None),
            ("/a2/b", None),
            ("/nothing", None),
        ] {
            assert_eq!(found(pointer, json).as_deref(), value, "{pointer}");
        }
        assert_eq!(found("", "7").as_deref(), Some("7"));
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["a", "a/b", "/~", "/~2", "/a~", &"/a".repeat(17)] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_serde_json_finds(steps in prop::collection::vec("[ab01~/]{0,2}", 0..4)) {
            let json = r#"{"a":{"b":[0,{"a":"x"}],"0":{"":5}},"b":[[1,2],{"1":[3]}],"~":{"/":4},"1":"a"}"#;
            let escaped = steps.iter().flat_map(|step| ["/".to_owned(), step.replace('~', "~0").replace('/', "~1")]);
            let pointer: String = escaped.collect();
            let whole: serde_json::Value = serde_json::from_str(json).unwrap();
            let wanted = whole.pointer(&pointer);
            // RFC 6901 has no leading zeros in places; being generous there does no harm.
            if !steps.iter().any(|step| step.len() == 2 && step.starts_with('0')) {
                let found = found(&pointer, json).map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
                prop_assert_eq!(found.as_ref(), wanted);
            }
        }
    }
}
