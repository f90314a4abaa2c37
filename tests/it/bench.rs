//! The benchmark measures real processes, and leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::context::Place;

const SMALL: [&str; 7] = ["bench", "--ticks", "2000", "--symbols", "20", "--workers", "2"];

#[test]
fn every_tick_of_a_benchmark_is_stored_or_superseded_and_none_is_lost() {
    let place = Place::new();
    let folder = place.path().to_str().unwrap().to_owned();
    let ran = place.run(&[&SMALL[..], &["--runs", "1", "--json"]].concat(), &[("TMPDIR", &folder)]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((report["schema"].as_u64(), report["pair"].as_str()), (Some(2), Some("configured")));
    for kind in ["queue_to_rows", "websocket_to_rows"] {
        let figures = &report[kind][0];
        let number = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("{name} in {figures}"));
        assert_eq!((number("workers"), number("lost"), number("dead"), number("shed")), (2, 0, 0, 0), "{figures}");
        assert_eq!(figures["balanced"], true, "{figures}");
        assert_eq!((number("symbols"), number("ticks"), number("missing")), (20, 2_000, 0), "{figures}");
        assert!(0 < number("ticks_per_s") && figures["servers"].is_null(), "{figures}");
        assert_eq!(number("ticks"), number("stored") + number("superseded"), "{figures}");
    }
    let queued = &report["websocket_to_queue"][0];
    assert_eq!((&queued["workers"], &queued["ticks"], &queued["missing"]), (&0.into(), &2_000.into(), &0.into()));
    assert!(0 < report["websocket_to_rows"][0]["received_per_s"].as_u64().unwrap());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "the temporary folder is gone");
}

#[test]
fn servers_are_started_for_it_and_their_cost_is_told_whatever_is_configured() {
    let place = Place::new();
    let folder = place.path().to_str().unwrap().to_owned();
    let elsewhere = [("TMPDIR", &*folder), ("REDIS_URL", "redis://127.0.0.1:1"), ("DATABASE_URL", "postgres://no/no")];
    let args = ["--pair", "servers", "--only", "queue-to-rows,websocket-to-rows", "--runs", "1", "--json"];
    let ran = place.run(&[&SMALL[..], &args].concat(), &elsewhere);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["broker"].as_str().unwrap().starts_with("redis://127.0.0.1:"), "{report}");
    assert_eq!(report["websocket_to_queue"].as_array().map(Vec::len), Some(0));
    for kind in ["queue_to_rows", "websocket_to_rows"] {
        let figures = &report[kind][0];
        assert_eq!((&figures["ticks"], &figures["missing"]), (&2_000.into(), &0.into()), "{figures}");
        let memory = |server: &str| figures["servers"][server].as_u64().unwrap();
        assert!(1 << 20 < memory("redis_memory") && 1 << 20 < memory("postgres_memory"), "{figures}");
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "the servers' folders are gone");
}

#[test]
fn a_paced_run_tells_the_latency_of_every_message_that_was_sent_and_silence_what_it_costs() {
    let args = ["bench", "--pair", "embedded", "--only", "paced", "--rate", "0,200", "--seconds", "2", "--json"];
    let ran = Place::new().run(&[&args[..], &["--symbols", "20"]].concat(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let (silence, paced) = (&report["paced"][0], &report["paced"][1]);
    assert_eq!((&silence["rate"], &silence["sent"], &silence["ticks"]), (&0.into(), &0.into(), &0.into()));
    assert!(silence["latency"]["received_to_committed"].is_null(), "{silence}");
    assert!(0 < silence["processes"]["listener"]["memory_peak"].as_u64().unwrap(), "{silence}");

    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_else(|| panic!("{value} in {paced}"));
    let sent = number(&paced["sent"]);
    assert!(200 <= sent && number(&paced["ticks"]) == sent && number(&paced["missing"]) == 0, "{paced}");
    let stage = |name: &str| {
        let figures = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"].map(|q| number(&paced["latency"][name][q]));
        assert!(figures.is_sorted(), "{name} in {paced}");
        number(&paced["latency"][name]["count"])
    };
    for name in ["received_to_accepted", "received_to_taken", "received_to_committed"] {
        assert_eq!(stage(name), sent, "{name} in {paced}");
    }
    let trades = stage("scheduled_to_committed");
    assert!(0 < trades && trades < sent && stage("scheduled_to_received") == trades, "{paced}");
}

#[test]
fn the_parts_are_measured_on_both_pairs_with_history_and_without_and_leave_nothing() {
    for (pair, history, parts) in [
        ("embedded", "false", &["websocket_read", "sqlite_push", "sqlite_take_ack", "parse", "sqlite_upsert"][..]),
        (
            "servers",
            "true",
            &["websocket_read", "redis_push", "redis_take_ack", "parse", "postgres_upsert", "postgres_copy_history"],
        ),
    ] {
        let place = Place::new();
        let folder = place.path().to_str().unwrap().to_owned();
        let args = ["bench", "--quick", "--pair", pair, "--only", "limits,queue-to-rows", "--ticks", "2000"];
        let args = [&args[..], &["--symbols", "20", "--workers", "1", "--json"]].concat();
        let ran = place.run(&args, &[("TMPDIR", &folder), ("TIDEMILL_STORE__HISTORY", history)]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let limits = &report["limits"][0];
        let measured = limits["parts"].as_array().unwrap();
        assert_eq!(measured.iter().map(|part| part["part"].as_str().unwrap()).collect::<Vec<_>>(), parts);
        assert!(measured.iter().all(|part| 0 < part["ticks_per_s"].as_u64().unwrap()), "{limits}");
        assert!(0.0 < limits["queue_to_rows"]["sum_us"].as_f64().unwrap(), "{limits}");
        let ratio = report["queue_to_rows"][0]["ratio_to_limits"].as_f64().unwrap();
        assert!(0.0 < ratio && ratio.is_finite(), "{report}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "the temporary folder is gone");
    }
}

#[test]
fn what_is_beyond_a_limit_is_said_and_the_rest_is_measured() {
    let args = ["bench", "--pair", "embedded", "--only", "websocket-to-queue", "--symbols", "10001", "--runs", "1"];
    let ran = Place::new().run(&args, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("not measured: 10,001 symbols from a WebSocket: at most 10,000"), "{}", ran.out);
}

#[test]
fn ctrl_c_ends_a_benchmark_and_what_it_has_started() {
    let place = Place::new();
    let folder = place.path().to_str().unwrap().to_owned();
    let mut command = place.command(&[&SMALL[..], &["--runs", "99"]].concat(), &[("TMPDIR", &folder)]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("queue to rows, 2 workers"), "{first}");

    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    // Workers hold the same pipe: its end is also theirs.
    let last = lines.last().unwrap().unwrap();
    assert_eq!(last, "stopped before everything was measured");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "the temporary folder is gone");
}

#[test]
fn amounts_that_make_no_sense_are_refused() {
    for args in [
        &["--ticks", "0"][..],
        &["--workers", "1,0"],
        &["--symbols", "100001"],
        &["--seconds", "0"],
        &["--only", "x"],
        &["--runs", "x"],
        &["--batch", "0"],
    ] {
        let ran = Place::new().run(&[&["bench"], args].concat(), &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
    }
}
