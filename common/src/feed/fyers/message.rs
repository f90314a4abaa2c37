//! The JSON messages that the official library delivers, written from a topic's values.
//!
//! Same names, same order; prices as exact decimals. After its own fields come those that the library drops: open
//! interest, the year's high and low. Circuit limits are 0 where the server tells none, as in the library.

use std::fmt::Write;

use rust_decimal::Decimal;

use crate::feed::fyers::channel::Family;

/// Most values a topic has.
pub(super) const VALUES_MAX: usize = 30;

/// A topic's last values by their place on the wire, `None` where the server has told none.
pub(super) type Last = [Option<i32>; VALUES_MAX];

/// How a topic writes prices: `price = value / (10^precision x multiplier)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    precision: u32,
    multiplier: Decimal,
}

/// Most digits behind the point; currencies have four.
const PRECISION_MAX: u8 = 10;

impl Scale {
    /// Nothing for a scale that no price can have.
    pub(super) fn new(multiplier: u16, precision: u8) -> Option<Self> {
        let is_sound = multiplier != 0 && precision <= PRECISION_MAX;
        is_sound.then(|| Self { precision: precision.into(), multiplier: multiplier.into() })
    }

    fn price(self, value: i32) -> Decimal {
        let price = Decimal::new(value.into(), self.precision);
        if self.multiplier == Decimal::ONE {
            return price.normalize();
        }
        (price / self.multiplier).round_dp(DIGITS_MAX).normalize()
    }
}

/// Where a division does not end: far finer than any tick size.
const DIGITS_MAX: u32 = 18;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Price,
    /// A count or a moment: never below zero, so a volume above 2^31 is read as what it is.
    Whole,
}

use Unit::{Price, Whole};

/// The library's own fields of `sf`, by place.
const SYMBOL: [(usize, &str, Unit); 16] = [
    (0, "ltp", Price),
    (1, "vol_traded_today", Whole),
    (2, "last_traded_time", Whole),
    (3, "exch_feed_time", Whole),
    (4, "bid_size", Whole),
    (5, "ask_size", Whole),
    (6, "bid_price", Price),
    (7, "ask_price", Price),
    (8, "last_traded_qty", Whole),
    (9, "tot_buy_qty", Whole),
    (10, "tot_sell_qty", Whole),
    (11, "avg_trade_price", Price),
    (13, "low_price", Price),
    (14, "high_price", Price),
    (19, "open_price", Price),
    (20, "prev_close_price", Price),
];

/// The limits of the day, and what stands in their place.
const CIRCUITS: [(usize, &str); 2] = [(17, "lower_ckt"), (18, "upper_ckt")];

/// What the library drops.
const FURTHER: [(usize, &str, Unit); 3] = [(12, "open_interest", Whole), (15, "Yhigh", Price), (16, "Ylow", Price)];

/// The fields of `if`; the change stands between the first two and the rest.
const INDEX: [(usize, &str, Unit); 6] = [
    (0, "ltp", Price),
    (1, "prev_close_price", Price),
    (2, "exch_feed_time", Whole),
    (3, "high_price", Price),
    (4, "low_price", Price),
    (5, "open_price", Price),
];

/// The groups of `dp`, five levels each.
const DEPTH: [(&str, Unit); 6] = [
    ("bid_price", Price),
    ("ask_price", Price),
    ("bid_size", Whole),
    ("ask_size", Whole),
    ("bid_order", Whole),
    ("ask_order", Whole),
];
const LEVELS: usize = 5;
const _: () = assert!(DEPTH.len() * LEVELS == VALUES_MAX);

/// The whole message of a topic. `symbol` is JSON.
pub(super) fn full(family: Family, last: &Last, scale: Scale, symbol: &str) -> String {
    let mut object = Object::new(scale, 640);
    match family {
        Family::Symbol => {
            object.fields(last, &SYMBOL);
            object.tail(family, symbol);
            for (place, name) in CIRCUITS {
                object.put(name, last[place].unwrap_or(0), Price);
            }
            object.change(last[0], last[20], 4);
            object.fields(last, &FURTHER);
        }
        Family::Index => {
            object.fields(last, &INDEX[..2]);
            object.change(last[0], last[1], 2);
            object.fields(last, &INDEX[2..]);
            object.tail(family, symbol);
        }
        Family::Depth => {
            for ((name, unit), values) in DEPTH.iter().zip(last.chunks(LEVELS)) {
                for (value, level) in values.iter().zip(1..) {
                    if let Some(value) = value {
                        object.level(name, level, *value, *unit);
                    }
                }
            }
            object.tail(family, symbol);
        }
    }
    object.end()
}

/// The message of the lite mode.
pub(super) fn lite(family: Family, last: &Last, scale: Scale, symbol: &str) -> String {
    let mut object = Object::new(scale, 96);
    object.fields(last, &SYMBOL[..1]);
    object.name("symbol");
    object.text.push_str(symbol);
    object.name("type");
    object.write(format_args!("\"{}\"", family.prefix()));
    object.end()
}

/// A JSON object in the making.
struct Object {
    text: String,
    scale: Scale,
}

impl Object {
    fn new(scale: Scale, bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self { text, scale }
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn fields(&mut self, last: &Last, fields: &[(usize, &str, Unit)]) {
        for (place, name, unit) in fields {
            if let Some(value) = last[*place] {
                self.put(name, value, *unit);
            }
        }
    }

    fn put(&mut self, name: &str, value: i32, unit: Unit) {
        self.name(name);
        self.value(value, unit);
    }

    fn level(&mut self, name: &str, level: u8, value: i32, unit: Unit) {
        self.comma();
        self.write(format_args!("\"{name}{level}\":"));
        self.value(value, unit);
    }

    fn value(&mut self, value: i32, unit: Unit) {
        match unit {
            Price => self.write(format_args!("{}", self.scale.price(value))),
            Whole => self.write(format_args!("{}", value.cast_unsigned())),
        }
    }

    /// The change against the previous close, plain and in per cent, rounded as the library rounds.
    fn change(&mut self, last: Option<i32>, previous: Option<i32>, digits: u32) {
        let (Some(last), Some(previous)) = (last, previous) else { return };
        let (last, previous) = (self.scale.price(last), self.scale.price(previous));
        let change = last - previous;
        self.decimal("ch", change, digits);
        if let Some(share) = change.checked_div(previous) {
            self.decimal("chp", share * Decimal::ONE_HUNDRED, digits);
        }
    }

    fn decimal(&mut self, name: &str, value: Decimal, digits: u32) {
        self.name(name);
        self.write(format_args!("{}", value.round_dp(digits).normalize()));
    }

    fn tail(&mut self, family: Family, symbol: &str) {
        self.name("type");
        self.write(format_args!("\"{}\"", family.prefix()));
        self.name("symbol");
        self.text.push_str(symbol);
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.write(format_args!("\"{name}\":"));
    }

    fn comma(&mut self) {
        if 1 < self.text.len() {
            self.text.push(',');
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing into a string cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(values: &[i32]) -> Last {
        let mut last = [None; VALUES_MAX];
        last.iter_mut().zip(values).for_each(|(place, value)| *place = Some(*value).filter(|value| *value != i32::MIN));
        last
    }

    fn scale() -> Scale {
        Scale::new(1, 2).unwrap()
    }

    #[test]
    fn an_index_says_its_change_with_two_digits() {
        let last = last(&[1_952_645, 1_965_555, 1_690_953_622, 1_964_230, 1_942_355, 1_963_495]);
        assert_eq!(
            full(Family::Index, &last, scale(), "\"NSE:NIFTY50-INDEX\""),
            r#"{"ltp":19526.45,"prev_close_price":19655.55,"ch":-129.1,"chp":-0.66,"exch_feed_time":1690953622,"high_price":19642.3,"low_price":19423.55,"open_price":19634.95,"type":"if","symbol":"NSE:NIFTY50-INDEX"}"#
        );
    }

    #[test]
    fn absent_values_are_left_out_and_what_the_library_drops_stands_last() {
        let mut last = last(&[1_000]);
        (last[12], last[15], last[17]) = (Some(7), Some(2_050), Some(905));
        assert_eq!(
            full(Family::Symbol, &last, scale(), "\"A\""),
            r#"{"ltp":10,"type":"sf","symbol":"A","lower_ckt":9.05,"upper_ckt":0,"open_interest":7,"Yhigh":20.5}"#
        );
    }

    #[test]
    fn a_depth_has_five_levels_of_six_values() {
        let values: Vec<i32> = (1..=30).collect();
        let text = full(Family::Depth, &last(&values), scale(), "\"A\"");
        assert!(text.starts_with(r#"{"bid_price1":0.01,"bid_price2":0.02"#) && text.contains(r#""ask_order5":30,"#));
        assert_eq!(text.matches("\":").count(), 32);
    }

    #[test]
    fn prices_are_scaled_exactly_and_impossible_scales_refused() {
        for (multiplier, precision, value, wanted) in [
            (1, 2, 60_640, "606.4"),
            (1, 4, 858_325, "85.8325"),
            (1, 0, 5, "5"),
            (1, 2, -3_763, "-37.63"),
            (100, 2, 60_645, "6.0645"),
            (3, 0, 1, "0.333333333333333333"),
            (1, 2, i32::MAX, "21474836.47"),
        ] {
            assert_eq!(Scale::new(multiplier, precision).unwrap().price(value).to_string(), wanted);
        }
        assert!(Scale::new(0, 2).is_none() && Scale::new(1, 11).is_none());
    }

    #[test]
    fn a_previous_close_of_zero_gives_no_share() {
        let text = full(Family::Index, &last(&[100, 0]), scale(), "\"A\"");
        assert_eq!(text, r#"{"ltp":1,"prev_close_price":0,"ch":1,"type":"if","symbol":"A"}"#);
    }

    #[test]
    fn a_volume_above_two_thousand_million_is_read_as_what_it_is() {
        let text = full(Family::Symbol, &last(&[100, -2_000_000_000]), scale(), "\"A\"");
        assert!(text.contains(r#""vol_traded_today":2294967296"#), "{text}");
    }
}
