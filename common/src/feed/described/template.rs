//! Texts with places for symbols and the credential.

use std::fmt;
use std::str::FromStr;

/// A message, header or URL with places to fill in: `{symbol}`, `{symbols}`, `{credential}`. It may hold a secret of its
/// own, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Place(Place),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Symbol,
    Symbols,
    Credential,
}

const PLACES: [(&str, Place); 3] =
    [("symbol", Place::Symbol), ("symbols", Place::Symbols), ("credential", Place::Credential)];

/// What is filled in.
#[derive(Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) symbols: &'a [&'a str],
    pub(super) credential: &'a str,
}

impl FromStr for Template {
    type Err = String;

    fn from_str(mut rest: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(start) = rest.find('{') {
            let (before, after) = (&rest[..start], &rest[start + 1..]);
            text.push_str(before);
            // Only a lower-case word in braces is a place: JSON has braces of its own.
            let word = after.split_once('}').map(|(word, _)| word).filter(|word| is_word(word));
            let Some(word) = word else {
                text.push('{');
                rest = after;
                continue;
            };
            let place = PLACES.iter().find(|(name, _)| *name == word);
            let (_, place) =
                place.ok_or_else(|| format!("there is no {{{word}}} to fill in; there are {}", known()))?;
            pieces.push(Piece::Text(std::mem::take(&mut text).into()));
            pieces.push(Piece::Place(*place));
            rest = &after[word.len() + 1..];
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text.into()));
        Ok(Self(pieces))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn known() -> String {
    PLACES.map(|(name, _)| format!("{{{name}}}")).join(", ")
}

impl Template {
    /// As it was written.
    pub(super) fn source(&self) -> String {
        let written = |piece: &Piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Place(place) => {
                let name = PLACES.iter().find(|(_, known)| known == place).map_or("", |(name, _)| name);
                format!("{{{name}}}")
            }
        };
        self.0.iter().map(written).collect()
    }

    /// Whether it is the address of a WebSocket.
    pub fn is_websocket(&self) -> bool {
        let source = self.source();
        ["ws://", "wss://"].iter().any(|scheme| source.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    }

    /// Whether it wants one symbol per message.
    pub(super) fn wants_one_symbol(&self) -> bool {
        self.has(Place::Symbol)
    }

    /// Whether it names symbols at all.
    pub fn wants_symbols(&self) -> bool {
        self.has(Place::Symbol) || self.has(Place::Symbols)
    }

    /// Whether it wants the credential.
    pub(super) fn wants_credential(&self) -> bool {
        self.has(Place::Credential)
    }

    fn has(&self, wanted: Place) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Place(place) if *place == wanted))
    }

    /// As a message. Inside a JSON text `{symbols}` are joined by commas, elsewhere they are an array of texts.
    pub(super) fn message(&self, filling: Filling<'_>) -> String {
        let mut out = String::new();
        let mut in_text = false;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => {
                    in_text = ends_in_text(text, in_text);
                    out.push_str(text);
                }
                Piece::Place(place) => out.push_str(&place.json(filling, in_text)),
            }
        }
        out
    }

    /// As a URL: what is filled in is escaped.
    pub(super) fn url(&self, filling: Filling<'_>) -> String {
        self.plain(filling, escaped)
    }

    /// As the value of a header.
    pub(super) fn header(&self, filling: Filling<'_>) -> String {
        self.plain(filling, str::to_owned)
    }

    fn plain(&self, filling: Filling<'_>, written: fn(&str) -> String) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Place(Place::Credential) => written(filling.credential),
            Piece::Place(Place::Symbol | Place::Symbols) => {
                filling.symbols.iter().map(|symbol| written(symbol)).collect::<Vec<_>>().join(",")
            }
        };
        self.0.iter().map(fill).collect()
    }
}

impl Place {
    fn json(self, filling: Filling<'_>, in_text: bool) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let whole = match self {
            Self::Credential => quoted(filling.credential),
            Self::Symbol => quoted(filling.symbols.first().copied().unwrap_or_default()),
            Self::Symbols if in_text => quoted(&filling.symbols.join(",")),
            Self::Symbols => serde_json::Value::from(filling.symbols).to_string(),
        };
        // Inside a text the quotes are there already.
        let inner = whole.strip_prefix('"').and_then(|whole| whole.strip_suffix('"'));
        inner.filter(|_| in_text).map_or_else(|| whole.clone(), str::to_owned)
    }
}

/// Whether a JSON text is open behind `text`, when one was (not) open before it.
fn ends_in_text(text: &str, mut in_text: bool) -> bool {
    let mut is_escaped = false;
    for c in text.chars() {
        in_text ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
    }
    in_text
}

/// Everything but letters, digits and `-._~`, byte by byte (RFC 3986).
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(template: &str, symbols: &[&str]) -> String {
        template.parse::<Template>().unwrap().message(Filling { symbols, credential: "k\"1" })
    }

    #[test]
    fn symbols_are_an_array_or_a_list_in_a_text() {
        let two = ["A", "B\"C"];
        assert_eq!(message(r#"{"op":"sub","args":{symbols}}"#, &two), r#"{"op":"sub","args":["A","B\"C"]}"#);
        assert_eq!(message(r#"{"params":"T.{symbols}"}"#, &two), r#"{"params":"T.A,B\"C"}"#);
        assert_eq!(message(r#"{"s":"{symbol}","k":{credential}}"#, &two), r#"{"s":"A","k":"k\"1"}"#);
        assert_eq!(message(r#"{"a":"\"{symbol}"}"#, &["X"]), r#"{"a":"\"X"}"#);
    }

    #[test]
    fn json_braces_are_no_places_and_an_unknown_place_is_refused() {
        assert_eq!(message(r#"{"a":{"b":{}},"c":"{A}"}"#, &[]), r#"{"a":{"b":{}},"c":"{A}"}"#);
        let said = r#"{"s":"{sybmol}"}"#.parse::<Template>().unwrap_err();
        assert!(said.contains("{sybmol}") && said.contains("{symbols}"), "{said}");
    }

    #[test]
    fn a_url_is_escaped_and_nothing_is_shown() {
        let template: Template = "wss://h/?CANARY&key={credential}&s={symbols}".parse().unwrap();
        let filling = Filling { symbols: &["EUR/USD", "é"], credential: "a&b" };
        assert_eq!(template.url(filling), "wss://h/?CANARY&key=a%26b&s=EUR%2FUSD,%C3%A9");
        assert!(!format!("{template:?}").contains("CANARY"));
    }

    proptest! {
        #[test]
        fn a_json_message_stays_json_whatever_is_filled_in(symbol in any::<String>(), credential in any::<String>()) {
            let template: Template = r#"{"a":"x{symbol}","b":{symbol},"c":{symbols},"d":"{symbols}","e":"{credential}"}"#.parse().unwrap();
            let text = template.message(Filling { symbols: &[&symbol, "B"], credential: &credential });
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["a"].as_str(), Some(&*format!("x{symbol}")));
            prop_assert_eq!(read["b"].as_str(), Some(&*symbol));
            prop_assert_eq!(read["c"][0].as_str(), Some(&*symbol));
            prop_assert_eq!(read["d"].as_str(), Some(&*format!("{symbol},B")));
            prop_assert_eq!(read["e"].as_str(), Some(&*credential));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            for text in [text.clone(), format!("{{{text}}}"), format!("{{symbol}}{text}{{")] {
                if let Ok(template) = text.parse::<Template>() {
                    template.message(Filling { symbols: &[], credential: "" });
                }
            }
        }
    }
}
