use proptest::prelude::*;

use super::*;

fn fields(body: &str) -> Fields {
    observation("sf", body).unwrap().fields
}

#[test]
fn a_symbol_message_gives_trade_quote_and_day() {
    let body = r#"{"ltp":606.4,"vol_traded_today":3045212,"last_traded_time":1690953622,"exch_feed_time":1690953623,"bid_size":2081,"ask_size":903,"bid_price":606.4,"ask_price":606.45,"last_traded_qty":5,"low_price":605.85,"high_price":610.5,"open_price":609.85,"prev_close_price":620.2,"open_interest":12,"type":"sf","symbol":"NSE:SBIN-EQ","ch":-13.8,"chp":-2.23}"#;
    let said = observation("sf", body).unwrap();
    assert_eq!((&*said.symbol, said.exchange_at), ("NSE:SBIN-EQ", Some(UnixMicros(1_690_953_622_000_000))));
    let shown = format!("{:?}", said.fields);
    for wanted in [
        "last_price: Some(Price(606.4)), last_size: Some(Quantity(5))",
        "bid_price: Some(Price(606.4)), bid_size: Some(Quantity(2081)), ask_price: Some(Price(606.45)), ask_size: Some(Quantity(903))",
        "open_price: Some(Price(609.85)), high_price: Some(Price(610.5)), low_price: Some(Price(605.85))",
        "previous_close: Some(Price(620.2)), volume: Some(Quantity(3045212)), open_interest: Some(Quantity(12))",
    ] {
        assert!(shown.contains(wanted), "{shown}");
    }
}

#[test]
fn a_depth_message_gives_its_first_level() {
    let body = r#"{"bid_price1":1.5,"bid_price2":1.4,"ask_price1":1.6,"bid_size1":7,"ask_size1":8,"bid_price":9,"type":"dp","symbol":"NSE:A-EQ"}"#;
    let quote = fields(body);
    assert_eq!(quote.bid_price, Some("1.5".parse().unwrap()));
    assert_eq!(quote.ask_size, Some("8".parse().unwrap()));
    assert_eq!(quote.last_price, None);
}

#[test]
fn an_index_and_a_lite_message_give_what_they_have() {
    let index = r#"{"ltp":19526.45,"prev_close_price":19655.55,"exch_feed_time":1690953622,"type":"if","symbol":"NSE:NIFTY50-INDEX"}"#;
    let said = observation("if", index).unwrap();
    assert_eq!(said.exchange_at, Some(UnixMicros(1_690_953_622_000_000)));
    assert_eq!(said.fields.bid_price, None);
    let lite = observation("sf", r#"{"ltp":606.5,"symbol":"NSE:SBIN-EQ","type":"sf"}"#).unwrap();
    let only = Fields { last_price: Some("606.5".parse().unwrap()), ..Fields::default() };
    assert_eq!((lite.fields, lite.exchange_at), (only, None));
}

#[test]
fn numbers_may_be_floats_and_texts_and_absent() {
    let body = r#"{"ltp":"1163.95","vol_traded_today":573412.0,"last_traded_time":1713165342.0,"bid_size":null,"turnover":66748023860.0,"type":"sf","symbol":"NSE:A-EQ"}"#;
    let said = observation("", body).unwrap();
    assert_eq!(said.exchange_at, Some(UnixMicros(1_713_165_342_000_000)));
    assert_eq!(said.fields.volume, Some("573412".parse().unwrap()));
    assert_eq!(said.fields.bid_size, None);
}

#[test]
fn a_count_that_wrapped_is_left_out_and_the_price_kept() {
    let said = fields(r#"{"ltp":7.5,"vol_traded_today":-2000000000,"type":"sf","symbol":"NSE:IDEA-EQ"}"#);
    assert_eq!((said.last_price.is_some(), said.volume), (true, None));
}

#[test]
fn what_never_traded_has_the_time_of_the_feed() {
    let body = r#"{"ltp":1,"last_traded_time":0,"exch_feed_time":1690953622,"symbol":"NSE:A-EQ","type":"sf"}"#;
    assert_eq!(observation("sf", body).unwrap().exchange_at, Some(UnixMicros(1_690_953_622_000_000)));
    let body = r#"{"ltp":1,"last_traded_time":0,"symbol":"NSE:A-EQ","type":"sf"}"#;
    assert_eq!(observation("sf", body).unwrap().exchange_at, None);
}

#[test]
fn status_messages_and_unknown_types_are_skipped() {
    for (body, reason) in [
        (r#"{"type":"cn","code":200,"message":"Authentication done","s":"ok"}"#, "status"),
        (r#"{"code":-300,"message":"Please provide a valid symbol","s":"error","type":"sub"}"#, "status"),
        (r#"{"type":"zz","symbol":"NSE:A-EQ"}"#, "unknown_type"),
    ] {
        assert_eq!(observation("sf", body), Err(DecodeError::Skip(reason)), "{body}");
    }
}

#[test]
fn the_kind_tells_where_the_message_does_not() {
    let body = r#"{"ltp":1,"bid_price1":2,"symbol":"NSE:A-EQ"}"#;
    assert_eq!(observation("dp", body).unwrap().fields.bid_price, Some("2".parse().unwrap()));
    assert_eq!(observation("", body), Err(DecodeError::Skip("unknown_type")));
}

#[test]
fn what_is_no_message_is_told() {
    for body in ["", "[1]", "{", r#"{"ltp":1}"#, r#"{"ltp":{},"symbol":"NSE:A-EQ"}"#, r#"{"ltp":1,"symbol":5}"#] {
        assert!(matches!(observation("sf", body), Err(DecodeError::Malformed { .. })), "{body}");
    }
    let body = r#"{"ltp":"NaN","symbol":"NSE:A-EQ"}"#;
    assert!(matches!(observation("sf", body), Err(DecodeError::Number { field: "ltp", .. })));
}

proptest! {
    #[test]
    fn no_text_makes_decoding_panic(kind in "sf|if|dp|", body in ".{0,64}", price in "[-0-9.eE\"]{0,12}") {
        drop(observation(&kind, &body));
        drop(observation(&kind, &format!(r#"{{"ltp":{price},"last_traded_time":{price},"symbol":"NSE:A-EQ"}}"#)));
    }
}
