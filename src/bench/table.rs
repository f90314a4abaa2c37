//! The figures as people read them.

use super::run::Summary;
use crate::amount::{count, counted, size};
use crate::columns::{Align, columns};

/// From so many hundredths of all cores on, the processors are the limit.
const BUSY_PERCENT: u64 = 90;

/// A column: its head, and how a line fills it; nothing where no line does.
pub(crate) type Column = (&'static str, fn(&Line<'_>) -> Option<String>);

/// A line, and the first of its number of symbols.
pub(crate) struct Line<'s> {
    summary: &'s Summary,
    first: &'s Summary,
}

const SYMBOLS: Column = ("SYMBOLS", |line| Some(count(line.summary.symbols as u64)));
const WORKERS: Column = ("WORKERS", |line| Some(line.summary.workers.to_string()));
const TICKS: Column = ("TICKS/S", |line| Some(count(line.summary.ticks_per_s)));
const RANGE: Column = ("SLOWEST..FASTEST", |line| {
    Some(format!("{}..{}", count(line.summary.ticks_per_s_min), count(line.summary.ticks_per_s_max)))
});
const SCALE: Column = ("SCALE", |line| {
    let scale = line.summary.ticks_per_s.saturating_mul(1_000).checked_div(line.first.ticks_per_s);
    Some(thousandths(scale.unwrap_or(0)))
});
const WORKER_CPU: Column = ("CPU S/1,000", |line| Some(seconds(line.summary.worker_cpu_us_per_1000)));
const WORKER_MEMORY: Column = ("MEMORY", |line| Some(size(line.summary.worker_memory_peak)));
const RECEIVED: Column = ("RECEIVED/S", |line| Some(count(line.summary.received_per_s)));
const LISTENER_CPU: Column = ("LISTENER CPU", |line| Some(seconds(line.summary.listener_cpu_us_per_1000)));
const LISTENER_MEMORY: Column = ("LISTENER MEM", |line| Some(size(line.summary.listener_memory_peak)));
const EXCHANGE_CPU: Column = ("EXCHANGE CPU", |line| Some(seconds(line.summary.exchange_cpu_us_per_1000)));
const REDIS_CPU: Column = ("REDIS CPU", |line| Some(seconds(line.summary.servers?.redis_cpu_us_per_1000)));
const POSTGRES_CPU: Column = ("POSTGRES CPU", |line| Some(seconds(line.summary.servers?.postgres_cpu_us_per_1000)));
const SHED: Column = ("SHED", |line| Some(count(line.summary.shed)));
const STORED: Column = ("STORED", |line| Some(count(line.summary.stored)));
const LOST: Column = ("LOST", |line| Some(count(line.summary.lost)));

/// From a full queue.
pub(crate) const QUEUE_TO_ROWS: &[Column] =
    &[SYMBOLS, WORKERS, TICKS, RANGE, SCALE, WORKER_CPU, WORKER_MEMORY, REDIS_CPU, POSTGRES_CPU, STORED, LOST];

/// From an exchange to the tables.
pub(crate) const WEBSOCKET_TO_ROWS: &[Column] = &[
    SYMBOLS,
    WORKERS,
    TICKS,
    RANGE,
    SCALE,
    WORKER_CPU,
    WORKER_MEMORY,
    RECEIVED,
    LISTENER_CPU,
    LISTENER_MEMORY,
    EXCHANGE_CPU,
    REDIS_CPU,
    POSTGRES_CPU,
    SHED,
    STORED,
    LOST,
];

/// From an exchange to the queue.
pub(crate) const WEBSOCKET_TO_QUEUE: &[Column] =
    &[SYMBOLS, TICKS, RANGE, LISTENER_CPU, LISTENER_MEMORY, EXCHANGE_CPU, REDIS_CPU, SHED, LOST];

/// The table, and below it which resource held up each line.
pub(crate) fn of(of: &[Column], summaries: &[Summary], cores: u64) -> String {
    let first = |summary: &Summary| summaries.iter().find(|first| first.symbols == summary.symbols);
    let lines: Vec<Line<'_>> =
        summaries.iter().filter_map(|summary| Some(Line { summary, first: first(summary)? })).collect();
    let is_used = |(_, cell): &&Column| lines.iter().any(|line| cell(line).is_some());
    let used: Vec<&Column> = of.iter().filter(is_used).collect();
    let head: Vec<_> = used.iter().map(|(name, _)| (*name, Align::Right)).collect();
    let cells = |line: &Line<'_>| used.iter().map(|(_, cell)| cell(line).unwrap_or_else(|| "-".to_owned())).collect();
    let rows: Vec<Vec<String>> = lines.iter().map(cells).collect();
    let limits: Vec<String> = summaries.iter().map(|summary| held_up(summary, cores)).collect();
    format!("{}\n{}", columns(&head, &rows), limits.concat())
}

/// Which resource held it up, as far as can be seen from here.
fn held_up(summary: &Summary, cores: u64) -> String {
    let workers = match summary.workers {
        0 => String::new(),
        workers => format!(", {}", counted(workers.into(), "worker")),
    };
    let (what, ours) =
        (format!("{} symbols{workers}", count(summary.symbols as u64)), thousandths(summary.our_millicores));
    let Some(busy) = summary.machine_millicores else {
        return format!("{what}: our processes used {ours} cores of {cores}\n");
    };
    let others = thousandths(busy.saturating_sub(summary.our_millicores));
    let limit = if cores * BUSY_PERCENT * 10 <= busy { "the processors" } else { "waiting, not the processors" };
    format!("{what}: the limit is {limit}: our processes used {ours}, all others {others} of {cores} cores\n")
}

/// `1940` -> `1.94`: thousandths, cut to two places.
pub(crate) fn thousandths(number: u64) -> String {
    format!("{}.{:02}", number / 1_000, number % 1_000 / 10)
}

/// `6300` -> `0.0063`: microseconds in seconds, cut to four places.
pub(crate) fn seconds(micros: u64) -> String {
    format!("{}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}
