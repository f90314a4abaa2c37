//! Data to standard output, the rest to standard error, and nothing where nothing was asked for.

use std::process::Stdio;

use crate::context::{Place, Ran};

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let place = Place::new();
    for args in [&["config", "reference"][..], &["config", "show", "--json"], &["--help"], &["status"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = place.command(args, &[]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_exit_code_2() {
    let place = Place::new();
    for args in [
        &[][..],
        &["statu"],
        &["status", "--watch", "soon"],
        &["status", "--timeout", "5"],
        &["dead", "retry"],
        &["dead", "purge", "--all", "--reason", "row"],
        &["dead", "show", "not-an-id"],
        &["queue", "pause", "--queue", "a b"],
        &["symbol", "fyers"],
    ] {
        let ran = place.run(args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn looking_at_nothing_creates_nothing() {
    let place = Place::new();
    let status = place.run(&["status"], &[]);
    assert_eq!(status.code, Some(0), "{}", status.err);
    assert!(status.out.contains("HEALTHY") && status.out.contains("nothing running"), "{}", status.out);
    assert!(!status.out.contains('\u{1b}'), "colour codes in a pipe");
    let doctor = place.run(&["doctor"], &[]);
    assert_eq!(doctor.code, Some(0), "{}{}", doctor.out, doctor.err);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn machines_get_json_on_one_line() {
    let ran = Place::new().run(&["status", "--json"], &[]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["schema"], &report["state"]), (&1.into(), &"healthy".into()));
    assert_eq!((&report["ledger"]["lost"], &report["ledger"]["balanced"]), (&0.into(), &true.into()));
    assert_eq!(ran.out.matches('\n').count(), 1);
}

#[test]
fn colour_is_as_asked_for() {
    let place = Place::new();
    let colours = |args: &[&str], variables: &[(&str, &str)]| place.run(args, variables).out.contains('\u{1b}');
    assert!(colours(&["status", "--color", "always"], &[]));
    assert!(!colours(&["status", "--color", "never"], &[]));
    assert!(!colours(&["status"], &[("NO_COLOR", "1")]));
}

#[test]
fn waiting_ends_when_time_is_up() {
    let ran = Place::new().run(&["status", "--wait", "running", "--timeout", "300ms"], &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("error[TM-701]: not running within 300ms"), "{}", ran.err);
    assert_eq!(Place::new().run(&["status", "--wait", "drained"], &[]).code, Some(0));
}

#[test]
fn a_folder_that_cannot_be_written_is_found_by_the_doctor() {
    let place = Place::new();
    place.write("file", "in the way");
    let ran = place.run(&["doctor"], &[("TIDEMILL_DATA_DIR", "file/data")]);
    assert_eq!(ran.code, Some(74), "{}", ran.out);
    assert!(ran.out.contains("✗ data dir") && ran.out.contains("fix  "), "{}", ran.out);
}
