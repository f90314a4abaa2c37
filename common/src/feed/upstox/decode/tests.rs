use proptest::prelude::*;

use super::*;

const LTPC: &str = r#"{"type":"live_feed","feeds":{"NSE_EQ|INE002A01018":{"ltpc":{"ltp":1313.7,"ltt":"1742373998758","ltq":"234","cp":1309.85}}},"currentTs":"1742373998921"}"#;
const FULL: &str = r#"{"feeds":{"NSE_FO|53216":{"fullFeed":{"marketFF":{"ltpc":{"ltp":1313.7,"ltt":"1742373998758","ltq":"234","cp":1309.85},"marketLevel":{"bidAskQuote":[{"bidQ":"570","bidP":1313.65,"askQ":"746","askP":1313.7},{"bidQ":"1","bidP":1.0}]},"optionGreeks":{"delta":0.5},"marketOHLC":{"ohlc":[{"interval":"I1","open":9.0,"high":9.5,"low":8.5,"close":9.0},{"interval":"1d","open":1305.6,"high":1316.2,"low":1302.15,"close":1313.7,"vol":"7790518","ts":"1742322600000"}]},"atp":1310.68,"vtt":"7790518","oi":359157.0,"tbq":1.0}},"requestMode":"full_d5"}},"currentTs":"1742373998670"}"#;
const TRADE: &str = r#"{"type":"live_feed","feeds":{"NSE_FO|53216":{"fullFeed":{"marketFF":{"ltpc":{"ltp":1313.75},"optionGreeks":{}}},"requestMode":"full_d5"}}}"#;
const INDEX: &str = r#"{"feeds":{"NSE_INDEX|Nifty 50":{"fullFeed":{"indexFF":{"ltpc":{"ltp":22907.6,"ltt":"1742373998000","cp":22834.3},"marketOHLC":{"ohlc":[{"interval":"1d","open":22874.95,"high":22940.7,"low":22807.95,"close":22907.6}]}}},"requestMode":"full_d5"}}}"#;
const GREEKS: &str = r#"{"feeds":{"NSE_FO|71952":{"firstLevelWithGreeks":{"ltpc":{"ltp":101.05,"ltt":"1742373998758","ltq":"75","cp":98.2},"firstDepth":{"bidQ":"225","bidP":101.0,"askQ":"75","askP":101.15},"optionGreeks":{"delta":0.5},"vtt":"123","oi":4500.0,"iv":0.15},"requestMode":"option_greeks"}}}"#;
const ALL: [(&str, &str); 5] =
    [("ltpc", LTPC), ("full", FULL), ("full_trade", TRADE), ("index", INDEX), ("greeks", GREEKS)];

fn read<'a>(kind: &str, body: &'a str) -> Result<Vec<Observation<'a>>, DecodeError> {
    let mut out = Vec::new();
    observations(kind, body, &mut out).map(|()| out)
}

/// Symbol, exchange time in milliseconds, and the fields that are there.
fn shown(kind: &str, body: &str) -> String {
    let read = read(kind, body).unwrap();
    let [Observation { symbol, exchange_at, trade_id: None, fields }] = &*read else { panic!("{read:?}") };
    let Fields { last_price, last_size, bid_price, bid_size, ask_price, ask_size, .. } = *fields;
    let Fields { open_price, high_price, low_price, previous_close, volume, open_interest, .. } = *fields;
    let prices = [last_price, bid_price, ask_price, open_price, high_price, low_price, previous_close];
    let sizes = [last_size, bid_size, ask_size, volume, open_interest];
    let digits = prices.map(|price| price.map(Price::get)).into_iter().chain(sizes.map(|size| size.map(Quantity::get)));
    let names = "last bid ask open high low before size bid-size ask-size volume interest".split(' ');
    let present = names.zip(digits).filter_map(|(name, digits)| Some(format!(" {name} {}", digits?)));
    let at = exchange_at.map_or_else(|| "-".to_owned(), |UnixMicros(micros)| (micros / 1_000).to_string());
    format!("{symbol} at {at}:{}", present.collect::<String>())
}

#[test]
fn every_kind_is_read_into_its_own_fields() {
    let trade = "NSE_EQ|INE002A01018 at 1742373998758: last 1313.7 before 1309.85 size 234";
    assert_eq!(shown("ltpc", LTPC), trade);
    let full = "NSE_FO|53216 at 1742373998758: last 1313.7 bid 1313.65 ask 1313.7 open 1305.6 high 1316.2 low 1302.15 \
                before 1309.85 size 234 bid-size 570 ask-size 746 volume 7790518 interest 359157.0";
    assert_eq!(shown("full", FULL), full);
    let index = "NSE_INDEX|Nifty 50 at 1742373998000: last 22907.6 open 22874.95 high 22940.7 low 22807.95 \
                 before 22834.3";
    assert_eq!(shown("index", INDEX), index);
    let greeks = "NSE_FO|71952 at 1742373998758: last 101.05 bid 101.0 ask 101.15 before 98.2 size 75 bid-size 225 \
                  ask-size 75 volume 123 interest 4500.0";
    assert_eq!(shown("greeks", GREEKS), greeks);
}

#[test]
fn what_a_message_leaves_out_is_absent_and_so_is_zero() {
    assert_eq!(shown("full_trade", TRADE), "NSE_FO|53216 at -: last 1313.75");
    let zeros = LTPC.replace("1309.85", "0").replace(r#""234""#, r#""0""#).replace(r#""1742373998758""#, r#""0""#);
    assert_eq!(shown("ltpc", &zeros), "NSE_EQ|INE002A01018 at -: last 1313.7");
    let no_bids = FULL.replace(r#""bidQ":"570","bidP":1313.65,"#, "");
    assert!(shown("full", &no_bids).contains("last 1313.7 ask 1313.7 open"), "the second level is not the best");
    assert!(read("full", r#"{"feeds":{"X|1":{"fullFeed":{"marketFF":{}}}}}"#).unwrap()[0].fields.is_empty());
    assert!(read("full", r#"{"feeds":{"X|1":{}}}"#).unwrap()[0].fields.is_empty());
}

#[test]
fn no_float_is_in_between() {
    let long = LTPC.replace("1313.7", "9007199254740993.0000000001").replace(r#""234""#, r#""9223372036854775807""#);
    assert!(shown("ltpc", &long).contains("last 9007199254740993.0000000001 before 1309.85 size 9223372036854775807"));
    assert_eq!(shown("ltpc", &LTPC.replace("1313.7", r#""1313.7""#)), shown("ltpc", LTPC));
    assert!(shown("ltpc", &LTPC.replace("1313.7", "1e-7")).contains("last 0.0000001 "));
}

#[test]
fn a_message_of_several_instruments_gives_all_or_none() {
    let (first, second) = (r#""A|1":{"ltpc":{"ltp":1.5}}"#, r#""A|2":{"ltpc":{"ltp":2.5}}"#);
    let both = format!(r#"{{"feeds":{{{first},{second}}}}}"#);
    assert_eq!(read("ltpc", &both).unwrap().len(), 2);
    let bad = both.replace("2.5", r#""NaN""#);
    let mut out = read("ltpc", LTPC).unwrap();
    assert!(matches!(observations("ltpc", &bad, &mut out), Err(DecodeError::Number { field: "ltp", .. })));
    assert_eq!(out.len(), 1, "what was there before stays");
}

#[test]
fn a_time_that_cannot_be_read_does_not_lose_the_price() {
    for time in [r#""soon""#, "1.5", r#""9223372036854775807""#] {
        assert!(shown("ltpc", &LTPC.replace(r#""1742373998758""#, time)).contains("at -: last 1313.7"), "{time}");
    }
}

#[test]
fn a_value_that_is_no_number_is_named() {
    for value in [r#""NaN""#, r#""Infinity""#, r#""""#, "1e400"] {
        let error = read("full", &FULL.replace("1313.65", value)).unwrap_err();
        assert!(matches!(error, DecodeError::Number { field: "bidP", .. }), "{value}: {error:?}");
    }
    let error = read("full", &FULL.replace(r#""570""#, r#""-570""#)).unwrap_err();
    assert!(matches!(error, DecodeError::Number { field: "bidQ", .. }), "{error:?}");
}

#[test]
fn what_is_not_documented_is_malformed() {
    for body in ["", "{}", "[]", r#"{"feeds":{}}"#, r#"{"feeds":[]}"#, r#"{"feeds":{"X|1":{"ltpc":{"ltp":true}}}}"#] {
        assert!(matches!(read("ltpc", body), Err(DecodeError::Malformed { .. })), "{body}");
    }
    assert_eq!(read("depth", FULL), Err(DecodeError::Skip("unknown_kind")));
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for (kind, good) in ALL {
            let cut = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..cut], &good[cut + 1..]);
            for body in [&text, &good[..cut], &changed] {
                if let Ok(read) = read(kind, body) {
                    prop_assert!(!read.is_empty());
                }
            }
        }
    }
}
