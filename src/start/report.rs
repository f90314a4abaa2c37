//! What the launcher shows while it runs: the first stored quote, then prices and the balance.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::broker::Broker;
use common::clock::{self, UnixMicros};
use common::ledger::Ledger;
use common::queue::QueueName;
use common::store::{PriceStore, StoredPrice};

use super::output::Output;

/// Between two looks for the first quote: the reported time is exact to this.
const FIRST_QUOTE_LOOK: Duration = Duration::from_millis(20);

/// From the first stored quote to the first block of prices.
const FIRST_PRICES: Duration = Duration::from_secs(1);

/// Prices shown at a time.
const PRICES_SHOWN: usize = 5;

/// A store with more instruments than this is not listed here: `status` is for that.
const INSTRUMENTS_LISTED_MAX: u64 = 1_000;

/// Waits until a price that is newer than the start is stored, and says how long that took.
pub(crate) async fn first_quote(store: Arc<dyn PriceStore>, started: Instant, started_at: UnixMicros, output: Output) {
    loop {
        if let Ok(census) = store.census().await
            && census.newest_at.is_some_and(|newest| started_at <= newest)
        {
            output.say(&format!("\nfirst quote stored {:.1} s after start\n", started.elapsed().as_secs_f32()));
            return;
        }
        tokio::time::sleep(FIRST_QUOTE_LOOK).await;
    }
}

/// Shows prices and the balance every `every`, for as long as it is polled.
pub(crate) async fn prices(
    broker: Arc<dyn Broker>,
    store: Arc<dyn PriceStore>,
    queue: QueueName,
    every: Duration,
    output: Output,
) {
    let mut before: Option<(Ledger, Instant)> = None;
    let mut pause = FIRST_PRICES;
    loop {
        tokio::time::sleep(pause).await;
        pause = every;
        let (Ok(census), Ok(tables)) = (broker.census(&queue).await, store.census().await) else {
            continue; // the parts say what is away, and wait for it
        };
        let shown =
            if tables.priced <= INSTRUMENTS_LISTED_MAX { store.prices().await.unwrap_or_default() } else { Vec::new() };
        let now = clock::monotonic();
        output.say(&block(&shown, tables.priced, &census.ledger, before.as_ref(), now));
        before = Some((census.ledger, now));
    }
}

fn block(
    prices: &[StoredPrice],
    instruments: u64,
    ledger: &Ledger,
    before: Option<&(Ledger, Instant)>,
    now: Instant,
) -> String {
    let mut newest: Vec<&StoredPrice> = prices.iter().filter(|price| price.row.fields.last_price.is_some()).collect();
    newest.sort_unstable_by_key(|price| std::cmp::Reverse(price.stored_at));
    let mut text = String::new();
    for price in newest.iter().take(PRICES_SHOWN) {
        let fields = &price.row.fields;
        let shown =
            |value: Option<common::market::Price>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let age_ms = price.row.received_at.age_at(price.stored_at).as_millis();
        let line = format!(
            "  {:<26} last {:>16}   bid {:>16}   ask {:>16}   stored {age_ms} ms after receipt\n",
            price.instrument,
            shown(fields.last_price),
            shown(fields.bid_price),
            shown(fields.ask_price),
        );
        text.push_str(&line);
    }
    let rate = before.map_or(0, |(then, at)| per_second(ledger.ticks.saturating_sub(then.ticks), now - *at));
    let balance = balance(ledger);
    write!(text, "  {instruments} instruments · {rate} ticks/s · {balance}").expect("writing to a string succeeds");
    text
}

fn per_second(count: u64, time: Duration) -> u128 {
    u128::from(count) * 1_000 / time.as_millis().max(1)
}

/// The ledger in one line.
pub(crate) fn balance(ledger: &Ledger) -> String {
    format!(
        "accepted {} = settled {} + waiting {} + leased {} + delayed {} + dead {} · lost {}",
        ledger.accepted,
        ledger.settled,
        ledger.waiting,
        ledger.leased,
        ledger.delayed,
        ledger.dead + ledger.purged,
        ledger.lost(),
    )
}
