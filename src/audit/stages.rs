//! Which equations must hold, and which counts can be compared. Pure.

use std::collections::BTreeMap;

use common::ledger::Ledger;
use common::presence::{Part, Presence};

use super::Look;
use super::equation::{Equation, Term, Verdict, term};

/// What must hold within one look at a queue.
pub(super) fn equations(ledger: &Ledger) -> Vec<Equation> {
    vec![tasks(ledger), ticks(ledger)]
}

fn tasks(ledger: &Ledger) -> Equation {
    let mut left = vec![term("accepted", ledger.accepted)];
    let mut right = vec![
        term("settled", ledger.settled),
        term("waiting", ledger.waiting),
        term("leased", ledger.leased),
        term("delayed", ledger.delayed),
        term("dead", ledger.dead),
        term("purged", ledger.purged),
    ];
    write_off(&mut left, ledger, Ledger::UNCOUNTED_TASKS);
    write_off(&mut right, ledger, Ledger::LOST_TASKS);
    let mut equation = Equation::strict("tasks", left, right);
    if equation.verdict == Verdict::Uncounted && 0 < ledger.open() {
        equation.verdict = Verdict::Ok;
        equation.note = Some("tasks of other producers are counted as accepted when they are settled".to_owned());
    }
    equation
}

fn ticks(ledger: &Ledger) -> Equation {
    let mut left = vec![term("ticks", ledger.ticks)];
    let mut right = vec![
        term("stored", ledger.stored),
        term("superseded", ledger.superseded),
        term("legacy", ledger.legacy),
        term("expired", ledger.expired),
    ];
    right.extend(by_reason("skipped", &ledger.skipped));
    write_off(&mut left, ledger, Ledger::SURPLUS_TICKS);
    write_off(&mut right, ledger, Ledger::MISSING_TICKS);
    let mut equation = Equation::strict("ticks", left, right);
    if equation.verdict == Verdict::Uncounted {
        // A tick that ended twice is as wrong as one that never did.
        equation.verdict = Verdict::Lost;
    }
    equation
}

fn write_off(side: &mut Vec<Term>, ledger: &Ledger, kind: &str) {
    if 0 < ledger.written_off(kind) {
        side.push(term(format!("written off: {kind}"), ledger.written_off(kind)));
    }
}

fn by_reason(what: &str, reasons: &BTreeMap<Box<str>, u64>) -> Vec<Term> {
    reasons.iter().map(|(reason, &count)| term(format!("{what}: {reason}"), count)).collect()
}

/// The listeners', the workers' and the store's own counts beside the ledger of all queues that were looked at.
pub(super) fn comparisons(look: &Look) -> Vec<Equation> {
    let mut sum = Ledger::default();
    look.queues.iter().for_each(|(_, ledger)| sum.add(ledger));
    let mut all = vec![intake(&sum, &look.presences)];
    all.extend(rejects(&sum));
    all.extend(workers(&sum, &look.presences));
    all.extend(look.history.map(|history| kept(&sum, history)));
    all
}

/// What was read from sockets, and is not accepted yet or never will be.
fn intake(sum: &Ledger, presences: &[Presence]) -> Equation {
    let buffered = presences.iter().map(|presence| match &presence.part {
        Part::Listener(listener) => listener.buffered,
        Part::Worker(_) => 0,
    });
    let mut right = vec![term("accepted", sum.accepted)];
    right.extend(by_reason("shed", &sum.shed));
    right.push(term("buffered", buffered.sum()));
    Equation::comparison(
        "intake",
        vec![term("received", sum.received)],
        right,
        "more received: read by a listener that was killed before it could hand over, or handed over since; \
         more accepted: put there by other producers",
    )
}

/// Frames that never became a task: no part of what was received, shown so that nothing is left out.
fn rejects(sum: &Ledger) -> Option<Equation> {
    let right = by_reason("rejected", &sum.rejected);
    let total = sum.rejected.values().sum();
    (0 < total).then(|| {
        Equation::comparison(
            "rejects",
            vec![term("frames that were no message", total)],
            right,
            "no part of received; tidemill feed samples shows them",
        )
    })
}

fn workers(sum: &Ledger, presences: &[Presence]) -> Option<Equation> {
    let counts: Vec<u64> = presences
        .iter()
        .filter_map(|presence| match &presence.part {
            Part::Worker(worker) => Some(worker.tasks),
            Part::Listener(_) => None,
        })
        .collect();
    (!counts.is_empty()).then(|| {
        let left = vec![term("settled", sum.settled)];
        let right = vec![term(format!("settled by the {} workers that run now", counts.len()), counts.iter().sum())];
        Equation::comparison("workers", left, right, "the rest was settled by workers that have ended, or since")
    })
}

/// One row per tick that reached the price table's transaction.
fn kept(sum: &Ledger, history: u64) -> Equation {
    Equation::comparison(
        "history",
        vec![term("stored", sum.stored), term("superseded", sum.superseded)],
        vec![term("rows of tick_history", history)],
        "fewer rows: history was switched on later, or rows were deleted; more: committed and not settled yet, or \
         superseded by their own first delivery",
    )
}
