//! Working through dead letters page by page.

use common::broker::{BrokerDesk, BrokerError};
use common::queue::{DeadFilter, DeadId, DeadLetter, QueueName};

/// Letters of one page: one short call each.
pub(super) const PAGE_LETTERS: u32 = 500;

/// What to do with the letters that are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Count them only.
    Count,
    /// Back to the queue.
    Retry,
    /// Away.
    Purge,
}

/// Up to `limit` letters that match, and whether there are more.
pub(super) async fn read(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    filter: &DeadFilter,
    limit: u64,
) -> Result<(Vec<DeadLetter>, bool), BrokerError> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    let mut from = None;
    loop {
        let wanted = limit.saturating_sub(letters.len() as u64);
        let page = desk.dead_page(queue, filter, from, page_size(wanted)).await?;
        letters.extend(page.letters);
        match page.next {
            None => return Ok((letters, false)),
            Some(_) if limit <= letters.len() as u64 => return Ok((letters, true)),
            next => from = next,
        }
    }
}

/// Applies `verdict` to every letter that matches, but to no more than there were at the start: a letter that is
/// retried may die again meanwhile, and would be retried for ever. Returns how many it was applied to.
pub(super) async fn on_matching(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    filter: &DeadFilter,
    verdict: Verdict,
) -> Result<u64, BrokerError> {
    let mut left = desk.census(queue).await?.ledger.dead;
    let mut done = 0;
    let mut from = None;
    while 0 < left {
        let page = desk.dead_page(queue, filter, from, page_size(left)).await?;
        let ids: Vec<DeadId> = page.letters.iter().map(|letter| letter.id).collect();
        left = left.saturating_sub(ids.len() as u64);
        done += apply(desk, queue, &ids, verdict).await?;
        if page.next.is_none() {
            break;
        }
        from = page.next;
    }
    Ok(done)
}

/// Applies `verdict` to these letters. Returns how many were there.
pub(super) async fn on_named(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    ids: &[DeadId],
    verdict: Verdict,
) -> Result<u64, BrokerError> {
    let mut done = 0;
    for ids in ids.chunks(PAGE_LETTERS as usize) {
        done += apply(desk, queue, ids, verdict).await?;
    }
    Ok(done)
}

async fn apply(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    ids: &[DeadId],
    verdict: Verdict,
) -> Result<u64, BrokerError> {
    match verdict {
        Verdict::Count => Ok(ids.len() as u64),
        _ if ids.is_empty() => Ok(0),
        Verdict::Retry => desk.dead_retry(queue, ids).await,
        Verdict::Purge => desk.dead_purge(queue, ids).await,
    }
}

fn page_size(wanted: u64) -> u32 {
    u32::try_from(wanted).unwrap_or(PAGE_LETTERS).clamp(1, PAGE_LETTERS)
}

#[cfg(test)]
mod tests;
