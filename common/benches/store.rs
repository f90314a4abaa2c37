//! Rows per second that a price store takes, by batch size: `cargo bench -p tidemill-common --bench store -- URL`.
//!
//! 1,000 instruments, every row a trade and a quote; each batch holds different instruments and is newer than the last
//! batch with the same ones. One writer, then two on different instruments.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::clock;
use common::market::{Epoch, Fields, Instrument, Kind, OrderKey};
use common::store::{
    HistoryRow, InstrumentId, Listing, PriceRow, PriceStore, Registration, StoreOptions, UnknownTicker, WriteBatch,
};
use secrecy::SecretString;

const INSTRUMENTS: usize = 1_000;
const MEASURED: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).filter(|argument| !argument.starts_with("--"));
    let url = url.context("give the URL of an empty database: postgres://.. or sqlite:PATH")?;
    let store = common::store::connect(&SecretString::from(url), StoreOptions { connections: 2 }).await?;
    store.migrate().await?;
    let ids = register(&*store).await?;
    let mut seq = 0;
    println!("{:>8} {:>8} {:>8} {:>10}  us/row", "batch", "writers", "history", "rows/s");
    for (size, writers, history) in [
        (1, 1, false),
        (100, 1, false),
        (500, 1, false),
        (1_000, 1, false),
        (100, 2, false),
        (500, 2, false),
        (500, 1, true),
        (1_000, 1, true),
    ] {
        let mut tasks = tokio::task::JoinSet::new();
        for mine in ids.chunks(ids.len() / writers) {
            tasks.spawn(write(Arc::clone(&store), mine.to_vec(), Shape { size, history }, seq));
        }
        let rows: usize = tasks.join_all().await.into_iter().sum::<anyhow::Result<_>>()?;
        seq += 20_000_000;
        let per_second = rows / usize::try_from(MEASURED.as_secs())?;
        let nanos = 1_000_000_000 / per_second.max(1);
        println!("{size:>8} {writers:>8} {history:>8} {per_second:>10}  {}.{:03}", nanos / 1_000, nanos % 1_000);
    }
    Ok(())
}

async fn register(store: &dyn PriceStore) -> anyhow::Result<Vec<InstrumentId>> {
    let listing = |number: usize| {
        let underlying: Box<str> = format!("T{number}").into();
        let instrument = Instrument {
            exchange: "BENCH".into(),
            underlying: underlying.clone(),
            kind: Kind::Spot,
            expiry: None,
            option: None,
            series: None,
        };
        Listing { feed: "bench".into(), symbol: underlying, instrument }
    };
    let listings: Vec<_> = (0..INSTRUMENTS).map(listing).collect();
    let rows = store.register(&listings, UnknownTicker::Create).await?;
    let id = |row| if let Registration::Row(id) = row { Ok(id) } else { anyhow::bail!("an unknown ticker") };
    let mut ids = rows.into_iter().map(id).collect::<anyhow::Result<Vec<_>>>()?;
    ids.sort_unstable();
    Ok(ids)
}

#[derive(Clone, Copy)]
struct Shape {
    size: usize,
    history: bool,
}

/// Writes for [`MEASURED`]; the rows written.
async fn write(
    store: Arc<dyn PriceStore>,
    ids: Vec<InstrumentId>,
    shape: Shape,
    mut seq: u32,
) -> anyhow::Result<usize> {
    let epoch = Epoch::floor_at(clock::now());
    let (begun, mut rows) = (clock::monotonic(), 0);
    while begun.elapsed() < MEASURED {
        for chunk in ids.chunks(shape.size) {
            seq += 1;
            let batch = batch(chunk, OrderKey::new(epoch, seq).context("too fast")?, shape.history)?;
            let written = store.write(&batch).await?;
            anyhow::ensure!(written.stored.iter().all(|slots| !slots.is_empty()), "every row is newer");
            rows += chunk.len();
        }
    }
    Ok(rows)
}

fn batch(ids: &[InstrumentId], order: OrderKey, history: bool) -> anyhow::Result<WriteBatch> {
    let now = clock::now();
    let mut batch = WriteBatch::default();
    for (index, &id) in ids.iter().enumerate() {
        let price = format!("61{}.{:02}000000", order.seq() % 1_000, index % 100).parse()?;
        let size = "0.00120000".parse()?;
        let fields = Fields {
            last_price: Some(price),
            last_size: Some(size),
            bid_price: Some(price),
            bid_size: Some(size),
            ask_price: Some(price),
            ask_size: Some(size),
            ..Fields::default()
        };
        let mut row = PriceRow::empty(id);
        row.merge(&fields, order, Some(now), now);
        batch.rows.push(row);
        if history {
            // Two writers share no order key: theirs differ by the instrument.
            let index = i16::try_from(id.0 % 32_000)?;
            let (received_at, exchange_at, trade_id) = (now, Some(now), None);
            batch.history.push(HistoryRow { instrument: id, order, index, received_at, exchange_at, trade_id, fields });
        }
    }
    Ok(batch)
}
