//! Paging, on a desk that keeps its letters in memory and gives small pages.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use common::broker::Census;
use common::clock::UnixMicros;
use common::ledger::Ledger;
use common::presence::{InstanceId, Presence};
use common::queue::{Check, DeadPage, Finding};

use super::*;

/// A retried letter dies again at once: the worst a worker can do to a person who retries.
#[derive(Debug, Default)]
struct Desk {
    letters: Mutex<Vec<DeadLetter>>,
    dies_again: bool,
}

const SMALL_PAGE: usize = 3;

impl Desk {
    fn with(reasons: &[&str]) -> Self {
        let letters = reasons.iter().map(|reason| letter(reason)).collect();
        Self { letters: Mutex::new(letters), dies_again: false }
    }

    fn remove(&self, ids: &[DeadId]) -> u64 {
        let mut letters = self.letters.lock().unwrap();
        let before = letters.len();
        letters.retain(|letter| !ids.contains(&letter.id));
        (before - letters.len()) as u64
    }

    fn count(&self) -> usize {
        self.letters.lock().unwrap().len()
    }
}

#[async_trait]
impl BrokerDesk for Desk {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        Ok(vec![queue()])
    }

    async fn census(&self, _: &QueueName) -> Result<Census, BrokerError> {
        let dead = self.letters.lock().unwrap().len() as u64;
        Ok(Census { ledger: Ledger { dead, ..Ledger::default() }, ..Census::default() })
    }

    async fn set_paused(&self, _: &QueueName, _: bool) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn dead_page(
        &self,
        _: &QueueName,
        filter: &DeadFilter,
        from: Option<DeadId>,
        limit: u32,
    ) -> Result<DeadPage, BrokerError> {
        let letters = self.letters.lock().unwrap();
        let mut rest = letters.iter().filter(|letter| from.is_none_or(|from| from <= letter.id));
        let looked: Vec<&DeadLetter> = rest.by_ref().take(SMALL_PAGE.min(limit as usize)).collect();
        let matching = looked.into_iter().filter(|letter| filter.matches(letter)).cloned().collect();
        Ok(DeadPage { letters: matching, next: rest.next().map(|letter| letter.id) })
    }

    async fn dead_retry(&self, _: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        let done = self.remove(ids);
        if self.dies_again {
            self.letters.lock().unwrap().extend((0..done).map(|_| letter("row")));
        }
        Ok(done)
    }

    async fn dead_purge(&self, _: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        Ok(self.remove(ids))
    }

    async fn fsck(&self, _: &QueueName, _: Check) -> Result<Vec<Finding>, BrokerError> {
        Ok(Vec::new())
    }

    async fn announce(&self, _: &Presence, _: Duration) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn depart(&self, _: InstanceId) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn presences(&self) -> Result<Vec<Presence>, BrokerError> {
        Ok(Vec::new())
    }
}

fn queue() -> QueueName {
    "websocket_data".parse().unwrap()
}

fn letter(reason: &str) -> DeadLetter {
    DeadLetter {
        id: DeadId::fresh(),
        reason: reason.into(),
        code: None,
        error: "refused".into(),
        symbol: None,
        attempts: 5,
        worker: "w".into(),
        died_at: UnixMicros(0),
        task: b"{}".to_vec(),
    }
}

fn because(reason: &str) -> DeadFilter {
    DeadFilter { reason: Some(reason.into()), ..DeadFilter::default() }
}

#[tokio::test]
async fn conditions_reach_every_page_and_nothing_else() {
    let desk = Desk::with(&["row", "crash", "crash", "crash", "crash", "row", "row", "crash", "row"]);
    assert_eq!(on_matching(&desk, &queue(), &because("row"), Verdict::Count).await.unwrap(), 4);
    assert_eq!(desk.count(), 9);
    assert_eq!(on_matching(&desk, &queue(), &because("row"), Verdict::Purge).await.unwrap(), 4);
    assert_eq!(on_matching(&desk, &queue(), &because("row"), Verdict::Count).await.unwrap(), 0);
    assert_eq!(desk.count(), 5);
}

#[tokio::test]
async fn letters_that_die_again_are_retried_once() {
    let desk = Desk { dies_again: true, ..Desk::with(&["row"; 10]) };
    assert_eq!(on_matching(&desk, &queue(), &DeadFilter::default(), Verdict::Retry).await.unwrap(), 10);
    assert_eq!(desk.count(), 10);
}

#[tokio::test]
async fn named_letters_that_are_gone_are_not_counted() {
    let desk = Desk::with(&["row", "row"]);
    let here = desk.letters.lock().unwrap()[0].id;
    assert_eq!(on_named(&desk, &queue(), &[here, DeadId::fresh()], Verdict::Retry).await.unwrap(), 1);
    assert_eq!(desk.count(), 1);
}

#[tokio::test]
async fn a_limited_list_says_that_there_is_more() {
    let desk = Desk::with(&["row"; 8]);
    let all = DeadFilter::default();
    let lengths = [(5, 5, true), (8, 8, false), (u64::MAX, 8, false)];
    for (limit, length, more) in lengths {
        let (letters, said_more) = read(&desk, &queue(), &all, limit).await.unwrap();
        assert_eq!((letters.len(), said_more), (length, more), "limit {limit}");
    }
}
