//! One measurement after the other.

use std::time::Duration;

use common::latency::Latencies;
use common::limits::Timing;
use listener::exchange::{Rate, Stamp};

use super::choice::{Measurement, PacedRate};
use super::paced::{self, Paced};
use super::plan::{Amount, Load, Plan};
use super::report::Report;
use super::run::{Run, Summary};
use super::stream::{self, Stream};
use super::{drain, stream::SYMBOLS_MAX};
use super::{limits, logs};
use crate::amount::{count, counted};
use crate::failure::Failure;
use crate::output::complain;

/// Length of a paced run when nobody says.
const PACED_DEFAULT: Duration = Duration::from_secs(10);

/// What is to be measured, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The kinds.
    pub(crate) only: Vec<Measurement>,
    /// Numbers of symbols.
    pub(crate) symbols: Vec<usize>,
    /// Numbers of workers.
    pub(crate) workers: Vec<u32>,
    /// Ticks of a run.
    pub(crate) ticks: u64,
    /// Runs of each measurement.
    pub(crate) runs: u32,
    /// Rates of paced runs.
    pub(crate) rates: Vec<PacedRate>,
    /// Numbers of workers of paced runs.
    pub(crate) paced_workers: Vec<u32>,
    /// Runs at each rate.
    pub(crate) paced_runs: u32,
    /// How long parts are measured.
    pub(crate) timing: Timing,
    /// Length of a run from an exchange, instead of a number of ticks.
    pub(crate) seconds: Option<Duration>,
}

impl Course {
    /// Fills in the report; `false` after Ctrl-C.
    pub(crate) async fn run(&self, plan: &Plan, report: &mut Report) -> Result<bool, Failure> {
        for &symbols in &self.symbols {
            if self.has(Measurement::QueueToRows) && !self.queue_to_rows(plan, symbols, report).await? {
                return Ok(false);
            }
            if self.has(Measurement::Limits) && !limits::measure(plan, symbols, self.timing, report).await? {
                skip(report, limits::ELSEWHERE.to_owned());
            }
            let from_websocket = [Measurement::WebsocketToRows, Measurement::WebsocketToQueue, Measurement::Paced];
            let wants_websocket = from_websocket.iter().any(|one| self.has(*one));
            if SYMBOLS_MAX < symbols {
                if wants_websocket {
                    skip(report, too_many(symbols));
                }
                continue;
            }
            if self.has(Measurement::WebsocketToRows) && !self.websocket_to_rows(plan, symbols, report).await? {
                return Ok(false);
            }
            if self.has(Measurement::WebsocketToQueue) && !self.websocket_to_queue(plan, symbols, report).await? {
                return Ok(false);
            }
            if self.has(Measurement::Paced) && !self.paced(plan, symbols, report).await? {
                return Ok(false);
            }
        }
        report.hold_against_limits();
        Ok(true)
    }

    fn has(&self, measurement: Measurement) -> bool {
        self.only.contains(&measurement)
    }

    async fn queue_to_rows(&self, plan: &Plan, symbols: usize, report: &mut Report) -> Result<bool, Failure> {
        for &workers in &self.workers {
            let load = Load { symbols, workers, amount: Amount::Ticks(self.ticks) };
            let measure = || drain::measure(plan, load, self.ticks);
            let Some(summary) = self.repeated("queue to rows", load, measure).await? else { return Ok(false) };
            report.queue_to_rows.push(summary);
        }
        Ok(true)
    }

    async fn websocket_to_rows(&self, plan: &Plan, symbols: usize, report: &mut Report) -> Result<bool, Failure> {
        for &workers in &self.workers {
            let stream = self.unpaced(symbols, workers);
            let measure = || stream::measure(plan, stream);
            let Some(summary) = self.repeated("WebSocket to rows", stream.load, measure).await? else {
                return Ok(false);
            };
            report.websocket_to_rows.push(summary);
        }
        Ok(true)
    }

    async fn websocket_to_queue(&self, plan: &Plan, symbols: usize, report: &mut Report) -> Result<bool, Failure> {
        let stream = self.unpaced(symbols, 0);
        let measure = async || {
            let run = stream::measure(plan, stream).await?;
            super::sweep::empty(plan).await?;
            Ok(run)
        };
        let Some(summary) = self.repeated("WebSocket to queue", stream.load, measure).await? else {
            return Ok(false);
        };
        report.websocket_to_queue.push(summary);
        Ok(true)
    }

    async fn paced(&self, plan: &Plan, symbols: usize, report: &mut Report) -> Result<bool, Failure> {
        let amount = Amount::Time(self.seconds.unwrap_or(PACED_DEFAULT));
        for &workers in &self.paced_workers {
            for &rate in &self.rates {
                let Some(paced) = self.at_a_rate(plan, Load { symbols, workers, amount }, rate).await? else {
                    return Ok(false);
                };
                report.paced.push(paced);
            }
        }
        Ok(true)
    }

    /// All runs at a rate; `None` after Ctrl-C.
    async fn at_a_rate(&self, plan: &Plan, load: Load, rate: PacedRate) -> Result<Option<Paced>, Failure> {
        let (mut runs, mut latencies) = (Vec::new(), Latencies::default());
        for _ in 0..self.paced_runs {
            let Some((run, noted)) = paced::measure(plan, load, rate).await? else { return Ok(None) };
            say(&format!("at {}/s", count(rate.per_s())), load, &run);
            latencies.merge(&noted).map_err(|error| logs::unreadable(&error.to_string()))?;
            runs.push(run);
        }
        Ok(Paced::of(load, rate, &runs, &latencies))
    }

    fn unpaced(&self, symbols: usize, workers: u32) -> Stream<'static> {
        let amount = self.seconds.map_or(Amount::Ticks(self.ticks), Amount::Time);
        let load = Load { symbols, workers, amount };
        Stream { load, rate: Some(Rate::Unlimited), stamp: Stamp::Made, logs: None }
    }

    /// The median of all runs; `None` after Ctrl-C.
    async fn repeated(
        &self,
        what: &str,
        load: Load,
        mut measure: impl AsyncFnMut() -> Result<Option<Run>, Failure>,
    ) -> Result<Option<Summary>, Failure> {
        let mut runs = Vec::new();
        for _ in 0..self.runs {
            let Some(run) = measure().await? else { return Ok(None) };
            say(what, load, &run);
            runs.push(run);
        }
        Ok(Summary::of(load, &runs))
    }
}

fn too_many(symbols: usize) -> String {
    let (symbols, most) = (count(symbols as u64), count(SYMBOLS_MAX as u64));
    format!(
        "{symbols} symbols from a WebSocket: at most {most}, because Binance allows 1,024 streams on a connection and \
         the feed opens one connection a second"
    )
}

fn skip(report: &mut Report, what: String) {
    if report.skipped.contains(&what) {
        return;
    }
    complain(&format!("not measured: {what}"));
    report.skipped.push(what);
}

/// A sign of life on standard error: all of it takes minutes.
fn say(what: &str, load: Load, run: &Run) {
    let (speed, took) = (count(run.ticks_per_s()), run.metered.elapsed.as_secs_f32());
    let workers = match load.workers {
        0 => String::new(),
        workers => format!(", {}", counted(workers.into(), "worker")),
    };
    let symbols = count(load.symbols as u64);
    complain(&format!("{what}{workers}, {symbols} symbols: {speed} ticks/s ({took:.1} s)"));
}
