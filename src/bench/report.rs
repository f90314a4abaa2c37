//! All that was measured, as machines read it.

use std::fmt::Write as _;

use serde::Serialize;

use super::limits::Limits;
use super::paced::Paced;
use super::run::Summary;
use super::table;
use crate::amount::count;

/// All that was measured. Within a schema, a field never changes its meaning.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// Version of this form.
    pub(crate) schema: u32,
    /// Version of the program.
    pub(crate) version: &'static str,
    /// `embedded`, `servers` (of the benchmark's own) or `configured`.
    pub(crate) pair: &'static str,
    /// The queue, without secrets.
    pub(crate) broker: String,
    /// The store, without secrets.
    pub(crate) store: String,
    /// Processors that this process may use.
    pub(crate) cores: u64,
    /// Ticks of a run that is not limited by time.
    pub(crate) ticks: u64,
    /// Length of the runs that are, in seconds, if any was given.
    pub(crate) seconds: Option<u64>,
    /// Numbers of symbols, as they were asked for.
    pub(crate) symbols: Vec<usize>,
    /// Tasks of a batch at most.
    pub(crate) batch_tasks: u32,
    /// Batches that one worker works on at once.
    pub(crate) concurrency: u32,
    /// Whether every tick is kept besides the newest price.
    pub(crate) history: bool,
    /// Prefilled queue to rows, by numbers of symbols and workers.
    pub(crate) queue_to_rows: Vec<Summary>,
    /// Exchange to rows, by numbers of symbols and workers.
    pub(crate) websocket_to_rows: Vec<Summary>,
    /// Exchange to queue, by number of symbols.
    pub(crate) websocket_to_queue: Vec<Summary>,
    /// Exchange to rows at given rates.
    pub(crate) paced: Vec<Paced>,
    /// What the parts can do alone, by number of symbols.
    pub(crate) limits: Vec<Limits>,
    /// What was asked for and not measured, with the reason.
    pub(crate) skipped: Vec<String>,
}

impl Report {
    fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.queue_to_rows.iter().chain(&self.websocket_to_rows).chain(&self.websocket_to_queue)
    }

    /// Whether every accepted task is accounted for, and every tick arrived once.
    pub(crate) fn is_lossless(&self) -> bool {
        self.summaries().all(|summary| summary.lost == 0 && summary.missing == 0 && summary.balanced)
            && self.paced.iter().all(|paced| paced.lost == 0 && paced.missing == 0 && paced.balanced)
    }

    /// Whether every settled tick came to a price row (or behind a newer one), as each of ours can.
    pub(crate) fn is_stored(&self) -> bool {
        self.summaries().all(|summary| summary.dead == 0 && summary.otherwise == 0)
            && self.paced.iter().all(|paced| paced.dead == 0 && paced.otherwise == 0)
    }

    /// Holds every measurement against the limits of the same number of symbols.
    pub(crate) fn hold_against_limits(&mut self) {
        for limits in &self.limits {
            let of = |summaries: &mut Vec<Summary>, limit: u64| {
                summaries
                    .iter_mut()
                    .filter(|summary| summary.symbols == limits.symbols)
                    .for_each(|summary| summary.hold_against(limit));
            };
            of(&mut self.queue_to_rows, limits.queue_to_rows.limit_ticks_per_s);
            of(&mut self.websocket_to_rows, limits.websocket_to_rows.limit_ticks_per_s);
            of(&mut self.websocket_to_queue, limits.websocket_to_queue.limit_ticks_per_s);
        }
    }

    /// Several lines, the last with its end.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "tidemill {} · {} cores · batches of {} · {} at once per worker{}\nqueue {}\nstore {}\n",
            self.version,
            self.cores,
            count(self.batch_tasks.into()),
            self.concurrency,
            if self.history { " · with history" } else { "" },
            self.broker,
            self.store,
        );
        for (title, summaries, columns) in [
            ("queue to rows, from a full queue", &self.queue_to_rows, table::QUEUE_TO_ROWS),
            (
                "WebSocket to rows, from a simulated exchange as fast as it is read",
                &self.websocket_to_rows,
                table::WEBSOCKET_TO_ROWS,
            ),
            (
                "WebSocket to queue, from a simulated exchange as fast as it is read",
                &self.websocket_to_queue,
                table::WEBSOCKET_TO_QUEUE,
            ),
        ] {
            if !summaries.is_empty() {
                let table = table::of(columns, summaries, self.cores);
                write!(text, "\n{title}\n\n{table}").expect("writing to a string succeeds");
            }
        }
        if !self.paced.is_empty() {
            let (latencies, costs) = (table::latencies(&self.paced), table::costs(&self.paced));
            write!(text, "\nat a given rate, time per tick\n\n{latencies}\nat a given rate, percent of one core and CPU seconds per 1,000 ticks\n\n{costs}")
                .expect("writing to a string succeeds");
        }
        for limits in &self.limits {
            let (symbols, table) = (count(limits.symbols as u64), limits.table());
            write!(text, "\nwhat the parts can do alone, {symbols} symbols\n\n{table}")
                .expect("writing to a string succeeds");
        }
        for skipped in &self.skipped {
            write!(text, "\nnot measured: {skipped}\n").expect("writing to a string succeeds");
        }
        text
    }
}
