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

/// A place whose settings name a master of ours: one contract that is past and two that are far away.
fn place_with_a_master() -> Place {
    let place = Place::new();
    let row = |token: &str, expiry: u64, symbol: &str| {
        format!(
            "{token},A FUTURE,13,500,0.05,,0915-1530:,2025-07-24,{expiry},{symbol},10,11,1,RELIANCE,2885,-1.0,XX,1,None,0,0\n"
        )
    };
    let rows = [
        row("101120010153000", 1_577_872_800, "NSE:RELIANCE20JANFUT"),
        row("101199013053001", 4_073_407_200, "NSE:RELIANCE99JANFUT"),
        row("101199022753002", 4_075_826_400, "NSE:RELIANCE99FEBFUT"),
        "a line that is no instrument\n".to_owned(),
    ];
    place.write("fo.csv", &rows.concat());
    place.write(
        "tidemill.toml",
        "[instruments]\nmasters = [\"fyers=fo.csv\"]\naliases = [\"indices\", \"RIL=RELIANCE\"]\n",
    );
    place
}

#[test]
fn a_master_tells_the_day_the_token_and_the_nearest_contract() {
    let place = place_with_a_master();
    let symbols =
        ["NSE:RELIANCE99FEBFUT", "101199022753002", "NSE:RELIANCE:FUT:near", "NSE:RIL-EQ", "NSE:NIFTY50-INDEX"];
    let ran = place.run(&[&["symbol", "fyers", "--json"][..], &symbols].concat(), &[]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.out, ran.err);
    let read: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let forms: Vec<&str> = (0..5).map(|place| read["symbols"][place]["canonical"].as_str().unwrap()).collect();
    let february = "NSE:RELIANCE:FUT:2099-02-27";
    assert_eq!(forms, [february, february, "NSE:RELIANCE:FUT:2099-01-30", "NSE:RELIANCE:EQ", "NSE:NIFTY:INDEX"]);
}

#[test]
fn a_contract_that_rolls_needs_a_master() {
    let ran = Place::new().run(&["symbol", "fyers", "NSE:RELIANCE:FUT:near"], &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("instruments.masters"), "{}", ran.out);
    let variables = [("TIDEMILL_LISTENER__SYMBOLS", "BTC/USDT:FUT:near")];
    let ran = Place::new().run(&["listener"], &variables);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("EXCHANGE:UNDERLYING:FUT:near"), "{}", ran.err);
}

#[test]
fn instruments_are_listed_and_found() {
    let place = place_with_a_master();
    let ran = place.run(&["instruments", "ls"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("fyers                3   new  fo.csv\n  skipped     1 rows"), "{}", ran.out);
    let ran = place.run(&["instruments", "find", "99feb", "--json"], &[]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["instruments"][0]["key"], "101199022753002");
    assert_eq!(place.run(&["instruments", "find", "NOTHING"], &[]).code, Some(1));

    place.write("tidemill.toml", "[instruments]\nmasters = [\"fyers=nowhere.csv\"]\n");
    let ran = place.run(&["instruments", "refresh"], &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("trouble     No such file"), "{}", ran.out);
}

#[test]
fn settings_of_instruments_are_checked() {
    for (text, said) in [
        ("masters = [\"nobody=f.csv\"]", "FEED one of fyers, upstox, kite"),
        ("masters = [\"fyers\"]", "`FEED=ADDRESS`"),
        ("aliases = [\"OLD\"]", "`OLD=NEW`"),
    ] {
        let place = Place::new();
        place.write("tidemill.toml", &format!("[instruments]\n{text}\n"));
        let ran = place.run(&["config", "check"], &[]);
        assert_eq!(ran.code, Some(3), "{text}");
        assert!(ran.err.contains(said), "{text}: {}", ran.err);
    }
}
