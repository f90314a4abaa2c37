use proptest::prelude::*;

use super::*;
use crate::clock::UnixMicros;
use crate::market::{Fields, Price, Quantity};

/// A provider of our own: an array of trades below `/data`, what they share around it.
fn trades() -> Description {
    let pointer = |text: &str| text.parse::<Pointer>().unwrap();
    let rule = |at: &str, value: &str| Rule { pointer: pointer(at), value: value.to_owned() };
    Description {
        name: "acme".to_owned(),
        url: "wss://stream.example/v1?key={credential}".parse().unwrap(),
        headers: vec![("X-Key".to_owned(), "Bearer {credential}".parse().unwrap())],
        subscribe: vec![r#"{"op":"sub","args":{symbols}}"#.parse().unwrap()],
        unsubscribe: vec![r#"{"op":"unsub","arg":"{symbol}"}"#.parse().unwrap()],
        heartbeat: Some(r#"{"op":"ping"}"#.parse().unwrap()),
        heartbeat_interval: Duration::from_secs(10),
        symbols_per_connection: 50,
        symbols_per_message: 2,
        connections_max: Some(3),
        message_interval: Duration::from_millis(250),
        silence_max: Duration::from_secs(30),
        events: pointer("/data"),
        only: vec![rule("/type", "trade")],
        symbol: pointer("/s"),
        values: vec![
            (Slot::LastPrice, pointer("/p")),
            (Slot::LastSize, pointer("/v")),
            (Slot::BidPrice, pointer("/b/0")),
        ],
        time: Some((pointer("/t"), TimeUnit::Since1970 { per_second: 1_000 })),
        confirm: Some(Verdict { rules: vec![rule("/type", "subscribed")], symbols: Some(pointer("/symbols")) }),
        refuse: Some(Verdict { rules: vec![rule("/type", "refused")], symbols: Some(pointer("/symbols")) }),
        refuse_reason: Some(pointer("/why")),
        exchange: "ACME".to_owned(),
        kind: Kind::Spot,
    }
}

fn decoded(description: Description, body: &str) -> Result<Vec<String>, DecodeError> {
    let mut out = Vec::new();
    feed(description).decode(KIND, body, &mut out)?;
    let shown = out.iter().map(|tick| {
        let Fields { last_price, last_size, bid_price, .. } = tick.fields;
        let at = tick.exchange_at.map(|UnixMicros(at)| at);
        let (last, bid) = (last_price.map(Price::get), bid_price.map(Price::get));
        format!("{} {at:?} {last:?} {:?} {bid:?}", tick.symbol, last_size.map(Quantity::get))
    });
    Ok(shown.collect())
}

#[test]
fn each_event_of_the_array_is_an_observation_with_exact_digits() {
    let body = r#"{"type":"trade","t":1700000000123,"data":[{"s":"BTC-USD","p":"9007199254740993.10","v":0.50},{"s":"ETH-USD","p":1.5e3,"b":["7"],"t":1700000000124.5}]}"#;
    let wanted = [
        "BTC-USD Some(1700000000123000) Some(9007199254740993.10) Some(0.50) None",
        "ETH-USD Some(1700000000124500) Some(1500) None Some(7)",
    ];
    assert_eq!(decoded(trades(), body).unwrap(), wanted);
}

#[test]
fn the_whole_frame_may_be_the_event_and_an_array_of_them() {
    let whole = Description { events: Pointer::default(), only: Vec::new(), ..trades() };
    let one = r#"{"s":"X","p":"1","t":0}"#;
    assert_eq!(decoded(whole.clone(), one).unwrap(), ["X Some(0) Some(1) None None"]);
    assert_eq!(decoded(whole, &format!("[{one},{one}]")).unwrap().len(), 2);
}

#[test]
fn absent_values_are_absent_and_an_event_without_any_is_skipped() {
    let body = r#"{"type":"trade","t":1,"data":[{"s":"A","p":null,"v":""},{"s":"B","p":"2"}]}"#;
    assert_eq!(decoded(trades(), body).unwrap(), ["B Some(1000) Some(2) None None"]);
    let empty = r#"{"type":"trade","data":[{"s":"A"}]}"#;
    assert_eq!(decoded(trades(), empty), Err(DecodeError::Skip("no_price")));
}

#[test]
fn a_value_that_is_no_number_or_time_is_named_and_nothing_is_kept() {
    let body = |second: &str| format!(r#"{{"type":"trade","data":[{{"s":"A","p":1}},{second}]}}"#);
    for value in [r#""NaN""#, "true", "[]", r#""1,5""#] {
        let error = decoded(trades(), &body(&format!(r#"{{"s":"B","p":{value}}}"#))).unwrap_err();
        assert!(matches!(error, DecodeError::Number { field: "price", .. }), "{value}: {error:?}");
    }
    for time in [r#""soon""#, "1e30", "{}"] {
        let error = decoded(trades(), &body(&format!(r#"{{"s":"B","p":1,"t":{time}}}"#))).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { .. }), "{time}: {error:?}");
    }
}

#[test]
fn times_are_read_in_every_unit() {
    for (unit, text) in [
        (TimeUnit::Since1970 { per_second: 1 }, "1700000000.000001"),
        (TimeUnit::Since1970 { per_second: 1_000_000 }, "\"1700000000000001\""),
        (TimeUnit::Since1970 { per_second: 1_000_000_000 }, "1700000000000001999"),
        (TimeUnit::Rfc3339, "\"2023-11-14T22:13:20.000001Z\""),
        (TimeUnit::Rfc3339, "\"2023-11-15T03:43:20.000001+05:30\""),
    ] {
        let description = Description { time: Some(("/t".parse().unwrap(), unit)), ..trades() };
        let body = format!(r#"{{"type":"trade","data":{{"s":"A","p":1,"t":{text}}}}}"#);
        assert_eq!(decoded(description, &body).unwrap(), ["A Some(1700000000000001) Some(1) None None"], "{text}");
    }
}

#[test]
fn an_instrument_is_of_the_exchange_and_kind_that_the_description_names() {
    let read =
        |kind, symbol: &str| feed(Description { kind, ..trades() }).instrument(symbol).map(|read| read.to_string());
    assert_eq!(read(Kind::Spot, "btc-usd").unwrap(), "ACME:BTC/USD:SPOT");
    assert_eq!(read(Kind::Eq, "NASDAQ:BRK-B").unwrap(), "ACME:BRK-B:EQ");
    for symbol in ["", "a b", "\n", "---", ":"] {
        assert!(read(Kind::Eq, symbol).is_err(), "{symbol:?}");
    }
}

#[test]
fn topics_are_symbols_each_once_and_other_channels_are_refused() {
    let acme = feed(trades());
    let symbols = ["A", "B", "A"].map(str::to_owned);
    let topics = acme.topics(&symbols, &["event".to_owned()], &Catalog::default()).unwrap();
    assert_eq!(topics.iter().map(|topic| &*topic.stream).collect::<Vec<_>>(), ["A", "B"]);
    assert!(acme.topics(&symbols, &["trades".to_owned()], &Catalog::default()).is_err());
}

#[test]
fn a_missing_credential_is_asked_for_and_a_given_one_is_never_shown() {
    let acme = feed(trades());
    let credential = "CANARY&x".into();
    let mut request = SessionRequest {
        endpoints: acme.endpoints(),
        topics: &[],
        credential: None,
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    assert_eq!(acme.session(&request).unwrap_err().remedy, Remedy::NewCredentials);
    request.credential = Some(&credential);
    let session = acme.session(&request).unwrap();
    assert_eq!(session.url(), "wss://stream.example/v1?key=CANARY%26x");
    assert_eq!(session.headers().len(), 1);
    assert!(!format!("{session:?}").contains("CANARY"), "{session:?}");
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let acme = feed(trades());
        let good = r#"{"type":"trade","t":1700000000123,"data":[{"s":"BTC-USD","p":"61000.10","v":0.50},{"s":"E","p":1}]}"#;
        let cut = at.index(good.len());
        let changed = format!("{}{with}{}", &good[..cut], &good[cut + 1..]);
        for body in [&text, &good[..cut], &changed] {
            let mut out = Vec::new();
            let is_ok = acme.decode(KIND, body, &mut out).is_ok();
            prop_assert_eq!(is_ok, !out.is_empty());
        }
    }
}
