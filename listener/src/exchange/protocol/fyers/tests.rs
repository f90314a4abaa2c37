use super::*;
use crate::exchange::protocol::{Answer, Change, Conversation as _, Sent};

/// A token whose socket key is `key`.
fn token(key: &str) -> String {
    format!("APP-100:e30.{}.x", URL_SAFE_NO_PAD.encode(format!(r#"{{"hsm_key":"{key}"}}"#)))
}

fn desk() -> Arc<Desk> {
    let symbols = ["NSE:A-EQ", "NSE:B-EQ", "NSE:C-EQ"].map(str::to_owned).to_vec();
    Arc::new(Desk::new(symbols, Some(token("good")), vec!["NSE:C-EQ".to_owned()]))
}

fn frame(kind: u8, fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut frame = vec![0, 0, kind, u8::try_from(fields.len()).unwrap()];
    for (id, bytes) in fields {
        frame.extend([*id, 0, u8::try_from(bytes.len()).unwrap()]);
        frame.extend(*bytes);
    }
    frame
}

fn topics(topics: &[&str]) -> Vec<u8> {
    let mut list = vec![0, u8::try_from(topics.len()).unwrap()];
    for topic in topics {
        list.push(u8::try_from(topic.len()).unwrap());
        list.extend(topic.as_bytes());
    }
    list
}

fn replies(answer: &Answer) -> Vec<(u8, Option<u8>)> {
    let mut said = Vec::new();
    for reply in &answer.replies {
        let Sent::Binary(bytes) = reply else { panic!("{reply:?}") };
        said.push((bytes[2], (bytes[2] != 51).then(|| bytes[7])));
    }
    said
}

#[test]
fn nobody_is_served_before_the_right_key() {
    let mut conversation = Conversation::new(desk(), 10);
    let subscribe = frame(4, &[(1, &topics(&["sf|nse_cm|1"])), (2, &[11])]);
    assert_eq!(conversation.receive(Asked::Binary(&subscribe)), Answer::default());
    assert_eq!(replies(&conversation.receive(Asked::Binary(&frame(1, &[(1, b"bad")])))), [(1, Some(b'N'))]);
    assert_eq!(conversation.receive(Asked::Binary(&subscribe)), Answer::default());
    assert_eq!(replies(&conversation.receive(Asked::Binary(&frame(1, &[(1, b"good")])))), [(1, Some(b'K'))]);
    let answer = conversation.receive(Asked::Binary(&subscribe));
    assert_eq!(answer.change, Change::Subscribe(vec!["F sf|nse_cm|1 NSE:A-EQ".into()]));
    for quiet in [&[0, 1, 11][..], &frame(3, &[(1, &[0, 0, 0, 1])]), &[], &[0]] {
        assert_eq!(conversation.receive(Asked::Binary(quiet)), Answer::default());
    }
}

#[test]
fn the_mode_is_part_of_a_stream_and_the_limit_is_told_in_words() {
    let mut conversation = Conversation::new(desk(), 1);
    conversation.receive(Asked::Binary(&frame(1, &[(1, b"good")])));
    let mode = frame(12, &[(1, &[0; 8]), (2, b"L")]);
    assert_eq!(replies(&conversation.receive(Asked::Binary(&mode))), [(12, Some(b'K'))]);
    let one = frame(4, &[(1, &topics(&["sf|nse_cm|2", "if|nse_cm|Nifty 50"])), (2, &[11])]);
    let first = conversation.receive(Asked::Binary(&one));
    assert_eq!(first.change, Change::Subscribe(vec!["L sf|nse_cm|2 NSE:B-EQ".into()]));
    let further = frame(4, &[(1, &topics(&["sf|nse_cm|1"])), (2, &[11])]);
    let answer = conversation.receive(Asked::Binary(&further));
    assert_eq!((replies(&answer), answer.change), (vec![(51, None), (4, Some(b'N'))], Change::Nothing));
    let end = frame(5, &[(1, &topics(&["sf|nse_cm|2"])), (2, &[11])]);
    let answer = conversation.receive(Asked::Binary(&end));
    assert_eq!(answer.change, Change::Unsubscribe(vec!["L sf|nse_cm|2 NSE:B-EQ".into()]));
}

#[test]
fn symbols_have_their_place_as_number_unless_they_are_unknown_or_refused() {
    let (status, body) = numbers(r#"{"symbols":["NSE:B-EQ","NSE:C-EQ","NSE:D-EQ"]}"#, &desk());
    assert_eq!((status, &body["validSymbol"]), (200, &json!({ "NSE:B-EQ": "10100000002" })));
    assert_eq!(body["invalidSymbol"], json!(["NSE:C-EQ", "NSE:D-EQ"]));
    assert_eq!(numbers("{", &desk()).0, 400);
}

#[test]
fn a_stream_tells_what_it_is() {
    let subject = Fyers.subject("F dp|nse_cm|1 NSE:A-EQ").unwrap();
    assert_eq!((subject.symbol.as_str(), subject.channel), ("NSE:A-EQ", Channel::Book));
    assert_eq!(Fyers.kind("L sf|nse_cm|1 NSE:A-EQ"), "sf");
    assert_eq!(Fyers.subject("x"), None);
}
