//! Which segments trade.

use std::collections::BTreeMap;

use prost::Message;

/// The state of the market.
#[derive(Clone, PartialEq, Message)]
pub struct MarketInfo {
    /// By segment, e.g. `NSE_EQ`: a [`MarketStatus`].
    #[prost(btree_map = "string, enumeration(MarketStatus)", tag = "1")]
    pub segment_status: BTreeMap<String, i32>,
    /// By segment: the closing auction.
    #[prost(btree_map = "string, message", tag = "2")]
    pub cas_market_status: BTreeMap<String, StatusInfo>,
    /// By segment: the session before the opening.
    #[prost(btree_map = "string, message", tag = "3")]
    pub pre_open_session_status: BTreeMap<String, StatusInfo>,
}

/// Where a segment's day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MarketStatus {
    /// Orders of the opening auction are taken.
    PreOpenStart = 0,
    /// The opening auction is over, trading has not begun.
    PreOpenEnd = 1,
    /// It trades.
    NormalOpen = 2,
    /// It trades no longer.
    NormalClose = 3,
    /// The session after the close has begun: it trades at the closing price.
    ClosingStart = 4,
    /// That is over too.
    ClosingEnd = 5,
}

impl MarketStatus {
    /// Whether prices are to be expected.
    ///
    /// In both sessions beside the normal one, prices move while orders are taken. At the end of each nothing does:
    /// `PRE_OPEN_END` lasts some minutes, and `CLOSING_END` the whole night, in which a quiet connection is no mute one.
    pub fn is_open(self) -> bool {
        match self {
            Self::PreOpenStart | Self::NormalOpen | Self::ClosingStart => true,
            Self::PreOpenEnd | Self::NormalClose | Self::ClosingEnd => false,
        }
    }
}

/// The state of a special session.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct StatusInfo {
    /// Its name.
    #[prost(string, tag = "1")]
    pub status: String,
    /// Since when.
    #[prost(int64, tag = "2")]
    pub updated_time: i64,
}
