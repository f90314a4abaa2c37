//! Random work, in which replies get lost, workers die and freeze, and the books are kept beside the broker.
//!
//! | what happens | here as |
//! |---|---|
//! | a reply is lost (enqueue, take, renew, settle, release) | the same call again, under the same name |
//! | a request arrives late | a take under a name that is over |
//! | a handler fails | tasks to try again, at once or later, and dead letters |
//! | a worker crashes, and starts again under its name | what it held is forgotten; all workers have one name |
//! | a worker freezes for longer than its lease | leases of a few milliseconds that are used much later |
//! | a task kills its worker | every twelfth is never settled until it is convicted |
//! | two reap at once | two reaps at once |
//! | somebody meddles with the broker (`Outside`) | prepared scripts forgotten, no room, all leases deleted and a check |

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::dice::{self, Dice};
use super::hand::{Hand, LONG, PATIENCE};
use super::{Outside, Place};
use crate::broker::{Broker, BrokerError, Enqueued};
use crate::queue::{Batch, DeadFilter, DeadId, IntakeCounts, LeaseId, Settled, Settlement, Take, Taken};
use crate::testing::eventually;
use model::Model;

mod endings;
mod meddling;
mod model;

const ACTIONS: u32 = 700;
/// Runs that found something once, or may.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Ended leases whose late commands are played.
const GHOSTS_MAX: usize = 50;

/// Nothing is lost, nothing is in two places, nothing is settled twice, order is kept, and the ledger balances at
/// every step, whatever happens in whatever order.
pub async fn random_work_loses_and_doubles_nothing(place: Place) {
    for seed in SEEDS.into_iter().chain([dice::fresh_seed()]) {
        say(seed);
        random_work(&place, seed, ACTIONS).await;
    }
}

/// So many random actions, repeatable by their seed as far as the clock allows, and then everything must end.
/// Returns what was done, for people.
pub async fn random_work(place: &Place, seed: u64, actions: u32) -> String {
    let mut run = Run::new(place, seed);
    for _ in 0..actions {
        run.act().await;
        run.check().await;
    }
    let (tasks, meddled) = (run.model.made(), run.meddled);
    run.finish().await;
    format!("{tasks} tasks, meddled with {meddled} times")
}

#[expect(clippy::print_stderr, reason = "a run that fails must be repeatable: add its seed to `SEEDS`")]
fn say(seed: u64) {
    eprintln!("random work, seed {seed}");
}

/// A lease somebody believes to hold.
#[derive(Debug, Clone)]
struct Held {
    wish: Take,
    batch: Batch,
    /// Cannot have expired; otherwise it may have, at any moment.
    safe: bool,
}

struct Run<'p> {
    outside: Option<&'p dyn Outside>,
    is_full: bool,
    meddled: u32,
    dice: Dice,
    model: Model,
    producer: Hand,
    workers: Vec<Hand>,
    enqueues: u64,
    held: Vec<Held>,
    /// Names that are over, and must stay so.
    over: VecDeque<Take>,
    settled_last: Option<Settlement>,
    paused: bool,
}

impl<'p> Run<'p> {
    fn new(place: &'p Place, seed: u64) -> Self {
        let brokers: [&Arc<dyn Broker>; 3] = [&place.one, &place.two, &place.two];
        let hand = |broker| Hand::on(broker, &format!("suite.random.{seed}"));
        Self {
            outside: place.outside.as_deref(),
            is_full: false,
            meddled: 0,
            dice: Dice::new(seed),
            model: Model::default(),
            producer: hand(brokers[0]),
            workers: brokers.iter().map(|broker| hand(broker)).collect(),
            enqueues: 0,
            held: Vec::new(),
            over: VecDeque::new(),
            settled_last: None,
            paused: false,
        }
    }

    async fn act(&mut self) {
        match self.dice.below(104) {
            0..18 => self.enqueue().await,
            18..42 => self.take().await,
            42..46 => self.take_again().await,
            46..50 => self.ghost_take().await,
            50..72 => self.settle().await,
            72..75 => self.settle_again().await,
            75..78 => self.settle_wrongly().await,
            78..82 => self.release().await,
            82..86 => self.renew().await,
            86..88 => self.die(),
            88..95 => self.reap().await,
            95..97 => self.pause_or_resume().await,
            97..99 => self.retry_dead().await,
            99 => self.purge_dead().await,
            _ => self.meddle().await,
        }
    }

    /// One of the workers: which one must not matter.
    fn worker(&mut self) -> usize {
        self.dice.below(3) as usize
    }

    async fn check(&mut self) {
        let census = self.workers[0].census().await; // balanced, or it fails
        self.model.agree(&census.ledger);
        assert_eq!(census.paused, self.paused);
    }

    async fn enqueue(&mut self) {
        let few = 1 + u64::from(self.dice.below(6));
        let tasks = self.model.fresh_tasks(if self.dice.one_in(6) { 5 * few } else { few });
        let waiting_max = if self.dice.one_in(5) { 6 } else { 1_000 };
        self.enqueues += 1;
        let counts = IntakeCounts::default();
        match self.producer.try_put_as(self.enqueues, &tasks, waiting_max, &counts).await {
            Ok(Enqueued::Accepted) => self.model.accept(&tasks),
            Ok(Enqueued::Full { waiting }) => return assert!(waiting_max < waiting + tasks.len() as u64),
            Ok(Enqueued::Already) => unreachable!("the first enqueue of this number"),
            Err(BrokerError::OutOfRoom { .. }) => return assert!(self.is_full, "I13: there is room"),
            Err(other) => unreachable!("{other:?}"),
        }
        assert!(!self.is_full, "I13: no enqueue has an effect without room");
        if self.dice.one_in(4) {
            // As if the reply had been lost.
            let again = self.producer.put_as(self.enqueues, &tasks, waiting_max, &counts).await;
            assert_eq!(again, Enqueued::Already);
        }
    }

    /// A wish that is safe for a minute, or one that may be over in a moment.
    fn wish(&mut self) -> (Take, bool) {
        let safe = self.dice.one_in(2);
        let ttl = if safe { LONG } else { Duration::from_millis(1 + u64::from(self.dice.below(4))) };
        let tasks_max = if self.dice.one_in(4) { 1 } else { 1 + self.dice.below(8) };
        let mut wish = self.workers[0].wish(tasks_max, ttl);
        if self.dice.one_in(5) {
            wish.bytes_max = 20;
        }
        (wish, safe)
    }

    async fn take(&mut self) {
        let (wish, safe) = self.wish();
        let worker = self.worker();
        let taken = self.workers[worker].take_as(&wish).await;
        self.took(wish, safe, taken);
    }

    fn took(&mut self, wish: Take, safe: bool, taken: Taken) {
        assert_eq!(taken == Taken::Paused, self.paused);
        let Taken::Batch(batch) = taken else { return assert_ne!(taken, Taken::Used, "a fresh name") };
        assert_eq!(batch.lease, wish.lease);
        assert!(batch.tasks.len() <= wish.tasks_max as usize);
        let safely_held = |lease: LeaseId| self.held.iter().any(|held| held.safe && held.wish.lease == lease);
        self.model.take(&batch, safely_held);
        if !safe && batch.tasks.len() == 1 {
            self.model.may_expire_alone(&batch);
        }
        self.held.push(Held { wish, batch, safe });
    }

    async fn take_again(&mut self) {
        let Some(held) = self.dice.pick(&self.held).cloned() else { return };
        let worker = self.worker();
        match self.workers[worker].take_as(&held.wish).await {
            Taken::Batch(batch) => {
                // Whether it is the last may have changed meanwhile.
                assert_eq!(
                    Batch { is_last: held.batch.is_last, ..batch.clone() },
                    held.batch,
                    "the same under the same name"
                );
                self.model.assert_holds(&batch);
            }
            Taken::Used => assert!(!held.safe, "a lease that runs for a minute"),
            other @ (Taken::Empty | Taken::Paused) => unreachable!("{other:?} for a lease that was given"),
        }
    }

    async fn ghost_take(&mut self) {
        let over = self.over.make_contiguous();
        let Some(wish) = self.dice.pick(over).cloned() else { return };
        let worker = self.worker();
        assert_eq!(self.workers[worker].take_as(&wish).await, Taken::Used);
    }

    fn ended(&mut self, wish: Take) {
        self.held.retain(|held| held.wish.lease != wish.lease);
        self.over.push_back(wish);
        if GHOSTS_MAX < self.over.len() {
            self.over.pop_front();
        }
    }

    /// A worker forgets what it had, or is frozen with it; only what can expire, so that the run comes to an end.
    fn die(&mut self) {
        let forget = self.dice.one_in(2);
        self.held.retain(|held| held.safe || !forget);
    }

    /// Often two at once: none takes a lease that the other has taken.
    async fn reap(&mut self) {
        let queue = self.producer.queue.clone();
        let [first, second] = [&self.workers[0].broker, &self.workers[1].broker];
        let reaped = if self.dice.one_in(2) {
            let (one, two) = tokio::join!(first.reap(&queue), second.reap(&queue));
            one.expect("reap").convicted + two.expect("reap").convicted
        } else {
            first.reap(&queue).await.expect("reap").convicted
        };
        if 0 < reaped {
            self.learn_convictions(reaped).await;
        }
    }

    async fn learn_convictions(&mut self, expected: u32) {
        let crash = DeadFilter { reason: Some("crash".into()), ..DeadFilter::default() };
        let page = self.producer.broker.dead_page(&self.producer.queue, &crash, None, 1_000).await.expect("a page");
        let new = page.letters.iter().filter(|letter| !self.model.knows(letter.id)).collect::<Vec<_>>();
        assert_eq!(new.len(), expected as usize);
        for letter in new {
            self.model.convict(letter);
        }
    }

    async fn pause_or_resume(&mut self) {
        self.paused = !self.paused;
        self.producer.broker.set_paused(&self.producer.queue, self.paused).await.expect("pause or resume");
    }

    async fn retry_dead(&mut self) {
        let Some(id) = self.dice.pick(&self.model.letters()).copied() else { return };
        let ids = [id, DeadId::fresh()];
        assert_eq!(self.producer.broker.dead_retry(&self.producer.queue, &ids).await.expect("retry"), 1);
        self.model.revive(id);
    }

    async fn purge_dead(&mut self) {
        let Some(id) = self.dice.pick(&self.model.letters()).copied() else { return };
        assert_eq!(self.producer.broker.dead_purge(&self.producer.queue, &[id]).await.expect("purge"), 1);
        self.model.purge(id);
    }

    /// All faults end: so must all tasks.
    async fn finish(mut self) {
        self.make_room();
        if self.paused {
            self.pause_or_resume().await;
        }
        while let Some(held) = self.held.last().cloned() {
            let ending = self.workers[0].all_stored(&held.batch);
            let settled = self.workers[0].settle(&ending).await;
            self.settled(&held, &ending, settled);
        }
        let queue = self.producer.queue.clone();
        eventually("the queue runs dry", PATIENCE, async || {
            self.reap().await;
            while let Taken::Batch(batch) = self.workers[1].take(100).await {
                self.model.take(&batch, |_| false);
                assert_eq!(self.workers[1].store(&batch).await, Settled::Done);
                self.model.settle(&self.workers[1].all_stored(&batch), &batch);
            }
            self.workers[1].census().await.ledger.open() == 0
        })
        .await;
        self.check().await;
        self.model.assert_all_ended();
        let page = self.producer.broker.dead_page(&queue, &DeadFilter::default(), None, 100_000).await.expect("a page");
        assert_eq!(page.letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), self.model.letters());
    }

    /// What a settlement's refusal must look like.
    fn is_refusal<T>(outcome: &Result<T, BrokerError>) -> bool {
        matches!(outcome, Err(BrokerError::Unexpected { .. }))
    }
}
