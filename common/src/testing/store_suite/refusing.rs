//! Rows that no table takes, and where they go.

use super::Subject;
use super::subject::{Tick, batch, last, listing, rows};
use crate::market::Kind;
use crate::store::{InstrumentId, RowOutcome, StoreError, UnknownTicker, WriteBatch};

/// Beyond the CHECK of the column.
const POISON: &str = "1000000000000000.25";

fn poisoned(ids: &[InstrumentId], at: usize) -> WriteBatch {
    let price = |place| if place == at { POISON } else { "1.5" };
    batch(ids.iter().enumerate().map(|(place, id)| Tick::new(1, last(price(place))).row(*id)))
}

/// One of 500: the batch is refused whole, then 499 are stored and one is named with its SQLSTATE.
pub async fn one_refused_row_keeps_its_neighbours(subject: &Subject) {
    let ids = subject.instruments(500).await;
    let poisoned = poisoned(&ids, 123);
    let error = subject.store().write(&poisoned).await.unwrap_err();
    assert!(matches!(error, StoreError::Row { .. }), "{error:?}");
    assert_eq!(subject.store().census().await.unwrap().priced, 0, "nothing of a refused batch is stored");

    let outcomes = subject.store().write_each(&poisoned).await.unwrap();
    let RowOutcome::Refused(refusal) = &outcomes[123] else { panic!("{:?}", outcomes[123]) };
    assert_eq!(&*refusal.code, "23514");
    assert!(refusal.message.contains("price_range"), "{}", refusal.message);
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, RowOutcome::Stored(slots) if !slots.is_empty()));
    assert_eq!(stored.count(), 499);
    assert_eq!(subject.store().census().await.unwrap().priced, 499);
}

/// The replaced system's table takes the price, and takes it once, though it keeps fewer digits.
pub async fn a_refused_price_goes_to_the_legacy_table_once(subject: &Subject) {
    let ids = subject.instruments(3).await;
    subject.column("CREATE TABLE t1_websocket_data (timestamp timestamp, ltp numeric(20, 1))").await;
    let poisoned = poisoned(&ids, 1);
    for handle in [0, 1, 0] {
        let outcomes = subject.handles[handle].write_each(&poisoned).await.unwrap();
        let RowOutcome::Legacy(refusal) = &outcomes[1] else { panic!("{:?}", outcomes[1]) };
        assert_eq!(&*refusal.code, "23514");
    }
    assert_eq!(subject.number("SELECT count(*) FROM t1_websocket_data").await, 1);
    assert_eq!(
        subject
            .number(
                "SELECT count(*) FROM t1_websocket_data WHERE CAST(timestamp AS text) LIKE '2025-11-21 12:00:00.00075%'"
            )
            .await,
        1,
        "the exchange's time in UTC"
    );
    assert_eq!(subject.number("SELECT CAST(ltp AS bigint) FROM t1_websocket_data").await, 1_000_000_000_000_000);
}

/// Spot and future of one ticker keep apart.
pub async fn a_future_has_a_legacy_table_of_its_own(subject: &Subject) {
    subject.column("CREATE TABLE gold_websocket_data (timestamp timestamp, ltp numeric)").await;
    subject.column("CREATE TABLE gold_future_websocket_data (timestamp timestamp, ltp numeric)").await;
    let listings = [listing("GOLD", Kind::Fut), listing("TIN", Kind::Fut)];
    let ids = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    let refused = ids.iter().map(|id| Tick::new(1, last(POISON)).row(*id));
    let outcomes = subject.store().write_each(&batch(refused)).await.unwrap();
    assert!(matches!(outcomes.as_slice(), [RowOutcome::Legacy(_), RowOutcome::Refused(_)]), "{outcomes:?}");
    assert_eq!(subject.number("SELECT count(*) FROM gold_websocket_data").await, 0);
    assert_eq!(subject.number("SELECT count(*) FROM gold_future_websocket_data").await, 1);
}
