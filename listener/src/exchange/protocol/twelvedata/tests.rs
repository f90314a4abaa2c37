use super::*;
use crate::exchange::protocol::{Answer, Asked, Change, Conversation as _, Sent};
use crate::exchange::walk::{Book, Day};

fn conversation(is_admitted: bool) -> Conversation {
    let symbols = ["BTC", "ETH:TSX", "SOL/USD"].map(str::to_owned).to_vec();
    Conversation::new(is_admitted, Arc::new(Desk::new(symbols, None, Vec::new())))
}

fn said(answer: &Answer) -> &str {
    let [Sent::Text(text)] = answer.replies.as_slice() else { panic!("{answer:?}") };
    text
}

#[test]
fn each_symbol_is_carried_or_refused_by_name() {
    let text = r#"{"action":"subscribe","params":{"symbols":"ETH:TSX,NOPE"}}"#;
    let answer = conversation(true).receive(Asked::Text(text));
    let wanted = r#"{"event":"subscribe-status","fails":[{"symbol":"NOPE"}],"status":"ok","success":[{"currency":"CAD","exchange":"TSX","symbol":"ETH","type":"Common Stock"}]}"#;
    assert_eq!((said(&answer), answer.change.clone()), (wanted, Change::Subscribe(vec!["ETH:TSX".into()])));
}

#[test]
fn a_wrong_key_and_a_wrong_action_are_told_without_an_event() {
    let answer = conversation(false).greet();
    assert!(said(&answer).starts_with(r#"{"code":401,"#) && answer.ending.is_some(), "{answer:?}");
    let answer = conversation(true).receive(Asked::Text(r#"{"action":"dance"}"#));
    assert!(said(&answer).starts_with(r#"{"code":400,"#) && answer.ending.is_none(), "{answer:?}");
}

#[test]
fn heartbeats_are_answered() {
    let answer = conversation(true).receive(Asked::Text(r#"{"action":"heartbeat"}"#));
    assert_eq!(said(&answer), r#"{"event":"heartbeat","status":"ok"}"#);
}

#[test]
fn an_event_names_the_exchange_beside_the_symbol_and_shares_have_the_price_only() {
    let day = Day { at_ms: 9_500, open: 1, high: 1, low: 1, close: 150_000_000, volume: 100_000_000, turnover: 1 };
    let book = Book { update_id: 8, bid: 100_000_000, bid_quantity: 1, ask: 100_000_001, ask_quantity: 2 };
    let event = Event::Ticker(Ticker { day, book, last_quantity: 1, since_ms: 1, last_trade_id: 1 });
    let render = |symbol: &str| {
        let mut out = Vec::new();
        TwelveData.render(&mut out, Named { number: 0, stream: symbol, symbol }, &event);
        String::from_utf8(out).unwrap()
    };
    let wanted = r#"{"event":"price","symbol":"ETH","currency":"CAD","exchange":"TSX","type":"Common Stock","timestamp":9,"price":1.50000000}"#;
    assert_eq!(render("ETH:TSX"), wanted);
    let wanted = r#"{"event":"price","symbol":"SOL/USD","exchange":"Coinbase Pro","type":"Digital Currency","timestamp":9,"price":1.50000000,"bid":1.00000000,"ask":1.00000001,"day_volume":1.00000000}"#;
    assert_eq!(render("SOL/USD"), wanted);
}

#[test]
fn prices_are_replayed_and_answers_are_not() {
    use crate::exchange::protocol::{Asked, Place};
    assert_eq!(TwelveData.recorded(Asked::Text(r#"{"event":"price","symbol":"AAPL"}"#)), Some(Place::Connection));
    for other in [r#"{"event":"heartbeat"}"#, r#"{"status":"error"}"#, "no"] {
        assert_eq!(TwelveData.recorded(Asked::Text(other)), None, "{other}");
    }
}
