//! Asked to stop, parts finish what they hold and leave in good order.

use std::process::Command;

use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_leaves_nothing_to_be_done_twice_embedded() {
    worker_under_load(Pair::Embedded).await;
}

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_leaves_nothing_to_be_done_twice_on_servers() {
    worker_under_load(Pair::Servers).await;
}

#[tokio::test]
async fn the_launcher_stops_everything_in_order_embedded() {
    launcher(Pair::Embedded).await;
}

#[tokio::test]
async fn the_launcher_stops_everything_in_order_on_servers() {
    launcher(Pair::Servers).await;
}

#[tokio::test]
async fn parts_whose_log_nobody_reads_work_and_stop_all_the_same() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "1000"]).await;
    let listen = ["listener", "--endpoint", &endpoint, "--symbols", "BTCUSDT,ETHUSDT", "--channels", "trade"];
    rig.processes.start_unheard("listener", &listen);
    rig.processes.start_unheard("worker", &["worker"]);
    work_goes_on(&rig).await;
    for part in ["listener", "worker"] {
        assert_eq!(rig.processes.stop(part, "-TERM").await, Some(0), "{part}");
    }
    assert_eq!(rig.ledger().of("lost"), 0);
}

#[tokio::test]
async fn no_child_outlives_a_launcher_that_was_killed() {
    let mut rig = Rig::new(Pair::Embedded).await;
    rig.processes.start_program(env!("CARGO_BIN_EXE_start_system"), "launcher", &["--workers", "2"]);
    eventually("prices are stored", SOON, async || rig.processes.output("launcher").contains("first quote stored"))
        .await;
    let children = children_of(rig.processes.id("launcher"));
    assert_eq!(children.len(), 3, "a listener and two workers: {children:?}");
    rig.processes.kill("launcher");
    eventually("the children leave", SOON, async || !children.iter().any(|child| is_running(child))).await;
    assert_eq!(rig.ledger().of("lost"), 0);
}

async fn worker_under_load(pair: Pair) {
    let mut rig = Rig::new(pair).await;
    // A busy machine may be late to renew a short lease, and that is not what this is about.
    rig.processes.set("TIDEMILL_WORKER__LEASE", "15s");
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "2000"]).await;
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "trade,bookTicker");
    for round in ["first", "second", "third"] {
        rig.processes.start(round, &["worker"]);
        work_goes_on(&rig).await;
        assert_eq!(rig.processes.stop(round, "-TERM").await, Some(0), "the {round} worker");
        let ledger = rig.ledger();
        assert_eq!((ledger.of("leased"), ledger.of("redelivered")), (0, 0), "{round}: {ledger:?}");
    }
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.processes.start("last", &["worker"]);
    rig.ended(0).await;
    rig.assert_all_is_well();
    assert_eq!(rig.ledger().of("redelivered"), 0);
}

/// Until another thousand tasks have ended.
async fn work_goes_on(rig: &Rig) {
    let wanted = rig.ledger().of("settled") + 1_000;
    eventually("work goes on", SOON, async || wanted < rig.ledger().of("settled")).await;
}

async fn launcher(pair: Pair) {
    let mut rig = Rig::new(pair).await;
    rig.processes.start_program(env!("CARGO_BIN_EXE_start_system"), "launcher", &["--workers", "2", "--rate", "1000"]);
    eventually("prices are stored", SOON, async || rig.processes.output("launcher").contains("first quote stored"))
        .await;
    let children = children_of(rig.processes.id("launcher"));
    assert_eq!(children.len(), 3, "a listener and two workers: {children:?}");
    let code = rig.processes.stop("launcher", "-INT").await;
    let said = rig.processes.output("launcher");
    assert_eq!(code, Some(0), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("accepted ") && last.ends_with(" · lost 0"), "{last}");
    let left: Vec<&String> = children.iter().filter(|child| is_running(child)).collect();
    assert!(left.is_empty(), "{left:?} outlived their launcher");
    rig.assert_all_is_well();
    assert_eq!(rig.ledger().of("redelivered"), 0);
}

fn children_of(parent: u32) -> Vec<String> {
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output().expect("`ps` runs");
    let listed = String::from_utf8(listed.stdout).expect("numbers");
    listed.split_whitespace().map(str::to_owned).collect()
}

fn is_running(id: &str) -> bool {
    Command::new("ps").args(["-o", "pid=", "-p", id]).output().expect("`ps` runs").status.success()
}
