use super::*;
use crate::exchange::protocol::{Answer, Asked, Change, Conversation as _};
use crate::exchange::walk::{Book, Trade};

fn conversation() -> Conversation {
    let symbols = ["AAPL", "MSFT"].map(str::to_owned).to_vec();
    let desk = Desk::new(symbols, Some("good".to_owned()), vec!["MSFT".to_owned()]);
    let (cluster, channels) = CLUSTERS[0];
    Conversation::new(cluster, channels, Arc::new(desk))
}

fn logged_in() -> Conversation {
    let mut conversation = conversation();
    assert!(said(&conversation.receive(Asked::Text(r#"{"action":"auth","params":"good"}"#))).contains("auth_success"));
    conversation
}

fn said(answer: &Answer) -> String {
    answer
        .replies
        .iter()
        .map(|reply| match reply {
            Sent::Text(text) => text.as_str(),
            Sent::Binary(_) => panic!("{answer:?}"),
        })
        .collect()
}

#[test]
fn the_server_speaks_first_and_admits_one_key() {
    let mut conversation = conversation();
    let greeting = r#"[{"ev":"status","message":"Connected Successfully","status":"connected"}]"#;
    assert_eq!(said(&conversation.greet()), greeting);
    let early = conversation.receive(Asked::Text(r#"{"action":"subscribe","params":"T.AAPL"}"#));
    assert!(said(&early).contains("not authenticated") && early.change == Change::Nothing);
    let failed = conversation.receive(Asked::Text(r#"{"action":"auth","params":"bad"}"#));
    assert!(said(&failed).contains("auth_failed") && failed.ending.is_some());
    let admitted = conversation.receive(Asked::Text(r#"{"action":"auth","params":"good"}"#));
    assert_eq!(admitted.account.as_deref(), Some("stocks good"));
}

#[test]
fn subscriptions_are_confirmed_by_name_refused_without_one_or_not_answered() {
    let mut conversation = logged_in();
    let mut ask = |streams: &str| {
        let text = format!(r#"{{"action":"subscribe","params":"{streams}"}}"#);
        let answer = conversation.receive(Asked::Text(&text));
        (said(&answer), answer.change)
    };
    let confirmed = r#"[{"ev":"status","message":"subscribed to: T.AAPL","status":"success"}]"#;
    assert_eq!(ask("T.AAPL"), (confirmed.to_owned(), Change::Subscribe(vec!["T.AAPL".into()])));
    assert_eq!(ask("T.AAPL").0, "", "it is subscribed already");
    assert_eq!(ask("XT.BTC-USD").0, "", "the cluster has no such channel");
    assert_eq!(ask("T.MSFT").0, r#"[{"ev":"status","message":"not authorized","status":"error"}]"#);
    assert!(ask("T.NOSUCH").0.contains("subscribed to: T.NOSUCH"));
}

#[test]
fn a_message_is_an_array_of_one_event() {
    let trade = Event::Trade(Trade { id: 7, price: 150_000_000, quantity: 50_000_000, at_ms: 9, buyer_is_maker: true });
    let book = Book { update_id: 8, bid: 100_000_000, bid_quantity: 1, ask: 100_000_001, ask_quantity: 2 };
    let render = |stream: &str, event: &Event| {
        let mut out = Vec::new();
        let named = Named { number: 0, stream, symbol: "AAPL" };
        let data = Massive.render(&mut out, named, event);
        assert_eq!(data, 1..out.len() - 1);
        String::from_utf8(out).unwrap()
    };
    let wanted = r#"[{"ev":"T","sym":"AAPL","x":4,"i":"7","z":3,"p":1.50000000,"s":0.50000000,"ds":"0.50000000","c":[14,41],"t":9,"q":7}]"#;
    assert_eq!(render("T.AAPL", &trade), wanted);
    let wanted = r#"[{"ev":"XQ","pair":"BTC-USD","bx":4,"bp":1.00000000,"bs":0.00000001,"ax":7,"ap":1.00000001,"as":0.00000002,"c":0,"z":3,"q":8}]"#;
    assert_eq!(render("XQ.BTC-USD", &Event::Book(book)), wanted);
}

#[test]
fn events_are_replayed_and_states_are_not() {
    use crate::exchange::protocol::{Asked, Place};
    let both = r#"[{"ev":"status","status":"success"},{"ev":"T","sym":"AAPL"}]"#;
    assert_eq!(Massive.recorded(Asked::Text(both)), Some(Place::Connection));
    for other in [r#"[{"ev":"status"}]"#, "[]", "{}", "no"] {
        assert_eq!(Massive.recorded(Asked::Text(other)), None, "{other}");
    }
}
