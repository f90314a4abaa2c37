//! Listings to rows.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl, sql_query};

use crate::clock::UnixMicros;
use crate::store::{InstrumentId, Listing, NamedListing, Registration, UnknownTicker};

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// One answer per listing, in their order. To be called in a transaction.
pub(super) fn run(
    connection: &mut SqliteConnection,
    listings: &[Listing],
    unknown: UnknownTicker,
    now: UnixMicros,
) -> QueryResult<Vec<Registration>> {
    let mut row = |listing: &Listing| {
        let Some(named) = listing.named() else { return Ok(Registration::UnknownTicker) };
        if let Some(Id { id }) = price(connection, &named)? {
            return Ok(Registration::Row(InstrumentId(id)));
        }
        if unknown == UnknownTicker::Create {
            create_ticker(connection, &named, now)?;
        }
        create_price(connection, &named)?;
        let created = price(connection, &named)?;
        Ok(created.map_or(Registration::UnknownTicker, |Id { id }| Registration::Row(InstrumentId(id))))
    };
    listings.iter().map(&mut row).collect()
}

fn price(connection: &mut SqliteConnection, listing: &NamedListing<'_>) -> QueryResult<Option<Id>> {
    sql_query("SELECT id FROM ticker_price_data WHERE feed = ? AND instrument = ?")
        .bind::<Text, _>(listing.feed)
        .bind::<Text, _>(&listing.instrument)
        .get_result(connection)
        .optional()
}

fn create_ticker(connection: &mut SqliteConnection, listing: &NamedListing<'_>, now: UnixMicros) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO ticker_base (ticker_symbol, name, exchange, created_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (ticker_symbol) DO NOTHING",
    )
    .bind::<Text, _>(&listing.ticker_symbol)
    .bind::<Text, _>(listing.name)
    .bind::<Text, _>(listing.exchange)
    .bind::<BigInt, _>(now.0)
    .execute(connection)
}

/// Nothing, if the ticker is not known.
fn create_price(connection: &mut SqliteConnection, listing: &NamedListing<'_>) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO ticker_price_data (ticker_id, feed, symbol, instrument, kind, expiry)
         SELECT id, ?, ?, ?, ?, ? FROM ticker_base WHERE ticker_symbol = ?
         ON CONFLICT (feed, instrument) DO NOTHING",
    )
    .bind::<Text, _>(listing.feed)
    .bind::<Text, _>(listing.symbol)
    .bind::<Text, _>(&listing.instrument)
    .bind::<Text, _>(&listing.kind)
    .bind::<Nullable<Text>, _>(listing.expiry.as_deref())
    .bind::<Text, _>(&listing.ticker_symbol)
    .execute(connection)
}
