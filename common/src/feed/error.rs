//! What can be wrong with a body, a symbol, or the settings of a feed.

use crate::market::BadNumber;

/// A body that is no price message of the feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A well-formed message with nothing to store, e.g. of a stream we do not keep. Its reason is counted.
    #[error("nothing to store: {0}")]
    Skip(&'static str),
    /// Not what the provider documents: wrong types, missing fields.
    #[error("not a {kind} message: {problem}")]
    Malformed {
        /// What it was taken for.
        kind: Box<str>,
        /// What is wrong with it.
        problem: String,
    },
    /// A price or quantity that is no finite decimal.
    #[error("field `{field}`: {number}")]
    Number {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        number: BadNumber,
    },
}

/// A symbol that the feed's grammar does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{symbol:?} is no {feed} symbol: {problem}")]
pub struct SymbolError {
    /// The feed.
    pub feed: &'static str,
    /// The symbol, cut to a readable length.
    pub symbol: Box<str>,
    /// What is wrong with it.
    pub problem: Box<str>,
}

/// Settings that a feed cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// No such channel.
    #[error("{feed} has no channel {channel:?}; it has {known}")]
    UnknownChannel {
        /// The feed.
        feed: &'static str,
        /// What was asked for.
        channel: String,
        /// What there is.
        known: String,
    },
    /// Channels that cannot be subscribed for one symbol at one time.
    #[error("{feed} carries a symbol in one of its channels only, and {channels} were asked for: name one")]
    OneChannelOnly {
        /// The feed.
        feed: &'static str,
        /// What was asked for.
        channels: String,
    },
    /// A symbol that cannot be subscribed.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
}
