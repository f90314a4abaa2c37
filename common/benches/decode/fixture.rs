//! One typical message of each feed, written by us in its documented form.

use common::feed::Incoming;
use common::market::{Catalog, Instrument, Kind, MasterRow};
use secrecy::SecretString;

use crate::floor;
use crate::measure::Median;

mod binary;

/// A frame as it is received.
pub(crate) enum Frame {
    Text(&'static str),
    Binary(Vec<u8>),
}

impl Frame {
    pub(crate) fn as_incoming(&self) -> Incoming<'_> {
        match self {
            Self::Text(text) => Incoming::Text(text),
            Self::Binary(bytes) => Incoming::Binary(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// A feed's message, and what its session needs before.
pub(crate) struct Fixture {
    pub(crate) feed: &'static str,
    pub(crate) symbol: &'static str,
    pub(crate) channels: &'static [&'static str],
    pub(crate) credential: Option<SecretString>,
    /// Symbol and number, where a symbol master must know them.
    master: Option<(&'static str, &'static str)>,
    pub(crate) before: Vec<Frame>,
    pub(crate) frame: Frame,
    /// In turn with it, where a repetition would not be news.
    pub(crate) other: Option<Frame>,
    /// Measures the floor of the body.
    pub(crate) floor: fn(&str) -> Median,
}

impl Fixture {
    fn text(feed: &'static str, symbol: &'static str, channels: &'static [&'static str], frame: &'static str) -> Self {
        let (credential, master, other, floor) = (None, None, None, floor::of_binance_trade);
        Self { feed, symbol, channels, credential, master, before: Vec::new(), frame: Frame::Text(frame), other, floor }
    }

    /// What a symbol master would say.
    pub(crate) fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        let instrument = Instrument {
            exchange: "NSE".into(),
            underlying: "INFY".into(),
            kind: Kind::Eq,
            expiry: None,
            option: None,
            series: None,
        };
        let row = |(symbol, key): (&str, &str)| MasterRow { symbol: symbol.into(), key: key.into(), instrument };
        catalog.add(self.feed, self.master.map(row));
        catalog
    }
}

/// All of them, one feed after the other.
pub(crate) fn all() -> Vec<Fixture> {
    let mut all = binance();
    all.push(binary::fyers());
    all.push(binary::kite());
    all.extend(with_keys());
    all.push(binary::upstox());
    all
}

/// In today's spelling.
fn binance() -> Vec<Fixture> {
    vec![
        Fixture::text(
            "binance",
            "BTCUSDT",
            &["trade"],
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
        ),
        Fixture {
            floor: floor::of_binance_quote,
            ..Fixture::text(
                "binance",
                "BTCUSDT",
                &["bookTicker"],
                r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
            )
        },
        Fixture::text(
            "binance_usdm",
            "BTCUSDT",
            &["aggTrade"],
            r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1723161255343,"a":2345678901,"s":"BTCUSDT","p":"61837.60","q":"0.020","f":5100000001,"l":5100000003,"T":1723161255342,"m":true}}"#,
        ),
    ]
}

/// JSON feeds that want a key.
fn with_keys() -> Vec<Fixture> {
    let key = || Some(SecretString::from("benchmark-key-000"));
    vec![
        Fixture {
            credential: key(),
            floor: floor::of_massive_trade,
            ..Fixture::text(
                "massive",
                "MSFT",
                &["T"],
                r#"[{"ev":"T","sym":"MSFT","x":4,"i":"12345","z":3,"p":114.125,"s":100,"c":[0,12],"t":1536036818784,"q":3681328}]"#,
            )
        },
        Fixture {
            credential: key(),
            floor: floor::of_twelvedata_price,
            ..Fixture::text(
                "twelvedata",
                "MSFT",
                &["price"],
                r#"{"event":"price","symbol":"MSFT","currency":"USD","exchange":"NASDAQ","mic_code":"XNGS","type":"Common Stock","timestamp":1728501600,"price":417.46,"bid":417.45,"ask":417.47,"day_volume":28306}"#,
            )
        },
    ]
}
