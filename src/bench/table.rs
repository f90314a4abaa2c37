//! The figures as people read them.

use common::latency::LatencySummary;

use super::paced::Paced;
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
const OF_LIMITS: Column = ("OF LIMITS", |line| Some(thousandths(line.summary.ratio_to_limits?.0)));
const SHED: Column = ("SHED", |line| Some(count(line.summary.shed)));
const STORED: Column = ("STORED", |line| Some(count(line.summary.stored)));
const LOST: Column = ("LOST", |line| Some(count(line.summary.lost)));

/// From a full queue.
pub(crate) const QUEUE_TO_ROWS: &[Column] = &[
    SYMBOLS,
    WORKERS,
    TICKS,
    RANGE,
    OF_LIMITS,
    SCALE,
    WORKER_CPU,
    WORKER_MEMORY,
    REDIS_CPU,
    POSTGRES_CPU,
    STORED,
    LOST,
];

/// From an exchange to the tables.
pub(crate) const WEBSOCKET_TO_ROWS: &[Column] = &[
    SYMBOLS,
    WORKERS,
    TICKS,
    RANGE,
    OF_LIMITS,
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
    &[SYMBOLS, TICKS, RANGE, OF_LIMITS, LISTENER_CPU, LISTENER_MEMORY, EXCHANGE_CPU, REDIS_CPU, SHED, LOST];

/// A paced line.
type PacedColumn = (&'static str, fn(&Paced) -> Option<String>);

const PACED: [PacedColumn; 4] = [
    ("SYMBOLS", |paced| Some(count(paced.symbols as u64))),
    ("WORKERS", |paced| Some(paced.workers.to_string())),
    ("RATE", |paced| Some(count(paced.rate))),
    ("SENT/S", |paced| Some(count(paced.rate_achieved))),
];

/// A line for each rate and stage; silence has none.
pub(crate) fn latencies(paced: &[Paced]) -> String {
    let head: Vec<_> = PACED.iter().map(|(name, _)| *name).map(|name| (name, Align::Right)).collect();
    let stage = [("STAGE", Align::Left)];
    let of_stage = ["P50", "P90", "P99", "P99.9", "MAX", "TICKS"].map(|name| (name, Align::Right));
    let head = [&head[..], &stage, &of_stage].concat();
    let rows = paced.iter().flat_map(|paced| {
        let own: Vec<String> = PACED.iter().filter_map(|(_, cell)| cell(paced)).collect();
        let latency = paced.latency;
        let stages = [
            ("received to accepted", latency.received_to_accepted),
            ("received to taken", latency.received_to_taken),
            ("received to committed", latency.received_to_committed),
            ("scheduled to received", latency.scheduled_to_received),
            ("scheduled to committed", latency.scheduled_to_committed),
        ];
        stages.into_iter().filter_map(move |(name, figures)| {
            let LatencySummary { count: ticks, p50_us, p90_us, p99_us, p999_us, max_us } = figures?;
            let times = [p50_us, p90_us, p99_us, p999_us, max_us].map(milliseconds);
            Some([&own[..], &[name.to_owned()], &times, &[count(ticks)]].concat())
        })
    });
    columns(&head, &rows.collect::<Vec<_>>())
}

const COSTS: [PacedColumn; 13] = [
    ("OURS %", |paced| Some(percent(paced.our_millicores))),
    ("LISTENER %", |paced| Some(percent(paced.processes.listener.millicores))),
    ("WORKER %", |paced| Some(percent(paced.processes.worker.millicores))),
    ("EXCHANGE %", |paced| Some(percent(paced.processes.exchange.millicores))),
    ("REDIS %", |paced| Some(percent(paced.processes.redis?.millicores))),
    ("POSTGRES %", |paced| Some(percent(paced.processes.postgres?.millicores))),
    ("LISTENER S/1,000", |paced| Some(seconds(paced.processes.listener.cpu_us_per_1000))),
    ("WORKER S/1,000", |paced| Some(seconds(paced.processes.worker.cpu_us_per_1000))),
    ("REDIS S/1,000", |paced| Some(seconds(paced.processes.redis?.cpu_us_per_1000))),
    ("POSTGRES S/1,000", |paced| Some(seconds(paced.processes.postgres?.cpu_us_per_1000))),
    ("LISTENER MEM", |paced| Some(size(paced.processes.listener.memory_peak))),
    ("WORKER MEM", |paced| Some(size(paced.processes.worker.memory_peak))),
    ("LOST", |paced| Some(count(paced.lost))),
];

/// A line for each rate. Percent are of one core.
pub(crate) fn costs(paced: &[Paced]) -> String {
    let is_used = |(_, cell): &&PacedColumn| paced.iter().any(|paced| cell(paced).is_some());
    let used: Vec<&PacedColumn> = PACED.iter().chain(&COSTS).filter(is_used).collect();
    let head: Vec<_> = used.iter().map(|(name, _)| (*name, Align::Right)).collect();
    let cells = |paced: &Paced| used.iter().map(|(_, cell)| cell(paced).unwrap_or_else(|| "-".to_owned())).collect();
    columns(&head, &paced.iter().map(cells).collect::<Vec<Vec<String>>>())
}

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

/// `1234` -> `1.23 ms`: microseconds, cut to two places.
fn milliseconds(micros: u64) -> String {
    format!("{} ms", thousandths(micros))
}

/// `94` -> `9.4`: thousandths of a core in hundredths.
fn percent(millicores: u64) -> String {
    format!("{}.{}", millicores / 10, millicores % 10)
}
