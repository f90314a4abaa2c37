//! API keys: checked once, and in no text that people see.

use secrecy::{ExposeSecret, SecretString};

use crate::feed::{Failure, Remedy};
use crate::redact::Redactor;

/// Longest key that is taken, in bytes. Known ones have 32.
const KEY_BYTES_MAX: usize = 256;

/// The API key of an account. Its `Debug` does not show it.
#[derive(Debug, Clone)]
pub(super) struct ApiKey {
    key: SecretString,
    redactor: Redactor,
}

impl ApiKey {
    /// Takes a credential that is a key and nothing else; white space around it is dropped. A key is made of
    /// letters, digits and `-._~`, so it needs no escapes in a URL.
    ///
    /// # Errors
    /// When there is none, or it is no key. The text does not show it.
    pub(super) fn new(feed: &str, credential: Option<&SecretString>) -> Result<Self, Failure> {
        let failure = |problem: &str| Failure {
            remedy: Remedy::NewCredentials,
            reason: format!("{feed} needs an API key, and {problem}").into(),
        };
        let key = credential.ok_or_else(|| failure("none is set"))?.expose_secret().trim();
        if key.is_empty() {
            return Err(failure("the one that is set is empty"));
        }
        let is_plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        if KEY_BYTES_MAX < key.len() || !is_plain {
            return Err(failure("the one that is set is none: a key is letters, digits and -._~ only"));
        }
        let key = SecretString::from(key);
        Ok(Self { redactor: Redactor::new([&key]), key })
    }

    /// The key itself, for the provider's eyes only.
    pub(super) fn expose(&self) -> &str {
        self.key.expose_secret()
    }

    /// `text` without the key: providers repeat in their errors what they were sent.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<ApiKey, Failure> {
        ApiKey::new("massive", Some(&text.into()))
    }

    #[test]
    fn white_space_around_a_key_is_dropped() {
        assert_eq!(key(" aB3_-.~\n").unwrap().expose(), "aB3_-.~");
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", " \n", "two words", "se&cret=1", "schlüssel", &"k".repeat(KEY_BYTES_MAX + 1)] {
            let failure = key(text).unwrap_err();
            assert_eq!(failure.remedy, Remedy::NewCredentials);
            assert!(failure.reason.starts_with("massive needs an API key"), "{}", failure.reason);
            assert!(text.trim().is_empty() || !failure.reason.contains(text), "{}", failure.reason);
        }
        assert!(ApiKey::new("massive", None).unwrap_err().reason.contains("none is set"));
    }

    #[test]
    fn a_key_is_hidden_wherever_it_stands() {
        let key = key("s3cret").unwrap();
        assert_eq!(key.hidden_in("the key s3cret (s3cret) is wrong"), "the key *** (***) is wrong");
        assert_eq!(key.hidden_in("nothing here"), "nothing here");
        assert!(!format!("{key:?}").contains("s3cret"));
    }
}
