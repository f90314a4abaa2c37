//! Where a text holds what looks like a secret, whoever it belongs to. Pure.

use std::ops::Range;

/// What ends a URL in running text.
const URL_ENDS: &[char] = &[' ', '\t', '\r', '\n', '"', '\'', '<', '>', '`', '\\'];

/// The user and password, and the values of the query, of every URL.
pub(super) fn in_urls(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.match_indices("://").flat_map(|(colon, mark)| {
        let start = colon + mark.len();
        let end = text[start..].find(URL_ENDS).map_or(text.len(), |length| start + length);
        secrets_of_url(text, start..end)
    })
}

/// Of one URL behind its `://`.
fn secrets_of_url(text: &str, url: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // The last `@`: a password may hold `@`, `/` and `?` unescaped. An `@` of the path hides too much, which is harmless.
    let user_end = text[url.clone()].rfind('@').map(|at| url.start + at);
    found.extend(user_end.map(|end| url.start..end));
    let Some(query) = text[url.clone()].find('?').map(|at| url.start + at + 1) else { return found };
    let mut start = query;
    for pair in text[query..url.end].split('&') {
        // A name without a value may be the secret itself.
        let value = pair.find('=').map_or(start, |at| start + at + 1);
        if value < start + pair.len() {
            found.push(value..start + pair.len());
        }
        start += pair.len() + 1;
    }
    found
}

/// How every JSON web token begins: `{"` in base64.
const JWT_START: &str = "eyJ";

/// A shorter word with that beginning is none.
const JWT_BYTES_MIN: usize = 20;

/// Everything that looks like a JSON web token, or like its first part.
pub(super) fn jwts(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.match_indices(JWT_START).filter_map(|(start, _)| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        (JWT_BYTES_MIN <= end - start).then_some(start..end)
    })
}
