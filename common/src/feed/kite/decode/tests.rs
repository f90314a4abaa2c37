use proptest::prelude::*;

use super::*;

/// A tick of each kind in the documented shape, with values of our own.
const LTP: &str =
    r#"{"mode":"ltp","tradable":true,"instrument_token":408065,"tradingsymbol":"NSE:INFY","last_price":1573.15}"#;
const FULL: &str = r#"{"mode":"full","tradable":true,"instrument_token":13068034,"last_price":101.5,"last_quantity":7,"average_price":100.37,"volume":1192471,"buy_quantity":256443,"sell_quantity":363009,"ohlc":{"open":99.15,"high":105,"low":0,"close":97.8},"last_trade_time":"2026-07-06T10:41:27+05:30","oi":1250,"oi_day_high":0,"oi_day_low":0,"timestamp":"2026-07-06T10:41:28+05:30","change":3.7,"depth":{"buy":[{"price":101.4,"quantity":5,"orders":1}],"sell":[{"price":0,"quantity":0,"orders":0}]}}"#;
const PYTHON: &str = r#"{"instrument_token":408065,"last_price":1573.15,"last_traded_quantity":3,"volume_traded":9,"exchange_timestamp":"2026-07-06T10:41:28+05:30"}"#;

fn digits(fields: Fields) -> String {
    let Fields { last_price, last_size, bid_price, bid_size, ask_price, ask_size, .. } = fields;
    let Fields { open_price, high_price, low_price, previous_close, volume, open_interest, .. } = fields;
    let prices = [last_price, bid_price, ask_price, open_price, high_price, low_price, previous_close];
    let sizes = [last_size, bid_size, ask_size, volume, open_interest];
    let texts = prices.map(|price| price.map(Price::get)).into_iter().chain(sizes.map(|size| size.map(Quantity::get)));
    texts.map(|digits| digits.map_or("-".to_owned(), |digits| digits.to_string())).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_last_price_is_all_that_the_smallest_tick_tells() {
    let read = observation("ltp", LTP).unwrap();
    assert_eq!((&*read.symbol, read.exchange_at, read.trade_id), ("NSE:INFY", None, None));
    assert_eq!(digits(read.fields), "1573.15 - - - - - - - - - - -");
}

#[test]
fn a_full_tick_gives_every_group_and_its_zeros_are_absent() {
    let read = observation("full", FULL).unwrap();
    assert_eq!((&*read.symbol, read.exchange_at), ("13068034", Some(UnixMicros(1_783_314_688_000_000))));
    assert_eq!(digits(read.fields), "101.5 101.4 - 99.15 105 - 97.8 7 5 - 1192471 1250");
}

#[test]
fn a_share_has_no_open_interest_and_a_contract_may_have_none_left() {
    let share = FULL.replace("13068034", "408065");
    assert_eq!(observation("full", &share).unwrap().fields.open_interest, None);
    let contract = FULL.replace("1250", "0");
    assert!(observation("full", &contract).unwrap().fields.open_interest.is_some());
}

#[test]
fn the_names_of_the_python_library_are_read_as_well() {
    let read = observation("quote", PYTHON).unwrap();
    assert_eq!(digits(read.fields), "1573.15 - - - - - - 3 - - 9 -");
    assert!(read.exchange_at.is_some());
}

#[test]
fn a_tick_without_a_price_or_of_another_kind_is_skipped() {
    assert_eq!(observation("ltp", &LTP.replace("1573.15", "0")), Err(DecodeError::Skip("no_price")));
    assert_eq!(observation("order", LTP), Err(DecodeError::Skip("unknown_stream")));
}

#[test]
fn what_is_not_documented_is_malformed_or_no_number() {
    for (from, to) in [("408065", "-1"), ("\"instrument_token\":408065,", ""), ("1573.15", "null,"), ("1573.15", "[]")]
    {
        let error = observation("ltp", &LTP.replace(from, to)).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { .. }), "{to}: {error:?}");
    }
    let late = FULL.replace("2026-07-06T10:41:28+05:30", "yesterday");
    assert!(matches!(observation("full", &late), Err(DecodeError::Malformed { .. })));
    let error = observation("ltp", &LTP.replace("1573.15", "\"NaN\"")).unwrap_err();
    assert!(matches!(error, DecodeError::Number { field: "last_price", .. }), "{error:?}");
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for (kind, good) in [("ltp", LTP), ("full", FULL), ("quote", PYTHON)] {
            let cut = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..cut], &good[cut + 1..]);
            for body in [&text, &good[..cut], &changed] {
                if let Ok(read) = observation(kind, body) {
                    prop_assert!(!read.fields.is_empty());
                }
            }
        }
    }
}
