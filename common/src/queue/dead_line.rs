//! A dead letter as one line of a file, so that it can be looked at elsewhere and sent again.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::{DeadId, DeadLetter};
use crate::clock::UnixMicros;

/// The version of the lines.
const SCHEMA: u32 = 1;

/// One line. The task's bytes are kept as they are: as text, or in base64 where they are no text.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    schema: u32,
    id: DeadId,
    reason: Box<str>,
    code: Option<Box<str>>,
    error: String,
    symbol: Option<Box<str>>,
    attempts: u32,
    worker: Box<str>,
    died_at: UnixMicros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task_base64: Option<String>,
}

/// A line that is no exported dead letter.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// No JSON of this form.
    #[error("it is no exported dead letter: {0}")]
    Form(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("it has version {0}, this program reads version {SCHEMA}")]
    Version(u32),
    /// There must be one of `task` and `task_base64`.
    #[error("it has no task, or two")]
    Task,
    /// `task_base64` is no base64.
    #[error("its task is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

impl DeadLetter {
    /// The letter as one line, without its end.
    pub fn to_line(&self) -> String {
        let text = std::str::from_utf8(&self.task).ok();
        let line = Line {
            schema: SCHEMA,
            id: self.id,
            reason: self.reason.clone(),
            code: self.code.clone(),
            error: self.error.clone(),
            symbol: self.symbol.clone(),
            attempts: self.attempts,
            worker: self.worker.clone(),
            died_at: self.died_at,
            task: text.map(str::to_owned),
            task_base64: text.is_none().then(|| BASE64_STANDARD.encode(&self.task)),
        };
        serde_json::to_string(&line).expect("strings and numbers always serialise to memory")
    }

    /// Back from [`to_line`](Self::to_line).
    ///
    /// # Errors
    /// When the line was not written by it.
    pub fn from_line(line: &[u8]) -> Result<Self, BadLine> {
        let line: Line = serde_json::from_slice(line)?;
        if line.schema != SCHEMA {
            return Err(BadLine::Version(line.schema));
        }
        let task = match (line.task, line.task_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64)?,
            (None, None) | (Some(_), Some(_)) => return Err(BadLine::Task),
        };
        Ok(Self {
            id: line.id,
            reason: line.reason,
            code: line.code,
            error: line.error,
            symbol: line.symbol,
            attempts: line.attempts,
            worker: line.worker,
            died_at: line.died_at,
            task,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(task: &[u8]) -> DeadLetter {
        DeadLetter {
            id: "0198c5d0-7d2e-7c55-a7bb-0123456789ab".parse().unwrap(),
            reason: "row".into(),
            code: Some("22003".into()),
            error: "out of range\nDETAIL: more".to_owned(),
            symbol: None,
            attempts: 5,
            worker: "host-a/1".into(),
            died_at: UnixMicros(1_763_726_400_000_000),
            task: task.to_vec(),
        }
    }

    #[test]
    fn a_line_gives_the_original_bytes_back() {
        for task in [&b"{\"v\":1}\n"[..], b"\xff\x00\n\xfe", b""] {
            let line = letter(task).to_line();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(DeadLetter::from_line(line.as_bytes()).unwrap(), letter(task));
        }
    }

    #[test]
    fn text_stays_readable() {
        insta::assert_snapshot!(letter(b"{}").to_line(), @r#"{"schema":1,"id":"0198c5d0-7d2e-7c55-a7bb-0123456789ab","reason":"row","code":"22003","error":"out of range\nDETAIL: more","symbol":null,"attempts":5,"worker":"host-a/1","died_at":1763726400000000,"task":"{}"}"#);
    }

    #[test]
    fn what_is_no_line_of_ours_is_refused_with_its_reason() {
        let good = letter(b"{}").to_line();
        for (line, reason) in [
            ("{}".to_owned(), "it is no exported dead letter"),
            (good.replace("\"schema\":1", "\"schema\":2"), "it has version 2"),
            (good.replace(",\"task\":\"{}\"", ""), "it has no task"),
            (good.replace("\"task\":", "\"task_base64\":"), "its task is no base64"),
        ] {
            let refused = DeadLetter::from_line(line.as_bytes()).unwrap_err().to_string();
            assert!(refused.starts_with(reason), "{refused}");
        }
    }
}
