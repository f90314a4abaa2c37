use super::*;
use crate::clock::UnixMicros;
use crate::market::{Kind, MasterRow};

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    let row = |symbol: &str, key: &str| MasterRow {
        symbol: symbol.into(),
        key: key.into(),
        instrument: Instrument {
            exchange: "NSE".into(),
            underlying: "INFY".into(),
            kind: Kind::Eq,
            expiry: None,
            option: None,
            series: None,
        },
    };
    catalog.add("kite", [row("NSE:INFY", "408065"), row("NSE:SBIN", "779521")]);
    catalog
}

fn streams(symbols: &[&str], channels: &[&str]) -> Result<Vec<Box<str>>, FeedError> {
    let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
    let topics = Kite.topics(&own(symbols), &own(channels), &catalog())?;
    Ok(topics.into_iter().map(|topic| topic.stream).collect())
}

fn open(credential: Option<&str>) -> Result<Box<dyn FeedSession>, Failure> {
    let credential = credential.map(Into::into);
    Kite.session(&SessionRequest {
        endpoints: Kite.endpoints(),
        topics: &[],
        credential: credential.as_ref(),
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    })
}

#[test]
fn a_symbol_is_subscribed_by_its_number_and_once() {
    let asked = ["NSE:INFY", "408065", "INFY", "SBIN", "256265"];
    assert_eq!(
        *streams(&asked, &["quote"]).unwrap(),
        ["quote:408065", "quote:779521", "quote:256265"].map(Box::<str>::from)
    );
}

#[test]
fn of_several_modes_the_fullest_is_asked_for() {
    assert_eq!(*streams(&["INFY"], &["full", "ltp"]).unwrap(), [Box::<str>::from("full:408065")]);
    let said = streams(&["INFY"], &["depth"]).unwrap_err().to_string();
    assert!(said.contains("ltp, quote, full"), "{said}");
}

#[test]
fn a_symbol_without_a_number_is_refused_by_name() {
    for symbol in ["NSE:TCS", "0", "4294967296", "", "-1"] {
        let said = streams(&["NSE:INFY", symbol], &["full"]).unwrap_err().to_string();
        assert!(said.contains(&format!("{symbol:?}")) && said.contains("instruments list"), "{said}");
    }
}

#[test]
fn the_credential_goes_into_the_url_and_nowhere_else() {
    let session = open(Some("key1:CANARY\n")).unwrap();
    assert_eq!(session.url(), "wss://ws.kite.trade/?api_key=key1&access_token=CANARY");
    assert!(!format!("{session:?}").contains("CANARY"), "{session:?}");
}

#[test]
fn a_credential_that_is_none_wants_a_new_one() {
    for credential in [None, Some(""), Some("CANARY"), Some("key:"), Some(":CANARY"), Some("key:CANARY&x=1")] {
        let failure = open(credential).unwrap_err();
        assert_eq!(failure.remedy, Remedy::NewCredentials);
        assert!(!failure.reason.contains("CANARY"), "{failure:?}");
    }
}
