use proptest::prelude::*;

use super::*;
use crate::feed::FeedSession;

const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"16500.10","q":"0.5","T":1672515782136,"m":true,"M":true}}"#;

fn session(streams: usize) -> Session {
    let topic = |n| Topic { symbol: format!("S{n}USDT").into(), stream: format!("s{n}usdt@trade").into(), lane: "" };
    Session::new("ws://127.0.0.1:9443/", "", &(0..streams).map(topic).collect::<Vec<_>>())
}

fn read<'f>(session: &mut Session, text: &'f str) -> Reading<'f> {
    let mut out = Vec::new();
    session.read(Incoming::Text(text), &mut out);
    assert_eq!(out.len(), 1, "one frame has one meaning");
    out.remove(0)
}

#[test]
fn all_streams_are_asked_for_in_messages_of_at_most_two_hundred() {
    let mut session = session(401);
    assert_eq!(session.url(), "ws://127.0.0.1:9443/stream");
    let opening = session.opening();
    assert_eq!(opening.len(), 3);
    assert_eq!(opening[2], Outgoing::Text(r#"{"id":3,"method":"SUBSCRIBE","params":["s400usdt@trade"]}"#.to_owned()));
    let Outgoing::Text(second) = &opening[1] else { panic!("{opening:?}") };
    assert_eq!(second.matches("@trade").count(), 200);
}

#[test]
fn a_session_without_topics_asks_for_nothing() {
    assert_eq!(session(0).opening(), []);
}

#[test]
fn an_answer_confirms_the_streams_of_its_request_once() {
    let mut session = session(201);
    let streams = vec!["s200usdt@trade".into()];
    assert_eq!(read(&mut session, r#"{"result":null,"id":2}"#), Reading::Confirmed(streams));
    assert_eq!(read(&mut session, r#"{"result":null,"id":2}"#), Reading::Rejected("unknown_request"));
    let Reading::Confirmed(streams) = read(&mut session, r#"{"id":1,"result":null}"#) else { panic!() };
    assert_eq!(streams.len(), 200);
}

#[test]
fn both_shapes_of_an_error_refuse_the_streams_of_their_request() {
    for text in [
        r#"{"code":2,"msg":"Invalid request: unknown variant","id":1}"#,
        r#"{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":1}"#,
    ] {
        let refused = read(&mut session(1), text);
        let reason = "Invalid request: unknown variant (code 2)".into();
        assert_eq!(refused, Reading::Refused { streams: vec!["s0usdt@trade".into()], reason });
    }
}

#[test]
fn an_error_that_names_no_request_fails_the_connection() {
    for text in [
        r#"{"code":3,"msg":"Invalid JSON: \u0022expected\u0022"}"#,
        r#"{"error":{"code":3,"msg":"Invalid JSON: \"expected\""},"id":null}"#,
        r#"{"error":{"code":3,"msg":"Invalid JSON: \"expected\""},"id":77}"#,
    ] {
        let reason = "Invalid JSON: \"expected\" (code 3)".into();
        assert_eq!(read(&mut session(1), text), Reading::Failed(Failure { remedy: Remedy::Retry, reason }));
    }
}

#[test]
fn an_event_of_a_stream_is_data_and_kept_whole() {
    let Reading::Data { kind, body, key, mark } = read(&mut session(1), TRADE) else { panic!() };
    assert_eq!((&*kind, &*key, mark), ("trade", "btcusdt@trade", Some(Mark::Contiguous(12_345))));
    assert!(matches!(body, Cow::Borrowed(body) if std::ptr::eq(body, TRADE)), "the body is not copied");
    assert!(matches!((kind, key), (Cow::Borrowed(_), Cow::Borrowed(_))), "the names are not copied");
}

#[test]
fn a_stream_name_with_escapes_is_read() {
    let text = r#"{"stream":"\u5e01usdt@aggTrade","data":{}}"#;
    let Reading::Data { kind, key, .. } = read(&mut session(1), text) else { panic!() };
    assert_eq!((&*kind, &*key), ("aggTrade", "币usdt@aggTrade"));
}

#[test]
fn an_announced_shutdown_closes() {
    for text in [
        r#"{"e":"serverShutdown","E":1770123456789}"#,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#,
    ] {
        assert_eq!(read(&mut session(1), text), Reading::Closing("serverShutdown".into()));
    }
}

#[test]
fn everything_else_is_rejected_under_its_reason() {
    for (text, reason) in [
        ("", "not_json"),
        ("hello", "not_json"),
        (&TRADE[..TRADE.len() - 1], "not_json"),
        (&format!("{TRADE}{TRADE}"), "not_json"),
        ("null", "unknown_message"),
        ("[]", "unknown_message"),
        (r#"["btcusdt@trade",{},null,null,null,null,null,null]"#, "unknown_message"),
        ("{}", "unknown_message"),
        (r#"{"id":1}"#, "unknown_message"),
        (r#"{"result":[],"id":1}"#, "unknown_message"),
        (r#"{"stream":"btcusdt@trade"}"#, "unknown_message"),
        (r#"{"stream":7,"data":{}}"#, "unknown_message"),
        (r#"{"stream":"btcusdt@trade","stream":"x","data":{}}"#, "unknown_message"),
        (r#"{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}"#, "unknown_message"),
        (r#"{"e":"outboundAccountPosition","E":1}"#, "unknown_message"),
    ] {
        assert_eq!(read(&mut session(1), text), Reading::Rejected(reason), "{text}");
    }
}

#[test]
fn a_binary_frame_is_rejected() {
    let mut out = Vec::new();
    session(1).read(Incoming::Binary(&[0xff, 0]), &mut out);
    assert_eq!(out, [Reading::Rejected("binary_frame")]);
}

#[test]
fn streams_can_be_added_and_taken_away_while_connected() {
    let topic = |stream: &str| Topic { symbol: "S".into(), stream: stream.into(), lane: "" };
    let mut session = session(1);
    let sent = session.change(&[topic("a@trade")], &[topic("s0usdt@trade")]).unwrap();
    let wanted = [
        r#"{"id":2,"method":"SUBSCRIBE","params":["a@trade"]}"#,
        r#"{"id":3,"method":"UNSUBSCRIBE","params":["s0usdt@trade"]}"#,
    ];
    assert_eq!(sent, wanted.map(|text| Outgoing::Text(text.to_owned())));
    assert_eq!(read(&mut session, r#"{"result":null,"id":2}"#), Reading::Confirmed(vec!["a@trade".into()]));
    assert_eq!(read(&mut session, r#"{"result":null,"id":3}"#), Reading::Heartbeat);
}

#[test]
fn a_lane_is_a_part_of_the_path_and_takes_no_other_lanes_streams() {
    let topic = |lane| Topic { symbol: "BTCUSDT".into(), stream: "btcusdt@bookTicker".into(), lane };
    let mut session = Session::new("wss://fstream.binance.com", "public", &[topic("public")]);
    assert_eq!(session.url(), "wss://fstream.binance.com/public/stream");
    assert_eq!(session.change(&[topic("market")], &[]), None, "another connection must carry it");
    assert_eq!(session.change(&[topic("public")], &[]).map(|messages| messages.len()), Some(1));
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(text in any::<String>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        read(&mut session(3), &text);
        // One character of a good frame changed, and the frame cut there.
        for good in [TRADE, r#"{"result":null,"id":2}"#, r#"{"error":{"code":2,"msg":"no"},"id":1}"#] {
            let at = at.index(good.len());
            read(&mut session(3), &format!("{}{with}{}", &good[..at], &good[at + 1..]));
            read(&mut session(3), &good[..at]);
        }
    }
    #[test]
    fn the_quick_reader_finds_what_the_thorough_one_finds(at in any::<prop::sample::Index>(), with in ".?.?") {
        const AGG: &str = r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT","a":77,"p":"0.5","T":16}}"#;
        for good in [TRADE, AGG, &TRADE.replace("\"t\":12345", "\"t\":\"x\"")] {
            let at = at.index(good.len());
            for text in [good, &format!("{}{with}{}", &good[..at], &good[at + 1..])] {
                if let Some(quick) = quick::data(text) {
                    prop_assert_eq!(quick, session(3).read_thoroughly(Incoming::Text(text)));
                }
            }
        }
        prop_assert!(quick::data(TRADE).is_some() && quick::data(AGG).is_some());
    }
}
