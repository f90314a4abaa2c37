//! How a dead letter is written: its description as one line of JSON, then the task's bytes as they are.
//!
//! Redis' scripts cannot write bytes that are no text into JSON, but they must bury and revive tasks.

use serde::{Deserialize, Serialize};

use crate::clock::UnixMicros;
use crate::queue::{DeadId, DeadLetter};

#[derive(Serialize, Deserialize)]
struct Description {
    reason: Box<str>,
    code: Option<Box<str>>,
    error: String,
    symbol: Option<Box<str>>,
    attempts: u32,
    worker: Box<str>,
    died_at: UnixMicros,
}

/// As Redis keeps it.
pub(super) fn written(letter: &DeadLetter) -> Vec<u8> {
    let description = Description {
        reason: letter.reason.clone(),
        code: letter.code.clone(),
        error: letter.error.clone(),
        symbol: letter.symbol.clone(),
        attempts: letter.attempts,
        worker: letter.worker.clone(),
        died_at: letter.died_at,
    };
    let mut out = serde_json::to_vec(&description).expect("strings and numbers always serialise to memory");
    out.push(b'\n'); // JSON without spaces has no line breaks of its own
    out.extend_from_slice(&letter.task);
    out
}

/// Back from [`written`]. What somebody else wrote there is shown as it is, so that a person can purge it.
pub(super) fn read(id: DeadId, written: &[u8]) -> DeadLetter {
    parse(id, written).unwrap_or_else(|| DeadLetter {
        id,
        reason: "unreadable".into(),
        code: None,
        error: "its record was changed or removed by somebody else".to_owned(),
        symbol: None,
        attempts: 0,
        worker: "".into(),
        died_at: UnixMicros::default(),
        task: written.to_vec(),
    })
}

fn parse(id: DeadId, written: &[u8]) -> Option<DeadLetter> {
    let end = written.iter().position(|&byte| byte == b'\n')?;
    let (description, task) = (written.get(..end)?, written.get(end + 1..)?);
    let Description { reason, code, error, symbol, attempts, worker, died_at } =
        serde_json::from_slice(description).ok()?;
    Some(DeadLetter { id, reason, code, error, symbol, attempts, worker, died_at, task: task.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_byte_for_byte() {
        for task in [&b"{\"v\":1}"[..], b"\n\xff\x00\n", b""] {
            let letter = DeadLetter {
                id: DeadId::fresh(),
                reason: "row".into(),
                code: Some("22003".into()),
                error: "out of range\nDETAIL: a line of its own".to_owned(),
                symbol: None,
                attempts: 3,
                worker: "w\u{1}\"1".into(),
                died_at: UnixMicros(1_763_726_400_000_001),
                task: task.to_vec(),
            };
            assert_eq!(read(letter.id, &written(&letter)), letter);
        }
    }

    #[test]
    fn anything_else_is_shown_as_it_is() {
        for garbage in [&b""[..], b"{}", b"{}\n", b"\xff\ntask"] {
            let letter = read(DeadId::fresh(), garbage);
            assert_eq!((&*letter.reason, letter.task.as_slice()), ("unreadable", garbage));
        }
    }
}
