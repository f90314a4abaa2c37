//! WebSocket to rows: everything between an exchange and the tables.

use std::time::Duration;

use common::clock;
use common::ledger::Ledger;
use common::presence::ProcessFacts;
use common::shutdown::Shutdown;
use listener::exchange::{self, Exchange, ExchangeOptions, ExchangeSource, Rate, StatsHandle, WalkOptions};

use super::member::{Member, stop_all};
use super::plan::{FEED, Plan};
use super::prefill::SIMULATED;
use super::run::{Machine, Run, gained, together};
use super::watch;
use crate::failure::Failure;

/// The simulated exchange lists real assets before it makes symbols up; these are at most so many. They are not
/// subscribed: the store may hold their real prices.
const REAL_SYMBOLS_MAX: usize = 200;

/// The channels that a listener subscribes by default. Two streams for each symbol.
const CHANNELS: [&str; 2] = ["trade", "bookTicker"];

/// Two streams each: within the 1,024 streams that Binance allows on a connection.
const SYMBOLS_PER_CONNECTION_MAX: usize = 500;

/// A buffer that can soon be full: a big one would swallow a whole run, and its filling would pass for speed.
const BUFFER_MAX: u32 = 20_000;

/// One run with so many workers; `None` after Ctrl-C.
///
/// The exchange sends as fast as the listener reads, which waits while its buffer is full: nothing needs to be shed. The time begins when all streams are subscribed, because the feed
/// spaces connections by a second, and ends when everything received has ended.
pub(crate) async fn measure(plan: &Plan, workers: u32) -> Result<Option<Run>, Failure> {
    let walk = WalkOptions {
        symbols: plan.symbols + REAL_SYMBOLS_MAX,
        rate: Rate::Unlimited,
        messages: None,
        ..WalkOptions::default()
    };
    let exchange = exchange::bind(ExchangeOptions::new(ExchangeSource::Walk(walk))).await;
    let exchange = exchange.map_err(|error| crate::exchange::failure(&error))?;
    let (stats, environment, closing) = (exchange.stats(), environment(plan, &exchange), Shutdown::new());
    let serving = closing.spawn("exchange", exchange.run(closing.clone()));

    let mut workers = plan.workers(workers)?;
    let listener = Member::start(plan, "listener", &[], &environment)?;
    let run = timed(plan, &mut workers, listener, &stats).await;
    let stopped = stop_all(workers).await;
    closing.begin();
    drop(serving.await); // it reports what `stats` has said; a panic of it has been told
    stopped?;
    let Some((before, mut run)) = run? else { return Ok(None) };
    run.after = plan.broker.census(&plan.queue).await?.ledger;
    run.gained = gained(&before, &run.after);
    Ok(Some(run))
}

/// What the listener needs to know.
fn environment(plan: &Plan, exchange: &Exchange) -> Vec<(String, String)> {
    let made_up = exchange.symbols().iter().filter(|name| name.starts_with(SIMULATED)).take(plan.symbols);
    let symbols: Vec<&str> = made_up.map(String::as_str).collect();
    let per_connection = symbols.len().div_ceil(2).clamp(1, SYMBOLS_PER_CONNECTION_MAX);
    [
        ("TIDEMILL_QUEUE__NAME", plan.queue.to_string()),
        ("TIDEMILL_LISTENER__FEED", FEED.to_owned()),
        ("TIDEMILL_LISTENER__ENDPOINT", exchange.url()),
        ("TIDEMILL_LISTENER__CHANNELS", CHANNELS.join(",")),
        ("TIDEMILL_LISTENER__SYMBOLS", symbols.join(",")),
        ("TIDEMILL_LISTENER__MAX_SYMBOLS", symbols.len().to_string()),
        ("TIDEMILL_LISTENER__SYMBOLS_PER_CONNECTION", per_connection.to_string()),
        ("TIDEMILL_LISTENER__CONNECTION_DELAY", "0s".to_owned()),
        ("TIDEMILL_LISTENER__LITEMODE", "false".to_owned()),
        ("TIDEMILL_LISTENER__OVERFLOW", "block".to_owned()),
        ("TIDEMILL_LISTENER__BUFFER_MAX", BUFFER_MAX.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// The ledger at the beginning, and the run. The listener is stopped before the end, also when something goes wrong.
async fn timed(
    plan: &Plan,
    workers: &mut [Member],
    listener: Member,
    stats: &StatsHandle,
) -> Result<Option<(Ledger, Run)>, Failure> {
    let mut source = [listener];
    let sent = sending(plan, workers, &mut source, stats).await;
    let [listener] = source;
    let used = listener.used();
    // It hands over what it has read; then nothing new arrives.
    listener.stop().await?;
    let Some(sent) = sent? else { return Ok(None) };
    let drained = watch::until(plan, workers, "the queue is empty", |ledger| ledger.open() == 0).await?;
    let elapsed = sent.began.elapsed();
    let received = sent.after.received.saturating_sub(sent.before.received);
    let run = Run {
        elapsed,
        received_per_s: per_s(received, sent.took),
        workers: together(workers),
        listener: used,
        own_cpu_us: ProcessFacts::read().cpu_us.saturating_sub(sent.own_cpu_us),
        busy_us: sent.machine.busy_us(),
        ..Run::default()
    };
    Ok(drained.map(|_| (sent.before, run)))
}

/// What there is to know once the exchange has sent enough.
struct Sent {
    before: Ledger,
    after: Ledger,
    began: std::time::Instant,
    took: Duration,
    machine: Machine,
    own_cpu_us: u64,
}

async fn sending(
    plan: &Plan,
    workers: &mut [Member],
    source: &mut [Member; 1],
    stats: &StatsHandle,
) -> Result<Option<Sent>, Failure> {
    if !watch::present(plan, workers).await? || !watch::present(plan, source).await? {
        return Ok(None);
    }
    let streams = (plan.symbols * CHANNELS.len()) as u64;
    let subscribed = |_: &Ledger| streams <= stats.now().subscribed;
    let Some(before) = watch::until(plan, source, "all streams are subscribed", subscribed).await? else {
        return Ok(None);
    };
    source.iter_mut().chain(workers.iter_mut()).for_each(Member::begin);
    let (machine, began, own_cpu_us) = (Machine::now(), clock::monotonic(), ProcessFacts::read().cpu_us);
    let enough = |ledger: &Ledger| before.received + plan.ticks <= ledger.received;
    let Some(after) = watch::until(plan, source, "the listener has received enough", enough).await? else {
        return Ok(None);
    };
    Ok(Some(Sent { before, after, began, took: began.elapsed(), machine, own_cpu_us }))
}

fn per_s(count: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000_000 / took.as_micros().max(1)).unwrap_or(u64::MAX)
}
