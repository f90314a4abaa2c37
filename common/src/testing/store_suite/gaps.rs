//! Holes in the streams: each told once, whatever becomes of the ticks beside it.

use super::Subject;
use super::subject::{Tick, last};
use crate::clock::UnixMicros;
use crate::store::{GapRow, RowOutcome, Slots, StoreError, WriteBatch};

fn gap(seq: u32) -> GapRow {
    let tick = Tick::new(seq, last("1"));
    GapRow {
        feed: "suite".into(),
        conn: 3,
        order: tick.order,
        symbol: Some("BTCUSDT".into()),
        stream: "btcusdt@trade".into(),
        kind: "trade".into(),
        from: Some(101),
        to: Some(104),
        missing: Some(4),
        since: Some(tick.received_at),
        until: UnixMicros(tick.received_at.0 + 250_001),
        reason: "sequence".into(),
    }
}

/// Of a hole as little may be known as that it is there.
fn vague(seq: u32) -> GapRow {
    let (stream, kind, reason) = ("*".into(), "*".into(), "a_later_reason".into());
    GapRow { symbol: None, from: None, to: None, missing: None, since: None, stream, kind, reason, ..gap(seq) }
}

fn alone(gaps: &[GapRow]) -> WriteBatch {
    WriteBatch { gaps: gaps.to_vec(), ..WriteBatch::default() }
}

async fn stored(subject: &Subject, limit: u32) -> Vec<GapRow> {
    subject.handles[1].gaps(limit).await.unwrap().into_iter().map(|gap| gap.row).collect()
}

/// With no tick beside them, and read back newest first with all that was known and nothing that was not.
pub async fn gaps_come_back_as_they_went(subject: &Subject) {
    let before = crate::clock::now();
    let widest = GapRow { from: Some(i64::MIN), to: Some(i64::MAX), missing: Some(u64::MAX), ..gap(3) };
    subject.store().write(&alone(&[gap(1), vague(2), widest.clone()])).await.unwrap();
    let widest = GapRow { missing: Some(i64::MAX.unsigned_abs()), ..widest };
    assert_eq!(stored(subject, 10).await, [widest.clone(), vague(2), gap(1)]);
    assert_eq!(stored(subject, 1).await, [widest]);
    assert_eq!(subject.store().census().await.unwrap().gaps, 3);
    let stored_at = subject.store().gaps(1).await.unwrap()[0].stored_at;
    assert!(before.0 - 1 <= stored_at.0 && stored_at <= crate::clock::now(), "{stored_at}");
}

/// The same task again, by another worker, whole and row by row.
pub async fn a_gap_that_is_told_again_is_there_once(subject: &Subject) {
    let id = subject.instrument().await;
    let rows = vec![Tick::new(7, last("1.5")).row(id)];
    let batch = WriteBatch { rows, gaps: vec![gap(1), gap(2), gap(1)], ..WriteBatch::default() };
    subject.store().write(&batch).await.unwrap();
    subject.handles[1].write(&batch).await.unwrap();
    let outcomes = subject.store().write_each(&batch).await.unwrap();
    assert_eq!(outcomes, vec![RowOutcome::Stored(Slots::NONE); 4], "one row and three gaps, all there before");
    let other = GapRow { conn: 4, ..gap(1) };
    subject.store().write(&alone(std::slice::from_ref(&other))).await.unwrap();
    assert_eq!(stored(subject, 10).await, [other, gap(2), gap(1)]);
}

/// In one transaction with the ticks: nothing of a refused batch, then each on its own.
pub async fn gaps_stand_or_fall_with_their_batch(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let (good, bad) = (Tick::new(1, last("1.5")), Tick::new(2, last("1000000000000000")));
    let rows = vec![good.row(ids[0]), bad.row(ids[1])];
    let history = vec![good.history(ids[0])];
    let batch = WriteBatch { rows, history, gaps: vec![gap(3)] };
    assert!(matches!(subject.store().write(&batch).await, Err(StoreError::Row { .. })));
    assert_eq!((stored(subject, 10).await, subject.number("SELECT count(*) FROM tick_history").await), (vec![], 0));
    let outcomes = subject.store().write_each(&batch).await.unwrap();
    let [RowOutcome::Stored(_), RowOutcome::Refused(_), RowOutcome::Stored(Slots::NONE)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(
        (stored(subject, 10).await, subject.number("SELECT count(*) FROM tick_history").await),
        (vec![gap(3)], 1)
    );
}

/// Its neighbours are stored.
pub async fn a_gap_that_no_table_can_hold_is_refused_alone(subject: &Subject) {
    let id = subject.instrument().await;
    for unfit in [GapRow { symbol: Some("a\0b".into()), ..gap(2) }, GapRow { feed: "f".repeat(3_000).into(), ..gap(2) }]
    {
        let rows = vec![Tick::new(7, last("1.5")).row(id)];
        let batch = WriteBatch { rows, gaps: vec![gap(1), unfit, gap(3)], ..WriteBatch::default() };
        assert!(matches!(subject.store().write(&batch).await, Err(StoreError::Row { .. })));
        let outcomes = subject.store().write_each(&batch).await.unwrap();
        assert!(matches!(outcomes[0], RowOutcome::Stored(_)) && outcomes.len() == 4, "{outcomes:?}");
        let fine = RowOutcome::Stored(Slots::NONE);
        assert_eq!((&outcomes[1], &outcomes[3]), (&fine, &fine));
        assert!(
            matches!(&outcomes[2], RowOutcome::Refused(refusal) if refusal.message.contains("gap")),
            "{outcomes:?}"
        );
        assert_eq!(stored(subject, 10).await, [gap(3), gap(1)]);
    }
}
