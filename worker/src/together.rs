//! Batches that wait while another one is being committed are committed together, as one.
//!
//! Batches of one queue carry the same instruments. Two writers of the same rows only wait for each other in the
//! database, and a row costs as much for one tick as for ten. So the commits of a process take turns, and whose turn it
//! is brings along all that wait. Nothing ever waits for company.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::store::{PriceRow, Slot, Slots, WriteBatch, Written};
use tokio::sync::oneshot;

use crate::writer::Denied;

/// What the loops of a process want to commit.
#[derive(Debug, Default)]
pub(crate) struct Together {
    waiting: Mutex<Vec<Part>>,
    turn: tokio::sync::Mutex<()>,
}

/// One batch of those that are committed together.
#[derive(Debug)]
struct Part {
    batch: Arc<WriteBatch>,
    share: oneshot::Sender<Share>,
}

/// What became of a part, and how long the commit took; `None` when the whole was refused: then each part is committed
/// alone, so that one that cannot be stored hurts no other.
type Share = Option<(Written, Duration)>;

impl Together {
    /// Commits `batch`, with those that wait or within another's commit. `commit` is called for a batch that may hold
    /// others' rows too.
    pub(crate) async fn write<F>(
        &self,
        batch: &Arc<WriteBatch>,
        commit: impl Fn(Arc<WriteBatch>) -> F,
    ) -> Result<(Written, Duration), Denied>
    where
        F: Future<Output = Result<(Written, Duration), Denied>>,
    {
        let (share, mut answer) = oneshot::channel();
        self.waiting().push(Part { batch: Arc::clone(batch), share });
        let turn = tokio::select! {
            biased;
            answer = &mut answer => match answer {
                Ok(Some(written)) => return Ok(written),
                // Whoever had taken it along was refused, or has ended without an answer.
                Ok(None) | Err(_) => None,
            },
            turn = self.turn.lock() => Some(turn),
        };
        if turn.is_none() {
            let _turn = self.turn.lock().await;
            return commit(Arc::clone(batch)).await;
        }
        match answer.try_recv() {
            Ok(Some(written)) => return Ok(written),
            Ok(None) | Err(oneshot::error::TryRecvError::Closed) => {
                return commit(Arc::clone(batch)).await;
            }
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let parts = std::mem::take(&mut *self.waiting());
        self.lead(batch, parts, commit).await
    }

    /// Commits all parts, `own` among them.
    async fn lead<F>(
        &self,
        own: &Arc<WriteBatch>,
        parts: Vec<Part>,
        commit: impl Fn(Arc<WriteBatch>) -> F,
    ) -> Result<(Written, Duration), Denied>
    where
        F: Future<Output = Result<(Written, Duration), Denied>>,
    {
        if parts.len() < 2 {
            return commit(Arc::clone(own)).await;
        }
        let whole = Arc::new(joined(parts.iter().map(|part| &*part.batch)));
        let committed = match commit(Arc::clone(&whole)).await {
            Ok(committed) => Some(committed),
            Err(Denied::Row(_)) => None,
            Err(Denied::Stopping) => return Err(Denied::Stopping), // the others see their answer gone, and decide alone
        };
        let mut mine = None;
        for part in parts {
            let share = committed.as_ref().map(|(written, took)| (share_of(&part.batch, &whole, written), *took));
            if Arc::ptr_eq(&part.batch, own) {
                mine = share;
            } else {
                // Whoever has stopped waiting has lost its lease: its rows are stored, and nobody asks.
                drop(part.share.send(share));
            }
        }
        match mine {
            Some(mine) => Ok(mine),
            None => commit(Arc::clone(own)).await,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Part>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that the parts say, one row per instrument, ascending.
fn joined<'p>(parts: impl Iterator<Item = &'p WriteBatch>) -> WriteBatch {
    let mut whole = WriteBatch::default();
    let mut rows: Vec<&PriceRow> = Vec::new();
    for part in parts {
        rows.extend(&part.rows);
        whole.history.extend_from_slice(&part.history);
        whole.gaps.extend_from_slice(&part.gaps);
    }
    rows.sort_by_key(|row| row.instrument); // a few ascending runs, which it merges
    for row in rows {
        match whole.rows.last_mut() {
            Some(last) if last.instrument == row.instrument => last.absorb(row),
            Some(_) | None => whole.rows.push(row.clone()),
        }
    }
    whole
}

/// What of `part` was stored with the whole: the slots whose newest value is the part's.
fn share_of(part: &WriteBatch, whole: &WriteBatch, written: &Written) -> Written {
    let mut places = whole.rows.iter().zip(&written.stored);
    let stored = part.rows.iter().map(|row| {
        let Some((joined, &stored)) = places.find(|(joined, _)| joined.instrument == row.instrument) else {
            return Slots::NONE;
        };
        let is_own = |slot: &Slot| stored.has(*slot) && row.order(*slot) == joined.order(*slot);
        Slot::ALL.into_iter().filter(is_own).fold(Slots::NONE, |all, slot| all | slot.into())
    });
    Written { stored: stored.collect(), vanished: written.vanished.clone() }
}

#[cfg(test)]
mod tests;
