//! Which of a ticker's instruments stands for it.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::Subject;
use super::subject::{Tick, batch, last, listing, rows};
use crate::clock;
use crate::market::{Expiry, Instrument, Kind, trading_day};
use crate::store::{Listing, UnknownTicker};

/// An index at 100, a share at 101, and futures: one that is past at 99, near at 111, next at 112, far at 113, and one
/// beyond at 114; a share of another feed at 201.
async fn prices(subject: &Subject) {
    let today = trading_day("NSE", clock::now()).unwrap();
    let on = |span: Span| Some(Expiry::Day(today.checked_add(span).unwrap()));
    let future = |expiry| named(Kind::Fut, expiry);
    let listings = [
        (named(Kind::Index, None), 100),
        (named(Kind::Eq, None), 101),
        (future(on(-(2.days()))), 99),
        (future(on(2.days())), 111),
        (future(on(33.days())), 112),
        (future(on(63.days())), 113),
        (future(on(93.days())), 114),
        (Listing { feed: "another".into(), ..named(Kind::Eq, None) }, 201),
    ];
    let (listings, prices): (Vec<Listing>, Vec<u32>) = listings.into_iter().unzip();
    let ids = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    let numbered = ids.iter().zip(&prices).zip(1..);
    let mut rows: Vec<_> =
        numbered.map(|((id, price), seq)| Tick::new(seq, last(&price.to_string())).row(*id)).collect();
    rows.sort_by_key(|row| row.instrument);
    subject.store().write(&batch(rows)).await.unwrap();
}

fn named(kind: Kind, expiry: Option<Expiry>) -> Listing {
    let plain = listing("NIFTY", kind);
    let instrument = Instrument { exchange: "NSE".into(), expiry, ..plain.instrument };
    Listing { symbol: instrument.to_string().into(), instrument, ..plain }
}

/// The rules as rows of the table, and the price that the view then shows.
async fn shown(subject: &Subject, rules: &[(&str, i32, &str)]) -> Vec<Option<String>> {
    subject.column("DELETE FROM price_source").await;
    for (ticker, place, source) in rules {
        let values = format!("('{ticker}', {place}, '{source}')");
        subject.column(&format!("INSERT INTO price_source (ticker_symbol, place, source) VALUES {values}")).await;
    }
    subject.column("SELECT CAST(last_price AS text) AS value FROM ticker_price").await
}

/// The first of a ticker's sources that has a price counts; a ticker without its own follows the rule for all.
pub async fn a_ticker_is_priced_by_its_configured_source(subject: &Subject) {
    prices(subject).await;
    for (rules, price) in [
        (&[][..], "201"),
        (&[("*", 1, "fut-near"), ("*", 2, "eq")], "111"),
        (&[("*", 1, "spot"), ("*", 2, "fut-next"), ("*", 3, "eq")], "112"),
        (&[("nifty", 1, "fut-far"), ("*", 1, "index")], "113"),
        (&[("nifty", 1, "index")], "100"),
        (&[("nifty", 1, "suite:eq")], "101"),
        (&[("nifty", 1, "another:eq"), ("nifty", 2, "index")], "201"),
        (&[("nifty", 1, "another:fut-near"), ("nifty", 2, "index")], "100"),
        (&[("banknifty", 1, "index"), ("*", 2, "fut-near")], "111"),
    ] {
        assert_eq!(shown(subject, rules).await, [Some(price.to_owned())], "{rules:?}");
    }
}

/// What is pinned by hand beats every rule.
pub async fn a_pinned_row_beats_the_price_source(subject: &Subject) {
    prices(subject).await;
    subject
        .column(
            "INSERT INTO ticker_source (ticker_id, price_id)
             SELECT ticker_id, id FROM ticker_price_data WHERE kind = 'INDEX'",
        )
        .await;
    assert_eq!(shown(subject, &[("*", 1, "fut-near")]).await, [Some("100".to_owned())]);
}

/// A feed without a master knows only the month of its contracts: those are compared among themselves.
pub async fn a_contract_without_a_day_is_near_by_its_month(subject: &Subject) {
    let today = trading_day("NSE", clock::now()).unwrap();
    let month = |day: Date| Some(Expiry::Month { year: day.year(), month: day.month() });
    let later = |months: i32| today.first_of_month().checked_add(months.months()).unwrap();
    let listings = [later(-1), later(0), later(1)].map(|day| named(Kind::Fut, month(day)));
    let ids = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    let row = |(id, seq)| Tick::new(seq, last(&seq.to_string())).row(id);
    let mut rows: Vec<_> = ids.into_iter().zip(1..).map(row).collect();
    rows.sort_by_key(|row| row.instrument);
    subject.store().write(&batch(rows)).await.unwrap();
    assert_eq!(shown(subject, &[("*", 1, "fut-near")]).await, [Some("2".to_owned())]);
    assert_eq!(shown(subject, &[("*", 1, "fut-next")]).await, [Some("3".to_owned())]);
}

/// Coins have names in every script, and none of them is its quote asset.
pub async fn tickers_keep_the_letters_of_every_script(subject: &Subject) {
    let listings = ["币安人生/USDT", "ÉTÉ/USDT", "BTC/USDT"].map(|name| listing(name, Kind::Spot));
    let ids = rows(&subject.store().register(&listings, UnknownTicker::Create).await.unwrap());
    assert_eq!(ids.len(), 3);
    let tickers = subject.column("SELECT ticker_symbol AS value FROM ticker_base").await;
    for wanted in ["币安人生usdt", "étéusdt", "btcusdt"] {
        assert!(tickers.contains(&Some(wanted.to_owned())), "{wanted} is not in {tickers:?}");
    }
}
