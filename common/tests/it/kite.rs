//! Recorded packets give the ticks that the official client libraries give.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what surprises here fails its test")]

use common::clock::UnixMicros;
use common::feed::{self, Feed, Incoming, Reading, SessionRequest};
use common::market::{Catalog, Observation};
use serde_json::{Value, json};

use crate::captures;

/// The recorded packets: name, bytes, and what the client libraries make of them.
fn recorded() -> Option<Vec<(String, Vec<u8>, Value)>> {
    let lines = captures::read("kite/ticker_packets.jsonl")?;
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON value per line"));
    let with_bytes = lines.filter_map(|mut line| {
        let bytes = hex(line["hex"].as_str()?);
        Some((line["name"].as_str()?.to_owned(), bytes, line["expected"].take()))
    });
    Some(with_bytes.collect())
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Reads one frame of these packets: kind and body of each tick.
fn read(kite: &dyn Feed, packets: &[&[u8]]) -> Vec<(String, String)> {
    let mut frame = u16::try_from(packets.len()).unwrap().to_be_bytes().to_vec();
    for packet in packets {
        frame.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
        frame.extend(*packet);
    }
    let credential = "key:token".into();
    let request = SessionRequest {
        endpoints: kite.endpoints(),
        topics: &[],
        credential: Some(&credential),
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    };
    let mut readings = Vec::new();
    kite.session(&request).unwrap().read(Incoming::Binary(&frame), &mut readings);
    let ticks = readings.into_iter().map(|reading| {
        let Reading::Data { kind, body, .. } = reading else { panic!("{reading:?}") };
        (kind.into_owned(), body.into_owned())
    });
    ticks.collect()
}

#[test]
fn recorded_packets_become_the_ticks_of_the_client_libraries() {
    let Some(recorded) = recorded() else { return };
    assert_eq!(recorded.len(), 2);
    let kite = feed::by_name("kite").expect("the table has it");
    let packets: Vec<&[u8]> = recorded.iter().map(|(_, bytes, _)| &**bytes).collect();
    let ticks = read(kite, &packets);
    for ((name, _, mut expected), (kind, body)) in recorded.into_iter().zip(ticks) {
        // Ours is exact. The recording holds a float's rounding, and in the quote the full packet's change: there it is
        // 1573.15 - 1567.8.
        expected["change"] = if name == "ticker_full" { json!(5.9) } else { json!(5.35) };
        assert_eq!(expected["mode"], kind, "{name}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_recorded_full_packet_is_stored_with_both_sides_and_the_exchanges_time() {
    let Some(recorded) = recorded() else { return };
    let kite = feed::by_name("kite").expect("the table has it");
    let (_, bytes, _) = recorded.iter().find(|(name, ..)| name == "ticker_full").expect("it is there");
    let ticks = read(kite, &[bytes]);
    let mut out: Vec<Observation<'_>> = Vec::new();
    kite.decode(&ticks[0].0, &ticks[0].1, &mut out).unwrap();
    let [tick] = &out[..] else { panic!("{out:?}") };
    let fields = tick.fields;
    assert_eq!((&*tick.symbol, tick.exchange_at), ("408065", UnixMicros::from_secs(1_625_461_887)));
    let prices = [fields.last_price, fields.bid_price, fields.ask_price, fields.previous_close];
    assert_eq!(prices.map(|price| price.unwrap().to_string()), ["1573.7", "1573.4", "1573.7", "1567.8"]);
    let sizes = [fields.last_size, fields.bid_size, fields.ask_size, fields.volume];
    assert_eq!(sizes.map(|size| size.unwrap().to_string()), ["7", "5", "172", "1192471"]);
    assert_eq!(fields.open_interest, None, "a share has none");
}
