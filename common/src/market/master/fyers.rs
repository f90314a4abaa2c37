//! Fyers' symbol master: CSV without a head, 21 columns. <https://public.fyers.in/sym_details/NSE_CM.csv>, also
//! `NSE_FO`, `NSE_CD`, `BSE_CM`, `BSE_FO`, `MCX_COM`.

use super::{MasterRows, Problem, column, each_record};
use crate::market::day::day_in_india;
use crate::market::symbol::fyers;
use crate::market::{Expiry, Instrument, Kind, MasterRow, Right};

pub(super) const EXPECTED: &str =
    "CSV of 21 columns, the first a number (the fyToken), the tenth a symbol like NSE:SBIN-EQ";

/// Places of the columns.
const TOKEN: usize = 0;
const CLASS: usize = 2;
const EXPIRY: usize = 8;
const SYMBOL: usize = 9;
const UNDERLYING: usize = 13;
const STRIKE: usize = 15;
const RIGHT: usize = 16;

/// The columns that every row must have: later ones are reserved.
const COLUMNS_MIN: usize = 17;

/// Classes of instruments from which on rows are futures and options: 11 is a future on an index.
const CLASS_FIRST_CONTRACT: u32 = 11;

#[expect(clippy::unnecessary_wraps, reason = "one row of the table of formats; others can fail as a whole")]
pub(super) fn read(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    each_record(text, false, found, |record| {
        if record.len() < COLUMNS_MIN {
            return Err(format!("{} columns, fewer than {COLUMNS_MIN}", record.len()).into());
        }
        let (token, symbol) = (column(record, TOKEN), column(record, SYMBOL));
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("{token:?} is no fyToken").into());
        }
        let class: u32 = column(record, CLASS).parse().map_err(|_no_number| "no number as class of instrument")?;
        let instrument = if class < CLASS_FIRST_CONTRACT {
            cash(symbol)?
        } else {
            contract(symbol, &|place| column(record, place))?
        };
        Ok(MasterRow { symbol: symbol.into(), key: token.into(), instrument })
    });
    Ok(())
}

/// Read by the grammar, so that a share is the same instrument with and without a master.
fn cash(symbol: &str) -> Result<Instrument, Problem> {
    fyers::parse(symbol).map_err(|error| format!("{symbol}: {}", error.problem).into())
}

fn contract<'a>(symbol: &str, column: &dyn Fn(usize) -> &'a str) -> Result<Instrument, Problem> {
    let (exchange, _) = symbol.split_once(':').ok_or("no exchange before its symbol")?;
    let underlying = column(UNDERLYING);
    if underlying.is_empty() {
        return Err("no underlying".into());
    }
    let seconds = column(EXPIRY).parse().ok().filter(|seconds| 0 < *seconds);
    let expiry = seconds.and_then(day_in_india).ok_or("no expiry in unix seconds")?;
    let right = match column(RIGHT) {
        "CE" => Some(Right::Call),
        "PE" => Some(Right::Put),
        "XX" | "" => None,
        other => return Err(format!("{other:?} is neither CE nor PE nor XX").into()),
    };
    let option = right.map(|right| Ok::<_, Problem>((super::strike(column(STRIKE))?, right))).transpose()?;
    Ok(Instrument {
        exchange: exchange.into(),
        underlying: underlying.into(),
        kind: if option.is_some() { Kind::Opt } else { Kind::Fut },
        expiry: Some(Expiry::Day(expiry)),
        option,
        series: None,
    })
}
