//! Every tick, once.

use super::Subject;
use super::subject::{Tick, batch, last};
use crate::clock::UnixMicros;
use crate::store::{HistorySpan, RowOutcome, Slot, Slots, WriteBatch};

const DAY: i64 = 86_400_000_000;

/// Redelivered, taken by two workers, written whole and row by row, over midnight: each tick is there once.
pub async fn history_is_kept_once(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let mut ticks = [1, 2, 3, 4].map(|seq| Tick::new(seq, last(&format!("{seq}.50"))));
    ticks[3].received_at = UnixMicros(ticks[0].received_at.0 + DAY);
    ticks[2].exchange_at = None;
    let newest = batch([ticks[1].row(ids[0]), ticks[3].row(ids[1])]);
    let history = [(0, 0), (1, 0), (2, 1), (3, 1)].map(|(tick, place)| ticks[tick].history(ids[place]));
    let whole = WriteBatch { rows: newest.rows, history: history.to_vec(), ..WriteBatch::default() };
    subject.store().write(&whole).await.unwrap();
    subject.handles[1].write(&whole).await.unwrap();
    subject.store().write_each(&whole).await.unwrap();

    let expected: Vec<_> = history
        .iter()
        .map(|tick| {
            let exchange = tick.exchange_at.map_or("-".to_owned(), |_| "known".to_owned());
            let price = tick.fields.last_price.unwrap();
            Some(format!("{} {} {price} {exchange} 7", tick.instrument.0, tick.order.get()))
        })
        .collect();
    let stored = subject
        .column(
            "SELECT instrument_id || ' ' || order_key || ' ' || last_price || ' ' ||
                CASE WHEN exchange_at IS NULL THEN '-' ELSE 'known' END || ' ' || trade_id AS value
             FROM tick_history ORDER BY order_key",
        )
        .await;
    assert_eq!(stored, expected);

    let [from, to] = [ticks[1].order, ticks[3].order];
    let span = HistorySpan { from, to, since: ticks[0].received_at };
    assert_eq!(subject.store().history(span, 10).await.unwrap(), history[1..], "read back as it was written");
    assert_eq!(subject.store().history(span, 2).await.unwrap(), history[1..3], "no more than asked for");
    let since = ticks[3].received_at;
    assert_eq!(subject.store().history(HistorySpan { since, ..span }, 10).await.unwrap(), history[3..]);
    assert_eq!(subject.store().history_ticks().await.unwrap(), 4);
}

/// After a crash between commit and settlement some ticks of the next batch are there already.
pub async fn known_ticks_keep_no_others_out(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let ticks = [1, 2, 3].map(|seq| Tick::new(seq, last(&format!("{seq}"))));
    let of = |ticks: &[Tick]| WriteBatch {
        rows: batch(ids.iter().map(|id| ticks[ticks.len() - 1].row(*id))).rows,
        history: ids.iter().flat_map(|id| ticks.iter().map(|tick| tick.history(*id))).take(ticks.len()).collect(),
        ..WriteBatch::default()
    };
    subject.store().write(&of(&ticks[..2])).await.unwrap();
    let written = subject.store().write(&of(&ticks)).await.unwrap();
    assert_eq!(written.stored, [Slot::LastPrice.into(); 2], "the rows are newer");
    assert_eq!(subject.number("SELECT count(*) FROM tick_history").await, 3);
    let written = subject.store().write(&of(&ticks)).await.unwrap();
    assert_eq!(written.stored, [Slots::NONE; 2]);
    assert_eq!(subject.number("SELECT count(*) FROM tick_history").await, 3);
}

/// A tick is stored or refused as a whole, in both tables.
pub async fn a_refused_row_leaves_no_history(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let (good, bad) = (Tick::new(1, last("1.5")), Tick::new(2, last("1000000000000000")));
    let whole = WriteBatch {
        rows: vec![good.row(ids[0]), bad.row(ids[1])],
        history: vec![good.history(ids[0]), bad.history(ids[1])],
        ..WriteBatch::default()
    };
    assert!(subject.store().write(&whole).await.is_err());
    assert_eq!(subject.number("SELECT count(*) FROM tick_history").await, 0, "nothing of a refused batch");
    let outcomes = subject.store().write_each(&whole).await.unwrap();
    assert!(matches!(outcomes.as_slice(), [RowOutcome::Stored(_), RowOutcome::Refused(_)]), "{outcomes:?}");
    let stored = subject.column("SELECT CAST(order_key AS text) AS value FROM tick_history").await;
    assert_eq!(stored, [Some(good.order.get().to_string())]);
}

/// Its values may be those of an older tick of a merged row, or of no row at all.
pub async fn a_tick_without_a_row_is_kept_or_reported(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let ticks = [Tick::new(1, last("1")), Tick::new(2, last("2")), Tick::new(3, last("3"))];
    let whole = WriteBatch {
        rows: vec![ticks[1].row(ids[0])],
        history: vec![ticks[0].history(ids[0]), ticks[1].history(ids[0]), ticks[2].history(ids[1])],
        ..WriteBatch::default()
    };
    subject.store().write_each(&whole).await.unwrap();
    assert_eq!(subject.number("SELECT count(*) FROM tick_history").await, 3);
}
