//! From Redis' answers to the seam's types. `None` stands for an answer that our scripts never give.

use redis::Value;

use crate::queue::{Batch, LeaseId, Settled, Taken};

/// Text, or bytes that should be text.
pub(super) fn text(value: &Value) -> Option<&str> {
    if let Value::SimpleString(text) = value {
        return Some(text);
    }
    let Value::BulkString(bytes) = value else { return None };
    std::str::from_utf8(bytes).ok()
}

/// A count, as an integer or in digits.
pub(super) fn count(value: &Value) -> Option<u64> {
    let Value::Int(number) = value else { return text(value)?.parse().ok() };
    u64::try_from(*number).ok()
}

pub(super) fn bytes(value: Value) -> Option<Vec<u8>> {
    if let Value::BulkString(bytes) = value { Some(bytes) } else { None }
}

pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(values) = value { Some(values) } else { None }
}

/// The elements of an answer of exactly `N`.
pub(super) fn array<const N: usize>(value: Value) -> Option<[Value; N]> {
    list(value)?.try_into().ok()
}

/// take.lua's answer to a take under `lease`, with the batch's list as it was read behind it: its head is at the right.
pub(super) fn taken(value: Value, elements: Value, lease: LeaseId) -> Option<Taken> {
    let mut parts = list(value)?.into_iter();
    let kind = parts.next()?;
    Some(match text(&kind)? {
        "empty" => Taken::Empty,
        "paused" => Taken::Paused,
        "used" => Taken::Used,
        "batch" => {
            let deliveries = u32::try_from(count(&parts.next()?)?).unwrap_or(u32::MAX);
            let is_last = count(&parts.next()?)? == 1;
            let tasks: Vec<_> = list(elements)?.into_iter().rev().map(bytes).collect::<Option<_>>()?;
            if tasks.is_empty() {
                return None;
            }
            Taken::Batch(Batch { lease, tasks, deliveries, is_last })
        }
        _ => return None,
    })
}

pub(super) fn settled(value: &Value) -> Option<Settled> {
    Some(match text(value)? {
        "done" => Settled::Done,
        "already" => Settled::Already,
        "lost" => Settled::Lost,
        _ => return None,
    })
}
