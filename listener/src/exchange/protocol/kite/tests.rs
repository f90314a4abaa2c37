use super::*;
use crate::exchange::protocol::{Answer, Asked, Change, Conversation as _};
use crate::exchange::walk::{Book, Day, Ticker, Trade};

const UNIT: u64 = 100_000_000;

fn desk(symbols: usize) -> Arc<Desk> {
    let symbols = (0..symbols).map(|n| Kite.symbol(n, "BTC")).collect();
    Arc::new(Desk::new(symbols, Some("key:token".into()), Vec::new()))
}

fn open(target: &str) -> Result<Opening, Refusal> {
    let request = Request::builder().uri(target).body(()).unwrap();
    Kite.open(&request, &Kite.limits(), &desk(2))
}

fn ticker() -> Event {
    let day = Day {
        at_ms: 1_625_461_887_900,
        open: 1_569 * UNIT,
        high: 1_575 * UNIT,
        low: 1_561 * UNIT,
        close: 157_370 * UNIT / 100,
        volume: 2_000 * u128::from(UNIT),
        turnover: 2_000 * 1_570 * u128::from(UNIT),
    };
    let book = Book { update_id: 1, bid: 1_573 * UNIT, bid_quantity: 5 * UNIT, ask: 1_574 * UNIT, ask_quantity: 7 };
    Event::Ticker(Ticker { day, book, last_quantity: 3 * UNIT, since_ms: 0, last_trade_id: 9 })
}

#[test]
fn a_symbol_and_its_number_follow_from_each_other() {
    for n in [0, 41, 19_999] {
        let name = Kite.symbol(n, "BTC");
        assert_eq!(symbol(token(&name).unwrap()), Some(name));
    }
    assert_eq!((token("NSE:SIM0042"), symbol(43 << 8 | 2), symbol(1)), (Some(43 << 8 | 1), None, None));
}

#[test]
fn only_the_right_token_is_let_in() {
    assert!(open("/?api_key=key&access_token=token").is_ok());
    for target in ["/", "/?api_key=key", "/?api_key=key&access_token=old", "/?access_token=token"] {
        assert_eq!(open(target).unwrap_err().status, 403, "{target}");
    }
}

#[test]
fn a_mode_starts_the_stream_of_a_subscribed_instrument() {
    let mut conversation = Conversation::new(desk(2), 3);
    assert_eq!(conversation.receive(Asked::Text(r#"{"a":"subscribe","v":[257,513,999]}"#)), Answer::default());
    let answer = conversation.receive(Asked::Text(r#"{"a":"mode","v":["full",[257,769,999]]}"#));
    assert_eq!(answer.change, Change::Subscribe(vec!["full:257".into()]), "unknown instruments stay silent");
    let answer = conversation.receive(Asked::Text(r#"{"a":"unsubscribe","v":[257]}"#));
    assert_eq!(answer.change, Change::Unsubscribe(["ltp:257", "quote:257", "full:257"].map(Box::from).into()));
    for bad in
        ["hello", r#"{"a":"buy","v":[1]}"#, r#"{"a":"subscribe","v":[1,2,3,4]}"#, r#"{"a":"mode","v":["x",[1]]}"#]
    {
        let answer = conversation.receive(Asked::Text(bad));
        assert!(matches!(&answer.replies[..], [Sent::Text(text)] if text.contains("\"type\":\"error\"")), "{bad}");
    }
}

#[test]
fn packets_have_the_documented_lengths_and_places() {
    let named = |stream| Named { number: 0, stream, symbol: "NSE:SIM0000" };
    let trade = Trade { id: 1, price: 157_315 * UNIT / 100, quantity: UNIT, at_ms: 0, buyer_is_maker: true };
    let mut out = Vec::new();
    let data = Kite.render(&mut out, named("ltp:257"), &Event::Trade(trade));
    assert_eq!((data, &out[..]), (0..12, &[0, 1, 0, 8, 0, 0, 1, 1, 0, 2, 0x66, 0x83][..]));
    for (stream, bytes) in [("quote:257", 44_usize), ("full:257", 184)] {
        let mut out = Vec::new();
        Kite.render(&mut out, named(stream), &ticker());
        assert_eq!(out.len(), bytes + 4, "{stream}");
        assert_eq!(usize::from(out[3]), bytes);
    }
}

#[test]
fn every_wanted_stream_moves_the_walk() {
    assert_eq!(Kite.subject("full:257").unwrap().channel, Channel::Ticker);
    assert_eq!(Kite.subject("ltp:257").unwrap().symbol, "NSE:SIM0000");
    for silent in ["full:1", "depth:257", "full", "full:x"] {
        assert_eq!(Kite.subject(silent), None, "{silent}");
    }
}

#[test]
fn the_list_of_instruments_names_every_symbol() {
    let list = instruments(desk(2).symbols());
    let rows: Vec<&str> = list.lines().skip(1).collect();
    assert_eq!(rows[0], "257,1,SIM0000,SIM0000,0,,0,0.05,1,EQ,NSE,NSE");
    assert_eq!(rows.len(), 2);
}

#[test]
fn packets_are_replayed_and_heartbeats_are_not() {
    use crate::exchange::protocol::{Asked, Place};
    assert_eq!(Kite.recorded(Asked::Binary(&[0, 1, 0, 8])), Some(Place::Connection));
    for other in [Asked::Binary(&[0]), Asked::Text("{}")] {
        assert_eq!(Kite.recorded(other), None);
    }
}
