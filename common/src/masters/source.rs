//! Where a master comes from, as the settings write it: `upstox=https://...` or `fyers=/data/NSE_FO.csv`.

use std::fmt;
use std::path::PathBuf;

use crate::market::master;
use crate::settings::redacted;

/// One file of one feed. A feed may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Whose instruments it lists.
    pub feed: Box<str>,
    /// Where it is.
    pub place: Place,
}

/// Where a master is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// An address of `http://` or `https://`. Shown without secrets only.
    Url(Box<str>),
    /// A file, read anew at every refresh.
    File(PathBuf),
}

/// A word of the settings that is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write FEED=ADDRESS, FEED one of {known}, ADDRESS an http(s) URL or a file")]
pub struct BadSource {
    /// The feeds with masters.
    known: String,
}

impl std::str::FromStr for Source {
    type Err = BadSource;

    fn from_str(word: &str) -> Result<Self, BadSource> {
        let bad = || BadSource { known: master::feeds().collect::<Vec<_>>().join(", ") };
        let (feed, place) = word.split_once('=').ok_or_else(bad)?;
        let (feed, place) = (feed.trim(), place.trim());
        if !master::feeds().any(|known| known == feed) || place.is_empty() {
            return Err(bad());
        }
        let place = match place.split_once("://") {
            Some(("http" | "https", rest)) if !rest.is_empty() => Place::Url(place.into()),
            Some(_) => return Err(bad()),
            None => Place::File(place.into()),
        };
        Ok(Self { feed: feed.into(), place })
    }
}

/// Without secrets.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(&redacted(url)),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_feed_and_an_address() {
        let read = |word: &str| word.parse::<Source>().map(|source| format!("{} {}", source.feed, source.place));
        for (word, shown) in [
            ("upstox=https://h/complete.json.gz", "upstox https://h/complete.json.gz"),
            ("kite=https://h/instruments?api_key=CANARY", "kite https://h/instruments?api_key=***"),
            ("fyers=/data/NSE_FO.csv", "fyers /data/NSE_FO.csv"),
            (" fyers = data/a=b.csv ", "fyers data/a=b.csv"),
        ] {
            assert_eq!(read(word).as_deref(), Ok(shown));
        }
        for word in ["", "upstox", "upstox=", "nobody=/f", "upstox=ftp://h/f", "upstox=https://", "=/f"] {
            assert!(read(word).unwrap_err().to_string().contains("fyers, upstox, kite"), "{word}");
        }
    }
}
