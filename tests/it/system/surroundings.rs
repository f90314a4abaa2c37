//! Parts in poor surroundings: few file descriptors, no home, a careless umask, signals that mean nothing to us.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// Runs the program named by its first argument with little of everything.
const POORLY: &str = "umask 000; ulimit -n 64; exec \"$@\"";

async fn working(rig: &Rig, more: u64) {
    let wanted = rig.ledger().of("settled") + more;
    eventually("work goes on", SOON, async || wanted < rig.ledger().of("settled")).await;
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn parts_work_with_few_descriptors_and_keep_their_files_to_themselves() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let tidemill = env!("CARGO_BIN_EXE_tidemill");
    let fresh = Path::new(&rig.write("marker", "")).with_file_name("fresh");
    rig.processes.set("TIDEMILL_DATA_DIR", fresh.display().to_string());
    let migrated = rig.processes.command("sh", &["-c", POORLY, "sh", tidemill, "migrate"]).output().expect("sh runs");
    assert!(migrated.status.success(), "{migrated:?}");
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "500"]).await;
    let listen = ["-c", POORLY, "sh", tidemill, "listener", "--endpoint", &endpoint, "--symbols", "BTCUSDT,ETHUSDT"];
    rig.processes.start_program("sh", "listener", &listen);
    rig.processes.start_program("sh", "worker", &["-c", POORLY, "sh", tidemill, "worker"]);
    working(&rig, 500).await;
    assert_eq!(mode(&fresh), 0o700, "the folder");
    for file in std::fs::read_dir(&fresh).expect("the data folder").flatten() {
        let is_folder = file.file_type().is_ok_and(|kind| kind.is_dir());
        let own = if is_folder { 0o700 } else { 0o600 };
        assert_eq!(mode(&file.path()), own, "{:?}", file.path());
    }
    for part in ["listener", "worker"] {
        assert_eq!(rig.processes.stop(part, "-TERM").await, Some(0), "{part}");
    }
    assert_eq!(rig.ledger().of("lost"), 0);
}

#[tokio::test]
async fn signals_that_mean_nothing_are_let_pass_and_sigquit_stops_in_order() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "500"]).await;
    rig.processes.start("worker", &["worker"]);
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT", "trade");
    working(&rig, 100).await;
    for part in ["listener", "worker"] {
        for signal in ["-USR1", "-USR2", "-PIPE"] {
            rig.processes.signal(part, signal);
        }
    }
    working(&rig, 500).await;
    for part in ["listener", "worker"] {
        assert_eq!(rig.processes.stop(part, "-QUIT").await, Some(0), "{part}");
    }
    let ledger = rig.ledger();
    assert_eq!((ledger.of("lost"), ledger.of("leased"), ledger.of("redelivered")), (0, 0, 0), "{ledger:?}");
}
