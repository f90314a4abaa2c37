//! Listings to rows.

use diesel::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::store::{InstrumentId, Listing, NamedListing, Registration, UnknownTicker};

#[derive(diesel::QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    price_id: Option<i64>,
}

type TextOf = for<'a> fn(&'a NamedListing<'a>) -> &'a str;

/// One answer per listing, in their order, in one round trip.
pub(super) async fn run(
    connection: &mut AsyncPgConnection,
    listings: &[Listing],
    unknown: UnknownTicker,
) -> QueryResult<Vec<Registration>> {
    let mut answers = vec![Registration::UnknownTicker; listings.len()];
    let (places, named): (Vec<usize>, Vec<NamedListing<'_>>) =
        listings.iter().enumerate().filter_map(|(place, listing)| Some((place, listing.named()?))).unzip();
    let texts = |of: TextOf| named.iter().map(|listing| of(listing).to_owned()).collect::<Vec<_>>();
    let expiries: Vec<Option<String>> = named.iter().map(|listing| listing.expiry.clone()).collect();

    let found: Vec<Place> =
        diesel::sql_query("SELECT place, price_id FROM tidemill_register($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind::<Array<Text>, _>(texts(|listing| listing.feed))
            .bind::<Array<Text>, _>(texts(|listing| listing.symbol))
            .bind::<Array<Text>, _>(texts(|listing| &listing.instrument))
            .bind::<Array<Text>, _>(texts(|listing| &listing.kind))
            .bind::<Array<Nullable<Text>>, _>(expiries)
            .bind::<Array<Text>, _>(texts(|listing| &listing.ticker_symbol))
            .bind::<Array<Text>, _>(texts(|listing| listing.name))
            .bind::<Array<Text>, _>(texts(|listing| listing.exchange))
            .bind::<Bool, _>(unknown == UnknownTicker::Create)
            .load(connection)
            .await?;
    for Place { place, price_id } in found {
        let listing = usize::try_from(place - 1).ok().and_then(|place| places.get(place));
        if let (Some(&listing), Some(id)) = (listing, price_id) {
            answers[listing] = Registration::Row(InstrumentId(id));
        }
    }
    Ok(answers)
}
