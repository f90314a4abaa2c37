use proptest::prelude::*;

use super::*;
use crate::feed::testing::shown;

const TRADE: &str = r#"{"ev":"T","sym":"MSFT","x":4,"i":"12345","z":3,"p":114.1250,"s":100,"ds":"100.5","c":[0,12],"t":1536036818784,"q":3681328}"#;
const CRYPTO_TRADE: &str = r#"{"ev":"XT","pair":"BTC-USD","p":33021.9,"t":1610462007425,"s":0.01616617,"c":[2],"i":14272084,"x":3,"r":1610462007576}"#;
const QUOTE: &str = r#"{"ev":"Q","sym":"MSFT","bx":4,"bp":114.125,"bs":100,"ax":7,"ap":114.128,"as":160,"c":0,"i":[604],"t":1536036818784,"q":50385480,"z":3}"#;
const FOREX_QUOTE: &str = r#"{"ev":"C","p":"USD/CNH","x":"44","a":6.83366,"b":6.83363,"t":1536036818784}"#;
const BAR: &str = r#"{"ev":"AM","sym":"GTE","v":4110,"av":9470157,"dv":"4110.5","dav":"9470157.25","op":0.4372,"vw":0.4488,"o":0.4488,"c":0.4486,"h":0.4489,"l":0.4486,"a":0.4352,"z":685,"s":1610144640000,"e":1610144700000}"#;
const CRYPTO_BAR: &str = r#"{"ev":"XA","pair":"BCD-USD","v":951.6112,"vw":0.7756,"z":73,"o":0.772,"c":0.784,"h":0.784,"l":0.771,"s":1610463240000,"e":1610463300000}"#;
const FOREX_BAR: &str = r#"{"ev":"CA","pair":"USD/EUR","o":0.8687,"c":0.86889,"h":0.86889,"l":0.8686,"v":20,"s":1539145740000,"e":1539145800000}"#;
const VALUE: &str = r#"{"ev":"V","val":3988.5,"T":"I:SPX","t":1678220098130}"#;
const FAIR: &str = r#"{"ev":"FMV","fmv":189.22,"sym":"AAPL","t":1678220098130123456}"#;
const ALL: [(&str, &str, &str); 9] = [
    ("T", TRADE, "MSFT at 1536036818784 id 12345: last 114.1250 size 100.5"),
    ("XT", CRYPTO_TRADE, "BTC-USD at 1610462007425 id 14272084: last 33021.9 size 0.01616617"),
    ("Q", QUOTE, "MSFT at 1536036818784 id -: bid 114.125 ask 114.128 bid-size 100 ask-size 160"),
    ("C", FOREX_QUOTE, "USD/CNH at 1536036818784 id -: bid 6.83363 ask 6.83366"),
    ("AM", BAR, "GTE at 1610144700000 id -: last 0.4486 open 0.4372 volume 9470157.25"),
    ("XA", CRYPTO_BAR, "BCD-USD at 1610463300000 id -: last 0.784"),
    ("CA", FOREX_BAR, "USD/EUR at 1539145800000 id -: last 0.86889"),
    ("V", VALUE, "I:SPX at 1678220098130 id -: last 3988.5"),
    ("FMV", FAIR, "AAPL at 1678220098130 id -: last 189.22"),
];

fn said(kind: &str, body: &str) -> String {
    shown(&observation(kind, body).unwrap())
}

#[test]
fn every_kind_is_read_into_its_own_fields() {
    for (kind, body, wanted) in ALL {
        assert_eq!(said(kind, body), wanted);
    }
}

#[test]
fn a_field_that_cannot_be_read_costs_itself_and_never_the_price() {
    for (from, to, wanted) in [
        (r#""100.5""#, "100.5", "MSFT at 1536036818784 id 12345: last 114.1250 size 100.5"),
        (r#""100.5""#, r#"{"lots":1}"#, "MSFT at 1536036818784 id 12345: last 114.1250 size 100"),
        (r#""s":100,"ds":"100.5""#, r#""s":"x","ds":null"#, "MSFT at 1536036818784 id 12345: last 114.1250"),
        (r#""s":100,"ds":"100.5""#, r#""s":-1"#, "MSFT at 1536036818784 id 12345: last 114.1250"),
        (r#""12345""#, r#""A-77""#, "MSFT at 1536036818784 id -: last 114.1250 size 100.5"),
        ("1536036818784", r#""1536036818784""#, "MSFT at 1536036818784 id 12345: last 114.1250 size 100.5"),
        ("1536036818784", r#""yesterday""#, "MSFT at - id 12345: last 114.1250 size 100.5"),
        ("1536036818784", "0", "MSFT at - id 12345: last 114.1250 size 100.5"),
        ("114.1250", r#""114.1250""#, "MSFT at 1536036818784 id 12345: last 114.1250 size 100.5"),
        (r#""c":[0,12]"#, r#""c":"odd""#, "MSFT at 1536036818784 id 12345: last 114.1250 size 100.5"),
    ] {
        assert_eq!(said("T", &TRADE.replace(from, to)), wanted, "{to}");
    }
}

#[test]
fn a_side_without_orders_is_absent() {
    let bid_only = QUOTE.replace(r#""ap":114.128,"as":160"#, r#""ap":0,"as":0"#);
    assert_eq!(said("Q", &bid_only), "MSFT at 1536036818784 id -: bid 114.125 bid-size 100");
    let empty = bid_only.replace(r#""bp":114.125,"#, "");
    assert_eq!(observation("Q", &empty), Err(DecodeError::Skip("empty_quote")));
}

#[test]
fn an_opening_price_of_zero_has_not_been_set_yet() {
    let early = BAR.replace("0.4372", "0").replace(r#""dav":"9470157.25","#, "");
    assert_eq!(said("AM", &early), "GTE at 1610144700000 id -: last 0.4486 volume 9470157");
}

#[test]
fn without_a_price_or_a_symbol_nothing_is_stored_and_the_error_says_so() {
    for value in [r#""NaN""#, "true", r#""""#] {
        let error = observation("T", &TRADE.replace("114.1250", value)).unwrap_err();
        assert!(matches!(error, DecodeError::Number { field: "p", .. }), "{error:?}");
    }
    for (from, to, said) in [
        (r#""p":114.1250,"#, "", "it has no price"),
        (r#""sym":"MSFT","#, "", "it has no symbol"),
        (r#""sym":"MSFT""#, r#""sym":7"#, "it has no symbol"),
        (r#""sym":"MSFT""#, r#""sym":"""#, "it has no symbol"),
    ] {
        let error = observation("T", &TRADE.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(matches!(observation("T", "["), Err(DecodeError::Malformed { .. })));
}

#[test]
fn what_is_not_kept_is_skipped_with_its_reason() {
    for (kind, reason) in
        [("LULD", "price_band"), ("NOI", "imbalance"), ("XL2", "depth"), ("TX", "unknown_event"), ("", "unknown_event")]
    {
        assert_eq!(observation(kind, "{}"), Err(DecodeError::Skip(reason)));
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for (kind, good, _) in ALL {
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
