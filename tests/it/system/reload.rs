//! SIGHUP under load: what can change does, a file that is wrong changes nothing, and no tick is lost.

use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// Settings read again, half of them broken.
const ROUNDS: u32 = 40;

fn settings(rig: &Rig, text: &str) -> String {
    rig.write("tidemill.toml", text)
}

fn good(level: &str, batch: u32, symbols: &str) -> String {
    format!("[log]\nlevel = \"{level}\"\n[worker]\nbatch_tasks = {batch}\n[listener]\nsymbols = [{symbols}]\n")
}

/// How often a part has said this.
fn said(rig: &Rig, part: &str, words: &str) -> usize {
    rig.processes.output(part).matches(words).count()
}

#[tokio::test]
async fn settings_are_read_again_under_load_without_a_reconnect_or_a_loss() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "1000"]).await;
    settings(&rig, &good("info", 4_000, "\"BTCUSDT\", \"ETHUSDT\""));
    rig.processes.start("listener", &["listener", "--endpoint", &endpoint, "--channels", "trade"]);
    rig.processes.start("worker", &["worker"]);
    eventually("ticks are stored", SOON, async || 500 < rig.ledger().of("settled")).await;

    for round in 1..=ROUNDS {
        let is_broken = round % 2 == 1;
        let text = if is_broken {
            "[worker]\nbatch_tusks = 7\n".to_owned()
        } else {
            good("info", 50, "\"BTCUSDT\", \"ETHUSDT\"")
        };
        settings(&rig, &text);
        let words = if is_broken { "the earlier ones stay" } else { "settings were read again" };
        let before = ["listener", "worker"].map(|part| said(&rig, part, words));
        for part in ["listener", "worker"] {
            rig.processes.signal(part, "-HUP");
        }
        eventually("both have read them", SOON, async || {
            let after = ["listener", "worker"].map(|part| said(&rig, part, words));
            before.iter().zip(after).all(|(before, after)| *before < after)
        })
        .await;
    }
    eventually("the worker's batches are smaller", SOON, async || rig.status()["workers"][0]["batch_size"] == 50).await;
    assert_eq!(rig.status()["connections"][0]["reconnects"], 0);

    // A symbol more, over the same socket; what needs a restart is named.
    settings(&rig, &(good("debug", 50, "\"BTCUSDT\", \"ETHUSDT\", \"BNBUSDT\"") + "buffer_max = 5000\n"));
    rig.processes.signal("listener", "-HUP");
    eventually("the symbol is subscribed", SOON, async || rig.status()["connections"][0]["confirmed"] == 3).await;
    assert!(said(&rig, "listener", "listener.buffer_max changed: restart to use it") == 1);
    assert_eq!(rig.status()["connections"][0]["reconnects"], 0, "the socket is the same");

    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    rig.assert_all_is_well();
    assert_eq!(rig.processes.stop("worker", "-TERM").await, Some(0));
}

#[tokio::test]
async fn a_launcher_hands_it_on_to_its_children() {
    let mut rig = Rig::new(Pair::Embedded).await;
    settings(&rig, "[worker]\nbatch_tasks = 4000\n");
    rig.processes.start_program(env!("CARGO_BIN_EXE_start_system"), "launcher", &["--workers", "2", "--rate", "500"]);
    eventually("prices are stored", SOON, async || rig.processes.output("launcher").contains("first quote stored"))
        .await;
    settings(&rig, "[worker]\nbatch_tasks = 60\n");
    rig.processes.signal("launcher", "-HUP");
    eventually("both workers use it", SOON, async || {
        let workers = rig.status()["workers"].take();
        let sizes = workers.as_array().map(|workers| workers.iter().map(|worker| worker["batch_size"].as_u64()));
        sizes.is_some_and(|sizes| sizes.collect::<Vec<_>>() == [Some(60); 2])
    })
    .await;
    assert_eq!(rig.processes.stop("launcher", "-INT").await, Some(0));
    rig.assert_all_is_well();
}
