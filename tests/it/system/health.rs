//! Health checks of real processes: ready when they get on, and the reason while they do not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// A port that was free just now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// Status line and body; `None` where nobody listens.
fn get(port: u16, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.lines().next()?.to_owned(), body.to_owned()))
}

fn is_ready(port: u16) -> bool {
    get(port, "/readyz").is_some_and(|(status, body)| status.contains(" 200 ") && body == "ok\n")
}

fn reasons(port: u16) -> String {
    get(port, "/readyz").filter(|(status, _)| status.contains(" 503 ")).map(|(_, body)| body).unwrap_or_default()
}

#[tokio::test]
async fn parts_are_ready_while_they_get_on_and_say_why_when_they_do_not() {
    let mut rig = Rig::new(Pair::Servers).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "500"]).await;
    let (worker, listener) = (free_port(), free_port());
    rig.processes.set("TIDEMILL_HEALTH__LISTEN", format!("127.0.0.1:{worker}"));
    rig.processes.start("worker", &["worker"]);
    rig.processes.set("TIDEMILL_HEALTH__LISTEN", format!("127.0.0.1:{listener}"));
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT", "trade");
    eventually("both are ready", SOON, async || is_ready(worker) && is_ready(listener)).await;
    eventually("ticks are stored", SOON, async || 100 < rig.ledger().of("settled")).await;

    let postgres = rig.postgres.as_ref().expect("the pair has PostgreSQL");
    postgres.freeze();
    eventually("the worker says why", SOON, async || reasons(worker).contains("waiting for the price store")).await;
    assert!(is_ready(listener), "the listener does not need the store: {}", reasons(listener));
    assert_eq!(get(worker, "/livez").map(|(_, body)| body).as_deref(), Some("ok\n"));
    postgres.thaw();
    eventually("the worker is ready again", SOON, async || is_ready(worker)).await;

    let redis = rig.redis.as_mut().expect("the pair has Redis");
    redis.stop();
    eventually("both say why", SOON, async || !reasons(worker).is_empty() && !reasons(listener).is_empty()).await;
    assert!(reasons(worker).contains("the broker") && reasons(listener).contains("the broker"));
    redis.start().await;
    eventually("both are ready again", SOON, async || is_ready(worker) && is_ready(listener)).await;

    rig.processes.kill("exchange");
    eventually("the listener says why", SOON, async || reasons(listener).contains("no connection to binance is live"))
        .await;
    for part in ["listener", "worker"] {
        assert_eq!(rig.processes.stop(part, "-TERM").await, Some(0), "{part}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_before_anything_starts() {
    let rig = Rig::new(Pair::Embedded).await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let mut command = rig.processes.command(env!("CARGO_BIN_EXE_tidemill"), &["worker"]);
    let output = command.env("TIDEMILL_HEALTH__LISTEN", &address).output().expect("our own program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("TM-504") && said.contains(&address), "{said}");
}

#[tokio::test]
async fn a_stopping_worker_is_not_ready_to_its_end() {
    let mut rig = Rig::new(Pair::Servers).await;
    let port = free_port();
    rig.processes.set("TIDEMILL_HEALTH__LISTEN", format!("127.0.0.1:{port}"));
    rig.processes.set("TIDEMILL_WORKER__DRAIN", "3s");
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "500"]).await;
    rig.processes.start("worker", &["worker"]);
    rig.processes.set("TIDEMILL_HEALTH__LISTEN", ""); // one port per process
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT", "trade");
    eventually("ticks are stored", SOON, async || 100 < rig.ledger().of("settled")).await;
    rig.postgres.as_ref().expect("the pair has PostgreSQL").freeze();
    eventually("the worker waits", SOON, async || !reasons(port).is_empty()).await;
    rig.processes.signal("worker", "-TERM");
    eventually("it says that it stops", SOON, async || reasons(port).contains("stopping")).await;
    let stopping = common::clock::monotonic();
    assert_eq!(rig.processes.ended("worker").await, Some(1), "it could not finish what it had");
    let took = stopping.elapsed();
    assert!(took.as_secs() < 6, "the drain time and a little: {took:?}");
    let ledger = rig.ledger();
    assert_eq!((ledger.of("leased"), ledger.of("lost")), (0, 0), "{ledger:?}");
    rig.postgres.as_ref().expect("the pair has PostgreSQL").thaw();
}
