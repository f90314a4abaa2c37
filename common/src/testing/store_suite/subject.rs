//! The store under test, and the ticks it is given.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::clock::UnixMicros;
use crate::market::{Epoch, Fields, Instrument, Kind, OrderKey};
use crate::store::{HistoryRow, InstrumentId, Listing, PriceRow, PriceStore, Registration, UnknownTicker, WriteBatch};

/// Runs one statement and gives its rows; each has one text column, named `value`.
pub type Sql = Box<dyn Fn(String) -> Pin<Box<dyn Future<Output = Vec<Option<String>>> + Send>> + Send + Sync>;

/// Two handles on one new, migrated database, as two worker processes would have them, and a way around them.
pub struct Subject {
    /// The handles.
    pub handles: [Arc<dyn PriceStore>; 2],
    /// The way around.
    pub sql: Sql,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("handles", &self.handles).finish_non_exhaustive()
    }
}

impl Subject {
    pub(super) fn store(&self) -> &Arc<dyn PriceStore> {
        &self.handles[0]
    }

    /// Rows for `count` instruments, ascending.
    pub(super) async fn instruments(&self, count: usize) -> Vec<InstrumentId> {
        let listings: Vec<_> = (0..count).map(|number| listing(&format!("T{number}"), Kind::Spot)).collect();
        let mut ids = rows(&self.store().register(&listings, UnknownTicker::Create).await.unwrap());
        ids.sort_unstable();
        ids
    }

    pub(super) async fn instrument(&self) -> InstrumentId {
        self.instruments(1).await[0]
    }

    pub(super) async fn column(&self, statement: &str) -> Vec<Option<String>> {
        (self.sql)(statement.to_owned()).await
    }

    pub(super) async fn number(&self, expression: &str) -> i64 {
        let answer = self.column(&format!("SELECT CAST(({expression}) AS text) AS value")).await;
        answer[0].as_ref().unwrap().parse().unwrap()
    }
}

pub(super) fn rows(registrations: &[Registration]) -> Vec<InstrumentId> {
    registrations
        .iter()
        .map(|registration| match registration {
            Registration::Row(id) => *id,
            Registration::UnknownTicker => panic!("the ticker is not known"),
        })
        .collect()
}

pub(super) fn listing(underlying: &str, kind: Kind) -> Listing {
    let instrument = Instrument {
        exchange: "TEST".into(),
        underlying: underlying.into(),
        kind,
        expiry: None,
        option: None,
        series: None,
    };
    Listing { feed: "suite".into(), symbol: underlying.to_lowercase().into(), instrument }
}

/// One message about one instrument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick {
    pub(super) order: OrderKey,
    pub(super) exchange_at: Option<UnixMicros>,
    pub(super) received_at: UnixMicros,
    pub(super) fields: Fields,
}

impl Tick {
    /// Message `seq`, exchanged and received at times that belong to it.
    pub(super) fn new(seq: u32, fields: Fields) -> Self {
        let order = OrderKey::new(Epoch::new(1_858_896_000).unwrap(), seq).unwrap();
        let at = UnixMicros(1_763_726_400_000_000 + i64::from(seq) * 1_000);
        Self { order, exchange_at: Some(UnixMicros(at.0 - 250)), received_at: at, fields }
    }

    pub(super) fn row(&self, instrument: InstrumentId) -> PriceRow {
        let mut row = PriceRow::empty(instrument);
        row.merge(&self.fields, self.order, self.exchange_at, self.received_at);
        row
    }

    pub(super) fn history(&self, instrument: InstrumentId) -> HistoryRow {
        HistoryRow {
            instrument,
            order: self.order,
            index: 0,
            received_at: self.received_at,
            exchange_at: self.exchange_at,
            trade_id: Some(7),
            fields: self.fields,
        }
    }
}

/// A price alone.
pub(super) fn last(price: &str) -> Fields {
    Fields { last_price: Some(price.parse().unwrap()), ..Fields::default() }
}

pub(super) fn batch(rows: impl IntoIterator<Item = PriceRow>) -> WriteBatch {
    WriteBatch { rows: rows.into_iter().collect(), ..WriteBatch::default() }
}
