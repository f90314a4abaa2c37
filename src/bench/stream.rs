//! From a WebSocket to rows, or to the queue only: everything behind an exchange.

use common::ledger::Ledger;
use common::shutdown::Shutdown;
use listener::exchange::{
    self, Exchange, ExchangeControls, ExchangeOptions, ExchangeSource, Rate, Stamp, StatsHandle, WalkOptions,
};

use super::logs::Logs;
use super::member::{Member, stop_all};
use super::meter::Meter;
use super::plan::{Amount, FEED, Load, Plan};
use super::prefill::SIMULATED;
use super::run::{Run, gained, per, together};
use super::{drain, watch};
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// The simulated exchange lists real assets before it makes symbols up; these are at most so many. They are not
/// subscribed: the store may hold their real prices.
const REAL_SYMBOLS_MAX: usize = 200;

/// The channels that a listener subscribes by default. Two streams for each symbol.
const CHANNELS: [&str; 2] = ["trade", "bookTicker"];

/// Two streams each: within the 1,024 streams that Binance allows on a connection.
const SYMBOLS_PER_CONNECTION_MAX: usize = 500;

/// Twenty connections, of which the feed opens one a second. As one environment variable, which Linux limits to 128 KiB,
/// their names fit.
pub(crate) const SYMBOLS_MAX: usize = 10_000;

/// A buffer that can soon be full: a big one would swallow a whole run, and its filling would pass for speed.
const BUFFER_MAX: u32 = 20_000;

/// Without workers the queue only grows: about so many tasks are as much as a small machine may hold.
pub(crate) const QUEUED_MAX: u64 = 5_000_000;

/// The queue must not be full before.
const WAITING_MAX: u64 = 1_000_000_000;

/// Nothing may have been on its way for so many looks before it counts as arrived.
const QUIET_LOOKS: u32 = 5;

/// How an exchange sends, and to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'a> {
    /// Without workers, the way ends in the queue.
    pub(crate) load: Load,
    /// `None` is silence.
    pub(crate) rate: Option<Rate>,
    /// The time in its messages.
    pub(crate) stamp: Stamp,
    /// Where the parts write their latencies, if they do.
    pub(crate) logs: Option<&'a Logs>,
}

/// One run; `None` after Ctrl-C.
///
/// At unlimited speed the exchange sends as fast as the listener reads, which waits while its buffer is full: nothing
/// needs to be shed. The time begins when all streams are subscribed, because the feed spaces connections by a second,
/// and ends when everything sent has ended.
pub(crate) async fn measure(plan: &Plan, stream: Stream<'_>) -> Result<Option<Run>, Failure> {
    let load = stream.load;
    let messages = match load.amount {
        Amount::Ticks(ticks) => Some(ticks),
        Amount::Time(_) => (load.workers == 0).then_some(QUEUED_MAX),
    };
    let (symbols, rate) = (load.symbols + REAL_SYMBOLS_MAX, stream.rate.unwrap_or(Rate::Unlimited));
    let walk = WalkOptions { symbols, rate, messages, stamp: stream.stamp, ..WalkOptions::default() };
    let exchange = exchange::bind(ExchangeOptions::new(ExchangeSource::Walk(walk))).await;
    let exchange = exchange.map_err(|error| crate::exchange::failure(&error))?;
    let (stats, controls, closing) = (exchange.stats(), exchange.controls(), Shutdown::new());
    let mut environment = environment(plan, load, &exchange);
    environment.extend(stream.logs.into_iter().flat_map(Logs::environment));
    let serving = closing.spawn("exchange", exchange.run(closing.clone()));

    let tap = Tap { stats, controls, opens: stream.rate.is_some() };
    let run = connected(plan, stream, &tap, &environment).await;
    closing.begin();
    drop(serving.await); // it reports what `stats` has said; a panic of it has been told
    run
}

/// The exchange's side.
struct Tap {
    stats: StatsHandle,
    controls: ExchangeControls,
    opens: bool,
}

impl Tap {
    /// Lets messages flow, or not. They are made up while the market is open.
    async fn open(&self, is_open: bool) -> Result<(), Failure> {
        let ended = |error: exchange::ExchangeEnded| Failure::new(Diagnostic::new(Code::PartEnded, error.to_string()));
        self.controls.set_market_open(is_open).await.map_err(ended)
    }
}

async fn connected(
    plan: &Plan,
    stream: Stream<'_>,
    tap: &Tap,
    environment: &[(String, String)],
) -> Result<Option<Run>, Failure> {
    let load = stream.load;
    tap.open(false).await?;
    let mut parts = plan.workers(load.workers, environment)?;
    let run = timed(plan, stream, tap, &mut parts, environment).await;
    // The listener first: then nothing new arrives.
    parts.reverse();
    stop_all(parts).await?;
    let Some((before, mut run)) = run? else { return Ok(None) };
    run.after = plan.broker.census(&plan.queue).await?.ledger;
    run.gained = gained(&before, &run.after);
    run.ticks = if load.workers == 0 { run.gained.accepted } else { run.gained.ticks };
    Ok(Some(run))
}

/// What the listener needs to know.
fn environment(plan: &Plan, load: Load, exchange: &Exchange) -> Vec<(String, String)> {
    let made_up = exchange.symbols().iter().filter(|name| name.starts_with(SIMULATED)).take(load.symbols);
    let symbols: Vec<&str> = made_up.map(String::as_str).collect();
    let per_connection = symbols.len().div_ceil(2).clamp(1, SYMBOLS_PER_CONNECTION_MAX);
    let mut environment = vec![
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
    ];
    if load.workers == 0 {
        environment.push(("TIDEMILL_QUEUE__WAITING_MAX", WAITING_MAX.to_string()));
    }
    environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The ledger at the beginning, and the run. The listener becomes the last of the parts.
async fn timed(
    plan: &Plan,
    stream: Stream<'_>,
    tap: &Tap,
    parts: &mut Vec<Member>,
    environment: &[(String, String)],
) -> Result<Option<(Ledger, Run)>, Failure> {
    let load = stream.load;
    // Before the listener has its epochs: its messages are the newer ones.
    if !drain::acquaint(plan, load.symbols, parts).await? {
        return Ok(None);
    }
    parts.push(Member::start(plan, "listener", &[], environment)?);
    if !watch::present(plan, parts).await? {
        return Ok(None);
    }
    let streams = (load.symbols * CHANNELS.len()) as u64;
    let subscribed = |_: &Ledger| streams <= tap.stats.now().subscribed;
    let Some(before) = watch::until(plan, parts, "all streams are subscribed", subscribed).await? else {
        return Ok(None);
    };
    if let Some(logs) = stream.logs
        && !logs.begin(plan, load, parts).await?
    {
        return Ok(None);
    }
    parts.iter_mut().for_each(Member::begin);
    let meter = Meter::begin(plan);
    tap.open(tap.opens).await?;
    let Some(sent) = sending(plan, load.amount, tap, parts, &before).await? else { return Ok(None) };
    let took = meter.elapsed();
    let is_through = |ledger: &Ledger| match load.workers {
        0 => before.accepted + sent <= ledger.accepted,
        _ => ledger.open() == 0,
    };
    let through = watch::until(plan, parts, "everything has come through", is_through).await?;
    let metered = meter.read(plan);
    let received_per_s = per(sent, 1_000_000, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    let Some((listener, workers)) = parts.split_last() else { return Ok(None) };
    let (workers, listener) = (together(workers), listener.used());
    let run = Run { offered: sent, metered, received_per_s, workers, listener, ..Run::default() };
    Ok(through.map(|_| (before, run)))
}

/// How much the exchange has sent, once the listener has all of it; `None` after Ctrl-C.
async fn sending(
    plan: &Plan,
    amount: Amount,
    tap: &Tap,
    parts: &mut [Member],
    before: &Ledger,
) -> Result<Option<u64>, Failure> {
    const WHAT: &str = "all that was sent has been received";
    let time = match amount {
        Amount::Ticks(ticks) => {
            let there = watch::until(plan, parts, WHAT, |ledger| before.received + ticks <= ledger.received).await?;
            return Ok(there.map(|_| ticks));
        }
        Amount::Time(time) => time,
    };
    if !watch::pass(plan, parts, time, || !tap.stats.now().finished).await? {
        return Ok(None);
    }
    tap.open(false).await?;
    let (mut sent, mut quiet) = (0, 0);
    let has_arrived = |ledger: &Ledger| {
        let sent_by_now = tap.stats.now().sent_total;
        let is_quiet = sent_by_now == sent && before.received + sent == ledger.received;
        (sent, quiet) = (sent_by_now, if is_quiet { quiet + 1 } else { 0 });
        QUIET_LOOKS <= quiet
    };
    let there = watch::until(plan, parts, WHAT, has_arrived).await?;
    Ok(there.map(|_| sent))
}

#[cfg(test)]
mod tests {
    use super::super::prefill::symbol;
    use super::*;

    #[test]
    fn the_names_of_the_most_symbols_fit_into_one_variable() {
        /// `MAX_ARG_STRLEN` of Linux, the terminating zero included.
        const VARIABLE_MAX: usize = 128 << 10;
        let names: Vec<String> = (1..=SYMBOLS_MAX).map(symbol).collect();
        assert!(names.join(",").len() + "TIDEMILL_LISTENER__SYMBOLS=".len() < VARIABLE_MAX);
    }
}
