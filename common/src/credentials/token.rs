//! A token, and what may be shown of it. Pure.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::clock::UnixMicros;
use crate::jwt;

/// A longer text is no token but a wrong file.
pub(crate) const TOKEN_BYTES_MAX: usize = 16 << 10;

/// What a provider lets us in with.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself: never shown.
    pub secret: SecretString,
    /// Tells it apart from others: may be shown.
    pub fingerprint: Fingerprint,
    /// When it runs out, where it says so itself or whoever stored it did.
    pub expires_at: Option<UnixMicros>,
    /// When it was put where it was read, where that is known.
    pub set_at: Option<UnixMicros>,
}

/// The first 48 bits of a token's SHA-256. It holds none of the token's characters, and no token can be found from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 6]);

/// Why a text is no token. Never says any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// Longer than any token.
    #[error("it has more than {TOKEN_BYTES_MAX} bytes: that is no token")]
    TooLong,
    /// Something that cannot go into a header or a URL, e.g. a second line.
    #[error("it holds a blank, a line end or another character that no token has")]
    BadCharacter,
}

impl Token {
    /// Reads a token; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadToken::Empty);
        }
        if TOKEN_BYTES_MAX < text.len() {
            return Err(BadToken::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadToken::BadCharacter);
        }
        Ok(Self {
            secret: text.into(),
            fingerprint: Fingerprint::of(text),
            expires_at: jwt::expires_at(text),
            set_at: None,
        })
    }

    /// The token's own word counts; `expires_at` only where it has none.
    #[must_use]
    pub fn or_expiring_at(mut self, expires_at: Option<UnixMicros>) -> Self {
        self.expires_at = self.expires_at.or(expires_at);
        self
    }

    /// Put there at `at`.
    #[must_use]
    pub fn set_at(mut self, at: Option<UnixMicros>) -> Self {
        self.set_at = at;
        self
    }

    /// Whether it has run out at `now`.
    pub fn has_expired(&self, now: UnixMicros) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Fingerprint {
    fn of(text: &str) -> Self {
        let mut first = [0; 6];
        for (byte, digest) in first.iter_mut().zip(Sha256::digest(text.as_bytes())) {
            *byte = digest;
        }
        Self(first)
    }

    /// Of a secret that is no [`Token`] (yet).
    pub fn of_secret(secret: &SecretString) -> Self {
        Self::of(secret.expose_secret())
    }
}

/// Twelve hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_around_a_token_is_dropped() {
        let token = Token::parse(" abc:def\r\n").unwrap();
        assert_eq!(token.secret.expose_secret(), "abc:def");
        assert_eq!(token.fingerprint, Token::parse("abc:def").unwrap().fingerprint);
        assert_eq!(token.fingerprint, Fingerprint::of_secret(&token.secret));
    }

    #[test]
    fn the_fingerprint_is_the_start_of_the_sha_256() {
        // SHA-256 of "abc", FIPS 180-2 appendix B.1.
        assert_eq!(Token::parse("abc").unwrap().fingerprint.to_string(), "ba7816bf8f01");
    }

    #[test]
    fn what_is_no_token_is_refused_without_saying_it() {
        let long = "x".repeat(TOKEN_BYTES_MAX + 1);
        for (text, refused) in [
            (" \n", BadToken::Empty),
            (long.as_str(), BadToken::TooLong),
            ("one\ntwo", BadToken::BadCharacter),
            ("a b", BadToken::BadCharacter),
            ("a\u{0}b", BadToken::BadCharacter),
            ("gr\u{fc}n", BadToken::BadCharacter),
        ] {
            assert_eq!(Token::parse(text).unwrap_err(), refused, "{text:.20}");
        }
    }

    #[test]
    fn a_token_has_expired_from_its_last_moment_on() {
        let token = Token::parse("abc").unwrap();
        assert!(!token.has_expired(UnixMicros(i64::MAX)));
        let token = token.or_expiring_at(Some(UnixMicros(5)));
        assert_eq!((token.has_expired(UnixMicros(4)), token.has_expired(UnixMicros(5))), (false, true));
    }

    proptest! {
        #[test]
        fn a_token_shows_nothing_of_itself(text in "[!-~]{8,60}") {
            let token = Token::parse(&text).unwrap();
            let shown = format!("{token:?} {}", token.fingerprint);
            prop_assert!(!shown.contains(&text));
        }
    }
}
