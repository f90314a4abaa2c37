//! Row by row after a refusal, in one round trip: `tidemill_write_each` isolates each row in a block of its own and
//! returns the SQLSTATE that the client library hides.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::{PriceArrays, TickArrays, fits};
use super::{gap, merge};
use crate::store::{HistoryRow, PriceRow, Refusal, RowOutcome, Slots, WriteBatch, rows_of_ticks};

/// PostgreSQL's own code for a time outside its calendar.
const DATETIME_FIELD_OVERFLOW: &str = "22008";
const UNFIT_TIME: &str = "a time outside the calendar of the database";

/// One outcome per row of the batch, in its order.
pub(super) async fn run(connection: &mut AsyncPgConnection, batch: &WriteBatch) -> QueryResult<Vec<RowOutcome>> {
    let ticks_of_rows = rows_of_ticks(batch);
    let mut outcomes: Vec<Option<RowOutcome>> =
        batch.rows.iter().map(|row| (!row_fits(row)).then(refused_time)).collect();
    for (tick, row) in batch.history.iter().zip(&ticks_of_rows) {
        if let (false, Some(row)) = (tick_fits(tick), row) {
            outcomes[*row] = Some(refused_time());
        }
    }

    let sent: Vec<usize> = (0..outcomes.len()).filter(|&row| outcomes[row].is_none()).collect();
    let place_of = |row: &usize| sent.binary_search(row).ok().and_then(|at| i32::try_from(at + 1).ok());
    let (ticks_row, ticks): (Vec<i32>, Vec<&HistoryRow>) = batch
        .history
        .iter()
        .zip(&ticks_of_rows)
        .filter_map(|(tick, row)| Some((place_of(row.as_ref()?)?, tick)))
        .unzip();
    let prices = PriceArrays::of(sent.iter().map(|&row| &batch.rows[row]), true);
    let ticks = TickArrays::of(ticks.into_iter(), true);
    let answers: Vec<Answer> =
        WriteEach { prices: &prices, ticks_row: &ticks_row, ticks: &ticks }.load(connection).await?;

    for (place, slots, code, message, legacy) in answers {
        let row = usize::try_from(place - 1).ok().and_then(|place| sent.get(place));
        let outcome = match (code, slots) {
            (Some(code), _) => {
                let refusal = Refusal { code: code.into(), message: message.unwrap_or_default() };
                if legacy { RowOutcome::Legacy(refusal) } else { RowOutcome::Refused(refusal) }
            }
            (None, Some(slots)) => RowOutcome::Stored(Slots::from_bits(slots)),
            (None, None) => RowOutcome::Vanished,
        };
        if let Some(row) = row {
            outcomes[*row] = Some(outcome);
        }
    }
    outcomes
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| diesel::result::Error::DeserializationError("a row without an outcome".into()))
}

/// What is wrong with a batch that need not be sent: the server would refuse it whole.
pub(super) fn unfit_time(batch: &WriteBatch) -> Option<&'static str> {
    let fits = batch.rows.iter().all(row_fits) && batch.history.iter().all(tick_fits) && gap::times_fit(&batch.gaps);
    (!fits).then_some(UNFIT_TIME)
}

fn row_fits(row: &PriceRow) -> bool {
    [row.trade_at, row.quote_at, row.day_at, Some(row.received_at)].into_iter().flatten().all(fits)
}

fn tick_fits(tick: &HistoryRow) -> bool {
    fits(tick.received_at) && tick.exchange_at.is_none_or(fits)
}

fn refused_time() -> RowOutcome {
    RowOutcome::Refused(Refusal { code: DATETIME_FIELD_OVERFLOW.into(), message: UNFIT_TIME.to_owned() })
}

type Answer = (i64, Option<i32>, Option<String>, Option<String>, bool);

struct WriteEach<'a> {
    prices: &'a PriceArrays,
    ticks_row: &'a [i32],
    ticks: &'a TickArrays,
}

/// Its name in the cache of prepared statements.
struct WriteEachId;

impl QueryId for WriteEach<'_> {
    type QueryId = WriteEachId;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for WriteEach<'_> {
    type SqlType = (BigInt, Nullable<Integer>, Nullable<Text>, Nullable<Text>, Bool);
}

impl diesel::query_dsl::RunQueryDsl<AsyncPgConnection> for WriteEach<'_> {}

impl QueryFragment<Pg> for WriteEach<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT place, slots, code, message, legacy FROM tidemill_write_each(");
        merge::push_prices(&mut out, self.prices)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.ticks_row)?;
        out.push_sql(", ");
        merge::push_ticks(&mut out, self.ticks)?;
        out.push_sql(")");
        Ok(())
    }
}
