//! One look at the broker and the store.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, Census};
use common::clock::{self, UnixMicros};
use common::presence::Presence;
use common::queue::QueueName;
use common::store::{PriceStore, StoreCensus};

use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;

/// How long a look may take: a status page that hangs says nothing.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// When.
    pub(super) at: UnixMicros,
    /// Where the queue is, without secrets.
    pub(super) broker: String,
    /// What the broker said, or why it said nothing.
    pub(super) desk: Result<Desk, Trouble>,
    /// What the store said, or why it said nothing.
    pub(super) store: Store,
}

/// What the broker knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    /// Every known queue.
    pub(super) queues: Vec<(QueueName, Census)>,
    /// Every process that beats.
    pub(super) presences: Vec<Presence>,
}

/// What the store is like.
#[derive(Debug, Clone)]
pub(super) enum Store {
    /// It answers.
    Fine(StoreCensus),
    /// It does not.
    Away {
        /// Where it should be, without secrets.
        place: String,
        /// Why.
        trouble: Trouble,
    },
    /// The embedded store's file is not there yet: nothing has run here.
    Nothing {
        /// Where it would be.
        place: String,
    },
}

/// Why something did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// In words.
    pub(super) text: String,
    /// What helps.
    pub(super) fix: Option<String>,
}

/// Looks again and again over the same connections.
#[derive(Debug)]
pub(super) struct Lookout<'c> {
    context: &'c Context,
    broker: Option<Arc<dyn Broker>>,
    store: Option<Arc<dyn PriceStore>>,
}

impl<'c> Lookout<'c> {
    pub(super) fn new(context: &'c Context) -> Self {
        Self { context, broker: None, store: None }
    }

    /// Looks once. Never fails and never hangs: what does not answer is part of what is seen.
    pub(super) async fn look(&mut self) -> Look {
        let (broker, place) = (self.context.broker_place(), self.context.store_place());
        let (desk, store) = tokio::join!(
            in_time(&broker, desk(self.context, &mut self.broker)),
            in_time(&place, store(self.context, &mut self.store))
        );
        let store = match store {
            Ok(Some(census)) => Store::Fine(census),
            Ok(None) => Store::Nothing { place },
            Err(trouble) => Store::Away { place, trouble },
        };
        if desk.is_err() {
            self.broker = None;
        }
        if matches!(store, Store::Away { .. }) {
            self.store = None;
        }
        Look { at: clock::now(), broker, desk, store }
    }
}

async fn in_time<T>(place: &str, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Trouble> {
    match tokio::time::timeout(LOOK_PATIENCE, work).await {
        Ok(Ok(seen)) => Ok(seen),
        Ok(Err(failure)) => Err(Trouble::from(failure)),
        Err(_) => {
            Err(Trouble { text: format!("{place} gives no answer within {} s", LOOK_PATIENCE.as_secs()), fix: None })
        }
    }
}

async fn desk(context: &Context, opened: &mut Option<Arc<dyn Broker>>) -> Result<Desk, Failure> {
    if opened.is_none() && context.missing_broker_file().is_some() {
        return Ok(Desk::default()); // opening it would create it
    }
    let broker = match opened {
        Some(broker) => broker,
        None => opened.insert(context.broker().await?),
    };
    let mut queues = Vec::new();
    for queue in broker.queues().await? {
        let census = broker.census(&queue).await?;
        queues.push((queue, census));
    }
    queues.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut presences = broker.presences().await?;
    presences.sort_by_key(|presence| presence.instance);
    Ok(Desk { queues, presences })
}

async fn store(context: &Context, opened: &mut Option<Arc<dyn PriceStore>>) -> Result<Option<StoreCensus>, Failure> {
    if opened.is_none() && context.missing_store_file().is_some() {
        return Ok(None);
    }
    let store = match opened {
        Some(store) => store,
        None => opened.insert(context.store().await?),
    };
    Ok(Some(store.census().await?))
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Told { diagnostics, .. } => diagnostics.first().map_or_else(Self::unknown, Self::of),
            Failure::ReaderGone => Self::unknown(),
        }
    }
}

impl Trouble {
    fn of(diagnostic: &Diagnostic) -> Self {
        let why = diagnostic.the_why().map(|why| format!(": {why}")).unwrap_or_default();
        Self { text: format!("{}{why}", diagnostic.title), fix: diagnostic.the_fix().map(str::to_owned) }
    }

    fn unknown() -> Self {
        Self { text: "no answer".to_owned(), fix: None }
    }
}
