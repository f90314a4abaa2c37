//! An equation with numbers in it. Pure.

use serde::Serialize;

/// A named number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Term {
    pub(super) name: String,
    pub(super) value: u64,
}

/// What an equation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It holds.
    Ok,
    /// The left side is greater: something is nowhere.
    Lost,
    /// The right side is greater: something was never counted.
    Uncounted,
    /// Two counts differ that need not be equal.
    Differs,
}

/// `left = right`, each a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Equation {
    /// Where in the life of a tick.
    pub(super) stage: &'static str,
    pub(super) left: Vec<Term>,
    pub(super) right: Vec<Term>,
    /// Left minus right.
    pub(super) off_by: i64,
    pub(super) verdict: Verdict,
    /// What to know about it.
    pub(super) note: Option<String>,
}

impl Equation {
    /// An equation that must hold.
    pub(super) fn strict(stage: &'static str, left: Vec<Term>, right: Vec<Term>) -> Self {
        let off_by = difference(&left, &right);
        let verdict = match off_by {
            0 => Verdict::Ok,
            1.. => Verdict::Lost,
            ..0 => Verdict::Uncounted,
        };
        Self { stage, left, right, off_by, verdict, note: None }
    }

    /// Two counts that are equal when everything was counted over the same time.
    pub(super) fn comparison(stage: &'static str, left: Vec<Term>, right: Vec<Term>, note: &str) -> Self {
        let off_by = difference(&left, &right);
        let verdict = if off_by == 0 { Verdict::Ok } else { Verdict::Differs };
        Self { stage, left, right, off_by, verdict, note: Some(note.to_owned()) }
    }
}

/// A named number.
pub(super) fn term(name: impl Into<String>, value: u64) -> Term {
    Term { name: name.into(), value }
}

fn difference(left: &[Term], right: &[Term]) -> i64 {
    let sum = |terms: &[Term]| terms.iter().map(|term| i128::from(term.value)).sum::<i128>();
    let difference = sum(left) - sum(right);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}
