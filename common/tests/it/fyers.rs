//! The official library's own bytes: our client frames are the same, and its decoded messages are what a session gives.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what surprises here fails its test")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::clock::UnixMicros;
use common::feed::{self, DecodeError, FeedSession, Incoming, Outgoing, Reading, SessionRequest, Topic};
use common::market::{Catalog, MasterRow};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::Value;

use crate::captures;

/// Symbols of the vectors and their token numbers.
const NUMBERS: [(&str, &str); 5] = [
    ("NSE:SBIN-EQ", "10100000003045"),
    ("NSE:RELIANCE-EQ", "10100000002885"),
    ("NSE:NIFTY50-INDEX", "101000000026000"),
    ("NSE:RELIANCE25JULFUT", "101125073135003"),
    ("NSE:USDINR25JULFUT", "10122507291234"),
];

/// The token of the vectors had this length, which goes into the length of some frames.
const TOKEN_BYTES: usize = 252;

/// What the library leaves out and we add.
const FURTHER: [&str; 3] = ["open_interest", "Yhigh", "Ylow"];

fn vectors() -> Option<Vec<Value>> {
    let text = captures::read("fyers/hsm_sdk_vectors.jsonl")?;
    Some(text.lines().map(|line| serde_json::from_str(line).expect("one JSON value per line")).collect())
}

fn bytes(vector: &Value) -> Vec<u8> {
    let hex = vector["hex"].as_str().unwrap();
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

fn topics(wanted: &[(&str, &str)]) -> Vec<Topic> {
    let fyers = feed::by_name("fyers").expect("the table has it");
    let topic = |(symbol, channel): &(&str, &str)| {
        fyers.topics(&[(*symbol).to_owned()], &[(*channel).to_owned()], &Catalog::default()).unwrap().remove(0)
    };
    wanted.iter().map(topic).collect()
}

fn catalog() -> Catalog {
    let fyers = feed::by_name("fyers").expect("the table has it");
    let mut catalog = Catalog::default();
    catalog.add(
        "fyers",
        NUMBERS.map(|(symbol, key)| MasterRow {
            symbol: symbol.into(),
            key: key.into(),
            instrument: fyers.instrument(symbol).unwrap(),
        }),
    );
    catalog
}

fn session(wanted: &[(&str, &str)]) -> Box<dyn FeedSession> {
    let fyers = feed::by_name("fyers").expect("the table has it");
    let key = format!("{}{}", "0123456789abcdef".repeat(3), "01234567");
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"hsm_key":"{key}","exp":4102444800}}"#));
    let signature = "x".repeat(TOKEN_BYTES - "APP-100:e30..".len() - claims.len());
    let credential = SecretString::from(format!("APP-100:e30.{claims}.{signature}"));
    let request = SessionRequest {
        endpoints: fyers.endpoints(),
        topics: &topics(wanted),
        credential: Some(&credential),
        catalog: &catalog(),
        now: UnixMicros(0),
    };
    fyers.session(&request).unwrap()
}

fn read(session: &mut dyn FeedSession, frame: &[u8]) -> Vec<Reading<'static>> {
    let frame: &'static [u8] = frame.to_vec().leak();
    let mut out = Vec::new();
    session.read(Incoming::Binary(frame), &mut out);
    out
}

fn binary(outgoing: &Outgoing) -> Vec<u8> {
    let Outgoing::Binary(bytes) = outgoing else { panic!("{outgoing:?}") };
    bytes.clone()
}

fn replies(readings: &[Reading<'_>]) -> Vec<Vec<u8>> {
    let reply = |reading: &Reading<'_>| if let Reading::Reply(frame) = reading { Some(binary(frame)) } else { None };
    readings.iter().filter_map(reply).collect()
}

#[test]
fn every_frame_that_we_send_is_the_official_librarys() {
    let Some(vectors) = vectors() else { return };
    let vector = |name: &str| bytes(vectors.iter().find(|vector| vector["name"] == name).expect(name));
    let asked = [
        ("NSE:SBIN-EQ", "symbol"),
        ("NSE:RELIANCE25JULFUT", "symbol"),
        ("NSE:NIFTY50-INDEX", "symbol"),
        ("NSE:RELIANCE-EQ", "depth"),
    ];
    let mut full = session(&asked);
    assert_eq!(full.url(), "wss://socket.fyers.in/hsm/v1-5/prod");
    assert_eq!(binary(&full.opening()[0]), vector("auth"));
    let opened = read(&mut *full, &vector("auth_ok_ack_every_2"));
    assert_eq!(replies(&opened), [vector("mode_full_ch11"), vector("subscribe_4_ch11")]);
    assert_eq!(binary(&full.heartbeat().unwrap()), vector("ping"));
    read(&mut *full, &vector("subscribe_ok"));
    let sent = full.change(&[], &topics(&asked[..1])).unwrap();
    assert_eq!(binary(&sent[0]), vector("unsubscribe_1_ch11"));
    assert_eq!(replies(&read(&mut *full, &vector("snapshot_sf_if_dp"))), [[0; 0]; 0]);
    assert_eq!(replies(&read(&mut *full, &vector("update_sf_partial"))), [vector("ack_1002")]);

    let mut lite = session(&[("NSE:SBIN-EQ", "lite")]);
    lite.opening();
    assert_eq!(replies(&read(&mut *lite, &vector("auth_ok_ack_every_2")))[0], vector("mode_lite_ch11"));
}

#[test]
fn every_server_frame_means_what_the_official_library_says() {
    let Some(vectors) = vectors() else { return };
    let mut sessions = [
        session(&[
            ("NSE:SBIN-EQ", "symbol"),
            ("NSE:NIFTY50-INDEX", "symbol"),
            ("NSE:SBIN-EQ", "depth"),
            ("NSE:RELIANCE25JULFUT", "symbol"),
            ("NSE:USDINR25JULFUT", "symbol"),
        ]),
        session(&[("NSE:SBIN-EQ", "lite")]),
    ];
    // The lite vectors begin after the login.
    let login = vectors.iter().find(|vector| vector["name"] == "auth_ok_ack_every_2").unwrap();
    read(&mut *sessions[1], &bytes(login));
    let mut compared = 0;
    for vector in vectors.iter().filter(|vector| vector["dir"] == "server") {
        let session = &mut sessions[usize::from(vector["lite"] == true)];
        if vector["name"] == "subscribe_fail" {
            // A refusal answers a subscription, so there has to be one.
            session.change(&topics(&[("NSE:RELIANCE25JULFUT", "depth")]), &[]).unwrap();
        }
        let readings = read(&mut **session, &bytes(vector));
        let wanted = vector["sdk_output"].as_array().unwrap();
        let is_data = wanted.iter().all(|output| output[1].get("symbol").is_some());
        if is_data {
            assert_messages(&readings, wanted, &vector["name"]);
            compared += wanted.len();
        } else {
            assert_status(&readings, &wanted[0][1], &vector["name"]);
        }
    }
    assert_eq!(compared, 9, "messages");
}

/// The bodies are the library's messages: the same fields with the same values, and nothing else but what we add.
fn assert_messages(readings: &[Reading<'_>], wanted: &[Value], name: &Value) {
    let mut bodies = Vec::new();
    for reading in readings {
        if let Reading::Data { kind, body, key, mark: None } = reading {
            bodies.push((kind, key, body));
        }
    }
    assert_eq!(bodies.len(), wanted.len(), "{name}: {readings:?}");
    for ((kind, key, body), wanted) in bodies.into_iter().zip(wanted) {
        let (wanted, found): (_, Value) = (&wanted[1], serde_json::from_str(body).unwrap());
        assert_eq!((&**kind, &**key), (wanted["type"].as_str().unwrap(), wanted["symbol"].as_str().unwrap()));
        for (field, value) in wanted.as_object().unwrap() {
            assert_eq!(comparable(&found[field]), comparable(value), "{name} {field}");
        }
        let further = found.as_object().unwrap().keys().filter(|field| wanted.get(*field).is_none());
        further.for_each(|field| assert!(FURTHER.contains(&field.as_str()), "{name} {field}"));
        let mut observations = Vec::new();
        feed::by_name("fyers").unwrap().decode(kind, body, &mut observations).unwrap();
        assert_eq!(observations[0].symbol, wanted["symbol"].as_str().unwrap());
    }
}

/// A float without a fraction is the same number as an integer.
fn comparable(value: &Value) -> Result<Decimal, String> {
    let text = value.to_string();
    text.parse::<Decimal>().map(|number| number.normalize()).map_err(|_text| text)
}

/// What the library reports in words is a reading of its own kind.
fn assert_status(readings: &[Reading<'_>], wanted: &Value, name: &Value) {
    let is_ok = wanted["s"] == "ok";
    let said = wanted["message"].as_str().unwrap();
    let means = readings.iter().any(|reading| match reading {
        Reading::Reply(_) => wanted["type"] == "cn" && is_ok,
        Reading::Failed(failure) => wanted["type"] == "cn" && failure.remedy == feed::Remedy::NewCredentials && !is_ok,
        Reading::Confirmed(streams) => wanted["type"] == "sub" && is_ok && !streams.is_empty(),
        Reading::Refused { reason, .. } => {
            wanted["type"] == "sub" && !is_ok && reason.contains(&wanted["code"].to_string())
        }
        Reading::Heartbeat => is_ok,
        Reading::Data { .. } | Reading::Market { .. } | Reading::Closing(_) | Reading::Rejected(_) => false,
    });
    assert!(means, "{name} ({said}): {readings:?}");
}

#[test]
fn published_messages_decode_or_are_skipped_for_a_reason() {
    let Some(text) = captures::read("fyers/socket_json_samples.jsonl") else { return };
    let fyers = feed::by_name("fyers").expect("the table has it");
    let (mut prices, mut skipped) = (Vec::new(), 0);
    for line in text.lines() {
        let message = serde_json::from_str::<Value>(line).unwrap()["msg"].clone();
        let mut observations = Vec::new();
        match fyers.decode("sf", &message.to_string(), &mut observations) {
            Ok(()) => {
                let observation = &observations[0];
                assert_eq!(observation.exchange_at.is_some(), message.get("exch_feed_time").is_some());
                prices.push(format!("{} {}", observation.symbol, observation.fields.last_price.unwrap()));
                assert!(fyers.instrument(&observation.symbol).is_ok());
            }
            Err(DecodeError::Skip("status")) => skipped += 1,
            Err(error) => panic!("{error}: {message}"),
        }
    }
    let wanted = ["NSE:SBIN-EQ 606.4", "NSE:BHARATFORG-EQ 1163.95", "NSE:NIFTY2681824500CE 60.0", "NSE:SBIN-EQ 606.5"];
    assert_eq!((prices, skipped), (wanted.map(str::to_owned).to_vec(), 7));
}
