use std::time::Duration;

use common::feed::by_name;
use proptest::prelude::*;

use super::*;

fn limits(symbols_per_connection: usize, symbols_max: usize) -> ShardLimits {
    ShardLimits { symbols_per_connection, symbols_max, connection_delay: Duration::ZERO }
}

fn names(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn planned_at(places: &[Option<&str>], channels: &[&str], limits: ShardLimits) -> Result<Plan, FeedError> {
    let (feed, catalog) = (by_name("binance").unwrap(), Catalog::default());
    Plan::of(places, Rules { feed, channels: &names(channels), limits, catalog: &catalog, now: UnixMicros(0) })
}

fn plan(symbols: &[String], channels: &[&str], limits: ShardLimits) -> Result<Plan, FeedError> {
    planned_at(&symbols.iter().map(|symbol| Some(symbol.as_str())).collect::<Vec<_>>(), channels, limits)
}

fn planned(symbols: &[&str], channels: &[&str], limits: ShardLimits) -> Plan {
    plan(&names(symbols), channels, limits).unwrap()
}

fn carried(plan: &Plan) -> Vec<Vec<&str>> {
    plan.shards.iter().map(|shard| shard.iter().map(|topic| &*topic.stream).collect()).collect()
}

#[test]
fn symbols_fill_one_connection_after_the_other_and_keep_their_streams_together() {
    let plan = planned(&["BTCUSDT", "ETHUSDT", "BNBUSDT"], &["trade", "bookTicker"], limits(2, 10));
    let expected = [
        vec!["btcusdt@trade", "btcusdt@bookTicker", "ethusdt@trade", "ethusdt@bookTicker"],
        vec!["bnbusdt@trade", "bnbusdt@bookTicker"],
    ];
    assert_eq!(carried(&plan), expected);
    assert!(plan.refused.is_empty());
}

#[test]
fn the_remainder_is_refused_by_name() {
    let plan = planned(&["BTCUSDT", "ETHUSDT", "BNBUSDT"], &["trade"], limits(50, 2));
    assert_eq!(carried(&plan), [["btcusdt@trade", "ethusdt@trade"]]);
    assert_eq!(plan.refused, [("BNBUSDT".into(), "more symbols than the limit of 2".into())].into());
}

#[test]
fn where_the_provider_allows_no_further_connection_the_last_one_carries_the_rest() {
    let places = ["AAPL", "MSFT", "BRK.B", "BTC-USD"].map(Some);
    let (feed, catalog) = (by_name("massive").unwrap(), Catalog::default());
    let rules = Rules { feed, channels: &names(&["T"]), limits: limits(1, 10), catalog: &catalog, now: UnixMicros(0) };
    let plan = Plan::of(&places, rules).unwrap();
    assert_eq!(carried(&plan), [["T.AAPL", "T.MSFT", "T.BRK.B"]]);
    let refused = [("BTC-USD".into(), "the provider allows 1 connections, and they are full".into())];
    assert_eq!(plan.refused, refused.into(), "its market needs a connection of its own");
}

#[test]
fn a_symbol_that_is_no_symbol_does_not_stop_the_others() {
    let plan = planned(&["BTCUSDT", "?", "ETHUSDT"], &["trade"], limits(50, 250));
    assert_eq!(carried(&plan), [["btcusdt@trade", "ethusdt@trade"]]);
    assert_eq!(plan.refused.keys().map(|symbol| &**symbol).collect::<Vec<_>>(), ["?"]);
}

#[test]
fn a_symbol_named_twice_counts_once() {
    let plan = planned(&["BTCUSDT", "btcusdt", "ETHUSDT"], &["trade"], limits(50, 2));
    assert_eq!(carried(&plan), [["btcusdt@trade", "ethusdt@trade"]]);
    assert!(plan.refused.is_empty());
}

#[test]
fn an_unknown_channel_is_an_error() {
    assert!(matches!(plan(&names(&["BTCUSDT"]), &["trades"], limits(1, 1)), Err(FeedError::UnknownChannel { .. })));
}

#[test]
fn symbols_keep_their_connection_while_others_come_and_go() {
    let at = |places: &[Option<&str>]| planned_at(places, &["trade"], limits(2, 9)).unwrap();
    let before = at(&[Some("BTCUSDT"), Some("ETHUSDT"), Some("BNBUSDT")]);
    let without = at(&[Some("BTCUSDT"), None, Some("BNBUSDT")]);
    assert_eq!(carried(&without), [["btcusdt@trade"], ["bnbusdt@trade"]]);
    let after = at(&[Some("BTCUSDT"), Some("SOLUSDT"), Some("BNBUSDT")]);
    assert_eq!(before.shards[1], after.shards[1]);
    assert_eq!(carried(&after)[0], ["btcusdt@trade", "solusdt@trade"]);
}

proptest! {
    #[test]
    fn every_symbol_is_carried_once_or_refused_and_no_connection_is_overfull(
        count in 0..400_usize, per_connection in 1..60_usize, symbols_max in 1..300_usize,
    ) {
        let symbols: Vec<String> = (0..count).map(|number| format!("SIM{number:03}USDT")).collect();
        let binance = by_name("binance").unwrap();
        let plan = plan(&symbols, &["trade", "bookTicker"], limits(per_connection, symbols_max)).unwrap();
        let carried: usize = plan.shards.iter().map(|shard| symbols_in(shard)).sum();
        prop_assert_eq!(carried, count.min(symbols_max));
        prop_assert_eq!(carried + plan.refused.len(), count);
        for shard in &plan.shards {
            prop_assert!(symbols_in(shard) <= per_connection);
            prop_assert_eq!(shard.len(), 2 * symbols_in(shard));
            prop_assert!(shard.len() <= binance.limits().streams_per_connection);
        }
        prop_assert_eq!(plan.shards.len(), carried.div_ceil(per_connection));
    }
}
