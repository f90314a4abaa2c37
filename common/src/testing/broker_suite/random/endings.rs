//! How leases end in random work.

use std::time::Duration;

use super::model::Model;
use super::{Held, Run};
use crate::queue::{LeaseId, Retry, Settled, Settlement, TickCounts};
use crate::testing::broker_suite::hand::{LONG, letter};

impl Run<'_> {
    /// Some tasks stored, some to try again, some dead; often all stored, and often with the next take.
    pub(super) async fn settle(&mut self) {
        let Some(held) = self.dice.pick(&self.held).cloned() else { return };
        if Model::kills(&held.batch) {
            return self.die_of(&held);
        }
        let ending = self.ending(&held);
        let worker = self.worker();
        let wish = self.dice.one_in(2).then(|| self.wish());
        let outcome = self.workers[worker].broker.settle(&ending, wish.as_ref().map(|(wish, _)| wish)).await;
        let (settled, taken) = outcome.expect("settle");
        self.settled(&held, &ending, settled);
        assert_eq!(wish.is_some(), taken.is_some());
        if let (Some((wish, safe)), Some(taken)) = (wish, taken) {
            self.took(wish, safe, taken);
        }
    }

    /// The worker never comes to settling this one.
    fn die_of(&mut self, held: &Held) {
        self.held.retain(|other| other.safe || other.wish.lease != held.wish.lease);
    }

    fn ending(&mut self, held: &Held) -> Settlement {
        let whole = self.dice.one_in(2);
        let mut ending = self.workers[0].ending(&held.batch, 0, TickCounts::default());
        let mut again = Retry { tasks: Vec::new(), after: Duration::from_millis(u64::from(self.dice.below(5))) };
        let mut later = Retry { tasks: Vec::new(), after: again.after + Duration::from_millis(1) };
        for task in &held.batch.tasks {
            match self.dice.below(if whole { 1 } else { 6 }) {
                0..3 => ending.settled += 1,
                3 => again.tasks.push(self.model.next_attempt(task)),
                4 => later.tasks.push(self.model.next_attempt(task)),
                _ => ending.dead.push(letter(task, "row", None)),
            }
        }
        let ticks = u64::from(ending.settled);
        let superseded = u64::from(self.dice.below(2)) * ticks / 2;
        ending.counts = TickCounts { ticks, stored: ticks - superseded, superseded, ..TickCounts::default() };
        ending.retry = vec![again, later];
        ending
    }

    /// Books the answer to a settlement of a lease that was held.
    pub(super) fn settled(&mut self, held: &Held, ending: &Settlement, settled: Settled) {
        match settled {
            Settled::Done => {
                self.model.settle(ending, &held.batch);
                self.settled_last = Some(ending.clone());
            }
            Settled::Lost => assert!(!held.safe, "a lease that runs for a minute"),
            Settled::Already => unreachable!("settled for the first time"),
        }
        self.ended(held.wish.clone());
    }

    /// As if the reply had been lost.
    pub(super) async fn settle_again(&mut self) {
        let Some(ending) = self.settled_last.clone() else { return };
        let worker = self.worker();
        assert_eq!(self.workers[worker].settle(&ending).await, Settled::Already);
    }

    /// A worker that lost count is refused, or is too late; either way nothing changes.
    pub(super) async fn settle_wrongly(&mut self) {
        let Some(held) = self.dice.pick(&self.held).cloned() else { return };
        let mut ending = self.ending(&held);
        match self.dice.below(3) {
            0 => ending.settled += 1,
            1 => ending.dead.push(letter(b"0/0", "row", None)),
            _ => ending.retry.push(Retry { tasks: vec![b"0/0".to_vec()], after: LONG }),
        }
        let worker = self.worker();
        let outcome = self.workers[worker].broker.settle(&ending, None).await;
        let lost = matches!(&outcome, Ok((Settled::Lost, None)));
        assert!(Self::is_refusal(&outcome) || (lost && !held.safe), "{outcome:?}");
    }

    pub(super) async fn release(&mut self) {
        let Some(held) = self.dice.pick(&self.held).cloned() else { return };
        let worker = self.worker();
        let broker = &self.workers[worker].broker;
        match broker.release(&held.wish.queue, held.wish.lease).await.expect("release") {
            Settled::Done => {
                self.model.release(&held.batch);
                let again = broker.release(&held.wish.queue, held.wish.lease).await.expect("release");
                assert_eq!(again, Settled::Already);
            }
            Settled::Lost => assert!(!held.safe, "a lease that runs for a minute"),
            Settled::Already => unreachable!("released for the first time"),
        }
        self.ended(held.wish);
    }

    pub(super) async fn renew(&mut self) {
        let chosen: Vec<LeaseId> =
            self.held.iter().map(|held| held.wish.lease).filter(|_| self.dice.one_in(2)).collect();
        let lost = self.producer.broker.renew(&self.producer.queue, &chosen, LONG).await.expect("renew");
        assert!(lost.iter().all(|lease| chosen.contains(lease)));
        if self.dice.one_in(4) {
            // As if the reply had been lost. What was kept has a minute, what was lost stays so.
            let again = self.workers[1].broker.renew(&self.producer.queue, &chosen, LONG).await.expect("renew");
            assert_eq!(again, lost, "I7: a lease that is renewed in time is kept");
        }
        let (gone, kept): (Vec<Held>, Vec<Held>) =
            self.held.clone().into_iter().partition(|held| lost.contains(&held.wish.lease));
        assert!(gone.iter().all(|held| !held.safe), "a lease that runs for a minute was lost");
        self.held = kept;
        for held in &mut self.held {
            held.safe |= chosen.contains(&held.wish.lease);
        }
        for held in gone {
            self.ended(held.wish);
        }
    }
}
