//! Where a server is and how we log in there. A password changes while we run: what stands in a file is read again.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::settings::read_short;

/// A URL, and the file that it was read from.
#[derive(Debug, Clone)]
pub struct Address {
    url: SecretString,
    file: Option<PathBuf>,
}

impl Address {
    /// A URL that stays as it is, unless it stands in `file`.
    pub fn new(url: SecretString, file: Option<PathBuf>) -> Self {
        Self { url, file }
    }

    /// With its password.
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Reads the file once more: true when another URL stands there now. An unreadable file changes nothing.
    pub(crate) fn reread(&mut self) -> bool {
        let Some(Ok(text)) = self.file.as_deref().map(read_short) else { return false };
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() || text == self.url.expose_secret() {
            return false;
        }
        self.url = text.to_owned().into();
        true
    }
}

impl From<&SecretString> for Address {
    fn from(url: &SecretString) -> Self {
        Self::new(url.clone(), None)
    }
}

impl From<&str> for Address {
    fn from(url: &str) -> Self {
        Self::new(url.to_owned().into(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_again_from_its_file_and_only_another_one_is_news() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "redis://:old@cache\n").unwrap();
        let mut address = Address::new("redis://:old@cache".to_owned().into(), Some(file.clone()));
        assert!(!address.reread());
        std::fs::write(&file, "redis://:new@cache\n").unwrap();
        assert!(address.reread());
        assert_eq!(address.url().expose_secret(), "redis://:new@cache");
        std::fs::remove_file(&file).unwrap();
        assert!(!address.reread());
        assert!(!Address::from("redis://:old@cache").reread());
    }
}
