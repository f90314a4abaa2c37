//! A short fault run with fixed seeds. The long ones are the same command with more cycles: docs/reliability.md.

use serde_json::Value;

use super::rig::{Pair, Rig};

/// Faults of a row last so long at most.
const HOLD: &str = "1500ms";

async fn survives(pair: &str, plan: &str) {
    let rig = Rig::new(Pair::Embedded).await; // a folder; the run starts what it needs itself
    let arguments =
        ["chaos", "--pair", pair, "--plan", plan, "--seed", "20261125", "--hold", HOLD, "--unseen", "--json"];
    let (code, out, err) = rig.run(&arguments);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let sum = |count: &str| lines.iter().map(|line| line[count].as_u64().expect("a count")).sum::<u64>();
    assert_eq!((code, sum("lost"), sum("violations")), (Some(0), 0, 0), "{err}");
    assert!(plan.split(',').count() <= lines.len(), "{} cycles: {err}", lines.len());
    let (checked, accepted) = (sum("checked"), sum("accepted"));
    assert!(0 < checked && checked <= accepted, "{checked} of {accepted} accepted messages were looked for");
}

#[tokio::test]
async fn nothing_is_lost_whatever_happens_to_a_system_on_files() {
    survives("embedded", "F1,F2,F4,F5,F9,F36,F42,F49,F65,F1+F2").await;
}

#[tokio::test]
async fn nothing_is_lost_whatever_happens_to_a_system_on_servers() {
    let plan = "F1,F2,F5,F6,F9,F13,F15,F16,F21,F23,F24,F25,F28,F42,F49,F56,F60,F61,F62,F1+F13";
    survives("servers", plan).await;
}
