//! Gaps on their way to `tick_gap` and back.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::{GapRow, PriceStore, Refusal, RowOutcome, Slots, StoreError, StoredGap, WriteBatch};
use crate::BoxError;
use crate::clock::UnixMicros;
use crate::market::{Epoch, OrderKey};

/// Longest name of a feed: it is part of the key, and an index takes 2,700 bytes at most.
const FEED_BYTES_MAX: usize = 256;
/// For a gap that the table refuses alone: a data exception.
const DATA_EXCEPTION: &str = "22000";

/// What is wrong with a gap that no table can hold.
pub(super) fn unfit(gaps: &[GapRow]) -> Option<&'static str> {
    let has_nul = |gap: &GapRow| {
        let texts = [Some(&gap.feed), gap.symbol.as_ref(), Some(&gap.stream), Some(&gap.kind), Some(&gap.reason)];
        texts.into_iter().flatten().any(|text| text.contains('\0'))
    };
    if gaps.iter().any(has_nul) {
        return Some("a text of a gap has a NUL in it");
    }
    let is_long = |gap: &GapRow| FEED_BYTES_MAX < gap.feed.len();
    gaps.iter().any(is_long).then_some("the feed's name of a gap is longer than 256 bytes")
}

/// All gaps in one transaction; when they are refused, each in one of its own.
pub(super) async fn write_each(store: &dyn PriceStore, gaps: &[GapRow]) -> Result<Vec<RowOutcome>, StoreError> {
    if gaps.is_empty() {
        return Ok(Vec::new());
    }
    let stored = RowOutcome::Stored(Slots::NONE);
    let batch = |gaps: &[GapRow]| WriteBatch { gaps: gaps.to_vec(), ..WriteBatch::default() };
    match store.write(&batch(gaps)).await {
        Ok(_) => return Ok(vec![stored; gaps.len()]),
        Err(StoreError::Row { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut outcomes = Vec::with_capacity(gaps.len());
    for gap in gaps {
        outcomes.push(match store.write(&batch(std::slice::from_ref(gap))).await {
            Ok(_) => stored.clone(),
            Err(StoreError::Row { source, .. }) => {
                RowOutcome::Refused(Refusal { code: DATA_EXCEPTION.into(), message: source.to_string() })
            }
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

/// A count as a signed column takes it.
pub(super) fn missing_column(gap: &GapRow) -> Option<i64> {
    gap.missing.map(|missing| i64::try_from(missing).unwrap_or(i64::MAX))
}

/// The columns of a gap, in the order in which they are written.
pub(super) const COLUMNS: &str =
    "feed, conn, epoch, seq, symbol, stream, kind, from_number, to_number, missing, since, until, reason";

/// A gap's columns as both databases give them back; times are microseconds since 1970.
#[derive(Debug, diesel::QueryableByName)]
pub(super) struct GapColumns {
    #[diesel(sql_type = Text)]
    feed: String,
    #[diesel(sql_type = BigInt)]
    conn: i64,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Text)]
    stream: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    from_number: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_number: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    missing: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    since: Option<i64>,
    #[diesel(sql_type = BigInt)]
    until: i64,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    stored_at: i64,
}

impl TryFrom<GapColumns> for StoredGap {
    type Error = BoxError;

    fn try_from(columns: GapColumns) -> Result<Self, BoxError> {
        let epoch = u64::try_from(columns.epoch).ok().and_then(Epoch::new);
        let seq = u32::try_from(columns.seq).ok();
        let order = epoch.zip(seq).and_then(|(epoch, seq)| OrderKey::new(epoch, seq));
        let row = GapRow {
            feed: columns.feed.into(),
            conn: u32::try_from(columns.conn)?,
            order: order.ok_or("a gap whose epoch or seq is none of ours")?,
            symbol: columns.symbol.map(Into::into),
            stream: columns.stream.into(),
            kind: columns.kind.into(),
            from: columns.from_number,
            to: columns.to_number,
            missing: columns.missing.and_then(|missing| u64::try_from(missing).ok()),
            since: columns.since.map(UnixMicros),
            until: UnixMicros(columns.until),
            reason: columns.reason.into(),
        };
        Ok(Self { row, stored_at: UnixMicros(columns.stored_at) })
    }
}
