//! The commands that look into a queue and repair it.

use serde_json::Value;

use super::rig::{Pair, Rig};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn what_somebody_deleted_is_found_and_put_back() {
    let rig = Rig::new(Pair::Servers).await;
    let redis = rig.redis.as_ref().expect("a Redis of its own");
    assert_eq!(rig.succeeds(&["fsck"]), "no queue yet\n");
    redis.cli(&["SADD", "tidemill:queues", "websocket_data"]);
    redis.cli(&["LPUSH", "tidemill:{websocket_data}:b:0198c5d07d2e7c55a7bb0123456789ab", "1", "2"]);
    redis.cli(&["HSET", "tidemill:{websocket_data}:stats", "accepted", "2"]);

    assert_eq!(rig.run(&["audit"]).0, Some(6), "two tasks are nowhere");
    let (code, out, _) = rig.run(&["fsck"]);
    assert_eq!(code, Some(5), "{out}");
    assert!(out.contains("stray_batch") && out.contains("fsck --fix"), "{out}");
    let fixed = json(&rig.succeeds(&["fsck", "--fix", "--json"]));
    let finding = &fixed["queues"][0]["findings"][0];
    assert_eq!((&finding["flaw"], &finding["tasks"], &finding["fixed"]), (&"stray_batch".into(), &2.into(), &1.into()));
    assert_eq!(rig.succeeds(&["fsck"]), "websocket_data: nothing wrong\n");
    let audit = json(&rig.succeeds(&["audit", "--json"]));
    assert_eq!(audit["balanced"], true, "{audit}");
}

#[tokio::test]
async fn dead_letters_are_exported_purged_and_sent_again_byte_for_byte() {
    let mut rig = Rig::new(Pair::Embedded).await;
    let original = "{\"v\":1,\"broken\"";
    let file = rig.write("letters.jsonl", &letter(original));
    assert_eq!(rig.succeeds(&["dead", "import", &file]), "1 task put on websocket_data\n");
    rig.processes.start("worker", &["worker"]);
    rig.ended(0).await;
    let exported = rig.succeeds(&["dead", "export", "--reason", "malformed"]);
    assert_eq!((exported.lines().count(), &json(&exported)["task"]), (1, &original.into()));
    assert_eq!(rig.succeeds(&["dead", "export", "--older-than", "1h"]), "");
    assert_eq!(rig.run(&["dead", "purge", "--all"]).0, Some(2), "it must be confirmed");
    rig.succeeds(&["dead", "purge", "--all", "--yes"]);
    let again = rig.write("again.jsonl", &exported);
    rig.succeeds(&["dead", "import", &again]);
    rig.ended(0).await;
    let ledger = rig.ledger();
    assert_eq!((ledger.of("accepted"), ledger.of("purged"), ledger.of("dead")), (2, 1, 1), "{ledger:?}");
    let bad = rig.write("bad.jsonl", "{}\n");
    let (code, _, said) = rig.run(&["dead", "import", &bad]);
    assert!(code == Some(1) && said.contains("TM-604") && said.contains("line 1"), "{said}");
}

/// A line as `dead export` writes it.
fn letter(task: &str) -> String {
    let line = serde_json::json!({
        "schema": 1, "id": "0198c5d0-7d2e-7c55-a7bb-0123456789ab", "reason": "row", "code": null, "error": "e",
        "symbol": null, "attempts": 1, "worker": "w", "died_at": 1_763_726_400_000_000_i64, "task": task,
    });
    format!("{line}\n")
}
