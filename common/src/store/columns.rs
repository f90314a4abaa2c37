//! Which columns a slot owns, and the merge of `PriceRow::merge` in SQL: one table, from which both stores make their
//! statements. In it, `t` is the stored row and `n` the new one.

use rust_decimal::Decimal;

use super::{PriceRow, Slot, Slots};
use crate::market::{BadNumber, Fields, Price, Quantity};

/// The values of a tick, in the order of their columns.
pub(super) const VALUES: [&str; 12] = [
    "last_price",
    "last_size",
    "bid_price",
    "bid_size",
    "ask_price",
    "ask_size",
    "open_price",
    "high_price",
    "low_price",
    "previous_close",
    "volume",
    "open_interest",
];

/// The times of a row that only a newer slot may move, and the slots that decide over them.
const TIMES: [(&str, &[Slot]); 3] = [
    ("trade_at", &[Slot::LastPrice]),
    ("quote_at", &[Slot::Bid, Slot::Ask]),
    ("day_at", &[Slot::Open, Slot::High, Slot::Low, Slot::PreviousClose, Slot::Volume, Slot::OpenInterest]),
];

/// The columns of `tick_history` before its values.
const TICKS: [&str; 6] = ["instrument_id", "order_key", "index_in_message", "received_at", "exchange_at", "trade_id"];

/// Most batches carry no day values, and a statement without them is faster.
pub(super) const TRADE_AND_QUOTE: &[Slot] = &[Slot::LastPrice, Slot::LastSize, Slot::Bid, Slot::Ask];

/// So many of `VALUES` are theirs, and come first.
pub(super) const VALUES_WITHOUT_DAY: usize = 6;

/// The columns that change together with the slot's order key.
pub(super) const fn values_of(slot: Slot) -> &'static [&'static str] {
    match slot {
        Slot::LastPrice => &["last_price"],
        Slot::LastSize => &["last_size"],
        Slot::Bid => &["bid_price", "bid_size"],
        Slot::Ask => &["ask_price", "ask_size"],
        Slot::Open => &["open_price"],
        Slot::High => &["high_price"],
        Slot::Low => &["low_price"],
        Slot::PreviousClose => &["previous_close"],
        Slot::Volume => &["volume"],
        Slot::OpenInterest => &["open_interest"],
    }
}

/// The words in which two dialects of SQL differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The scalar function that gives the largest of its arguments.
    pub(super) greatest: &'static str,
    /// The present moment.
    pub(super) now: &'static str,
}

/// The columns of `n`: the id, then what [`assignments`] reads.
pub(super) fn input(slots: &[Slot]) -> Vec<&'static str> {
    let values = slots.iter().flat_map(|&slot| values_of(slot)).copied();
    let orders = slots.iter().map(|slot| slot.order_column());
    std::iter::once("id")
        .chain(values)
        .chain(orders)
        .chain(times(slots).map(|(time, _)| time))
        .chain(["received_at"])
        .collect()
}

/// The columns of `tick_history`, with the first so many values.
pub(super) fn of_ticks(values: usize) -> Vec<&'static str> {
    TICKS.into_iter().chain(VALUES.into_iter().take(values)).collect()
}

/// What follows `SET`.
pub(super) fn assignments(slots: &[Slot], dialect: Dialect) -> Vec<String> {
    let Dialect { greatest, now } = dialect;
    let mut set = Vec::new();
    for &slot in slots {
        let newer = newer(slot);
        set.extend(values_of(slot).iter().map(|v| format!("{v} = CASE WHEN {newer} THEN n.{v} ELSE t.{v} END")));
        let order = slot.order_column();
        set.push(format!("{order} = {greatest}(n.{order}, t.{order})"));
    }
    for (time, deciders) in times(slots) {
        let newest = |of: &str| match deciders {
            [one] => format!("{of}.{}", one.order_column()),
            several => {
                let orders: Vec<_> = several.iter().map(|slot| format!("{of}.{}", slot.order_column())).collect();
                format!("{greatest}({})", orders.join(", "))
            }
        };
        set.push(format!("{time} = CASE WHEN {} > {} THEN n.{time} ELSE t.{time} END", newest("n"), newest("t")));
    }
    set.push(
        "received_at = CASE WHEN n.received_at < t.received_at THEN t.received_at ELSE n.received_at END".to_owned(),
    );
    set.push(format!("stored_at = {now}"));
    set
}

/// The slots that are newer, as bits.
pub(super) fn newer_slots(slots: &[Slot]) -> String {
    let bit = |slot: &Slot| format!("CASE WHEN {} THEN {} ELSE 0 END", newer(*slot), Slots::from(*slot).bits());
    slots.iter().map(bit).collect::<Vec<_>>().join(" + ")
}

/// What must hold of `n` and `t` for the row to be written at all: something of it is newer.
pub(super) fn anything_newer(slots: &[Slot]) -> String {
    let slots = slots.iter().map(|&slot| newer(slot));
    let all: Vec<_> = slots.chain(["n.received_at > t.received_at".to_owned()]).collect();
    all.join(" OR ")
}

/// The values in the order of [`VALUES`]. A zero has no sign in a table.
pub(super) fn values(fields: &Fields) -> [Option<Decimal>; VALUES.len()] {
    let unsigned_zero = |mut number: Decimal| {
        number.set_sign_negative(number.is_sign_negative() && !number.is_zero());
        number
    };
    let price = |value: Option<Price>| value.map(Price::get).map(unsigned_zero);
    let quantity = |value: Option<Quantity>| value.map(Quantity::get).map(unsigned_zero);
    [
        price(fields.last_price),
        quantity(fields.last_size),
        price(fields.bid_price),
        quantity(fields.bid_size),
        price(fields.ask_price),
        quantity(fields.ask_size),
        price(fields.open_price),
        price(fields.high_price),
        price(fields.low_price),
        price(fields.previous_close),
        quantity(fields.volume),
        quantity(fields.open_interest),
    ]
}

/// Back from a table.
pub(super) fn fields(values: [Option<Decimal>; VALUES.len()]) -> Result<Fields, BadNumber> {
    let [last, last_size, bid, bid_size, ask, ask_size, open, high, low, close, volume, interest] = values;
    let price = |value: Option<Decimal>| value.map(Price::new);
    let quantity = |value: Option<Decimal>| value.map(Quantity::new).transpose();
    Ok(Fields {
        last_price: price(last),
        last_size: quantity(last_size)?,
        bid_price: price(bid),
        bid_size: quantity(bid_size)?,
        ask_price: price(ask),
        ask_size: quantity(ask_size)?,
        open_price: price(open),
        high_price: price(high),
        low_price: price(low),
        previous_close: price(close),
        volume: quantity(volume)?,
        open_interest: quantity(interest)?,
    })
}

/// A slot's order key as its column holds it: zero stands for "no value yet".
pub(super) fn order_column(row: &PriceRow, slot: Slot) -> i64 {
    row.order(slot).map_or(0, crate::market::OrderKey::get)
}

fn newer(slot: Slot) -> String {
    let order = slot.order_column();
    format!("n.{order} > t.{order}")
}

fn times(slots: &[Slot]) -> impl Iterator<Item = (&'static str, &'static [Slot])> {
    TIMES.into_iter().filter(|(_, deciders)| deciders.iter().all(|decider| slots.contains(decider)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_belongs_to_exactly_one_slot() {
        let owned: Vec<_> = Slot::ALL.into_iter().flat_map(|slot| values_of(slot)).copied().collect();
        assert_eq!(owned, VALUES);
        let small: Vec<_> = TRADE_AND_QUOTE.iter().flat_map(|slot| values_of(*slot)).copied().collect();
        assert_eq!(small, VALUES[..VALUES_WITHOUT_DAY]);
    }

    #[test]
    fn the_small_shape_is_the_large_one_without_the_day() {
        let all: Vec<_> = Slot::ALL.into_iter().filter(|slot| !slot.is_day()).collect();
        assert_eq!(TRADE_AND_QUOTE, all);
        assert!(!input(TRADE_AND_QUOTE).contains(&"day_at"));
        assert!(input(&Slot::ALL).contains(&"day_at"));
    }

    #[test]
    fn values_come_back_as_they_went() {
        let numbers: [Option<Decimal>; 12] = std::array::from_fn(|i| Some(Decimal::new(i64::try_from(i).unwrap(), 2)));
        assert_eq!(values(&fields(numbers).unwrap()), numbers);
    }
}
