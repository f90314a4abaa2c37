//! What the parts of each measurement can do alone, and together on all cores.

use std::time::Duration;

use common::clock;
use common::limits::{self, LimitError, PartLimit, Payload, PostgresRun, Shape, Timing};
use common::outage::chain;
use serde::Serialize;

use super::plan::Plan;
use super::prefill;
use super::report::Report;
use super::run::{Ratio, per};
use super::servers::OwnServers;
use super::table::thousandths;
use crate::amount::count;
use crate::columns::{Align, columns};
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// How long each part is measured.
pub(crate) const USUAL: Timing = Timing { round: Duration::from_millis(600), rounds: 3 };

/// For a first impression.
pub(crate) const QUICK: Timing = Timing { round: Duration::from_millis(200), rounds: 1 };

/// Ticks of a batch: as many as fill a server's round trip, and the same in every run, so that runs can be compared.
const BATCH: usize = 4_000;

/// Why there are none.
pub(crate) const ELSEWHERE: &str =
    "limits of the parts: the CPU time of servers that are not ours is not seen; use --pair servers or embedded";

/// Limits for one number of symbols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Limits {
    /// Symbols.
    pub(crate) symbols: usize,
    /// Ticks of a batch.
    pub(crate) batch: usize,
    /// Each part.
    pub(crate) parts: Vec<PartLimit>,
    /// Take, acknowledgement, parse, upsert, and history if it is on.
    pub(crate) queue_to_rows: Sum,
    /// All parts.
    pub(crate) websocket_to_rows: Sum,
    /// Read and push.
    pub(crate) websocket_to_queue: Sum,
}

/// Parts one after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sum {
    /// CPU time of both sides per tick, microseconds.
    pub(crate) sum_us: Ratio,
    /// Ticks per second when all cores do nothing else.
    pub(crate) limit_ticks_per_s: u64,
}

impl Limits {
    /// Each part belongs to the way from a queue to rows, but for the first two.
    pub(crate) fn of(cores: u64, shape: Shape, to_queue: &[PartLimit], to_rows: &[PartLimit]) -> Self {
        let parts = [to_queue, to_rows].concat();
        Self {
            symbols: shape.symbols,
            batch: shape.batch,
            queue_to_rows: Sum::of(cores, to_rows),
            websocket_to_rows: Sum::of(cores, &parts),
            websocket_to_queue: Sum::of(cores, to_queue),
            parts,
        }
    }

    /// A line for each part, and one for each sum.
    pub(crate) fn table(&self) -> String {
        let right = |name| (name, Align::Right);
        let head = [("PART", Align::Left), right("US/TICK"), right("CLIENT"), right("SERVER"), right("TICKS/S")];
        let line = |part: &PartLimit| {
            let us = [part.client_ns + part.server_ns, part.client_ns, part.server_ns].map(thousandths);
            [&[part.part.replace('_', " ")], &us[..], &[count(part.ticks_per_s)]].concat()
        };
        let sums = [
            ("queue to rows, all cores", self.queue_to_rows),
            ("websocket to rows, all cores", self.websocket_to_rows),
            ("websocket to queue, all cores", self.websocket_to_queue),
        ];
        let sums = sums.into_iter().map(|(name, sum)| {
            let (none, limit) = (String::new(), count(sum.limit_ticks_per_s));
            vec![name.to_owned(), thousandths(sum.sum_us.0), none.clone(), none, limit]
        });
        columns(&head, &self.parts.iter().map(line).chain(sums).collect::<Vec<_>>())
    }
}

impl Sum {
    fn of(cores: u64, parts: &[PartLimit]) -> Self {
        let ns = parts.iter().map(|part| part.client_ns + part.server_ns).sum();
        Self { sum_us: Ratio(ns), limit_ticks_per_s: per(cores, 1_000_000_000, ns) }
    }
}

/// Adds the limits for so many symbols to the report; `false` where they cannot be measured.
pub(crate) async fn measure(plan: &Plan, symbols: usize, timing: Timing, report: &mut Report) -> Result<bool, Failure> {
    let is_embedded = report.broker.starts_with("sqlite:") && report.store.starts_with("sqlite:");
    if plan.servers.is_none() && !is_embedded {
        return Ok(false);
    }
    let shape = Shape { symbols, batch: BATCH };
    let payload = prefill::payload(symbols, shape.batch, plan.broker.next_epoch().await?, clock::now());
    let measured = match &plan.servers {
        Some(servers) => of_servers(servers, &payload, shape, (timing, report.history)).await,
        None => of_embedded(plan, &payload, shape, timing).await,
    };
    let (to_queue, to_rows) = measured.map_err(|error| {
        let diagnostic = Diagnostic::new(Code::Server, error.to_string());
        Failure::new(diagnostic.why(std::error::Error::source(&error).map(chain).unwrap_or_default()))
    })?;
    report.limits.push(Limits::of(report.cores, shape, &to_queue, &to_rows));
    Ok(true)
}

type Parts = (Vec<PartLimit>, Vec<PartLimit>);

async fn of_servers(
    servers: &OwnServers,
    payload: &Payload,
    shape: Shape,
    (timing, history): (Timing, bool),
) -> Result<Parts, LimitError> {
    let (read, parsed) = (limits::websocket(payload, timing).await?, limits::parse(payload, timing)?);
    let [push, take] = limits::redis(&servers.redis_url, payload, timing).await?;
    let server_cpu_us = || servers.used().postgres.cpu_us;
    let run = PostgresRun { url: &servers.store_url, shape, history, server_cpu_us: &server_cpu_us };
    let written = limits::postgres(run, timing).await?;
    Ok((vec![read, push], [vec![take, parsed], written].concat()))
}

async fn of_embedded(plan: &Plan, payload: &Payload, shape: Shape, timing: Timing) -> Result<Parts, LimitError> {
    let (read, parsed) = (limits::websocket(payload, timing).await?, limits::parse(payload, timing)?);
    let [push, take, upsert] = limits::sqlite(&plan.folder, payload, shape, timing).await?;
    Ok((vec![read, push], vec![take, parsed, upsert]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_all_cores_do_when_nothing_but_the_parts_runs() {
        let part = |part, client_ns, server_ns| PartLimit { part, ticks_per_s: 1_000_000, client_ns, server_ns };
        let shape = Shape { symbols: 1_000, batch: 4_000 };
        let to_queue = vec![part("websocket_read", 200, 100), part("redis_push", 150, 350)];
        let limits = Limits::of(2, shape, &to_queue, &[part("redis_take_ack", 100, 600), part("parse", 300, 0)]);
        assert_eq!(limits.queue_to_rows, Sum { sum_us: Ratio(1_000), limit_ticks_per_s: 2_000_000 });
        assert_eq!(limits.websocket_to_queue, Sum { sum_us: Ratio(800), limit_ticks_per_s: 2_500_000 });
        assert_eq!(limits.websocket_to_rows, Sum { sum_us: Ratio(1_800), limit_ticks_per_s: 1_111_111 });
        insta::assert_snapshot!(limits.table(), @r"
        PART                           US/TICK  CLIENT  SERVER    TICKS/S
        websocket read                    0.30    0.20    0.10  1,000,000
        redis push                        0.50    0.15    0.35  1,000,000
        redis take ack                    0.70    0.10    0.60  1,000,000
        parse                             0.30    0.30    0.00  1,000,000
        queue to rows, all cores          1.00                  2,000,000
        websocket to rows, all cores      1.80                  1,111,111
        websocket to queue, all cores     0.80                  2,500,000
        ");
        assert_eq!(serde_json::to_value(limits.websocket_to_queue).unwrap()["sum_us"], 0.8);
    }
}
