//! Takes secrets out of foreign text before anybody sees it: close reasons, HTTP bodies, samples of frames. Pure.

use std::fmt::{self, Write};
use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use crate::settings::MASK;

mod found;

/// A shorter part of a secret is an ordinary word: masking it would only spoil texts.
const PART_CHARS_MIN: usize = 8;

/// Masks the secrets it knows, and what looks like one whoever it belongs to: what stands before the `@` and behind
/// the `?` of a URL, and JSON web tokens.
///
/// A secret is also found in its percent-encoded form, and so are its longer parts (of `APPID:JWT`, the `JWT` alone).
#[derive(Clone, Default)]
pub struct Redactor {
    /// Never empty, never made of the mask's own characters alone.
    needles: Vec<SecretString>,
}

impl Redactor {
    /// One that knows these secrets.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s SecretString>) -> Self {
        let mut needles: Vec<String> = Vec::new();
        for form in secrets.into_iter().flat_map(|secret| forms(secret.expose_secret())) {
            if form.chars().any(|c| c != '*') && !needles.contains(&form) {
                needles.push(form);
            }
        }
        Self { needles: needles.into_iter().map(SecretString::from).collect() }
    }

    /// `text` with every secret masked.
    pub fn redact(&self, text: &str) -> String {
        let mut found: Vec<Range<usize>> =
            found::in_urls(text).chain(found::jwts(text)).chain(self.known(text)).collect();
        let mut shown = text.to_owned();
        // A mask may make up a secret with what stands beside it, if that holds asterisks. Each round takes away a
        // character that is none, so there is an end.
        while !found.is_empty() {
            shown = masked(&shown, found);
            found = self.known(&shown).collect();
        }
        shown
    }

    /// Where the known secrets stand. They may overlap.
    fn known<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        self.needles.iter().map(ExposeSecret::expose_secret).flat_map(move |needle| occurrences(text, needle))
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("needles", &self.needles.len()).finish()
    }
}

/// The secret and its longer parts, each as it is and percent-encoded.
fn forms(whole: &str) -> impl Iterator<Item = String> + '_ {
    let parts = whole.split(':').filter(|part| PART_CHARS_MIN <= part.len());
    let texts = std::iter::once(whole).chain(parts);
    texts.flat_map(|text| [text.to_owned(), encoded(text, 'A'), encoded(text, 'a')])
}

/// Every place of `needle`, overlapping ones too.
fn occurrences<'t>(text: &'t str, needle: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find(needle)?;
        from = at + text[at..].chars().next().map_or(1, char::len_utf8);
        Some(at..at + needle.len())
    })
}

/// `text` with one mask for each stretch of touching ranges, which lie on the borders of characters.
fn masked(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    for range in ranges {
        if rest < range.start || (rest == 0 && range.start == 0) {
            shown.push_str(&text[rest..range.start]);
            shown.push_str(MASK);
        }
        rest = rest.max(range.end);
    }
    shown.push_str(&text[rest..]);
    shown
}

/// Percent-encoded as in the value of a query parameter; `digit` says whether the hexadecimal digits are upper or lower
/// case.
fn encoded(text: &str, digit: char) -> String {
    let mut form = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            let written = if digit == 'A' { write!(form, "%{byte:02X}") } else { write!(form, "%{byte:02x}") };
            written.expect("writing to a string never fails");
        }
    }
    form
}

#[cfg(test)]
mod tests;
