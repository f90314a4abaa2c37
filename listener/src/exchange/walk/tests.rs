use super::*;

const NOW_MS: u64 = 1_700_000_000_000;

fn wanting(channels: &[Channel]) -> Walk {
    let mut walk = Walk::new(3, 42, |_, asset| format!("{asset}USDT"));
    let wanted: Vec<_> = (0..3)
        .flat_map(|symbol| channels.iter().map(move |channel| (symbol, *channel)))
        .enumerate()
        .map(|(stream, (symbol, channel))| Wanted { stream, symbol, channel })
        .collect();
    walk.want(wanted.into_iter());
    walk
}

fn events(walk: &mut Walk, count: usize) -> Vec<(String, Event)> {
    (0..count).map(|_| walk.next(NOW_MS).map(|(_, symbol, event)| (symbol.to_owned(), event)).unwrap()).collect()
}

#[test]
fn nothing_happens_where_nobody_looks() {
    let mut walk = Walk::new(3, 42, |_, asset| format!("{asset}USDT"));
    assert!(walk.is_idle());
    assert_eq!(walk.next(NOW_MS), None);
}

#[test]
fn trade_ids_of_each_symbol_are_contiguous_whatever_else_is_subscribed() {
    let mut walk = wanting(&[
        Channel::Trade,
        Channel::AggregateTrade,
        Channel::Book,
        Channel::Day,
        Channel::Ticker,
        Channel::Candle { interval_ms: 60_000 },
    ]);
    let mut last = HashMap::new();
    for (symbol, event) in events(&mut walk, 10_000) {
        if let Event::Trade(trade) = event {
            let before = last.insert(symbol, trade.id).unwrap_or(0);
            assert_eq!(trade.id, before + 1);
        }
    }
    assert_eq!(last.len(), 3);
}

#[test]
fn a_seed_fixes_the_market() {
    let channels = [Channel::Trade, Channel::Book];
    assert_eq!(events(&mut wanting(&channels), 1_000), events(&mut wanting(&channels), 1_000));
}

#[test]
fn quotes_never_cross_and_prices_stay_positive() {
    for (_, event) in events(&mut wanting(&[Channel::Book]), 100_000) {
        let Event::Book(book) = event else { panic!("only quotes were wanted") };
        assert!(0 < book.bid && book.bid < book.ask, "{book:?}");
        assert!(0 < book.bid_quantity && 0 < book.ask_quantity, "{book:?}");
    }
}

#[test]
fn a_completed_candle_is_shown_once_and_the_next_one_starts_empty() {
    let mut walk = wanting(&[Channel::Candle { interval_ms: 60_000 }]);
    let candles_at = |walk: &mut Walk, now_ms| {
        let mut shown = Vec::new();
        for _ in 0..100 {
            let Some((_, symbol, Event::Candle(candle))) = walk.next(now_ms) else {
                panic!("only candles were wanted")
            };
            if symbol == "BTCUSDT" {
                shown.push(candle);
            }
        }
        shown
    };
    let first = candles_at(&mut walk, NOW_MS);
    assert!(first.iter().all(|candle| !candle.is_closed && candle.opened_ms <= NOW_MS));
    let second = candles_at(&mut walk, NOW_MS + 60_000);
    assert_eq!(second.iter().filter(|candle| candle.is_closed).count(), 1);
    assert!(second[0].is_closed);
    assert_eq!(second[0].opened_ms, first[0].opened_ms);
    assert_eq!(second[1].opened_ms, first[0].opened_ms + 60_000);
    for candle in second {
        assert!(candle.low <= candle.open && candle.open <= candle.high, "{candle:?}");
        assert!(candle.low <= candle.close && candle.close <= candle.high, "{candle:?}");
    }
}

#[test]
fn in_a_numbered_market_every_price_follows_from_its_number() {
    let mut walk = Walk::new(1, 42, |_, asset| format!("{asset}USDT"));
    walk.number();
    let wanted = [Channel::Trade, Channel::Book].map(|channel| Wanted { stream: 0, symbol: 0, channel });
    walk.want(wanted.into_iter());
    for _ in 0..1_000 {
        let (_, symbol, event) = walk.next(1).unwrap();
        match event {
            Event::Trade(trade) => assert_eq!(trade.price, numbered_price(symbol, Numbered::Trade, trade.id)),
            Event::Book(book) => {
                assert_eq!(book.bid, numbered_price(symbol, Numbered::Book, book.bid_quantity));
                assert_eq!((book.ask_quantity, book.update_id), (book.bid_quantity, book.bid_quantity));
                assert!(book.bid < book.ask);
            }
            Event::AggregateTrade(_) | Event::Day(_) | Event::Ticker(_) | Event::Candle(_) => {
                panic!("nobody wants these")
            }
        }
    }
}
