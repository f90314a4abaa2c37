use proptest::prelude::*;

use super::*;
use crate::feed::testing;

/// One event of each kind, as documented, with values of our own.
const TRADE: &str = r#"{"stream":"bnbbtc@trade","data":{"e":"trade","E":1672515782137,"s":"BNBBTC","t":12345,"p":"0.00110000","q":"100.50","T":1672515782136,"m":true,"M":true}}"#;
const FUTURES_TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782137,"T":1672515782136,"s":"BTCUSDT","t":12345,"p":"16500.10","q":"0.006","X":"MARKET","m":false}}"#;
const AGG_TRADE: &str = r#"{"stream":"bnbbtc@aggTrade","data":{"e":"aggTrade","E":1672515782137,"s":"BNBBTC","a":77,"p":"0.0011","q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}}"#;
const BOOK: &str = r#"{"stream":"bnbusdt@bookTicker","data":{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}}"#;
const FUTURES_BOOK: &str = r#"{"stream":"bnbusdt@bookTicker","data":{"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT","b":"25.3519","B":"31.21","a":"25.3652","A":"40.66"}}"#;
const MINI: &str = r#"{"stream":"bnbbtc@miniTicker","data":{"e":"24hrMiniTicker","E":1672515782136,"s":"BNBBTC","c":"0.0025","o":"0.0010","h":"0.0026","l":"0.0009","v":"10000","q":"18"}}"#;
const TICKER: &str = r#"{"stream":"bnbbtc@ticker","data":{"e":"24hrTicker","E":1672515782136,"s":"BNBBTC","p":"0.0015","P":"250.00","w":"0.0018","x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"11","a":"0.0026","A":"100","o":"0.0010","h":"0.0026","l":"0.0008","v":"10000","q":"18","O":0,"C":86400000,"F":0,"L":18150,"n":18151}}"#;
const KLINE: &str = r#"{"stream":"bnbbtc@kline_1m","data":{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}}"#;
const DEPTH: &str = r#"{"stream":"bnbbtc@depth5@100ms","data":{"lastUpdateId":160,"bids":[["0.0024","10"],["0.0023","7"]],"asks":[["0.0026","100"]]}}"#;
const FUTURES_DEPTH: &str = r#"{"stream":"btcusdt@depth5","data":{"e":"depthUpdate","E":1571889248277,"T":1571889248276,"s":"BTCUSDT","U":390497796,"u":390497878,"pu":390497794,"b":[["7403.89","0.002"]],"a":[["7405.96","3.340"],["7406.63","4.525"]]}}"#;
const ALL: [(&str, &str); 10] = [
    ("trade", TRADE),
    ("trade", FUTURES_TRADE),
    ("aggTrade", AGG_TRADE),
    ("bookTicker", BOOK),
    ("bookTicker", FUTURES_BOOK),
    ("miniTicker", MINI),
    ("ticker", TICKER),
    ("kline", KLINE),
    ("depth5", DEPTH),
    ("depth5", FUTURES_DEPTH),
];

fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    let mut out = Vec::new();
    decode(kind, body, &mut out)?;
    Ok(out.pop().expect("an event is one observation"))
}

fn shown(kind: &str, body: &str) -> String {
    testing::shown(&observation(kind, body).unwrap())
}

#[test]
fn every_kind_is_read_into_its_own_fields() {
    let trade = "BNBBTC at 1672515782136 id 12345: last 0.00110000 size 100.50";
    assert_eq!(shown("trade", TRADE), trade);
    assert_eq!(shown("trade", FUTURES_TRADE), "BTCUSDT at 1672515782136 id 12345: last 16500.10 size 0.006");
    assert_eq!(shown("aggTrade", AGG_TRADE), "BNBBTC at 1672515782136 id 77: last 0.0011 size 100");
    let quote = "BNBUSDT at - id -: bid 25.35190000 ask 25.36520000 bid-size 31.21000000 ask-size 40.66000000";
    assert_eq!(shown("bookTicker", BOOK), quote);
    let quote = "BNBUSDT at 1568014460891 id -: bid 25.3519 ask 25.3652 bid-size 31.21 ask-size 40.66";
    assert_eq!(shown("bookTicker", FUTURES_BOOK), quote);
    let day = "BNBBTC at 1672515782136 id -: last 0.0025 open 0.0010 high 0.0026 low 0.0009 volume 10000";
    assert_eq!(shown("miniTicker", MINI), day);
    let all = "BNBBTC at 1672515782136 id -: last 0.0025 bid 0.0024 ask 0.0026 open 0.0010 high 0.0026 low 0.0008 \
               before 0.0009 size 10 bid-size 11 ask-size 100 volume 10000";
    assert_eq!(shown("ticker", TICKER), all);
}

#[test]
fn a_time_is_read_in_milliseconds_and_in_microseconds() {
    let micros = TRADE.replace("1672515782136", "1672515782136789");
    assert_eq!(observation("trade", TRADE).unwrap().exchange_at.map(|at| at.0), Some(1_672_515_782_136_000));
    assert_eq!(observation("trade", &micros).unwrap().exchange_at.map(|at| at.0), Some(1_672_515_782_136_789));
}

#[test]
fn a_bar_gives_its_close_and_nothing_of_the_day() {
    assert_eq!(shown("kline", KLINE), "BNBBTC at 1672515782136 id -: last 0.0020");
}

#[test]
fn partial_depth_gives_its_best_level_and_its_stream_names_the_symbol() {
    assert_eq!(shown("depth5", DEPTH), "BNBBTC at - id -: bid 0.0024 ask 0.0026 bid-size 10 ask-size 100");
    let quote = "BTCUSDT at 1571889248276 id -: bid 7403.89 ask 7405.96 bid-size 0.002 ask-size 3.340";
    assert_eq!(shown("depth5", FUTURES_DEPTH), quote);
    let one_sided = DEPTH.replace(r#"[["0.0026","100"]]"#, "[]");
    assert_eq!(shown("depth20", &one_sided), "BNBBTC at - id -: bid 0.0024 bid-size 10");
}

#[test]
fn an_empty_book_is_skipped_and_a_nameless_one_is_malformed() {
    let empty = r#"{"stream":"bnbbtc@depth5","data":{"lastUpdateId":160,"bids":[],"asks":[]}}"#;
    assert_eq!(observation("depth5", empty), Err(DecodeError::Skip("empty_book")));
    let nameless = DEPTH.replace("bnbbtc@", "@");
    assert!(matches!(observation("depth5", &nameless), Err(DecodeError::Malformed { .. })));
}

#[test]
fn plain_numbers_and_escapes_are_read_as_exactly_as_texts() {
    let plain = TRADE.replace(r#""0.00110000""#, "0.00110000");
    assert_eq!(shown("trade", &plain), shown("trade", TRADE));
    let escaped = TRADE.replace(r#""0.00110000""#, r#""0\u002e00110000""#);
    assert_eq!(shown("trade", &escaped), shown("trade", TRADE));
    let long = TRADE.replace(r#""0.00110000""#, "9007199254740993.0000000001");
    assert!(shown("trade", &long).contains("last 9007199254740993.0000000001 size"), "no float has been in between");
}

#[test]
fn a_symbol_need_not_be_ascii() {
    assert!(shown("trade", &TRADE.replace("BNBBTC", "币BTC")).starts_with("币BTC at"));
    assert!(shown("trade", &TRADE.replace("BNBBTC", r"\u5e01BTC")).starts_with("币BTC at"));
}

#[test]
fn a_value_that_is_no_number_is_named() {
    let long = r#""0.12345678901234567890123456789012345""#;
    for value in [r#""NaN""#, r#""Infinity""#, r#""""#, r#""12,5""#, r#""\ud800""#, "1e400", long] {
        let error = observation("trade", &TRADE.replace(r#""0.00110000""#, value)).unwrap_err();
        assert!(matches!(error, DecodeError::Number { field: "p", .. }), "{value}: {error:?}");
    }
    let error = observation("bookTicker", &BOOK.replace("40.66000000", "-1")).unwrap_err();
    assert!(matches!(error, DecodeError::Number { field: "A", .. }), "{error:?}");
}

#[test]
fn what_is_not_documented_is_malformed() {
    for (from, to) in [
        (r#""p":"0.00110000""#, r#""p":null"#),
        (r#""p":"0.00110000""#, r#""p":true"#),
        (r#""p":"0.00110000""#, r#""p":["1"]"#),
        (r#""p":"0.00110000","#, ""),
        (r#""s":"BNBBTC""#, r#""s":5"#),
        (r#""s":"BNBBTC","#, ""),
        (r#""t":12345"#, r#""t":"12345""#),
        (r#""T":1672515782136"#, r#""T":9223372036854775807"#),
        (r#""T":1672515782136"#, r#""T":1.5"#),
        (r#""data":"#, r#""date":"#),
        (r#""s":"BNBBTC""#, r#""s":"BNBBTC","s":"X""#),
    ] {
        let error = observation("trade", &TRADE.replace(from, to)).unwrap_err();
        let DecodeError::Malformed { kind, problem } = error else { panic!("{to}: {error:?}") };
        assert_eq!(&*kind, "trade");
        assert!(!problem.is_empty());
    }
}

#[test]
fn what_is_not_kept_is_skipped_with_its_reason() {
    for (kind, reason) in [
        ("depth", "depth"),
        ("markPrice", "mark_price"),
        ("avgPrice", "unknown_stream"),
        ("!miniTicker@arr", "unknown_stream"),
    ] {
        assert_eq!(observation(kind, "{}"), Err(DecodeError::Skip(reason)));
    }
}

#[test]
fn a_trade_that_did_not_come_from_the_market_is_no_price() {
    for execution in ["INSURANCE_FUND", "ADL", "NA"] {
        let body = FUTURES_TRADE.replace("MARKET", execution).replace("16500.10", "0");
        assert_eq!(observation("trade", &body), Err(DecodeError::Skip("not_market")));
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for (kind, good) in ALL {
            let cut = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..cut], &good[cut + 1..]);
            for body in [&text, &good[..cut], &changed] {
                if let Ok(read) = observation(kind, body) {
                    prop_assert!(!read.fields.is_empty());
                    prop_assert_eq!(Ok(read), thoroughly(kind, body), "the quick reader and the thorough one differ");
                }
            }
        }
    }
}

#[test]
fn what_comes_by_the_thousand_is_read_quickly() {
    for (kind, body) in &ALL[..5] {
        assert!(quick::observe(kind, body, &mut Vec::new()).is_some(), "{body}");
    }
}
