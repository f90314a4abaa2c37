use common::feed::upstox::schema::{FeedUnion, FullFeedUnion, MarketStatus, ResponseType};
use serde_json::{Value, json};

use super::*;
use crate::exchange::protocol::{Answer, Change, Conversation as _};
use crate::exchange::walk::{Book, Day, Ticker};

const A: &str = "NSE_EQ|INE000000010";
const B: &str = "NSE_EQ|INE000001010";

fn desk() -> Arc<Desk> {
    let symbols = (0..2).map(|n| Upstox.symbol(n, "BTC")).collect();
    Arc::new(Desk::new(symbols, Some("good".to_owned()), Vec::new()))
}

fn opened(desk: &Arc<Desk>, target: &str) -> Result<Opening, Refusal> {
    let request = Request::get(format!("ws://localhost{target}")).body(()).unwrap();
    Upstox.open(&request, &Upstox.limits(), desk)
}

fn ask(conversation: &mut Conversation, method: &str, data: &Value) -> Change {
    let request = json!({"guid": "g", "method": method, "data": data}).to_string();
    let Answer { replies, change, ending, account } = conversation.receive(Asked::Binary(request.as_bytes()));
    assert_eq!((replies, ending, account), (Vec::new(), None, None), "no request has an answer");
    change
}

fn ticker(update_id: u64) -> Event {
    let book = Book { update_id, bid: 131_365_000_000, bid_quantity: 570, ask: 131_370_000_000, ask_quantity: 746 };
    let day = Day {
        at_ms: 1_742_373_998_921,
        open: 130_560_000_000,
        high: 131_620_000_000,
        low: 130_215_000_000,
        close: 131_370_000_000,
        volume: 7_791_920,
        turnover: 1,
    };
    Event::Ticker(Ticker { day, book, last_quantity: 234, since_ms: 1_742_355_900_000, last_trade_id: 9 })
}

fn market_of(frame: &[u8]) -> (i32, common::feed::upstox::schema::MarketFullFeed) {
    let response = FeedResponse::read(frame).unwrap();
    let Some(FeedUnion::FullFeed(full)) = response.feeds[0].feed.clone().unwrap().union else { panic!() };
    let Some(FullFeedUnion::MarketFf(market)) = full.union else { panic!() };
    (response.response_type, *market)
}

#[test]
fn a_code_opens_one_connection() {
    let desk = desk();
    let target = format!("{FEED}?requestId=1&code={}", desk.issue_code());
    assert!(opened(&desk, &target).is_ok());
    assert_eq!(opened(&desk, &target).unwrap_err().status, 403);
    assert_eq!(opened(&desk, FEED).unwrap_err().status, 403);
    assert_eq!(opened(&desk, "/v3/feed/market-data-feed").unwrap_err().status, 404);
}

#[test]
fn an_instrument_has_one_mode_and_an_unknown_one_is_passed_over() {
    let mut conversation = Conversation::new(desk(), 5_000);
    let both = json!({"mode": "full", "instrumentKeys": [A, B, "NSE_EQ|INE999999999"]});
    assert_eq!(ask(&mut conversation, "sub", &both), Change::Subscribe(vec![stream("full", A), stream("full", B)]));
    let change = ask(&mut conversation, "change_mode", &json!({"mode": "ltpc", "instrumentKeys": [A]}));
    assert_eq!(change, Change::Replace { ended: vec![stream("full", A)], begun: vec![stream("ltpc", A)] });
    let change = ask(&mut conversation, "unsub", &json!({"instrumentKeys": [A, B, "X|1"]}));
    assert_eq!(change, Change::Unsubscribe(vec![stream("ltpc", A), stream("full", B)]));
    let change = ask(&mut conversation, "change_mode", &json!({"mode": "full", "instrumentKeys": [A]}));
    assert_eq!(change, Change::Subscribe(Vec::new()), "it was not carried");
    assert_eq!(
        ask(&mut conversation, "sub", &json!({"instrumentKeys": [B]})),
        Change::Subscribe(vec![stream("ltpc", B)])
    );
}

#[test]
fn what_makes_no_sense_is_not_heard() {
    let mut conversation = Conversation::new(desk(), 1);
    let good = json!({"guid": "g", "method": "sub", "data": {"mode": "ltpc", "instrumentKeys": [A]}}).to_string();
    assert_eq!(conversation.receive(Asked::Text(&good)), Answer::default(), "requests are binary frames");
    assert_eq!(conversation.receive(Asked::Binary(b"{")), Answer::default());
    assert_eq!(ask(&mut conversation, "sub", &json!({"mode": "all", "instrumentKeys": [A]})), Change::Nothing);
    let more = ask(&mut conversation, "sub", &json!({"mode": "ltpc", "instrumentKeys": [A, B]}));
    assert_eq!(more, Change::Subscribe(vec![stream("ltpc", A)]), "one instrument is the most here");
}

#[test]
fn the_state_of_the_market_comes_first_and_when_it_changes() {
    let status = |sent: &Sent| {
        let Sent::Binary(frame) = sent else { panic!("{sent:?}") };
        let response = FeedResponse::read(frame).unwrap();
        assert_eq!(response.response_type, i32::from(ResponseType::MarketInfo));
        MarketStatus::try_from(response.market_info.unwrap().segment_status["NSE_EQ"]).unwrap()
    };
    let desk = desk();
    assert_eq!(status(&Conversation::new(Arc::clone(&desk), 1).greet().replies[0]), MarketStatus::NormalOpen);
    desk.set_open(false);
    assert_eq!(status(&Conversation::new(desk, 1).greet().replies[0]), MarketStatus::NormalClose);
    assert_eq!(status(&Upstox.market_notice(true).unwrap()), MarketStatus::NormalOpen);
}

#[test]
fn a_snapshot_is_whole_and_a_change_may_leave_out_the_book() {
    let stream = stream("full", A);
    let named = Named { number: 0, stream: &stream, symbol: A };
    let (mut first, mut live) = (Vec::new(), Vec::new());
    assert!(Upstox.render_first(&mut first, named, &ticker(8)));
    assert_eq!(Upstox.render(&mut live, named, &ticker(8)), 0..live.len());
    let ((first_type, first), (live_type, live)) = (market_of(&first), market_of(&live));
    assert_eq!((first_type, live_type), (0, 1));
    let best = first.market_level.unwrap().bid_ask_quote[0];
    assert_eq!((best.bid_p.to_string(), best.ask_q, live.market_level), ("1313.65".to_owned(), 746, None));
    let ltpc = live.ltpc.unwrap();
    assert_eq!(
        (ltpc.ltp.to_string(), ltpc.ltt, ltpc.ltq, live.vtt),
        ("1313.7".to_owned(), 1_742_373_998_921, 234, 7_791_920)
    );
}

#[test]
fn a_recorded_frame_belongs_to_its_stream() {
    for mode in MODES {
        let stream = stream(mode, B);
        let frame = render::live(&stream, &ticker(1));
        assert_eq!(Upstox.recorded(Asked::Binary(&frame)), Some(Place::Stream(stream, 0..frame.len())));
    }
    assert_eq!(Upstox.recorded(Asked::Binary(&render::market_info(true))), None);
    assert_eq!(Upstox.recorded(Asked::Binary(b"{}")), None);
}
