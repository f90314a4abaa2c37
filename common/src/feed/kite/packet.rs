//! One packet of binary market data to the JSON that the official client libraries hand on.
//!
//! Big-endian words of four bytes; the packet's length tells its mode. Prices are whole numbers of a small unit that
//! the segment fixes; the segment is the lowest byte of the instrument's number.

use std::fmt::{Display, Write};

use jiff::Timestamp;
use rust_decimal::Decimal;

/// Segments whose prices are not in hundredths: currency of NSE and of BSE.
const CURRENCY_NSE: u32 = 3;
const CURRENCY_BSE: u32 = 6;

/// Indices of all exchanges.
const INDICES: u32 = 9;

/// India's clocks are ahead of UTC by this, all year.
const INDIA_AHEAD_S: i64 = 19_800;

/// Where the depth of a full packet begins: five bids, then five asks.
const DEPTH_AT: usize = 64;
const LEVEL_BYTES: usize = 12;
const LEVELS_PER_SIDE: usize = 5;

/// What a packet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// 8 bytes.
    Ltp,
    /// 28 bytes, or 32 with the exchange's time.
    Index { timed: bool },
    /// 44 bytes.
    Quote,
    /// 184 bytes.
    Full,
}

impl Shape {
    pub(super) fn of(packet: &[u8]) -> Option<Self> {
        match packet.len() {
            8 => Some(Self::Ltp),
            28 => Some(Self::Index { timed: false }),
            32 => Some(Self::Index { timed: true }),
            44 => Some(Self::Quote),
            184 => Some(Self::Full),
            _ => None,
        }
    }

    /// The kind of the task it becomes.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Ltp => "ltp",
            Self::Index { .. } => "index",
            Self::Quote => "quote",
            Self::Full => "full",
        }
    }

    /// The mode, as clients name it. Indices have no name of their own there.
    fn mode(self) -> &'static str {
        match self {
            Self::Ltp => "ltp",
            Self::Index { timed: false } | Self::Quote => "quote",
            Self::Index { timed: true } | Self::Full => "full",
        }
    }
}

/// The instrument's number, which every packet begins with.
pub(super) fn token(packet: &[u8]) -> u32 {
    unsigned(packet, 0)
}

/// The segment of an instrument's number.
pub(super) fn segment(token: u32) -> u32 {
    token & 0xff
}

/// The tick as JSON; `name` is the trading symbol, where it is known. Absent times and a change without a close are
/// left out.
pub(super) fn json(shape: Shape, packet: &[u8], name: Option<&str>) -> String {
    let token = token(packet);
    let scale = scale(token);
    let price = |word| Decimal::new(signed(packet, word).into(), scale).normalize();
    let mut out = Object::new();
    out.text("mode", shape.mode());
    out.value("tradable", segment(token) != INDICES);
    out.value("instrument_token", token);
    if let Some(name) = name {
        out.value("tradingsymbol", serde_json::Value::from(name));
    }
    out.value("last_price", price(1));
    match shape {
        Shape::Ltp => {}
        Shape::Index { timed } => {
            // High, low, open, close.
            out.value("ohlc", ohlc([price(4), price(2), price(3), price(5)]));
            out.change(price(1), price(5));
            if timed {
                out.time("timestamp", unsigned(packet, 7));
            }
        }
        Shape::Quote | Shape::Full => {
            out.value("last_quantity", unsigned(packet, 2));
            out.value("average_price", price(3));
            out.value("volume", unsigned(packet, 4));
            out.value("buy_quantity", unsigned(packet, 5));
            out.value("sell_quantity", unsigned(packet, 6));
            out.value("ohlc", ohlc([price(7), price(8), price(9), price(10)]));
            out.change(price(1), price(10));
        }
    }
    if shape == Shape::Full {
        out.time("last_trade_time", unsigned(packet, 11));
        out.value("oi", unsigned(packet, 12));
        out.value("oi_day_high", unsigned(packet, 13));
        out.value("oi_day_low", unsigned(packet, 14));
        out.time("timestamp", unsigned(packet, 15));
        out.value("depth", depth(packet.get(DEPTH_AT..).unwrap_or_default(), scale));
    }
    out.end()
}

/// Decimal places of a segment's prices.
fn scale(token: u32) -> u32 {
    match segment(token) {
        CURRENCY_NSE => 7,
        CURRENCY_BSE => 4,
        _ => 2,
    }
}

fn ohlc(prices: [Decimal; 4]) -> String {
    let mut out = Object::new();
    for (name, price) in ["open", "high", "low", "close"].into_iter().zip(prices) {
        out.value(name, price);
    }
    out.end()
}

fn depth(bytes: &[u8], scale: u32) -> String {
    let mut sides = bytes.chunks(LEVEL_BYTES * LEVELS_PER_SIDE);
    let mut out = Object::new();
    for side in ["buy", "sell"] {
        let levels = sides.next().unwrap_or_default().chunks(LEVEL_BYTES);
        let levels: Vec<String> = levels.map(|bytes| level(bytes, scale)).collect();
        out.value(side, format_args!("[{}]", levels.join(",")));
    }
    out.end()
}

/// Quantity, price, number of orders (two bytes), and two bytes of nothing.
fn level(bytes: &[u8], scale: u32) -> String {
    let mut out = Object::new();
    out.value("price", Decimal::new(signed(bytes, 1).into(), scale).normalize());
    out.value("quantity", unsigned(bytes, 0));
    out.value("orders", unsigned(bytes, 2) >> 16);
    out.end()
}

/// The word at this place; 0 beyond the end, which the packet's length has excluded.
fn word(bytes: &[u8], place: usize) -> [u8; 4] {
    bytes.as_chunks().0.get(place).copied().unwrap_or_default()
}

fn unsigned(bytes: &[u8], place: usize) -> u32 {
    u32::from_be_bytes(word(bytes, place))
}

fn signed(bytes: &[u8], place: usize) -> i32 {
    i32::from_be_bytes(word(bytes, place))
}

/// A JSON object that is being written. Numbers are written as they are: no float comes in between.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    /// `value` shows itself as JSON.
    fn value(&mut self, key: &str, value: impl Display) {
        let comma = if self.0.len() == 1 { "" } else { "," };
        write!(self.0, r#"{comma}"{key}":{value}"#).expect("writing to a String does not fail");
    }

    /// A text without anything to escape.
    fn text(&mut self, key: &str, text: &str) {
        self.value(key, format_args!("\"{text}\""));
    }

    /// What the last price is above the previous close.
    fn change(&mut self, last: Decimal, close: Decimal) {
        if !close.is_zero() {
            self.value("change", (last - close).normalize());
        }
    }

    /// Seconds since 1970, as Indian time. Zero is no time.
    fn time(&mut self, key: &str, secs: u32) {
        if let (true, Ok(at)) = (secs != 0, Timestamp::from_second(i64::from(secs) + INDIA_AHEAD_S)) {
            self.text(key, &format!("{}+05:30", at.strftime("%Y-%m-%dT%H:%M:%S")));
        }
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
