use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clock::UnixMicros;
use crate::feed::upstox::schema::{Feed, FeedUnion, FullFeed, Ltpc, RequestMode, ResponseType};
use crate::feed::{Endpoints, Remedy};
use crate::market::Catalog;

fn topic(stream: &str) -> Topic {
    Topic { symbol: stream.into(), stream: stream.into(), lane: "" }
}

fn session(streams: &[&str]) -> Session {
    let topics: Vec<Topic> = streams.iter().map(|stream| topic(stream)).collect();
    open(&topics, Some(&"a.b.c".into())).unwrap()
}

fn open(topics: &[Topic], credential: Option<&SecretString>) -> Result<Session, Failure> {
    Session::new(&SessionRequest {
        endpoints: Endpoints { socket: "wss://api.upstox.com", http: "http://127.0.0.1:9443" },
        topics,
        credential,
        catalog: &Catalog::default(),
        now: UnixMicros(0),
    })
}

fn json_of(messages: &[Outgoing]) -> Vec<Value> {
    let json = |message: &Outgoing| match message {
        Outgoing::Binary(bytes) => serde_json::from_slice(bytes).unwrap(),
        Outgoing::Text(text) => panic!("requests go in binary frames: {text}"),
    };
    messages.iter().map(json).collect()
}

fn last_trade(key: &str, ltp: f64) -> FeedEntry {
    let union = Some(FeedUnion::Ltpc(Ltpc { ltp, ..Ltpc::default() }));
    FeedEntry { key: key.to_owned(), feed: Some(Feed { union, request_mode: RequestMode::Ltpc.into() }) }
}

fn live(feeds: Vec<FeedEntry>) -> Vec<u8> {
    let response_type = ResponseType::LiveFeed.into();
    FeedResponse { response_type, feeds, current_ts: 1_742_373_998_921, market_info: None }.write()
}

fn read(session: &mut Session, frame: &[u8]) -> Vec<Reading<'static>> {
    let mut out = Vec::new();
    session.read(Incoming::Binary(frame), &mut out);
    let own = |reading| match reading {
        Reading::Data { kind, body, key, mark } => Reading::Data {
            kind: kind.into_owned().into(),
            body: body.into_owned().into(),
            key: key.into_owned().into(),
            mark,
        },
        Reading::Confirmed(streams) => Reading::Confirmed(streams),
        Reading::Market { segment, is_open } => Reading::Market { segment, is_open },
        Reading::Heartbeat => Reading::Heartbeat,
        Reading::Rejected(reason) => Reading::Rejected(reason),
        other @ (Reading::Refused { .. } | Reading::Reply(_) | Reading::Closing(_) | Reading::Failed(_)) => {
            panic!("{other:?}")
        }
    };
    out.into_iter().map(own).collect()
}

#[test]
fn an_address_is_asked_for_once_and_is_where_to_connect() {
    let mut session = session(&["ltpc:X|1"]);
    let request = session.errand().unwrap();
    assert_eq!(request.url, "http://127.0.0.1:9443/v3/feed/market-data-feed/authorize");
    assert_eq!(session.errand(), None);
    let body = r#"{"status":"success","data":{"authorized_redirect_uri":"ws://127.0.0.1:9443/f?code=s3cret"}}"#;
    let mut out = Vec::new();
    session.returned(&HttpAnswer { status: 200, body: body.to_owned() }, &mut out);
    assert_eq!((session.url().as_str(), out.len()), ("ws://127.0.0.1:9443/f?code=s3cret", 0));
    assert_eq!(session.errand(), None);
    let shown = format!("{session:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("a.b.c"), "{shown}");
}

#[test]
fn a_refused_token_fails_the_session_with_what_helps() {
    let body = r#"{"status":"error","errors":[{"error_code":"UDAPI100050","message":"Invalid token"}]}"#;
    let mut out = Vec::new();
    session(&[]).returned(&HttpAnswer { status: 401, body: body.to_owned() }, &mut out);
    assert!(matches!(&*out, [Reading::Failed(Failure { remedy: Remedy::NewCredentials, .. })]), "{out:?}");
    assert_eq!(open(&[], None).unwrap_err().remedy, Remedy::NewCredentials);
}

#[test]
fn instruments_are_asked_for_in_order_and_in_messages_of_at_most_five_hundred() {
    let names: Vec<String> = (0..1_001).map(|n| format!("full:NSE_FO|{n}")).collect();
    let mut session = session(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let asked = json_of(&session.opening());
    let keys = |message: &Value| message["data"]["instrumentKeys"].as_array().unwrap().len();
    assert_eq!(asked.iter().map(keys).collect::<Vec<_>>(), [500, 500, 1]);
    let last = json!({
        "guid": "tidemill-3", "method": "sub", "data": {"mode": "full", "instrumentKeys": ["NSE_FO|1000"]},
    });
    assert_eq!((&asked[1]["data"]["instrumentKeys"][0], &asked[2]), (&json!("NSE_FO|500"), &last));
}

#[test]
fn the_first_message_of_an_instrument_confirms_it_and_only_the_others_are_asked_for_again() {
    let mut session = session(&["ltpc:X|1", "ltpc:X|2", "ltpc:X|3"]);
    session.opening();
    let frame = live(vec![last_trade("X|1", 1.5), last_trade("X|3", 2.5), last_trade("X|9", 3.5)]);
    let readings = read(&mut session, &frame);
    assert_eq!(readings[0], Reading::Confirmed(vec!["ltpc:X|1".into(), "ltpc:X|3".into()]));
    assert_eq!(readings.len(), 4, "data of an instrument that nobody asked for is data: {readings:?}");
    assert_eq!(read(&mut session, &frame).len(), 3, "confirmed once");
    let again = json_of(&session.opening());
    assert_eq!(again[0]["data"]["instrumentKeys"], json!(["X|2"]));
}

#[test]
fn each_instrument_of_a_frame_is_a_message_of_its_own() {
    let frame = live(vec![last_trade("X|1", 1.5), last_trade("X|2", 2.5), last_trade("X|1", 3.5)]);
    let wanted = [("X|1", "1.5"), ("X|2", "2.5"), ("X|1", "3.5")].map(|(key, ltp)| Reading::Data {
        kind: "ltpc".into(),
        body: format!(
            r#"{{"type":"live_feed","feeds":{{"{key}":{{"ltpc":{{"ltp":{ltp}}}}}}},"currentTs":"1742373998921"}}"#
        )
        .into(),
        key: key.into(),
        mark: None,
    });
    assert_eq!(read(&mut session(&[]), &frame), wanted);
}

#[test]
fn a_number_that_is_not_finite_is_counted_and_its_message_goes_on() {
    let readings = read(&mut session(&[]), &live(vec![last_trade("X|1", f64::NAN)]));
    let [Reading::Rejected("not_finite"), Reading::Data { body, .. }] = &*readings else { panic!("{readings:?}") };
    assert!(body.contains(r#""ltpc":{}"#), "{body}");
}

#[test]
fn the_states_of_the_market_are_told_by_segment() {
    let states = [("A", 0), ("B", 1), ("C", 2), ("D", 3), ("E", 4), ("F", 5), ("G", 6)];
    let segment_status = states.map(|(name, state)| (name.to_owned(), state)).into();
    let info = MarketInfo { segment_status, ..MarketInfo::default() };
    let frame = FeedResponse { response_type: 2, market_info: Some(info), ..FeedResponse::default() }.write();
    let mut wanted = [("A", true), ("B", false), ("C", true), ("D", false), ("E", true), ("F", false)]
        .map(|(segment, is_open)| Reading::Market { segment: segment.into(), is_open })
        .to_vec();
    wanted.push(Reading::Rejected("unknown_market_status"));
    assert_eq!(read(&mut session(&[]), &frame), wanted);
}

#[test]
fn a_frame_with_a_time_and_nothing_else_is_a_sign_of_life() {
    assert_eq!(read(&mut session(&[]), &live(Vec::new())), [Reading::Heartbeat]);
    let nothing = FeedResponse { market_info: Some(MarketInfo::default()), ..FeedResponse::default() };
    assert_eq!(read(&mut session(&[]), &nothing.write()), [Reading::Heartbeat]);
}

#[test]
fn everything_else_is_rejected_under_its_reason() {
    let nameless = live(vec![last_trade("", 1.5)]);
    let valueless = live(vec![FeedEntry { key: "X|1".to_owned(), feed: None }]);
    let empty = Some(Feed { union: Some(FeedUnion::FullFeed(Box::new(FullFeed { union: None }))), request_mode: 1 });
    let unioned = live(vec![FeedEntry { key: "X|1".to_owned(), feed: empty }]);
    for (frame, reason) in [
        (&[][..], "empty_frame"),
        (b"{}", "not_protobuf"),
        (&[0xff; 9], "not_protobuf"),
        (&live(vec![last_trade("X|1", 1.5)])[..20], "not_protobuf"),
        (&[0x50, 1], "unknown_message"), // a field 10, which the schema has not
        (&nameless, "no_instrument_key"),
        (&valueless, "unknown_values"),
        (&unioned, "unknown_values"),
    ] {
        assert_eq!(read(&mut session(&[]), frame), [Reading::Rejected(reason)], "{frame:?}");
    }
    let mut out = Vec::new();
    session(&[]).read(Incoming::Text(r#"{"type":"error"}"#), &mut out);
    assert_eq!(out, [Reading::Rejected("text_frame")]);
}

#[test]
fn instruments_are_added_taken_away_and_changed_while_connected() {
    let mut session = session(&["full:X|1", "full:X|2"]);
    let opened = session.opening().len() as u64;
    let added = [topic("ltpc:X|1"), topic("full:X|3"), topic("full:X|4")];
    let sent = json_of(&session.change(&added, &[topic("full:X|1"), topic("full:X|2"), topic("full:X|7")]).unwrap());
    let numbered = |n: u64, method: &str, data: Value| json!({"guid": format!("tidemill-{}", opened + n), "method": method, "data": data});
    let wanted = [
        numbered(1, "unsub", json!({"instrumentKeys": ["X|2"]})),
        numbered(2, "change_mode", json!({"mode": "ltpc", "instrumentKeys": ["X|1"]})),
        numbered(3, "sub", json!({"mode": "full", "instrumentKeys": ["X|3", "X|4"]})),
    ];
    assert_eq!(sent, wanted);
    assert_eq!(session.change(&[topic("full:X|3")], &[]), Some(Vec::new()), "it is carried already");
    let readings = read(&mut session, &live(vec![last_trade("X|1", 1.0), last_trade("X|2", 1.0)]));
    assert_eq!(readings[0], Reading::Confirmed(vec!["ltpc:X|1".into()]));
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        read(&mut session(&["ltpc:X|1"]), &bytes);
        // One byte of a good frame changed, and the frame cut there.
        let good = live(vec![last_trade("X|1", 1.5), last_trade("NSE_INDEX|Nifty 50", f64::INFINITY)]);
        let at = at.index(good.len());
        let mut changed = good.clone();
        changed[at] = with;
        for frame in [&changed, &good[..at]] {
            for reading in read(&mut session(&["ltpc:X|1"]), frame) {
                if let Reading::Data { body, .. } = reading {
                    prop_assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
                }
            }
        }
    }
}
