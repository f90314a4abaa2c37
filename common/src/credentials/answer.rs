//! What the sources said. Pure; holds no secret but the token that won.

use std::fmt;

use super::{Fingerprint, Token};
use crate::clock::UnixMicros;

/// A kind of source, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A file that holds the token and nothing else.
    File,
    /// An environment variable, as it was when the process started.
    Variable,
    /// `access_token` of the store.
    Table,
    /// The replaced system's table.
    LegacyTable,
    /// A program that prints it.
    Command,
    /// A server that answers with it.
    Url,
}

impl SourceKind {
    /// In a word, as the settings call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Variable => "variable",
            Self::Table => "table",
            Self::LegacyTable => "legacy_table",
            Self::Command => "command",
            Self::Url => "url",
        }
    }
}

/// What one source said.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This token, and it may be used.
    Token(Token),
    /// This token, but it ran out then.
    Expired {
        /// Which.
        fingerprint: Fingerprint,
        /// When.
        at: UnixMicros,
    },
    /// This token, but the provider has refused it.
    Refused(Fingerprint),
    /// No token, and why: somebody has to put one there.
    Nothing(String),
    /// Could not be asked, or said what makes no sense: may be different next time.
    Trouble(String),
}

/// One source that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What kind.
    pub source: SourceKind,
    /// Which, without any secret: a path, a name, an address.
    pub place: String,
    /// What it said.
    pub answer: Answer,
}

impl Asked {
    /// The token, if it may be used.
    pub fn token(&self) -> Option<&Token> {
        match &self.answer {
            Answer::Token(token) => Some(token),
            Answer::Expired { .. } | Answer::Refused(_) | Answer::Nothing(_) | Answer::Trouble(_) => None,
        }
    }
}

/// `file /run/secrets/fyers: no such file`
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, place, answer } = self;
        write!(f, "{} {place}: ", source.name())?;
        match answer {
            Answer::Token(token) => write!(f, "token {}", token.fingerprint),
            Answer::Expired { fingerprint, at } => write!(f, "token {fingerprint} ran out at {at}"),
            Answer::Refused(fingerprint) => write!(f, "token {fingerprint} was refused by the provider"),
            Answer::Nothing(why) | Answer::Trouble(why) => f.write_str(why),
        }
    }
}

/// No source has a token that may be used.
#[derive(Debug, Clone)]
pub struct NoToken {
    /// Whose token.
    pub feed: Box<str>,
    /// Every source with what it said.
    pub asked: Vec<Asked>,
}

impl NoToken {
    /// Whether a person must act: every source was asked and has none. Otherwise one of them was in trouble and may
    /// answer later.
    pub fn needs_login(&self) -> bool {
        !self.asked.iter().any(|asked| matches!(asked.answer, Answer::Trouble(_)))
    }
}

impl std::error::Error for NoToken {}

/// `no token for fyers: variable TIDEMILL_TOKEN: not set; table ...: none stored`
impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no token for {}: ", self.feed)?;
        if self.asked.is_empty() {
            return f.write_str("no source is set under [credentials]");
        }
        // What somebody tried comes first: the text may be cut. A stable sort keeps the order otherwise.
        let mut asked: Vec<&Asked> = self.asked.iter().collect();
        asked.sort_by_key(|asked| matches!(asked.answer, Answer::Nothing(_)));
        let asked: Vec<String> = asked.into_iter().map(ToString::to_string).collect();
        f.write_str(&asked.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(source: SourceKind, answer: Answer) -> Asked {
        Asked { source, place: "PLACE".to_owned(), answer }
    }

    #[test]
    fn every_source_says_why_it_has_none_and_attempts_come_first() {
        let fingerprint = Token::parse("abc").unwrap().fingerprint;
        let at = UnixMicros::from_secs(1_764_109_800).unwrap();
        let none = NoToken {
            feed: "fyers".into(),
            asked: vec![
                asked(SourceKind::File, Answer::Nothing("no such file".to_owned())),
                asked(SourceKind::Table, Answer::Expired { fingerprint, at }),
                asked(SourceKind::Command, Answer::Refused(fingerprint)),
            ],
        };
        assert_eq!(
            none.to_string(),
            "no token for fyers: table PLACE: token ba7816bf8f01 ran out at 2025-11-25T22:30:00Z; command PLACE: token \
             ba7816bf8f01 was refused by the provider; file PLACE: no such file"
        );
        assert!(none.needs_login());
    }

    #[test]
    fn a_source_in_trouble_may_answer_later() {
        let trouble = asked(SourceKind::Table, Answer::Trouble("away".to_owned()));
        let none = NoToken { feed: "fyers".into(), asked: vec![trouble] };
        assert!(!none.needs_login());
        let unset = NoToken { feed: "fyers".into(), asked: Vec::new() };
        assert!(unset.needs_login() && unset.to_string().ends_with("no source is set under [credentials]"));
    }
}
