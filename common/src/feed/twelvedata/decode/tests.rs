use proptest::prelude::*;

use super::*;
use crate::feed::testing::shown;

const SHARE: &str = r#"{"event":"price","symbol":"MSFT","currency":"USD","exchange":"NASDAQ","mic_code":"XNGS","type":"Common Stock","timestamp":1728501600,"price":417.4600,"bid":417.45,"ask":417.47,"day_volume":28306}"#;
const ALL: [(&str, &str); 5] = [
    (SHARE, "MSFT at 1728501600000 id -: last 417.4600 bid 417.45 ask 417.47 volume 28306"),
    (
        r#"{"event":"price","symbol":"RY","currency":"CAD","exchange":"TSX","type":"Common Stock","timestamp":1728501600,"price":168.5}"#,
        "RY:TSX at 1728501600000 id -: last 168.5",
    ),
    (
        r#"{"event":"price","symbol":"ETH/USD","currency_base":"Ethereum","currency_quote":"US Dollar","exchange":"Coinbase Pro","type":"Digital Currency","timestamp":1728501600,"price":2400.1,"bid":2400,"ask":2400.2,"day_volume":0}"#,
        "ETH/USD at 1728501600000 id -: last 2400.1 bid 2400 ask 2400.2 volume 0",
    ),
    (r#"{"event":"price","symbol":"GBP/USD","price":1.30613}"#, "GBP/USD at - id -: last 1.30613"),
    (
        r#"{"event":"price","symbol":"SPX","exchange":"NYSE","type":"Index","timestamp":1728501600,"price":5792.04}"#,
        "SPX at 1728501600000 id -: last 5792.04",
    ),
];

fn said(body: &str) -> String {
    shown(&observation("price", body).unwrap())
}

#[test]
fn an_event_is_read_with_the_fields_that_it_has() {
    for (body, wanted) in ALL {
        assert_eq!(said(body), wanted);
    }
}

#[test]
fn no_float_has_been_in_between() {
    let long = SHARE.replace("417.4600", "9007199254740993.0000000001");
    assert!(said(&long).contains("last 9007199254740993.0000000001 bid"));
    assert_eq!(said(&SHARE.replace("417.4600", r#""417.4600""#)), said(SHARE));
}

#[test]
fn a_field_that_cannot_be_read_costs_itself_and_never_the_price() {
    for (from, to, wanted) in [
        ("417.45,", r#""?","#, "MSFT at 1728501600000 id -: last 417.4600 ask 417.47 volume 28306"),
        ("417.47", "0", "MSFT at 1728501600000 id -: last 417.4600 bid 417.45 volume 28306"),
        ("28306", "-1", "MSFT at 1728501600000 id -: last 417.4600 bid 417.45 ask 417.47"),
        ("28306", "null", "MSFT at 1728501600000 id -: last 417.4600 bid 417.45 ask 417.47"),
        ("1728501600", r#""now""#, "MSFT at - id -: last 417.4600 bid 417.45 ask 417.47 volume 28306"),
        (r#""NASDAQ""#, "7", "MSFT at 1728501600000 id -: last 417.4600 bid 417.45 ask 417.47 volume 28306"),
        (r#""price":417.4600,"#, "", "MSFT at 1728501600000 id -: bid 417.45 ask 417.47 volume 28306"),
    ] {
        assert_eq!(said(&SHARE.replace(from, to)), wanted, "{to}");
    }
}

#[test]
fn without_a_price_or_a_symbol_nothing_is_stored_and_the_error_says_so() {
    let error = observation("price", &SHARE.replace("417.4600", r#""NaN""#)).unwrap_err();
    assert!(matches!(error, DecodeError::Number { field: "price", .. }), "{error:?}");
    for (body, said) in [
        (r#"{"event":"price","symbol":"MSFT"}"#, "it has no price"),
        (r#"{"event":"price","price":1}"#, "it has no symbol"),
        (r#"{"event":"price","symbol":"","price":1}"#, "it has no symbol"),
        ("[", "EOF"),
    ] {
        let error = observation("price", body).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(observation("trade", SHARE), Err(DecodeError::Skip("unknown_event")));
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        for (good, _) in ALL {
            let cut = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..cut], &good[cut + 1..]);
            for body in [&text, &good[..cut], &changed] {
                if let Ok(read) = observation("price", body) {
                    prop_assert!(!read.fields.is_empty());
                }
            }
        }
    }
}
