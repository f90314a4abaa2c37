//! Frames that were no message of the feed: how many for each reason, and what the newest one looked like.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use common::clock::UnixMicros;
use common::feed::Incoming;
use common::presence::Sample;

/// Reasons that are told apart. Feeds have fixed ones, far fewer.
const REASONS_MAX: usize = 64;

/// Bytes of a frame that are kept: enough to see what it is.
const BYTES_MAX: usize = 400;

/// The samples of a process.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    // Held for a moment, never across an await.
    by_reason: Mutex<BTreeMap<&'static str, Kept>>,
}

#[derive(Debug)]
struct Kept {
    frames: u64,
    at: UnixMicros,
    start: Box<[u8]>,
    is_text: bool,
    bytes: usize,
}

impl Samples {
    /// Counts a frame, and keeps the start of it instead of the one before.
    pub(crate) fn keep(&self, reason: &'static str, at: UnixMicros, frame: Incoming<'_>) {
        let (is_text, all) = match frame {
            Incoming::Text(text) => (true, text.as_bytes()),
            Incoming::Binary(bytes) => (false, bytes),
        };
        let start = all.get(..BYTES_MAX).unwrap_or(all).into();
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = by_reason.get(reason).map_or(0, |kept| kept.frames);
        if 0 < frames || by_reason.len() < REASONS_MAX {
            by_reason.insert(reason, Kept { frames: frames + 1, at, start, is_text, bytes: all.len() });
        }
    }

    /// All of them, with everything secret taken out by `redact`.
    pub(crate) fn shown(&self, redact: impl Fn(&str) -> String) -> Vec<Sample> {
        let by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        let show = |(reason, kept): (&&'static str, &Kept)| Sample {
            reason: (*reason).into(),
            frames: kept.frames,
            at: kept.at,
            bytes: kept.bytes as u64,
            is_text: kept.is_text,
            start: if kept.is_text { redact(&String::from_utf8_lossy(&kept.start)) } else { hex(&kept.start) }.into(),
        };
        by_reason.iter().map(show).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to memory does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frame_of_each_reason_is_kept_and_secrets_are_not() {
        let samples = Samples::default();
        samples.keep("not_json", UnixMicros(1), Incoming::Text("old"));
        samples.keep("not_json", UnixMicros(2), Incoming::Text("key=SECRET"));
        samples.keep("text_frame", UnixMicros(3), Incoming::Binary(&[0xff; 1_000]));
        let shown = samples.shown(|text| text.replace("SECRET", "***"));
        let seen: Vec<_> = shown.iter().map(|sample| (&*sample.reason, sample.frames, sample.bytes)).collect();
        assert_eq!(seen, [("not_json", 2, 10), ("text_frame", 1, 1_000)]);
        assert_eq!((&*shown[0].start, shown[1].start.len()), ("key=***", 2 * BYTES_MAX));
    }
}
