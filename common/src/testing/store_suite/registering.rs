//! Listings to rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Subject;
use super::subject::{listing, rows};
use crate::market::Kind;
use crate::store::{Listing, Registration, UnknownTicker};

/// The same listing, the same row; two feeds, two rows.
pub async fn registering_twice_gives_the_same_rows(subject: &Subject) {
    let mut listings =
        vec![listing("BTC/USDT", Kind::Spot), listing("BTC/USDT", Kind::Perp), listing("ETH", Kind::Spot)];
    listings.push(Listing { feed: "another".into(), ..listings[0].clone() });
    listings.push(listings[0].clone());
    let first = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    let again = rows(&subject.handles[1].register(&listings, UnknownTicker::Skip).await.unwrap());
    assert_eq!(first, again);
    assert_eq!(first[0], first[4], "a listing named twice");
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(subject.column("SELECT ticker_symbol AS value FROM ticker_base ORDER BY 1").await.len(), 2);
}

/// Many workers start at once and see the same symbols.
pub async fn registering_at_once_creates_each_row_once(subject: &Subject) {
    let mut listings: Vec<_> = (0..200).map(|number| listing(&format!("T{number}"), Kind::Eq)).collect();
    let barrier = Arc::new(tokio::sync::Barrier::new(6));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..6 {
        listings.rotate_left(37);
        if worker % 2 == 1 {
            listings.reverse();
        }
        let (mine, barrier) = (listings.clone(), Arc::clone(&barrier));
        let store = Arc::clone(&subject.handles[worker % 2]);
        workers.spawn(async move {
            barrier.wait().await;
            let ids = rows(&store.register(&mine, UnknownTicker::Create).await.unwrap());
            let named = mine.iter().map(|listing| listing.symbol.to_string());
            named.zip(ids).collect::<BTreeSet<_>>()
        });
    }
    let answers = workers.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "all workers know the same rows");
    assert_eq!(answers[0].len(), 200);
}

/// A closed list of tickers stays closed.
pub async fn unknown_tickers_are_created_only_when_asked(subject: &Subject) {
    let (known, unknown) = (listing("RELIANCE", Kind::Eq), listing("INFY", Kind::Eq));
    subject.store().register(std::slice::from_ref(&known), UnknownTicker::Create).await.unwrap();
    let future = Listing { symbol: "reliance-fut".into(), ..listing("RELIANCE", Kind::Fut) };
    for policy in [UnknownTicker::Skip, UnknownTicker::Dead] {
        let listings = [unknown.clone(), future.clone(), known.clone()];
        let answers = subject.store().register(&listings, policy).await.unwrap();
        assert_eq!(answers[0], Registration::UnknownTicker, "{policy:?}");
        assert!(matches!(answers[1], Registration::Row(_)), "a known ticker gets new contracts: {policy:?}");
        assert!(matches!(answers[2], Registration::Row(_)), "{policy:?}");
    }
    assert_eq!(subject.number("SELECT count(*) FROM ticker_base").await, 1);
}

/// A name without letters, a text of ten kilobytes, a NUL.
pub async fn a_listing_that_no_table_can_hold_does_not_fail_its_neighbours(subject: &Subject) {
    let long = "X".repeat(10_000);
    let listings = ["&&", "GOOD", &long, "NU\0L"].map(|name| listing(name, Kind::Eq));
    let answers = subject.store().register(&listings, UnknownTicker::Create).await.unwrap();
    assert!(matches!(
        answers.as_slice(),
        [Registration::UnknownTicker, Registration::Row(_), Registration::UnknownTicker, Registration::UnknownTicker]
    ));
    assert!(subject.store().register(&[], UnknownTicker::Create).await.unwrap().is_empty());
}

/// Every process may do it at its start.
pub async fn migrating_again_is_harmless(subject: &Subject) {
    let before = subject.instruments(1).await;
    let [first, second] = &subject.handles;
    let (first, second) = tokio::join!(first.migrate(), second.migrate());
    assert_eq!((first.unwrap(), second.unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(subject.instruments(1).await, before);
}
