//! The figures as people and as machines read them.

use std::fmt::Write as _;

use serde::Serialize;

use super::run::Summary;
use crate::amount::{count, counted, size};
use crate::columns::{Align, columns};

/// From so many hundredths of all cores on, the processors are the limit.
const BUSY_PERCENT: u64 = 90;

/// All that was measured. A field never changes its meaning.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// Version of this form.
    pub(crate) schema: u32,
    /// Version of the program.
    pub(crate) version: &'static str,
    /// The queue, without secrets.
    pub(crate) broker: String,
    /// The store, without secrets.
    pub(crate) store: String,
    /// Processors that this process may use.
    pub(crate) cores: u64,
    /// Ticks of a run.
    pub(crate) ticks: u64,
    /// Symbols.
    pub(crate) symbols: usize,
    /// Tasks of a batch at most.
    pub(crate) batch_tasks: u32,
    /// Batches that one worker works on at once.
    pub(crate) concurrency: u32,
    /// Whether every tick is kept besides the newest price.
    pub(crate) history: bool,
    /// Prefilled queue to rows, by number of workers.
    pub(crate) queue_to_rows: Vec<Summary>,
    /// Exchange to rows, by number of workers.
    pub(crate) websocket_to_rows: Vec<Summary>,
}

impl Report {
    fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.queue_to_rows.iter().chain(&self.websocket_to_rows)
    }

    /// Whether every accepted task is accounted for.
    pub(crate) fn is_lossless(&self) -> bool {
        self.summaries().all(|summary| summary.lost == 0 && summary.balanced)
    }

    /// Whether every settled tick came to a price row (or behind a newer one), as each of ours can.
    pub(crate) fn is_stored(&self) -> bool {
        self.summaries().all(|summary| summary.dead == 0 && summary.otherwise == 0)
    }

    /// Several lines, the last with its end.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "tidemill {} · {} cores · {} symbols · batches of {} · {} at once per worker{}\nqueue {}\nstore {}\n",
            self.version,
            self.cores,
            count(self.symbols as u64),
            count(self.batch_tasks.into()),
            self.concurrency,
            if self.history { " · with history" } else { "" },
            self.broker,
            self.store,
        );
        for (title, summaries) in [
            ("queue to rows, from a full queue", &self.queue_to_rows),
            ("WebSocket to rows, from a simulated exchange as fast as it is read", &self.websocket_to_rows),
        ] {
            if !summaries.is_empty() {
                write!(text, "\n{title}\n\n{}", self.table(summaries)).expect("writing to a string succeeds");
            }
        }
        text
    }

    fn table(&self, summaries: &[Summary]) -> String {
        let with_listener = summaries.iter().any(|summary| 0 < summary.received_per_s);
        let mut head = vec![
            ("WORKERS", Align::Right),
            ("TICKS/S", Align::Right),
            ("SLOWEST..FASTEST", Align::Right),
            ("SCALE", Align::Right),
            ("CPU S/1,000", Align::Right),
            ("MEMORY", Align::Right),
        ];
        if with_listener {
            head.extend([
                ("RECEIVED/S", Align::Right),
                ("LISTENER CPU", Align::Right),
                ("LISTENER MEM", Align::Right),
                ("SHED", Align::Right),
            ]);
        }
        head.extend([("STORED", Align::Right), ("LOST", Align::Right)]);
        let first = summaries.first().map_or(0, |summary| summary.ticks_per_s);
        let rows: Vec<Vec<String>> = summaries.iter().map(|summary| row(summary, first, with_listener)).collect();
        let limits: Vec<String> = summaries.iter().map(|summary| self.limit(summary)).collect();
        format!("{}\n{}", columns(&head, &rows), limits.concat())
    }

    /// Which resource held it up, as far as can be seen from here.
    fn limit(&self, summary: &Summary) -> String {
        let (workers, ours) = (counted(summary.workers.into(), "worker"), thousandths(summary.our_millicores));
        let cores = self.cores;
        let Some(busy) = summary.machine_millicores else {
            return format!("{workers}: our processes used {ours} cores of {cores}\n");
        };
        let others = thousandths(busy.saturating_sub(summary.our_millicores));
        let limit = if cores * BUSY_PERCENT * 10 <= busy { "the processors" } else { "waiting, not the processors" };
        format!("{workers}: the limit is {limit}: our processes used {ours}, all others {others} of {cores} cores\n")
    }
}

fn row(summary: &Summary, first: u64, with_listener: bool) -> Vec<String> {
    let scale = summary.ticks_per_s.saturating_mul(1_000).checked_div(first).unwrap_or(0);
    let mut row = vec![
        summary.workers.to_string(),
        count(summary.ticks_per_s),
        format!("{}..{}", count(summary.ticks_per_s_min), count(summary.ticks_per_s_max)),
        thousandths(scale),
        seconds(summary.worker_cpu_us_per_1000),
        size(summary.worker_memory_peak),
    ];
    if with_listener {
        row.extend([
            count(summary.received_per_s),
            seconds(summary.listener_cpu_us_per_1000),
            size(summary.listener_memory_peak),
            count(summary.shed),
        ]);
    }
    row.extend([count(summary.stored), count(summary.lost)]);
    row
}

/// `1940` -> `1.94`: thousandths, cut to two places.
fn thousandths(number: u64) -> String {
    format!("{}.{:02}", number / 1_000, number % 1_000 / 10)
}

/// `6300` -> `0.0063`: microseconds in seconds, cut to four places.
fn seconds(micros: u64) -> String {
    format!("{}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}
