//! `tidemill feed`: what operators ask for is kept in the broker, whether a listener runs or not.

use serde_json::Value;

use crate::context::{Place, Ran};

const SYMBOLS: &[(&str, &str)] = &[("TIDEMILL_LISTENER__SYMBOLS", "BTCUSDT,ETHUSDT")];

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

fn desired(place: &Place) -> Value {
    let ran = place.run(&["feed", "ls", "--json"], SYMBOLS);
    json(&ran)["groups"][0]["desired"].clone()
}

#[test]
fn looking_at_groups_that_are_not_there_creates_nothing() {
    let place = Place::new();
    let ran = place.run(&["feed", "ls"], &[]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("no group yet"), "{}", ran.out);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn what_was_subscribed_twice_is_unsubscribed_twice() {
    let place = Place::new();
    for (verb, state, all) in [
        ("subscribe", "SOLUSDT  subscribed\n", &["BTCUSDT", "ETHUSDT", "SOLUSDT"][..]),
        ("subscribe", "SOLUSDT  subscribed 2 times\n", &["BTCUSDT", "ETHUSDT", "SOLUSDT"]),
        ("unsubscribe", "SOLUSDT  subscribed\n", &["BTCUSDT", "ETHUSDT", "SOLUSDT"]),
        ("unsubscribe", "SOLUSDT  not subscribed any more\n", &["BTCUSDT", "ETHUSDT"]),
    ] {
        let ran = place.run(&["feed", verb, "binance", "SOLUSDT"], SYMBOLS);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{verb}");
        assert!(ran.out.contains(state) && ran.out.contains("follow within 2 s"), "{}", ran.out);
        assert_eq!(desired(&place), Value::from(all), "{verb}");
    }
    let ran = place.run(&["feed", "unsubscribe", "binance", "SOLUSDT", "BTCUSDT"], SYMBOLS);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("error[TM-611]: `SOLUSDT` is not subscribed") && !ran.err.contains("BTCUSDT"),
        "{}",
        ran.err
    );
    assert_eq!(desired(&place), Value::from(&["BTCUSDT", "ETHUSDT"][..]), "all of them or none");
    // A symbol of the settings, in another spelling.
    assert_eq!(place.run(&["feed", "unsubscribe", "binance", "btcusdt"], SYMBOLS).code, Some(0));
    assert_eq!(desired(&place), Value::from(&["ETHUSDT"][..]));
}

#[test]
fn symbols_outside_the_feeds_grammar_are_refused_before_anything_is_asked_for() {
    let place = Place::new();
    let ran = place.run(&["feed", "subscribe", "binance", "SOLUSDT", "no such", "?"], SYMBOLS);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert_eq!(ran.err.matches("error[TM-610]").count(), 2, "{}", ran.err);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "no broker was opened");
    let ran = place.run(&["feed", "subscribe", "binanse", "SOLUSDT"], &[]);
    assert!(ran.code == Some(3) && ran.err.contains("did you mean `binance`?"), "{}", ran.err);
}

#[test]
fn a_pause_is_of_one_group() {
    let place = Place::new();
    let own = place.run(&["feed", "pause", "binance", "--json"], SYMBOLS);
    assert_eq!((&json(&own)["group"], &json(&own)["paused"]), (&"binance".into(), &true.into()));
    let other = place.run(&["feed", "resume", "binance", "--group", "night", "--json"], SYMBOLS);
    assert_eq!(json(&other)["paused"], false);
    let groups = json(&place.run(&["feed", "ls", "--json"], SYMBOLS))["groups"].clone();
    let seen: Vec<_> = groups.as_array().unwrap().iter().map(|group| (&group["group"], &group["paused"])).collect();
    assert_eq!(seen, [(&"binance".into(), &true.into()), (&"night".into(), &false.into())]);
    assert_eq!((&groups[0]["settings_known"], &groups[1]["settings_known"]), (&true.into(), &false.into()));
    let text = place.run(&["feed", "ls", "binance"], SYMBOLS).out;
    assert!(text.starts_with("binance  paused\n") && text.contains("no listener"), "{text}");
}

#[test]
fn the_group_of_the_settings_is_the_default() {
    let place = Place::new();
    let variables = [("TIDEMILL_LISTENER__GROUP", "night"), SYMBOLS[0]];
    let ran = place.run(&["feed", "subscribe", "binance", "SOLUSDT", "--json"], &variables);
    assert_eq!(json(&ran)["group"], "night");
    assert_eq!(json(&ran)["symbols"][0]["subscriptions"], 1);
    let bad = place.run(&["config", "check"], &[("TIDEMILL_LISTENER__GROUP", "a b")]);
    assert_eq!(bad.code, Some(3), "{}", bad.err);
}
