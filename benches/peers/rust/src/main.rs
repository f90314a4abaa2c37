//! The job of `../run` on rusty-celery: queue, normalise, upsert, acknowledge late.
//!
//! `rust-peer fill TICKS SYMBOLS` puts ticks on the queue, `rust-peer work` stores them until it is asked to stop, and
//! then leaves how many it stored as a file in `COUNTS`. Where the servers are is in `REDIS_URL` and `DATABASE_URL`.

#![expect(non_local_definitions, reason = "the macro of celery 0.5 writes them")]

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use celery::prelude::*;
use serde::{Deserialize, Serialize};

mod store;

use store::Store;

/// Tasks in work at once: the fastest of 10 and 100.
const PREFETCH: u16 = 100;

/// The same feed as in the other programs.
const FEED: &str = "binance";

static STORE: OnceLock<Store> = OnceLock::new();
static STORED: AtomicU64 = AtomicU64::new(0);

/// A frame of the combined streams, as Binance documents it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Frame {
    stream: String,
    data: Trade,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trade {
    e: String,
    #[serde(rename = "E")]
    event_ms: i64,
    s: String,
    t: i64,
    p: String,
    q: String,
    #[serde(rename = "T")]
    trade_ms: i64,
    m: bool,
    #[serde(rename = "M")]
    ignore: bool,
}

impl Frame {
    /// Number `seq` of a round over all symbols.
    fn number(seq: i64, symbols: i64) -> Self {
        let symbol = format!("SIM{:03}USDT", seq % symbols + 1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let ms = i64::try_from(now).unwrap_or(0);
        Self {
            stream: format!("{}@trade", symbol.to_lowercase()),
            data: Trade {
                e: "trade".into(),
                event_ms: ms,
                s: symbol,
                t: seq,
                p: format!("61685.{:02}000000", seq % 100),
                q: format!("0.{}0000", seq % 9_000 + 1_000),
                trade_ms: ms,
                m: true,
                ignore: true,
            },
        }
    }
}

#[celery::task(acks_late = true)]
async fn store_tick(feed: String, seq: i64, message: Frame) -> TaskResult<()> {
    let store = STORE.get().expect("`work` opens it before it consumes");
    let trade = &message.data;
    let ticker = store.ticker(&feed, &trade.s).ok_or_else(|| TaskError::UnexpectedError("unknown symbol".into()))?;
    let stored = store.upsert(ticker, seq, [&trade.p, &trade.q], trade.trade_ms).await;
    stored.with_unexpected_err(|| "a tick was not stored")?;
    STORED.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = celery::app!(
        broker = RedisBroker { env::var("REDIS_URL").expect("REDIS_URL says where the queue is") },
        tasks = [store_tick],
        task_routes = ["*" => "websocket_data"],
        prefetch_count = PREFETCH,
    )
    .await?;
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", ticks, symbols] => {
            let (ticks, symbols) = (ticks.parse()?, symbols.parse()?);
            for seq in 0..ticks {
                app.send_task(store_tick::new(FEED.into(), seq, Frame::number(seq, symbols))).await?;
            }
        }
        ["work"] => {
            let opened = Store::open(&env::var("DATABASE_URL")?, FEED).await?;
            STORE.set(opened).map_err(|_| "opened twice")?;
            app.consume_from(&["websocket_data"]).await?;
            let counts = Path::new(&env::var("COUNTS")?).join("worker");
            fs::write(counts, STORED.load(Ordering::Relaxed).to_string())?;
        }
        _ => return Err("usage: rust-peer fill TICKS SYMBOLS | rust-peer work".into()),
    }
    Ok(())
}
