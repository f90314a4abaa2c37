//! Rows on their way to the tables.

use std::ops::BitOr;

use crate::clock::UnixMicros;
use crate::market::{Fields, Instrument, OrderKey};

/// The row of one instrument and feed in `ticker_price_data`: its primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub i64);

/// An instrument as a feed lists it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listing {
    /// The feed's name.
    pub feed: Box<str>,
    /// The provider's symbol.
    pub symbol: Box<str>,
    /// What it means.
    pub instrument: Instrument,
}

/// Where a listing's prices go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// To this row.
    Row(InstrumentId),
    /// `ticker_base` does not know the ticker, and it is not to be created.
    UnknownTicker,
}

/// The parts of a row that arrive on their own, each with an order key of its own. Together they are the field
/// groups trade, quote and day. What always arrives together shares a slot.
///
/// With one key per whole group, a group's partial messages (a price without a size, a day volume alone) would end
/// differently by the order in which two workers commit them; with one per slot, every order ends the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after its fields in `Fields`")]
pub enum Slot {
    LastPrice,
    LastSize,
    Bid,
    Ask,
    Open,
    High,
    Low,
    PreviousClose,
    Volume,
    OpenInterest,
}

impl Slot {
    /// All slots, in the order of their columns.
    pub const ALL: [Self; 10] = [
        Self::LastPrice,
        Self::LastSize,
        Self::Bid,
        Self::Ask,
        Self::Open,
        Self::High,
        Self::Low,
        Self::PreviousClose,
        Self::Volume,
        Self::OpenInterest,
    ];

    /// The two sides of the quote.
    const QUOTE: &[Self] = &[Self::Bid, Self::Ask];

    /// The day group.
    const DAY: &[Self] = &[Self::Open, Self::High, Self::Low, Self::PreviousClose, Self::Volume, Self::OpenInterest];

    /// The column that holds this slot's order key.
    pub const fn order_column(self) -> &'static str {
        match self {
            Self::LastPrice => "last_price_order",
            Self::LastSize => "last_size_order",
            Self::Bid => "bid_order",
            Self::Ask => "ask_order",
            Self::Open => "open_order",
            Self::High => "high_order",
            Self::Low => "low_order",
            Self::PreviousClose => "previous_close_order",
            Self::Volume => "volume_order",
            Self::OpenInterest => "open_interest_order",
        }
    }

    /// Whether it belongs to the day group, which most batches do not carry.
    pub const fn is_day(self) -> bool {
        Slots::of(Self::DAY).0 & self.bit() != 0
    }

    const fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// A set of slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slots(u16);

impl Slots {
    /// No slot.
    pub const NONE: Self = Self(0);

    /// These slots.
    const fn of(slots: &[Slot]) -> Self {
        let (mut bits, mut place) = (0, 0);
        while place < slots.len() {
            bits |= slots[place].bit();
            place += 1;
        }
        Self(bits)
    }

    /// From the bits that the statements return, bit *i* for `Slot::ALL[i]`.
    pub fn from_bits(bits: i32) -> Self {
        Self(u16::try_from(bits).unwrap_or(0))
    }

    /// As bits.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Whether `slot` is in it.
    pub fn has(self, slot: Slot) -> bool {
        self.0 & slot.bit() != 0
    }

    /// Whether the two have a slot in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Slot> for Slots {
    fn from(slot: Slot) -> Self {
        Self(slot.bit())
    }
}

impl BitOr for Slots {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A slot's order key; `None` while nothing was ever stored there.
pub type Cell = Option<OrderKey>;

/// The newest values of one instrument in a batch, slot by slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// Which row.
    pub instrument: InstrumentId,
    /// The values; those of a slot without an order key are absent.
    pub fields: Fields,
    /// Order key of each slot, by `Slot::ALL`.
    pub orders: [Cell; Slot::ALL.len()],
    /// The exchange's time of the last price.
    pub trade_at: Option<UnixMicros>,
    /// The exchange's time of the newer side of the quote.
    pub quote_at: Option<UnixMicros>,
    /// The exchange's time of the newest day value.
    pub day_at: Option<UnixMicros>,
    /// When the newest message of the row was received.
    pub received_at: UnixMicros,
}

impl PriceRow {
    /// A row with nothing in it yet.
    pub fn empty(instrument: InstrumentId) -> Self {
        Self {
            instrument,
            fields: Fields::default(),
            orders: [None; Slot::ALL.len()],
            trade_at: None,
            quote_at: None,
            day_at: None,
            received_at: UnixMicros::default(),
        }
    }

    /// The order key of `slot`.
    pub fn order(&self, slot: Slot) -> Cell {
        self.orders[slot as usize]
    }

    /// The slots that hold a value.
    pub fn filled(&self) -> Slots {
        Slot::ALL
            .into_iter()
            .filter(|&slot| self.order(slot).is_some())
            .fold(Slots::NONE, |all, slot| all | slot.into())
    }

    /// The slots whose value came with the message of this order.
    pub fn slots_of(&self, order: OrderKey) -> Slots {
        let is_of = |(place, cell): (usize, &Cell)| u16::from(*cell == Some(order)) << place;
        Slots(self.orders.iter().enumerate().map(is_of).fold(0, |all, bit| all | bit))
    }

    /// Takes from a tick what is newer than what is here, slot by slot. Returns the slots it took.
    ///
    /// Merging is associative, commutative and idempotent: any order of merges ends the same.
    pub fn merge(
        &mut self,
        tick: &Fields,
        order: OrderKey,
        exchange_at: Option<UnixMicros>,
        received_at: UnixMicros,
    ) -> Slots {
        let (quote_before, day_before) = (self.newest_of(Slot::QUOTE), self.newest_of(Slot::DAY));

        let mut took = Slots::NONE;
        for slot in Slot::ALL {
            if self.order(slot) < Some(order) && self.fields.take_slot(tick, slot) {
                self.orders[slot as usize] = Some(order);
                took = took | slot.into();
            }
        }

        if took.has(Slot::LastPrice) {
            self.trade_at = exchange_at;
        }
        if took.meets(Slots::of(Slot::QUOTE)) && quote_before < Some(order) {
            self.quote_at = exchange_at;
        }
        if took.meets(Slots::of(Slot::DAY)) && day_before < Some(order) {
            self.day_at = exchange_at;
        }
        self.received_at = self.received_at.max(received_at);
        took
    }

    fn newest_of(&self, slots: &[Slot]) -> Cell {
        slots.iter().filter_map(|&slot| self.order(slot)).max()
    }

    /// Takes from another row of the same instrument what is newer than what is here, as if its ticks had been merged.
    pub fn absorb(&mut self, other: &Self) {
        if self.order(Slot::LastPrice) < other.order(Slot::LastPrice) {
            self.trade_at = other.trade_at;
        }
        if self.newest_of(Slot::QUOTE) < other.newest_of(Slot::QUOTE) {
            self.quote_at = other.quote_at;
        }
        if self.newest_of(Slot::DAY) < other.newest_of(Slot::DAY) {
            self.day_at = other.day_at;
        }
        for slot in Slot::ALL {
            if self.order(slot) < other.order(slot) && self.fields.take_slot(&other.fields, slot) {
                self.orders[slot as usize] = other.order(slot);
            }
        }
        self.received_at = self.received_at.max(other.received_at);
    }
}

impl Fields {
    /// Copies the values of `slot` from `other`, if `other` has any. A price decides over its size.
    fn take_slot(&mut self, other: &Self, slot: Slot) -> bool {
        fn take<T: Copy>(mine: &mut Option<T>, theirs: Option<T>) -> bool {
            if theirs.is_some() {
                *mine = theirs;
            }
            theirs.is_some()
        }
        match slot {
            Slot::LastPrice => take(&mut self.last_price, other.last_price),
            Slot::LastSize => take(&mut self.last_size, other.last_size),
            Slot::Bid => {
                let there = take(&mut self.bid_price, other.bid_price);
                if there {
                    self.bid_size = other.bid_size;
                }
                there
            }
            Slot::Ask => {
                let there = take(&mut self.ask_price, other.ask_price);
                if there {
                    self.ask_size = other.ask_size;
                }
                there
            }
            Slot::Open => take(&mut self.open_price, other.open_price),
            Slot::High => take(&mut self.high_price, other.high_price),
            Slot::Low => take(&mut self.low_price, other.low_price),
            Slot::PreviousClose => take(&mut self.previous_close, other.previous_close),
            Slot::Volume => take(&mut self.volume, other.volume),
            Slot::OpenInterest => take(&mut self.open_interest, other.open_interest),
        }
    }
}

/// One tick of the history: append-only, unique per order key and index, so that a redelivery adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The message's order.
    pub order: OrderKey,
    /// Place of the tick within its message.
    pub index: i16,
    /// When the message was received; also the day of the partition.
    pub received_at: UnixMicros,
    /// The exchange's clock.
    pub exchange_at: Option<UnixMicros>,
    /// The exchange's number of the trade.
    pub trade_id: Option<i64>,
    /// The values.
    pub fields: Fields,
}

/// One hole in a provider's streams, unique by the task that told of it: feed, connection, epoch and seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// The feed's name.
    pub feed: Box<str>,
    /// The connection, counted from 1 within its listener.
    pub conn: u32,
    /// The order of the task.
    pub order: OrderKey,
    /// The provider's symbol, where the hole is in the stream of one symbol.
    pub symbol: Option<Box<str>>,
    /// The stream; `*` for all of the connection.
    pub stream: Box<str>,
    /// The kind of messages; `*` for all.
    pub kind: Box<str>,
    /// The provider's number of the first missing message.
    pub from: Option<i64>,
    /// The provider's number of the last missing message.
    pub to: Option<i64>,
    /// How many are missing.
    pub missing: Option<u64>,
    /// When the last message before the hole was received.
    pub since: Option<UnixMicros>,
    /// When the first message behind the hole was received.
    pub until: UnixMicros,
    /// As [`GapReason`](crate::queue::GapReason) spells it; newer programs may have further ones.
    pub reason: Box<str>,
}
