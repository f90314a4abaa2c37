//! Writes JSON by the rules of Protocol Buffers.

use std::fmt::{Display, Write};

use crate::feed::upstox::body::Body;

/// JSON so far.
#[derive(Debug, Default)]
pub(super) struct Json {
    text: String,
    not_finite: usize,
}

impl Json {
    pub(super) fn finish(self) -> Body {
        Body { text: self.text, not_finite: self.not_finite }
    }

    /// `{..}`
    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.separate();
        self.text.push('{');
        fields(self);
        self.text.push('}');
    }

    /// `"name":{..}`
    pub(super) fn field(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.name(name);
        self.text.push('{');
        fields(self);
        self.text.push('}');
    }

    /// `"name":[{..},..]`; nothing when there are no items.
    pub(super) fn list<T>(&mut self, name: &str, items: &[T], fields: impl Fn(&mut Self, &T)) {
        if items.is_empty() {
            return;
        }
        self.name(name);
        self.text.push('[');
        for item in items {
            self.object(|json| fields(json, item));
        }
        self.text.push(']');
    }

    /// A number in the fewest digits that say it; nothing when it is zero, or when no JSON can say it.
    pub(super) fn double(&mut self, name: &str, value: f64) {
        if value != 0.0 {
            self.double_or_zero(name, value);
        }
    }

    /// As [`double`](Self::double), where the wire tells zero from absent.
    pub(super) fn double_or_zero(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            self.not_finite += 1;
            return;
        }
        self.name(name);
        self.put(format_args!("{value:?}"));
    }

    /// A 64-bit integer, as a text; nothing when it is zero.
    pub(super) fn integer(&mut self, name: &str, value: i64) {
        if value != 0 {
            self.name(name);
            self.put(format_args!("\"{value}\""));
        }
    }

    /// A text; nothing when it is empty.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.name(name);
            self.quoted(value);
        }
    }

    /// `true`; nothing when it is false.
    pub(super) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.name(name);
            self.text.push_str("true");
        }
    }

    /// An enum by its name, or by its number when that is a new one; nothing when it is the first of its kind.
    pub(super) fn variant(&mut self, name: &str, number: i32, known: Option<&str>) {
        match known {
            _ if number == 0 => {}
            Some(known) => self.text(name, known),
            None => {
                self.name(name);
                self.put(number);
            }
        }
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.text.push(':');
    }

    /// A comma, unless it is the first one here.
    fn separate(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[')) {
            self.text.push(',');
        }
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' || byte == b' ') {
            self.text.push('"');
            self.text.push_str(text);
            self.text.push('"');
        } else {
            self.put(serde_json::Value::from(text));
        }
    }

    fn put(&mut self, value: impl Display) {
        write!(self.text, "{value}").expect("a String takes everything");
    }
}
