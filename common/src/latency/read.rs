//! Reads what processes wrote, all of it together.

use std::collections::BTreeMap;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde::Serialize;

use super::Stage;

/// Latencies by stage.
#[derive(Debug, Clone, Default)]
pub struct Latencies(BTreeMap<Stage, Histogram<u64>>);

/// One stage in a few figures. Microseconds, to three digits; the maximum is rounded up within these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    /// Messages.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// All but one in a hundred.
    pub p99_us: u64,
    /// All but one in a thousand.
    pub p999_us: u64,
    /// All of them.
    pub max_us: u64,
}

/// Not a log of latencies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an interval log of latencies: {0}")]
pub struct BadLatencyLog(String);

impl Latencies {
    /// Adds up all intervals of a log. What has another tag is left out.
    ///
    /// # Errors
    /// When it is none, or cut off in the middle of a line.
    pub fn read(log: &[u8]) -> Result<Self, BadLatencyLog> {
        let mut latencies = Self::default();
        for entry in IntervalLogIterator::new(log) {
            let LogEntry::Interval(interval) = entry.map_err(|error| bad(&error))? else { continue };
            let tag = interval.tag();
            let Some(stage) = Stage::ALL.into_iter().find(|stage| tag.is_some_and(|tag| tag.as_str() == stage.tag()))
            else {
                continue;
            };
            let bytes = STANDARD.decode(interval.encoded_histogram()).map_err(|error| bad(&error))?;
            let histogram = Deserializer::new().deserialize(&mut Cursor::new(bytes)).map_err(|error| bad(&error))?;
            latencies.add(stage, &histogram)?;
        }
        Ok(latencies)
    }

    /// Adds what another log holds.
    ///
    /// # Errors
    /// When values of it are beyond what can be counted.
    pub fn merge(&mut self, other: &Self) -> Result<(), BadLatencyLog> {
        other.0.iter().try_for_each(|(stage, histogram)| self.add(*stage, histogram))
    }

    /// The figures of a stage; `None` where nothing was noted.
    pub fn summary(&self, stage: Stage) -> Option<LatencySummary> {
        let histogram = self.0.get(&stage)?;
        Some(LatencySummary {
            count: histogram.len(),
            p50_us: histogram.value_at_quantile(0.5),
            p90_us: histogram.value_at_quantile(0.9),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
        })
    }

    fn add(&mut self, stage: Stage, histogram: &Histogram<u64>) -> Result<(), BadLatencyLog> {
        if let Some(sum) = self.0.get_mut(&stage) {
            return sum.add(histogram).map_err(|error| bad(&error));
        }
        self.0.insert(stage, histogram.clone());
        Ok(())
    }
}

fn bad(error: &impl std::fmt::Debug) -> BadLatencyLog {
    BadLatencyLog(format!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_other_tags_are_left_out_and_garbage_is_refused() {
        assert!(Latencies::read(b"#a comment\n").unwrap().summary(Stage::ReceivedToTaken).is_none());
        assert!(Latencies::read(b"Tag=other,1.0,1.0,2.0,x\n").unwrap().0.is_empty());
        for bad in
            [&b"Tag=received_to_taken,1.0,1.0,2.0,?\n"[..], b"Tag=received_to_taken,1.0,1.0,2.0,AAAA\n", b"nonsense\n"]
        {
            assert!(Latencies::read(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
