//! What a write reports and what can be read afterwards.

use super::Subject;
use super::subject::{Tick, batch, last, listing, rows};
use crate::clock::UnixMicros;
use crate::market::{Fields, Kind};
use crate::store::{RowOutcome, Slot, Slots, StoreError, UnknownTicker, WriteBatch, Written};

/// The lease ran out after the commit and before the acknowledgement.
pub async fn a_batch_delivered_again_changes_nothing(subject: &Subject) {
    let ids = subject.instruments(3).await;
    let batch = batch(ids.iter().map(|id| Tick::new(1, last("1.5")).row(*id)));
    let first = subject.store().write(&batch).await.unwrap();
    assert_eq!(first, Written { stored: vec![Slot::LastPrice.into(); 3], vanished: Vec::new() });
    let before = subject.store().prices().await.unwrap();
    let again = subject.handles[1].write(&batch).await.unwrap();
    assert_eq!(again, Written { stored: vec![Slots::NONE; 3], vanished: Vec::new() }, "superseded by themselves");
    assert_eq!(subject.store().prices().await.unwrap(), before);
    let again = subject.store().write_each(&batch).await.unwrap();
    assert_eq!(again, vec![RowOutcome::Stored(Slots::NONE); 3]);
    assert_eq!(subject.store().prices().await.unwrap(), before);
}

/// The redelivered trade is merged with a new quote before it is written: only the quote is news.
pub async fn a_half_new_batch_reports_the_new_half(subject: &Subject) {
    let id = subject.instrument().await;
    let mut row = Tick::new(1, last("1.5")).row(id);
    subject.store().write(&batch([row.clone()])).await.unwrap();
    let quote = Tick::new(2, Fields { bid_price: Some("1.4".parse().unwrap()), ..Fields::default() });
    row.merge(&quote.fields, quote.order, quote.exchange_at, quote.received_at);
    let written = subject.store().write(&batch([row])).await.unwrap();
    assert_eq!(written.stored, [Slots::from(Slot::Bid)]);
}

/// A quote without sizes takes the old sizes away with the old price, but leaves the trade alone.
pub async fn an_absent_value_never_overwrites(subject: &Subject) {
    let id = subject.instrument().await;
    let full = Fields { bid_price: Some("1.4".parse().unwrap()), bid_size: Some("9".parse().unwrap()), ..last("1.5") };
    let bare = Fields { bid_price: Some("1.3".parse().unwrap()), ..Fields::default() };
    for (seq, fields) in [(1, full), (2, bare)] {
        subject.store().write(&batch([Tick::new(seq, fields).row(id)])).await.unwrap();
    }
    let stored = subject.store().prices().await.unwrap();
    assert_eq!(stored[0].row.fields, Fields { bid_price: bare.bid_price, bid_size: None, ..last("1.5") });
}

/// No rounding, no lost or added zero, at 28 digits and at none.
pub async fn digits_come_back_as_they_were_sent(subject: &Subject) {
    let texts = [
        "61685.99000000",
        "0.00000637",
        "-37.63",
        "0",
        "0.00",
        "-0.5",
        "123456789012345",
        "1234.567890123456789012345678",
    ];
    let ids = subject.instruments(texts.len()).await;
    let rows = ids.iter().zip(&texts).map(|(id, text)| Tick::new(1, last(text)).row(*id));
    subject.store().write(&batch(rows)).await.unwrap();
    let mut stored = subject.store().prices().await.unwrap();
    stored.sort_by_key(|price| price.row.instrument);
    let back: Vec<_> = stored.iter().map(|price| price.row.fields.last_price.unwrap().to_string()).collect();
    assert_eq!(back, texts);
}

/// Some encoders send it.
pub async fn a_negative_zero_is_a_zero(subject: &Subject) {
    let id = subject.instrument().await;
    let fields = Fields { last_size: Some("-0.0".parse().unwrap()), ..last("-0.00") };
    subject.store().write(&batch([Tick::new(1, fields).row(id)])).await.unwrap();
    let stored = subject.store().prices().await.unwrap()[0].row.fields;
    assert_eq!(stored.last_price.unwrap().to_string(), "0.00");
    assert_eq!(stored.last_size.unwrap().to_string(), "0.0");
}

/// A batch whose ticks were all skipped.
pub async fn an_empty_batch_is_nothing(subject: &Subject) {
    let empty = WriteBatch::default();
    assert_eq!(subject.store().write(&empty).await.unwrap(), Written::default());
    assert_eq!(subject.store().write_each(&empty).await.unwrap(), []);
    assert_eq!(subject.store().prices().await.unwrap(), []);
}

/// Somebody deleted it while workers had its id in their caches. Its ticks leave no history of nothing.
pub async fn a_row_that_is_gone_is_reported(subject: &Subject) {
    let ids = subject.instruments(3).await;
    subject.column(&format!("DELETE FROM ticker_price_data WHERE id = {}", ids[1].0)).await;
    let tick = Tick::new(1, last("1.5"));
    let mut batch = batch(ids.iter().map(|id| tick.row(*id)));
    batch.history.push(tick.history(ids[1]));
    let written = subject.store().write(&batch).await.unwrap();
    assert_eq!(written.vanished, [ids[1]]);
    assert_eq!(written.stored[1], Slots::NONE);
    assert!(written.stored[0].has(Slot::LastPrice) && written.stored[2].has(Slot::LastPrice));
    let outcomes = subject.store().write_each(&batch).await.unwrap();
    let superseded = RowOutcome::Stored(Slots::NONE);
    assert_eq!(outcomes, [superseded.clone(), RowOutcome::Vanished, superseded]);
    assert_eq!(subject.number("SELECT count(*) FROM tick_history").await, 0);
}

/// Two rows of one instrument in one statement: one of them would be lost without a word.
pub async fn a_batch_out_of_order_is_refused(subject: &Subject) {
    let ids = subject.instruments(2).await;
    for places in [[1, 0], [0, 0]] {
        let rows = places.map(|place| Tick::new(1, last("1.5")).row(ids[place]));
        let refused = subject.store().write(&batch(rows)).await;
        assert!(matches!(refused, Err(StoreError::Row { .. })), "{places:?}: {refused:?}");
    }
    assert_eq!(subject.store().census().await.unwrap().priced, 0);
}

/// The slow path gets ticks, not merged rows: each is told its own end.
pub async fn several_ticks_of_one_instrument_are_written_in_their_order(subject: &Subject) {
    let ids = subject.instruments(2).await;
    let ticks = [(1, "1.1", 1), (3, "3.3", 0), (2, "2.2", 0), (4, "4.4", 1)];
    let rows = ticks.map(|(seq, price, place)| Tick::new(seq, last(price)).row(ids[place]));
    let outcomes = subject.store().write_each(&batch(rows)).await.unwrap();
    let stored = RowOutcome::Stored(Slot::LastPrice.into());
    assert_eq!(outcomes, [stored.clone(), stored.clone(), RowOutcome::Stored(Slots::NONE), stored]);
    let mut prices = subject.store().prices().await.unwrap();
    prices.sort_by_key(|price| price.row.instrument);
    let fields: Vec<_> = prices.iter().map(|price| price.row.fields).collect();
    assert_eq!(fields, [last("3.3"), last("4.4")]);
}

/// Rows that wait for their first price do not count.
pub async fn the_census_counts_what_has_a_price(subject: &Subject) {
    let before = crate::clock::now();
    let ids = subject.instruments(3).await;
    assert_eq!(subject.store().census().await.unwrap().priced, 0);
    subject.store().write(&batch([Tick::new(1, last("1.5")).row(ids[0])])).await.unwrap();
    let census = subject.handles[1].census().await.unwrap();
    assert_eq!(census.priced, 1);
    let newest_at = census.newest_at.unwrap();
    assert!(UnixMicros(before.0 - 1) < newest_at && newest_at <= crate::clock::now(), "{newest_at}");
    assert!(0 < census.bytes);
    assert!(["postgres", "sqlite"].contains(&census.kind));
}

/// One price per ticker: spot before contracts, unless somebody chose.
pub async fn the_view_prefers_the_configured_source(subject: &Subject) {
    let listings = [listing("GOLD", Kind::Fut), listing("GOLD", Kind::Spot), listing("TIN", Kind::Fut)];
    let ids = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    let mut rows: Vec<_> =
        (5..).zip(&ids).map(|(seq, id)| Tick::new(10 - seq, last(&format!("{}", 10 - seq))).row(*id)).collect();
    rows.sort_by_key(|row| row.instrument);
    subject.store().write(&batch(rows)).await.unwrap();
    let view = "SELECT ticker_symbol || ' ' || last_price AS value FROM ticker_price ORDER BY ticker_symbol";
    assert_eq!(subject.column(view).await, [Some("gold 4".to_owned()), Some("tin 3".to_owned())]);
    subject
        .column(&format!(
            "INSERT INTO ticker_source (ticker_id, price_id) SELECT ticker_id, id FROM ticker_price_data WHERE id = {}",
            ids[0].0
        ))
        .await;
    assert_eq!(subject.column(view).await, [Some("gold 5".to_owned()), Some("tin 3".to_owned())]);
}
