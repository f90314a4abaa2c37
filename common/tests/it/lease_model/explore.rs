//! Every reachable state, breadth first, so that a counterexample is as short as can be.

use std::collections::HashMap;

use super::broker::{Ended, Taken};
use super::state::{Rules, SPARE, State};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    /// The property that does not hold, and the way to where it does not.
    pub(super) broken: Option<String>,
}

/// Where a state came from: the number of its predecessor, and the step's name.
type Origin = (usize, String);

pub(super) fn explore(start: State, rules: Rules) -> Explored {
    let mut explored = Explored::default();
    let mut numbers = HashMap::from([(start.clone(), 0)]);
    let mut states = vec![start];
    let mut origins: Vec<Origin> = vec![(0, "start".to_owned())];
    let mut next = 0;
    while let Some(state) = states.get(next).cloned() {
        if let Some(property) = state.broken(rules).or_else(|| stuck(&state, rules)) {
            explored.broken = Some(told(property, next, &origins));
            break;
        }
        for step in state.steps(rules) {
            explored.steps += 1;
            if let Some(property) = step.broken {
                origins.push((next, step.what));
                explored.broken = Some(told(property, origins.len() - 1, &origins));
                explored.states = states.len();
                return explored;
            }
            if !numbers.contains_key(&step.after) {
                numbers.insert(step.after.clone(), states.len());
                states.push(step.after);
                origins.push((next, step.what));
            }
        }
        next += 1;
    }
    explored.states = states.len();
    explored
}

/// From here every task can still end: once all faults stop, a worker that takes, commits and settles, and the reaper,
/// bring it about in a few steps.
fn stuck(state: &State, rules: Rules) -> Option<&'static str> {
    let mut state = state.clone();
    for lease in state.names..state.names + SPARE {
        for held in 0..lease {
            state.broker = state.broker.expire(held).unwrap_or(state.broker);
            state.broker = state.broker.reap(held, rules).unwrap_or(state.broker);
        }
        if state.are_all_ended(rules) {
            return None;
        }
        let Some((broker, Taken::Batch(tasks))) = state.broker.take(lease, rules).into_iter().next() else { break };
        state.committed |= tasks;
        let (broker, Ended::Done) = broker.settle(lease, tasks, rules) else { break };
        state.broker = broker;
    }
    (!state.are_all_ended(rules)).then_some("I14 liveness: a task can never end")
}

fn told(property: &str, last: usize, origins: &[Origin]) -> String {
    let mut way = Vec::new();
    let mut at = last;
    while at != 0 {
        let (from, what) = &origins[at];
        way.push(format!("  {what}"));
        at = *from;
    }
    way.reverse();
    format!("{property}\n{}", way.join("\n"))
}
