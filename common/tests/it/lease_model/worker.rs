//! Everything that can happen next.

use super::broker::{Ended, Taken};
use super::state::{Bug, Name, Rules, State, Worker};

/// One step: its name, what it leads to, and a property it breaks by itself.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) after: State,
    pub(super) broken: Option<&'static str>,
}

impl State {
    /// All that can happen next.
    pub(super) fn steps(&self, rules: Rules) -> Vec<Step> {
        let mut steps = Vec::new();
        for worker in 0..self.workers.len() {
            self.act(worker, rules, &mut steps);
        }
        for lease in 0..self.names {
            self.deliver(lease, rules, &mut steps);
            let ticks = [(self.broker.expire(lease), "expires"), (self.broker.reap(lease, rules), "is reaped")];
            for (broker, how) in ticks {
                if let Some(broker) = broker {
                    push(&mut steps, format!("lease {lease} {how}"), Self { broker, ..self.clone() });
                }
            }
        }
        steps
    }

    /// What a worker can do by itself: begin, commit, send, give up waiting, crash. One that crashed is as one that was
    /// just started: its name owns nothing.
    fn act(&self, worker: usize, rules: Rules, steps: &mut Vec<Step>) {
        match self.workers[worker] {
            Worker::Idle if self.names < rules.leases && !self.are_all_ended(rules) => {
                let mut after = self.with(worker, Worker::Asking(self.names));
                after.names += 1;
                push(steps, format!("worker {worker} asks under lease {}", self.names), after);
            }
            Worker::Idle => {}
            Worker::Asking(lease) => {
                push(steps, format!("worker {worker} forgets take {lease}"), self.with(worker, Worker::Idle));
            }
            Worker::Ending(lease) => {
                push(steps, format!("worker {worker} forgets ending {lease}"), self.with(worker, Worker::Idle));
            }
            Worker::Holding { lease, tasks, is_committed } => {
                push(steps, format!("worker {worker} crashes with {lease}"), self.with(worker, Worker::Idle));
                if is_committed || rules.bug == Some(Bug::SettleBeforeCommit) {
                    let mut after = self.with(worker, Worker::Ending(lease));
                    after.settlements[usize::from(lease)] = tasks;
                    push(steps, format!("worker {worker} sends settlement {lease}"), after);
                }
                if !is_committed {
                    let held = Worker::Holding { lease, tasks, is_committed: true };
                    let mut after = self.with(worker, held);
                    after.committed |= tasks;
                    push(steps, format!("worker {worker} commits {lease}"), after);
                    let mut after = self.with(worker, Worker::Ending(lease));
                    after.releases |= 1 << lease;
                    push(steps, format!("worker {worker} sends release {lease}"), after);
                }
            }
        }
    }

    /// Any request that was ever sent arrives: the first time, again, or long after its sender has forgotten it. Its
    /// reply arrives, if anybody still waits for it, or is lost.
    fn deliver(&self, lease: Name, rules: Rules, steps: &mut Vec<Step>) {
        self.deliver_take(lease, rules, steps);
        let settlement = self.settlements[usize::from(lease)];
        if settlement != 0 {
            let (broker, ended) = self.broker.settle(lease, settlement, rules);
            // A settlement that did not take effect must not have changed anything.
            let is_fenced = ended == Ended::Done || broker == self.broker;
            let unfenced = (!is_fenced).then_some("I4 fencing: a stale settlement changed something");
            let after = Self { broker, ..self.clone() };
            self.ended(lease, &format!("settlement {lease} arrives: {ended:?}"), after, steps);
            if let Some(step) = steps.last_mut() {
                step.broken = unfenced;
            }
        }
        if self.is_release_sent(lease) {
            let (broker, ended) = self.broker.release(lease);
            let after = Self { broker, ..self.clone() };
            self.ended(lease, &format!("release {lease} arrives: {ended:?}"), after, steps);
        }
        if let Some(broker) = self.broker.renew(lease) {
            return push(steps, format!("renewal {lease} arrives"), Self { broker, ..self.clone() });
        }
        let holds = |worker: &Worker| matches!(worker, Worker::Holding { lease: held, is_committed: false, .. } if *held == lease);
        if let Some(holder) = self.workers.iter().position(holds) {
            push(steps, format!("worker {holder} hears that {lease} is lost"), self.with(holder, Worker::Idle));
        }
    }

    fn deliver_take(&self, lease: Name, rules: Rules, steps: &mut Vec<Step>) {
        if rules.bug == Some(Bug::TakeInTwoSteps) {
            if let Some(broker) = self.broker.pop(rules) {
                push(steps, format!("take {lease} pops"), Self { broker, ..self.clone() });
            }
            return;
        }
        let asker = self.workers.iter().position(|worker| *worker == Worker::Asking(lease));
        for (broker, taken) in self.broker.take(lease, rules) {
            let after = Self { broker, ..self.clone() };
            let what = format!("take {lease} arrives: {taken:?}");
            if let Some(asker) = asker {
                let next = match taken {
                    Taken::Batch(tasks) => Worker::Holding { lease, tasks, is_committed: false },
                    Taken::Empty | Taken::Used => Worker::Idle,
                };
                push(steps, format!("{what}, and its reply"), after.with(asker, next));
            }
            push(steps, what, after);
        }
    }

    /// With its reply, if its sender waits, and without.
    fn ended(&self, lease: Name, what: &str, after: Self, steps: &mut Vec<Step>) {
        if let Some(sender) = self.workers.iter().position(|worker| *worker == Worker::Ending(lease)) {
            push(steps, format!("{what}, and its reply"), after.with(sender, Worker::Idle));
        }
        push(steps, what.to_owned(), after);
    }

    fn with(&self, worker: usize, next: Worker) -> Self {
        let mut after = self.clone();
        after.workers[worker] = next;
        after.workers.sort_unstable();
        after
    }
}

fn push(steps: &mut Vec<Step>, what: String, after: State) {
    steps.push(Step { what, after, broken: None });
}
