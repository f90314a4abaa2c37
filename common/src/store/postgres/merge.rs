//! The hot statement: `UPDATE .. FROM unnest(..)`, in four quick shapes (with or without day values, with or without
//! history) and in a fifth that can do everything, for the rare batch that brings gaps or ticks that are there already.
//!
//! The quick shapes take for granted that no tick is in the history yet and that all rows exist. Where that is wrong,
//! the statement fails as a whole, and the fifth looks at every tick, which takes half as long again.
//!
//! A type of its own for each shape, because `diesel::sql_query` is prepared anew on every call: these are prepared
//! once per connection. One statement is one transaction, so nothing is spent on BEGIN and COMMIT.

use std::sync::LazyLock;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, SmallInt, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::{PriceArrays, TickArrays};
use super::gap::{self, GapArrays};
use super::trouble;
use crate::store::columns::{self, Dialect, TRADE_AND_QUOTE, VALUES, VALUES_WITHOUT_DAY};
use crate::store::gap::COLUMNS;
use crate::store::{HistoryRow, PriceRow, Slot, WriteBatch};

const POSTGRES: Dialect = Dialect { greatest: "greatest", now: "now()" };

/// Merges price rows and adds ticks of the history and gaps. Returns the rows it wrote with the slots that were newer.
pub(super) async fn run(connection: &mut AsyncPgConnection, batch: &WriteBatch) -> QueryResult<Vec<(i64, i32)>> {
    let gaps: &GapArrays = &batch.gaps.iter().collect();
    if !batch.gaps.is_empty() || !have_rows(batch) {
        return run_carefully(connection, batch, gaps).await;
    }
    let has_day = batch.rows.iter().any(row_has_day) || batch.history.iter().any(tick_has_day);
    let prices = &PriceArrays::of(batch.rows.iter(), has_day);
    let ticks = (!batch.history.is_empty()).then(|| TickArrays::of(batch.history.iter(), has_day));
    let ticks = ticks.as_ref();
    let quick = match (has_day, ticks.is_some()) {
        (false, false) => return Merge::<false, false, false> { prices, ticks, gaps }.load(connection).await,
        (true, false) => return Merge::<true, false, false> { prices, ticks, gaps }.load(connection).await,
        (false, true) => Merge::<false, true, false> { prices, ticks, gaps }.load(connection).await,
        (true, true) => Merge::<true, true, false> { prices, ticks, gaps }.load(connection).await,
    };
    match quick {
        // A tick that is there, a row that is gone, or something that the other shape will meet as well.
        Err(error) if trouble::class(&error) == trouble::Class::Row => run_carefully(connection, batch, gaps).await,
        outcome => outcome,
    }
}

async fn run_carefully(
    connection: &mut AsyncPgConnection,
    batch: &WriteBatch,
    gaps: &GapArrays,
) -> QueryResult<Vec<(i64, i32)>> {
    let prices = &PriceArrays::of(batch.rows.iter(), true);
    let ticks = Some(&TickArrays::of(batch.history.iter(), true));
    Merge::<true, true, true> { prices, ticks, gaps }.load(connection).await
}

/// Whether every tick of the history comes with its instrument's row.
fn have_rows(batch: &WriteBatch) -> bool {
    let rows = &batch.rows;
    batch.history.iter().all(|tick| rows.binary_search_by_key(&tick.instrument, |row| row.instrument).is_ok())
}

/// Which of these rows exist.
pub(super) async fn existing(connection: &mut AsyncPgConnection, ids: &[i64]) -> QueryResult<Vec<i64>> {
    #[derive(diesel::QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let found: Vec<Found> = diesel::sql_query("SELECT id FROM ticker_price_data WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(ids)
        .load(connection)
        .await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

fn row_has_day(row: &PriceRow) -> bool {
    Slot::ALL.into_iter().any(|slot| slot.is_day() && row.order(slot).is_some())
}

fn tick_has_day(tick: &HistoryRow) -> bool {
    columns::values(&tick.fields)[VALUES_WITHOUT_DAY..].iter().any(Option::is_some)
}

struct Merge<'a, const DAY: bool, const HISTORY: bool, const GAPS: bool> {
    prices: &'a PriceArrays,
    /// None where the shape has no history.
    ticks: Option<&'a TickArrays>,
    gaps: &'a GapArrays,
}

/// The name of a shape in the cache of prepared statements.
struct Shape<const DAY: bool, const HISTORY: bool, const GAPS: bool>;

impl<const DAY: bool, const HISTORY: bool, const GAPS: bool> QueryId for Merge<'_, DAY, HISTORY, GAPS> {
    type QueryId = Shape<DAY, HISTORY, GAPS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const DAY: bool, const HISTORY: bool, const GAPS: bool> Query for Merge<'_, DAY, HISTORY, GAPS> {
    type SqlType = (BigInt, Integer);
}

impl<const DAY: bool, const HISTORY: bool, const GAPS: bool> diesel::query_dsl::RunQueryDsl<AsyncPgConnection>
    for Merge<'_, DAY, HISTORY, GAPS>
{
}

impl<const DAY: bool, const HISTORY: bool, const GAPS: bool> QueryFragment<Pg> for Merge<'_, DAY, HISTORY, GAPS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.ticks {
            None => {}
            Some(ticks) if GAPS => push_careful_history(&mut out, ticks)?,
            Some(ticks) => push_quick_history::<DAY>(&mut out, self.prices, ticks)?,
        }
        if GAPS {
            out.push_sql(", holes AS (INSERT INTO tick_gap (");
            out.push_sql(COLUMNS);
            out.push_sql(") SELECT * FROM unnest(");
            gap::push(&mut out, self.gaps)?;
            out.push_sql(") ON CONFLICT DO NOTHING) ");
        }
        out.push_sql("UPDATE ticker_price_data AS t SET ");
        out.push_sql(if DAY { &WITH_DAY } else { &WITHOUT_DAY });
        push_prices(&mut out, self.prices)?;
        out.push_sql(if DAY { &AFTER_WITH_DAY } else { &AFTER_WITHOUT_DAY });
        Ok(())
    }
}

/// Ticks that are in no table yet, of rows that exist: otherwise it fails, by the primary key or by a null for the id.
fn push_quick_history<'b, const DAY: bool>(
    out: &mut AstPass<'_, 'b, Pg>,
    prices: &'b PriceArrays,
    ticks: &'b TickArrays,
) -> QueryResult<()> {
    let columns = if DAY { &*TICK_COLUMNS } else { &*TICK_COLUMNS_WITHOUT_DAY };
    out.push_sql("WITH added AS (INSERT INTO tick_history (");
    out.push_sql(columns);
    out.push_sql(") SELECT CASE WHEN (SELECT count(*) FROM ticker_price_data AS t WHERE t.id = ANY (");
    out.push_bind_param::<Array<BigInt>, _>(&prices.ids)?;
    out.push_sql(")) = cardinality(");
    out.push_bind_param::<Array<BigInt>, _>(&prices.ids)?;
    out.push_sql(") THEN n.instrument_id END, ");
    out.push_sql(columns.split_once(", ").map_or("", |(_id, others)| others));
    out.push_sql(" FROM unnest(");
    push_ticks(out, ticks)?;
    out.push_sql(") AS n(");
    out.push_sql(columns);
    out.push_sql(")) ");
    Ok(())
}

/// Ticks that may be there already, of rows that may be gone.
fn push_careful_history<'b>(out: &mut AstPass<'_, 'b, Pg>, ticks: &'b TickArrays) -> QueryResult<()> {
    out.push_sql("WITH added AS (INSERT INTO tick_history (");
    out.push_sql(&TICK_COLUMNS);
    out.push_sql(") SELECT n.* FROM unnest(");
    push_ticks(out, ticks)?;
    out.push_sql(") AS n(");
    out.push_sql(&TICK_COLUMNS);
    // A tick of a row that is gone belongs to nothing; its instrument comes back under another id.
    out.push_sql(
        ") WHERE EXISTS (SELECT FROM ticker_price_data AS t WHERE t.id = n.instrument_id) ON CONFLICT DO NOTHING) ",
    );
    Ok(())
}

static TICK_COLUMNS: LazyLock<String> = LazyLock::new(|| columns::of_ticks(VALUES.len()).join(", "));
static TICK_COLUMNS_WITHOUT_DAY: LazyLock<String> = LazyLock::new(|| columns::of_ticks(VALUES_WITHOUT_DAY).join(", "));

static WITH_DAY: LazyLock<String> = LazyLock::new(|| before_arrays(&Slot::ALL));
static WITHOUT_DAY: LazyLock<String> = LazyLock::new(|| before_arrays(TRADE_AND_QUOTE));
static AFTER_WITH_DAY: LazyLock<String> = LazyLock::new(|| after_arrays(&Slot::ALL));
static AFTER_WITHOUT_DAY: LazyLock<String> = LazyLock::new(|| after_arrays(TRADE_AND_QUOTE));

fn before_arrays(slots: &[Slot]) -> String {
    let set = columns::assignments(slots, POSTGRES).join(", ");
    format!("{set}, changed_slots = {} FROM unnest(", columns::newer_slots(slots))
}

fn after_arrays(slots: &[Slot]) -> String {
    format!(
        ") AS n({}) WHERE t.id = n.id AND ({}) RETURNING t.id, t.changed_slots",
        columns::input(slots).join(", "),
        columns::anything_newer(slots)
    )
}

/// In the order of `columns::input`.
pub(super) fn push_prices<'b>(out: &mut AstPass<'_, 'b, Pg>, prices: &'b PriceArrays) -> QueryResult<()> {
    out.push_bind_param::<Array<BigInt>, _>(&prices.ids)?;
    for array in &prices.values {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Numeric>>, _>(array)?;
    }
    for array in &prices.orders {
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(array)?;
    }
    let times = [Some(&prices.trade_at), Some(&prices.quote_at), prices.day_at.as_ref(), Some(&prices.received_at)];
    for array in times.into_iter().flatten() {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(array)?;
    }
    Ok(())
}

/// In the order of `TICK_COLUMNS`.
pub(super) fn push_ticks<'b>(out: &mut AstPass<'_, 'b, Pg>, ticks: &'b TickArrays) -> QueryResult<()> {
    out.push_bind_param::<Array<BigInt>, _>(&ticks.instruments)?;
    out.push_sql(", ");
    out.push_bind_param::<Array<BigInt>, _>(&ticks.orders)?;
    out.push_sql(", ");
    out.push_bind_param::<Array<SmallInt>, _>(&ticks.indexes)?;
    for array in [&ticks.received_at, &ticks.exchange_at] {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(array)?;
    }
    out.push_sql(", ");
    out.push_bind_param::<Array<Nullable<BigInt>>, _>(&ticks.trade_ids)?;
    for array in &ticks.values {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Numeric>>, _>(array)?;
    }
    Ok(())
}
