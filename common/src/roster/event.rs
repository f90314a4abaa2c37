//! One thing an operator asked for, as the broker keeps it: one line of JSON.
//!
//! ```text
//! {"v":1,"id":"0199…","at":1763726400000000,"by":"asha@desk-3","do":"subscribe","symbol":"BTCUSDT"}
//! ```

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Roster;
use crate::clock::UnixMicros;

/// The version this program writes and reads.
const VERSION: u8 = 1;
/// Longest name of a person, in bytes.
const BY_MAX: usize = 200;

/// One event of a roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEvent {
    v: u8,
    /// Makes it one of a kind, so that appending it again adds nothing.
    id: Uuid,
    /// When it was asked for, by the asker's clock. For people: the order is the list's.
    pub at: UnixMicros,
    /// Who asked, for people.
    pub by: Box<str>,
    /// What for.
    #[serde(flatten)]
    pub action: RosterAction,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum RosterAction {
    /// One more subscription of a symbol.
    Subscribe {
        /// As the provider spells it.
        symbol: Box<str>,
    },
    /// One subscription less. Of a symbol that has none it changes nothing.
    Unsubscribe {
        /// As the provider spells it.
        symbol: Box<str>,
    },
    /// The whole feed stops.
    Pause,
    /// The whole feed goes on.
    Resume,
    /// Stands for all events before it.
    Snapshot(RosterState),
}

/// What all events up to some revision amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterState {
    /// Whether the feed is paused.
    pub paused: bool,
    /// The symbols that events have changed.
    pub symbols: Vec<RosterSymbol>,
}

/// One symbol of a [`RosterState`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterSymbol {
    /// As the provider spells it.
    pub symbol: Box<str>,
    /// Its subscriptions where it is no base symbol.
    pub alone: u32,
    /// Its subscriptions where it is one.
    pub based: u32,
    /// Its place behind the base list.
    pub place: Option<u32>,
}

/// What a broker answers to "what happened since".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterNews {
    /// Oldest first.
    pub events: Vec<RosterEvent>,
    /// The revision after them.
    pub revision: u64,
    /// The events are not those after the revision that was asked for but all there are: that one is not known any
    /// more, because older events were put together, or the broker lost its memory.
    pub is_restart: bool,
}

/// An event that cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// A newer program wrote it. Skipping it would give another plan than that program's.
    #[error("an event of the roster is of a newer program (version {0})")]
    Newer(u8),
    /// It is none of ours.
    #[error("an event of the roster cannot be read: {0}")]
    Unreadable(String),
}

impl BadEvent {
    /// What to do about it. Until then nothing of the roster is used, and what was used before stays.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Newer(_) => "upgrade this program to the version that wrote it",
            Self::Unreadable(_) => "find who writes to the group's roster; remove that event by hand",
        }
    }
}

impl RosterEvent {
    /// Longest symbol.
    pub const SYMBOL_BYTES_MAX: usize = 200;
    /// Events of one append at most.
    pub const APPEND_MAX: usize = 500;
    /// Events a broker keeps at most; it refuses more.
    pub const EVENTS_MAX: usize = 100_000;
    /// With more events than this, all but the newest [`RosterEvent::KEPT`] are put together into one snapshot.
    pub const COMPACT_ABOVE: usize = 2_000;
    /// Events that are never put together, so that a repeated append is still recognised.
    pub const KEPT: usize = 1_000;

    /// An event of this moment. `by` is cut to 200 bytes.
    pub fn new(action: RosterAction, by: &str, at: UnixMicros) -> Self {
        let by = &by[..by.floor_char_boundary(BY_MAX)];
        Self { v: VERSION, id: Uuid::now_v7(), at, by: by.into(), action }
    }

    /// What makes it one of a kind.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// As the broker keeps it.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("text and numbers always serialise to memory")
    }

    /// Back from [`encode`](Self::encode).
    ///
    /// # Errors
    /// When a newer program or a stranger wrote it.
    pub fn decode(text: &str) -> Result<Self, BadEvent> {
        #[derive(Deserialize)]
        struct Version {
            v: u8,
        }
        let unreadable = |error: serde_json::Error| BadEvent::Unreadable(error.to_string());
        let Version { v } = serde_json::from_str(text).map_err(unreadable)?;
        if v != VERSION {
            return Err(BadEvent::Newer(v));
        }
        let event: Self = serde_json::from_str(text).map_err(unreadable)?;
        match &event.action {
            RosterAction::Subscribe { symbol } | RosterAction::Unsubscribe { symbol } => check_symbol(symbol)?,
            RosterAction::Pause | RosterAction::Resume => {}
            RosterAction::Snapshot(state) => state.check()?,
        }
        Ok(event)
    }

    /// One event that stands for all of `events`.
    pub fn snapshot(events: &[Self], at: UnixMicros) -> Self {
        let mut roster = Roster::default();
        for event in events {
            roster.apply(event);
        }
        Self::new(RosterAction::Snapshot(roster.state()), "tidemill", at)
    }
}

impl RosterState {
    /// What [`Roster`] relies on when it restores a state.
    fn check(&self) -> Result<(), BadEvent> {
        let bad = |problem: &str| BadEvent::Unreadable(format!("a snapshot {problem}"));
        let (mut symbols, mut places) = (HashSet::new(), HashSet::new());
        for RosterSymbol { symbol, alone, place, .. } in &self.symbols {
            check_symbol(symbol)?;
            if !symbols.insert(symbol) || place.is_some_and(|place| !places.insert(place)) {
                return Err(bad("names a symbol or a place twice"));
            }
            if place.is_some() != (0 < *alone) {
                return Err(bad("has a place for nobody, or none for somebody"));
            }
            // A roster that never held more symbols never gave a higher place.
            if place.is_some_and(|place| Roster::SYMBOLS_MAX <= place as usize) {
                return Err(bad("has a place out of range"));
            }
        }
        if Roster::SYMBOLS_MAX < symbols.len() { Err(bad("is too long")) } else { Ok(()) }
    }
}

fn check_symbol(symbol: &str) -> Result<(), BadEvent> {
    const MAX: usize = RosterEvent::SYMBOL_BYTES_MAX;
    match symbol.len() {
        1..=MAX => Ok(()),
        length => Err(BadEvent::Unreadable(format!("a symbol of {length} bytes; 1 to {MAX} are allowed"))),
    }
}
