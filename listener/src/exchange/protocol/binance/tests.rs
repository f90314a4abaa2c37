use super::*;
use crate::exchange::protocol::{Answer, Asked, Change, Sent};
use crate::exchange::walk::{Event, Trade};

/// A client's side of a conversation.
struct Client(Box<dyn crate::exchange::protocol::Conversation>);

impl Client {
    fn receive(&mut self, text: &str) -> Answer {
        self.0.receive(Asked::Text(text))
    }
}

fn conversation() -> Client {
    Client(open(Binance::Spot, "/stream", 3).unwrap().conversation)
}

fn named(stream: &str) -> Named<'_> {
    Named { number: 0, stream, symbol: "BTCUSDT" }
}

fn said(answer: &Answer) -> &str {
    let [Sent::Text(text)] = answer.replies.as_slice() else { panic!("{answer:?}") };
    text
}

fn reply(client: &mut Client, text: &str) -> String {
    said(&client.receive(text)).to_owned()
}

#[test]
fn subscriptions_are_acknowledged_listed_and_ended() {
    let mut client = conversation();
    let answer = client.receive(r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","ethusdt@trade"],"id":1}"#);
    assert_eq!(said(&answer), r#"{"result":null,"id":1}"#);
    assert_eq!(answer.change, Change::Subscribe(vec!["btcusdt@trade".into(), "ethusdt@trade".into()]));
    let list = r#"{"method":"LIST_SUBSCRIPTIONS","id":"list"}"#;
    assert_eq!(reply(&mut client, list), r#"{"result":["btcusdt@trade","ethusdt@trade"],"id":"list"}"#);
    let answer = client.receive(r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":312}"#);
    assert_eq!(said(&answer), r#"{"result":null,"id":312}"#);
    assert_eq!(answer.change, Change::Unsubscribe(vec!["btcusdt@trade".into()]));
    assert_eq!(reply(&mut client, list), r#"{"result":["ethusdt@trade"],"id":"list"}"#);
}

#[test]
fn a_repeated_subscription_counts_once() {
    let mut client = conversation();
    for _ in 0..5 {
        let subscribe = r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@trade"]}"#;
        assert_eq!(reply(&mut client, subscribe), r#"{"result":null,"id":null}"#);
    }
    assert_eq!(reply(&mut client, r#"{"method":"LIST_SUBSCRIPTIONS"}"#), r#"{"result":["btcusdt@trade"],"id":null}"#);
}

#[test]
fn one_stream_too_many_is_refused_and_changes_nothing() {
    let mut client = conversation();
    let answer = client.receive(r#"{"method":"SUBSCRIBE","params":["a@trade","b@trade","c@trade","d@trade"],"id":4}"#);
    let expected = r#"{"code":2,"msg":"Invalid request: too many streams, a connection carries at most 3","id":4}"#;
    assert_eq!(said(&answer), expected);
    assert_eq!(answer.change, Change::Nothing);
    assert_eq!(reply(&mut client, r#"{"method":"LIST_SUBSCRIPTIONS","id":5}"#), r#"{"result":[],"id":5}"#);
}

#[test]
fn bad_requests_are_answered_with_code_text_and_id() {
    let mut client = conversation();
    for (request, expected) in [
        ("hello", r#"{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}"#),
        (r#"{"method":"#, r#"{"code":3,"msg":"Invalid JSON: EOF while parsing a value at line 1 column 10"}"#),
        (
            r#"{"method":"BUY","id":7}"#,
            "{\"code\":2,\"msg\":\"Invalid request: unknown variant `BUY`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, \
             `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 15\",\"id\":7}",
        ),
        (r#"{"id":8}"#, r#"{"code":2,"msg":"Invalid request: missing field `method` at line 1 column 8","id":8}"#),
        (r#"{"method":"SUBSCRIBE","id":9}"#, r#"{"code":2,"msg":"Invalid request: missing field `params`","id":9}"#),
        (
            r#"{"method":"SUBSCRIBE","params":["a@trade"],"id":[1]}"#,
            r#"{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}"#,
        ),
        (
            r#"{"method":"SET_PROPERTY","params":["colour",true],"id":10}"#,
            r#"{"code":0,"msg":"Unknown property","id":10}"#,
        ),
        (
            r#"{"method":"SET_PROPERTY","params":["combined",1],"id":11}"#,
            r#"{"code":1,"msg":"Invalid value type: expected Boolean","id":11}"#,
        ),
        (
            r#"{"method":"SET_PROPERTY","params":[1],"id":12}"#,
            r#"{"code":2,"msg":"Invalid request: property name must be a string","id":12}"#,
        ),
        (
            r#"{"method":"GET_PROPERTY","params":["combined",1],"id":13}"#,
            r#"{"code":2,"msg":"Invalid request: too many parameters","id":13}"#,
        ),
    ] {
        assert_eq!(reply(&mut client, request), expected, "{request}");
    }
}

#[test]
fn the_envelope_is_a_property() {
    let mut client = Client(open(Binance::Spot, "/ws", 3).unwrap().conversation);
    let get = r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#;
    assert_eq!(reply(&mut client, get), r#"{"result":false,"id":2}"#);
    let answer = client.receive(r#"{"method":"SET_PROPERTY","params":["combined",true],"id":5}"#);
    assert_eq!(
        (said(&answer), answer.change.clone()),
        (r#"{"result":null,"id":5}"#, Change::Envelope(Envelope::Whole))
    );
    assert_eq!(reply(&mut client, get), r#"{"result":true,"id":2}"#);
}

#[test]
fn paths_name_envelope_and_streams() {
    let streams = |target: &str| {
        let opening = open(Binance::Spot, target, 3).unwrap();
        (opening.envelope, opening.streams.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(streams("/stream"), (Envelope::Whole, vec![]));
    assert_eq!(streams("/ws/"), (Envelope::DataOnly, vec![]));
    let both = vec!["btcusdt@trade".to_owned(), "ethusdt@trade".to_owned()];
    assert_eq!(streams("/stream?streams=btcusdt@trade/ethusdt%40trade"), (Envelope::Whole, both.clone()));
    assert_eq!(streams("/ws/btcusdt@trade/ethusdt@trade"), (Envelope::DataOnly, both));
    for refused in
        ["/", "/market", "/stream?streams=a/b/c/d", "/ws/%4", "/ws/%FF", "/stream?timeUnit=MICROSECOND", "/wss/x"]
    {
        assert!(open(Binance::Spot, refused, 3).is_err(), "{refused}");
    }
}

#[test]
fn a_path_of_the_futures_market_sends_the_streams_of_its_category() {
    let (book, trade) = ("btcusdt@depth5", "btcusdt@aggTrade");
    for (path, sent) in [("/public/stream", vec![book]), ("/market/stream", vec![trade]), ("/stream", vec![])] {
        let by_url = open(Binance::Usdm, &format!("{path}?streams={book}/{trade}"), 3).unwrap().streams;
        assert_eq!(by_url, sent.iter().map(|stream| Box::from(*stream)).collect::<Vec<_>>(), "{path}");
        let mut client = Client(open(Binance::Usdm, path, 3).unwrap().conversation);
        let subscribe = format!(r#"{{"method":"SUBSCRIBE","params":["{book}","{trade}"],"id":1}}"#);
        let answer = client.receive(&subscribe);
        assert_eq!(said(&answer), r#"{"result":null,"id":1}"#, "all are acknowledged");
        assert_eq!(answer.change, Change::Subscribe(by_url), "{path}");
    }
}

#[test]
fn stream_names_are_understood_or_stay_silent() {
    let channel = |stream: &str| subject(stream).map(|subject| subject.channel);
    assert_eq!(channel("btcusdt@trade"), Some(Channel::Trade));
    assert_eq!(channel("btcusdt@kline_1h"), Some(Channel::Candle { interval_ms: 3_600_000 }));
    assert_eq!(subject("btcusdt@bookTicker").unwrap().symbol, "BTCUSDT");
    for silent in ["BTCUSDT@trade", "btcusdt", "btcusdt@kline_7m", "btcusdt@depth@100ms", "!miniTicker@arr", ""] {
        assert_eq!(subject(silent), None, "{silent}");
    }
}

#[test]
fn a_trade_is_written_as_the_exchange_writes_it() {
    let trade = Trade {
        id: 3_735_683_259,
        price: 6_183_763_000_000,
        quantity: 2_000_000,
        at_ms: 1_723_161_255_342,
        buyer_is_maker: true,
    };
    let mut out = Vec::new();
    let data = render(&mut out, Binance::Spot, named("btcusdt@trade"), &Event::Trade(trade));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255342,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#
    );
    assert!(text[data].starts_with(r#"{"e":"trade""#));
}

#[test]
fn a_ticker_carries_the_fields_of_the_documentation_and_a_falling_price_is_negative() {
    use crate::exchange::walk::{Book, Day, Ticker};
    let unit = 100_000_000;
    let ticker = Ticker {
        day: Day {
            at_ms: 9,
            open: 200 * unit,
            high: 210 * unit,
            low: 190 * unit,
            close: 199 * unit,
            volume: 4 * u128::from(unit),
            turnover: 800 * u128::from(unit),
        },
        book: Book { update_id: 1, bid: 198 * unit, bid_quantity: unit, ask: 199 * unit, ask_quantity: 2 * unit },
        last_quantity: 3 * unit,
        since_ms: 5,
        last_trade_id: 7,
    };
    let mut out = Vec::new();
    let data = render(&mut out, Binance::Spot, named("btcusdt@ticker"), &Event::Ticker(ticker));
    assert_eq!(
        std::str::from_utf8(&out[data]).unwrap(),
        r#"{"e":"24hrTicker","E":9,"s":"BTCUSDT","p":"-1.00000000","P":"-0.500","w":"200.00000000","x":"200.00000000","c":"199.00000000","Q":"3.00000000","b":"198.00000000","B":"1.00000000","a":"199.00000000","A":"2.00000000","o":"200.00000000","h":"210.00000000","l":"190.00000000","v":"4.00000000","q":"800.00000000","O":5,"C":9,"F":1,"L":7,"n":7}"#
    );
}

#[test]
fn every_message_is_json_and_its_bare_part_lies_where_a_recording_has_it() {
    use crate::exchange::walk::{Walk, Wanted};
    let mut walk = Walk::new(2, 1, |_, asset| format!("{asset}USDT"));
    let streams = ["trade", "aggTrade", "bookTicker", "miniTicker", "ticker", "kline_1m", "depth5@100ms"]
        .map(|kind| format!("btcusdt@{kind}"));
    let wanted = streams.iter().enumerate().map(|(stream, name)| {
        let channel = subject(name).unwrap().channel;
        Wanted { stream, symbol: 0, channel }
    });
    walk.want(wanted);
    for market in [Binance::Spot, Binance::Usdm].into_iter().cycle().take(200) {
        let (stream, symbol, event) = walk.next(1_700_000_000_000).unwrap();
        let mut out = Vec::new();
        let data = render(&mut out, market, Named { number: stream, stream: &streams[stream], symbol }, &event);
        let text = String::from_utf8(out).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        assert_eq!(recorded(&text), Some((streams[stream].as_str().into(), data)));
    }
}
