//! `tidemill symbol`.

use crate::context::Place;

#[test]
fn symbols_of_every_provider_are_read() {
    let ran = Place::new().run(&["symbol", "fyers", "NSE:RELIANCE25JULFUT", "NSE:NIFTY26AUG24500CE", "--json"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let read: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let (future, option) = (&read["symbols"][0], &read["symbols"][1]);
    assert_eq!(
        (&future["processed"], &future["kind"], &future["expiry"]),
        (&"reliance".into(), &"FUT".into(), &"2025-07".into())
    );
    assert_eq!(
        (&option["strike"], &option["right"], &future["right"]),
        (&"24500".into(), &"C".into(), &serde_json::Value::Null)
    );
    let ran = Place::new().run(&["symbol", "binance", "BTCUSDT"], &[]);
    assert!(ran.out.contains("processed   btcusdt"), "{}", ran.out);
}

#[test]
fn one_bad_symbol_fails_the_command_and_not_its_neighbours() {
    let ran = Place::new().run(&["symbol", "fyers", "NONSENSE", "NSE:SBIN-EQ"], &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("NONSENSE\n  error") && ran.out.contains("processed   sbin"), "{}", ran.out);
}

#[test]
fn an_unknown_feed_gets_a_suggestion() {
    let ran = Place::new().run(&["symbol", "binanse", "BTCUSDT"], &[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
    assert!(ran.err.contains("did you mean `binance`?") && ran.err.contains("fyers"), "{}", ran.err);
}
