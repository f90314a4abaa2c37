//! `tidemill token`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::process::Stdio;

use crate::context::{Place, Ran};

/// Runs `token set` with this on its standard input.
fn set(place: &Place, input: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = place.command(&["token", "set", "binance"], variables);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ran::from(child.wait_with_output().unwrap())
}

fn shown(place: &Place, variables: &[(&str, &str)]) -> serde_json::Value {
    let ran = place.run(&["token", "show", "binance", "--json"], variables);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains("CANARY"), "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_token_is_stored_and_shown_by_its_fingerprint_only() {
    let place = Place::new();
    let ran = set(&place, "CANARY-1\n", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("token ") && ran.out.contains(" of binance is stored"), "{}", ran.out);
    assert!(!format!("{}{}", ran.out, ran.err).contains("CANARY"));
    let first = shown(&place, &[]);
    assert_eq!(first["token"]["source"], "table");
    assert!(ran.out.contains(first["token"]["fingerprint"].as_str().unwrap()));

    place.write("token", "CANARY-2");
    assert_eq!(place.run(&["token", "set", "binance", "--from-file", "token"], &[]).code, Some(0));
    assert_ne!(shown(&place, &[])["token"]["fingerprint"], first["token"]["fingerprint"]);
    let text = place.run(&["token", "show", "binance"], &[]).out;
    assert!(text.contains("expires      unknown") && text.contains("SOURCE"), "{text}");
}

#[test]
fn a_source_before_the_table_wins_and_is_named() {
    let place = Place::new();
    let variables = [("TIDEMILL_TOKEN", "CANARY-by-variable")];
    let ran = set(&place, "CANARY-by-hand", &variables);
    assert!(ran.err.contains("note: listeners use another one first: variable TIDEMILL_TOKEN: token "), "{}", ran.err);
    let shown = shown(&place, &variables);
    assert_eq!((&shown["token"]["source"], &shown["sources"][1]["answer"]), (&"variable".into(), &"not_asked".into()));
}

#[test]
fn what_is_no_token_is_refused_and_nothing_is_stored() {
    let place = Place::new();
    // {"exp":1}
    let expired = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln";
    for (input, said) in [("", "it is empty"), ("CANARY\nCANARY", "holds no token"), (expired, "ran out")] {
        let ran = set(&place, input, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("TM-206") && ran.err.contains(said), "{}", ran.err);
        assert!(!ran.err.contains("CANARY"));
    }
    assert_eq!(shown(&place, &[])["token"], serde_json::Value::Null);
    assert!(!place.path().join("tidemill-data/market.db").exists());
}

#[test]
fn a_token_is_never_an_argument() {
    let place = Place::new();
    assert_eq!(place.run(&["token", "set", "binance", "CANARY"], &[]).code, Some(2));
    assert_eq!(place.run(&["token", "show", "binanse"], &[]).code, Some(3));
}
