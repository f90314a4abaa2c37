//! The audit for people.

use super::equation::{Equation, Term, Verdict};
use super::{Audit, Audited};
use crate::amount::count;

pub(super) fn render(audit: &Audit) -> String {
    if audit.queues.is_empty() {
        return "no queue yet\n".to_owned();
    }
    let queue = |queue: &Audited| format!("{}\n{}", queue.name, lines(&queue.equations));
    let queues: String = audit.queues.iter().map(queue).collect();
    let verdict = if audit.balanced { "balanced" } else { "NOT balanced" };
    format!("{queues}beside the ledger\n{}{verdict}\n", lines(&audit.comparisons))
}

fn lines(equations: &[Equation]) -> String {
    equations.iter().map(line).collect()
}

fn line(equation: &Equation) -> String {
    let off = count(equation.off_by.unsigned_abs());
    let verdict = match equation.verdict {
        Verdict::Ok if equation.off_by == 0 => "ok".to_owned(),
        Verdict::Ok => format!("ok, {off} to be counted"),
        Verdict::Lost => format!("OFF BY {off}"),
        Verdict::Uncounted => format!("off by {off}: never counted as accepted"),
        Verdict::Differs => format!("differs by {off}"),
    };
    let note = equation.note.as_ref().filter(|_| equation.off_by != 0);
    let note = note.map(|note| format!("{:11}{note}\n", "")).unwrap_or_default();
    format!("  {:<8} {} = {}   {verdict}\n{note}", equation.stage, sum(&equation.left), sum(&equation.right))
}

fn sum(terms: &[Term]) -> String {
    let terms: Vec<String> = terms.iter().map(|term| format!("{} {}", term.name, count(term.value))).collect();
    terms.join(" + ")
}
