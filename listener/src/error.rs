//! Why a listener does not run.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use common::broker::shards::{BadGroupName, GroupName};
use common::feed::FeedError;
use common::health::HealthError;
use common::latency::LatencyLogError;

/// Why a listener cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// No symbol is left to subscribe.
    #[error("no symbol to subscribe{}", first_refusal(.refused))]
    NoSymbols {
        /// Those that were asked for and refused, with the reason.
        refused: BTreeMap<Box<str>, Box<str>>,
    },
    /// The feed has no such channel.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The endpoint cannot be connected to.
    #[error("the endpoint is no WebSocket url: {problem}")]
    Endpoint {
        /// What is wrong with it. Holds no part of the url that may be secret.
        problem: String,
    },
    /// Another listener of the group has other settings: together they would leave symbols out.
    #[error(
        "{other} shares the symbols of group {group} with other symbols, channels or limits than ours; give both the same settings, or one of them a `listener.group` of its own"
    )]
    Rival {
        /// The group.
        group: GroupName,
        /// Who.
        other: String,
    },
    /// The feed's name cannot name a group.
    #[error(transparent)]
    Group(#[from] BadGroupName),
    /// Its shards panicked again and again: a bug here.
    #[error("connections broke down by a bug {panics} times, too often within a minute")]
    Panics {
        /// In its life.
        panics: u64,
    },
    /// The address for health checks cannot be used.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The policy `spool` without a folder for it.
    #[error("overflow policy `spool` needs a folder to keep messages in")]
    NoSpoolFolder,
    /// The log of accepted messages cannot be opened.
    #[error("cannot write the log of accepted messages {path}; give `listener.accepted_log` another path, or none")]
    AcceptedLog {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The log of latencies cannot be opened.
    #[error(transparent)]
    LatencyLog(#[from] LatencyLogError),
    /// A limit of zero where nothing could happen.
    #[error("{0} must be at least 1")]
    ZeroLimit(&'static str),
    /// The enqueuer ended on its own: a bug here. The sources were stopped.
    #[error("the enqueuer broke down")]
    EnqueuerBroke(#[source] tokio::task::JoinError),
}

fn first_refusal(refused: &BTreeMap<Box<str>, Box<str>>) -> String {
    match refused.first_key_value() {
        Some((symbol, reason)) => format!(": {} refused, e.g. {symbol:?}: {reason}", refused.len()),
        None => String::new(),
    }
}
