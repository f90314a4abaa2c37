//! Scenes: a healthy system, to be spoilt in one way per test.

use std::collections::BTreeMap;

use common::broker::Census;
use common::clock::UnixMicros;
use common::ledger::Ledger;
use common::presence::{ConnectionState, Continuity, InstanceId, Link, ListenerState, Part, Presence, WorkerState};
use common::queue::QueueName;
use common::store::StoreCensus;

use super::look::{Desk, Store, Trouble};
use super::*;

mod judging;
mod screens;

const NOW: UnixMicros = UnixMicros(1_763_726_400_000_000);

fn ago(millis: i64) -> UnixMicros {
    UnixMicros(NOW.0 - millis * 1_000)
}

fn queue() -> QueueName {
    "websocket_data".parse().unwrap()
}

/// Everything runs and the numbers add up.
fn healthy() -> Ledger {
    Ledger {
        received: 41_208_200,
        accepted: 41_208_114,
        settled: 41_207_430,
        ticks: 41_207_430,
        stored: 30_000_000,
        superseded: 11_207_429,
        waiting: 184,
        leased: 500,
        skipped: BTreeMap::from([("no_price".into(), 1)]),
        ..Ledger::default()
    }
}

fn connection(conn: u32, state: Link) -> ConnectionState {
    ConnectionState {
        conn,
        feed: "binance".into(),
        state,
        symbols: 50,
        confirmed: 50,
        messages: 2_345_000,
        errors: 0,
        last_frame_at: Some(ago(4)),
        last_message_at: Some(ago(12)),
        attempts: 3,
        reconnects: 2,
        reason: Some("server closed (1006)".into()),
        next_attempt_at: (state == Link::Reconnecting).then_some(UnixMicros(NOW.0 + 800_000)),
        refused: BTreeMap::new(),
        continuity: Continuity::default(),
        is_market_open: None,
    }
}

fn presence(pid: u32, part: Part) -> Presence {
    // Only the text of a new name differs from run to run: give it a fixed one.
    let instance: InstanceId = serde_json::from_str("\"0198c5d0-7d2e-7c55-a7bb-0123456789ab\"").unwrap();
    Presence {
        instance,
        host: "host-a".into(),
        pid,
        life: None,
        version: "0.1.0".into(),
        started_at: ago(60_000),
        beat_at: ago(0),
        memory_bytes: 38 << 20,
        cpu_us: 1_200_000,
        part,
    }
}

fn listener(states: &[Link]) -> ListenerState {
    let connections = (1..).zip(states).map(|(conn, state)| connection(conn, *state)).collect();
    ListenerState { queue: Some(queue()), connections, buffered: 0, buffer_max: 100_000, ..ListenerState::default() }
}

fn worker() -> WorkerState {
    WorkerState {
        queues: vec![queue()],
        concurrency: 4,
        busy: 2,
        tasks: 41_207_430,
        tasks_per_s: 12_402,
        batch_tasks: 500,
        batch_size: 1_000,
        commit_p50_us: 9_000,
        commit_p99_us: 22_400,
        retries: 3,
        dead: 0,
        leases_lost: 0,
        trouble: None,
        last_take_at: Some(ago(5)),
        wiped: Vec::new(),
    }
}

fn store() -> Store {
    Store::Fine(StoreCensus {
        kind: "postgres",
        place: "postgres://tidemill@db:5432/market".into(),
        priced: 250,
        newest_at: Some(ago(22)),
        bytes: 42 << 20,
        gaps: 0,
    })
}

/// A look that a test then spoils in one way.
#[derive(Clone)]
struct Scene {
    census: Census,
    listener: Option<ListenerState>,
    worker: Option<WorkerState>,
    store: Store,
}

impl Scene {
    fn healthy() -> Self {
        let census = Census { ledger: healthy(), oldest_at: Some(ago(41)), leases: 1, paused: false, generation: None };
        let listener = Some(listener(&[Link::Live, Link::Live]));
        Self { census, listener, worker: Some(worker()), store: store() }
    }

    fn spoilt(change: impl FnOnce(&mut Self)) -> Self {
        let mut scene = Self::healthy();
        change(&mut scene);
        scene
    }

    fn look(self) -> Look {
        let listener = self.listener.map(|listener| presence(4_120, Part::Listener(listener)));
        let worker = self.worker.map(|worker| presence(4_121, Part::Worker(worker)));
        let presences = listener.into_iter().chain(worker).collect();
        let desk = Desk { queues: vec![(queue(), self.census)], presences };
        Look { at: NOW, broker: "redis://cache:6379/0".into(), desk: Ok(desk), store: self.store }
    }
}

fn away() -> Trouble {
    Trouble { text: "cannot reach it: refused".into(), fix: Some("start it".into()) }
}

fn unreachable() -> Look {
    Look { desk: Err(away()), ..Scene::healthy().look() }
}
