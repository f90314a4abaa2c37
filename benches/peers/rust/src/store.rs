//! The price table: the rows of all symbols, and one prepared upsert per tick.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, Error, NoTls, Statement};

/// Sessions, used in turn: the fastest of 1, 2 and 4.
const SESSIONS: usize = 4;

pub struct Store {
    sessions: Vec<(Client, Statement)>,
    next: AtomicUsize,
    tickers: HashMap<(String, String), i64>,
}

impl Store {
    pub async fn open(url: &str, feed: &str) -> Result<Self, Error> {
        let (mut sessions, mut tickers) = (Vec::new(), HashMap::new());
        for _ in 0..SESSIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            for row in client.query(include_str!("../../job/tickers.sql"), &[]).await? {
                tickers.insert((feed.to_owned(), row.get(0)), row.get(1));
            }
            let upsert = client.prepare(include_str!("../../job/upsert.sql")).await?;
            sessions.push((client, upsert));
        }
        Ok(Self { sessions, next: AtomicUsize::new(0), tickers })
    }

    /// The row of a symbol.
    pub fn ticker(&self, feed: &str, symbol: &str) -> Option<i64> {
        self.tickers.get(&(feed.to_owned(), symbol.to_owned())).copied()
    }

    pub async fn upsert(&self, ticker: i64, seq: i64, [price, size]: [&String; 2], trade_ms: i64) -> Result<(), Error> {
        let (client, upsert) = &self.sessions[self.next.fetch_add(1, Ordering::Relaxed) % SESSIONS];
        client.execute(upsert, &[&ticker, &seq, price, size, &trade_ms]).await.map(drop)
    }
}
