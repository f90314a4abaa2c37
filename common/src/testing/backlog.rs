//! A queue on Redis with very much in it, and how long Redis' scripts take on it.

use std::fmt;
use std::time::Duration;

use super::RedisServer;
use super::broker_suite::Hand;
use crate::broker::redis::connect;
use crate::queue::{Check, Retry, Taken, TickCounts};

/// What no script may take longer than, in microseconds.
const SLOW_US: u32 = 10_000;
/// Tasks of one enqueue.
const AT_ONCE: usize = 1_000;
/// Nothing expires while the queue is filled.
const LONG: Duration = Duration::from_hours(1);

/// How much is in it.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Tasks that wait.
    pub waiting: usize,
    /// Batches that are due again.
    pub due: usize,
    /// Leases that have expired.
    pub expired: usize,
    /// Tasks of each of those batches.
    pub batch: u32,
}

/// The queue.
#[derive(Debug)]
pub struct Backlog<'s> {
    server: &'s RedisServer,
    hand: Hand,
}

/// What Redis says of its scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Scripts that ran.
    pub calls: u64,
    /// Those of the work itself that took longer than 10 ms.
    pub slow: u64,
    /// The slowest of them in microseconds.
    pub slowest_us: u64,
    /// Censuses that took longer than 10 ms: they count every batch.
    pub slow_looks: u64,
    /// The slowest of them in microseconds.
    pub slowest_look_us: u64,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, slow, slowest_us, slow_looks, slowest_look_us } = self;
        write!(
            f,
            "{calls} scripts, {slow} above 10 ms (at most {slowest_us} us) and {slow_looks} censuses (at most \
             {slowest_look_us} us)"
        )
    }
}

impl<'s> Backlog<'s> {
    /// Fills a queue.
    pub async fn fill(server: &'s RedisServer, sizes: Sizes) -> Self {
        let broker = connect(&server.url()).await.expect("the server runs");
        let backlog = Self { server, hand: Hand::on(&broker, "websocket_data") };
        server.cli(&["CONFIG", "SET", "slowlog-log-slower-than", &SLOW_US.to_string()]);
        server.cli(&["CONFIG", "SET", "slowlog-max-len", "100000"]);
        server.cli(&["CONFIG", "RESETSTAT"]);
        let batches = sizes.due + sizes.expired;
        backlog.put(batches * sizes.batch as usize).await;
        for number in 0..batches {
            let batch = backlog.hand.batch(sizes.batch).await;
            if number < sizes.due {
                let mut later = backlog.hand.ending(&batch, 0, TickCounts::default());
                later.retry = vec![Retry { tasks: batch.tasks.clone(), after: LONG }];
                backlog.hand.settle(&later).await;
            } else {
                backlog.hand.broker.renew(&backlog.hand.queue, &[batch.lease], LONG).await.expect("renew");
            }
        }
        backlog.put(sizes.waiting).await;
        backlog.come_due();
        backlog
    }

    async fn put(&self, count: usize) {
        for first in (0..count).step_by(AT_ONCE) {
            let tasks: Vec<Vec<u8>> =
                (first..count.min(first + AT_ONCE)).map(|number| format!("{number:0>200}").into_bytes()).collect();
            self.hand.put_bytes(&tasks).await;
        }
    }

    /// All delays and all leases run out at once.
    fn come_due(&self) {
        let script = "for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do \
                      redis.call('ZADD', KEYS[1], 1, id) end";
        for set in ["leases", "delayed"] {
            self.server.cli(&["EVAL", script, "1", &format!("tidemill:{{websocket_data}}:{set}")]);
        }
        self.server.cli(&["SLOWLOG", "RESET"]); // that was ours
    }

    /// Does everything that is ever done to a queue until it is empty.
    pub async fn work_through(self) -> Times {
        let Self { server, hand } = self;
        hand.broker.fsck(&hand.queue, Check::Look).await.expect("a check");
        for round in 0_u64.. {
            hand.broker.reap(&hand.queue).await.expect("reap");
            if round.is_multiple_of(10) {
                hand.broker.census(&hand.queue).await.expect("census");
            }
            let Taken::Batch(batch) = hand.take(1_000).await else {
                if hand.broker.census(&hand.queue).await.expect("census").ledger.open() == 0 {
                    break;
                }
                continue;
            };
            hand.broker.renew(&hand.queue, &[batch.lease], LONG).await.expect("renew");
            hand.store(&batch).await;
        }
        let [slow, slowest_us, slow_looks, slowest_look_us] = slow_scripts(server);
        Times { calls: scripts_run(server), slow, slowest_us, slow_looks, slowest_look_us }
    }
}

fn scripts_run(server: &RedisServer) -> u64 {
    let info = server.cli(&["INFO", "commandstats"]);
    let calls = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next());
    calls.and_then(|calls| calls.parse().ok()).expect("scripts ran")
}

/// Scripts and censuses in the log of slow commands, each with the slowest. A census has no arguments but its key.
fn slow_scripts(server: &RedisServer) -> [u64; 4] {
    let script = "local found = { 0, 0, 0, 0 } \
                  for _, entry in ipairs(redis.call('SLOWLOG', 'GET', -1)) do \
                    local what, at = entry[4], #entry[4] == 4 and 3 or 1 \
                    if what[1] == 'EVALSHA' then \
                      found[at] = found[at] + 1 \
                      found[at + 1] = math.max(found[at + 1], entry[3]) \
                    end \
                  end \
                  return table.concat(found, ' ')";
    let found = server.cli(&["EVAL", script, "0"]);
    let numbers: Vec<u64> = found.split(' ').filter_map(|number| number.parse().ok()).collect();
    numbers.try_into().expect("four numbers")
}
