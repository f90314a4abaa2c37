//! `tidemill gaps`: what never arrived.

use clap::Args;
use common::clock::{self, UnixMicros};
use common::settings::Flags;
use common::store::StoredGap;
use serde_json::{Value as Json, json};

use crate::amount::{age, count};
use crate::cli::Global;
use crate::columns::{Align, columns};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line, printable};

/// List holes in the streams: messages that were sent and never arrived
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill gaps                            the newest, newest first
  tidemill gaps --limit 1000 --json | jq '.gaps[] | select(.reason == \"reconnect\")'")]
pub(crate) struct Arguments {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Lists the newest gaps.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    // Opening the embedded store would create it; without a file there are no gaps.
    let is_new = context.missing_store_file().is_some();
    let limit = arguments.limit;
    // One more than is shown tells whether there are more.
    let read = async { Ok(context.store().await?.gaps(limit.saturating_add(1)).await?) };
    let mut gaps = if is_new { Vec::new() } else { block_on(read)? };
    let more = usize::try_from(limit).is_ok_and(|limit| limit < gaps.len());
    gaps.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if arguments.json {
        let gaps: Vec<Json> = gaps.iter().map(as_json).collect();
        print_json(&json!({ "schema": 1, "gaps": gaps, "more": more }))?;
    } else if gaps.is_empty() {
        print_line("no gaps")?;
    } else {
        print(&table(&gaps, clock::now()))?;
        if more {
            print_line("there are more: --limit shows further ones")?;
        }
    }
    Ok(Exit::Ok)
}

fn as_json(gap: &StoredGap) -> Json {
    let row = &gap.row;
    json!({
        "feed": row.feed,
        "conn": row.conn,
        "epoch": row.order.epoch(),
        "seq": row.order.seq(),
        "symbol": row.symbol,
        "stream": row.stream,
        "kind": row.kind,
        "from": row.from,
        "to": row.to,
        "missing": row.missing,
        "since": row.since.map(|at| at.to_string()),
        "until": row.until.to_string(),
        "reason": row.reason,
        "stored_at": gap.stored_at.to_string(),
    })
}

/// One line per gap.
fn table(gaps: &[StoredGap], now: UnixMicros) -> String {
    use Align::{Left, Right};
    let head = [
        ("AGE", Right),
        ("FEED", Left),
        ("CONN", Right),
        ("STREAM", Left),
        ("KIND", Left),
        ("MISSING", Right),
        ("FROM", Right),
        ("TO", Right),
        ("LASTED", Right),
        ("REASON", Left),
    ];
    let known = |number: Option<i64>| number.map_or_else(unknown, |number| number.to_string());
    let row = |gap: &StoredGap| {
        let row = &gap.row;
        vec![
            age(row.until.age_at(now)),
            printable(&row.feed),
            row.conn.to_string(),
            printable(&row.stream),
            printable(&row.kind),
            row.missing.map_or_else(unknown, count),
            known(row.from),
            known(row.to),
            row.since.map_or_else(unknown, |since| age(since.age_at(row.until))),
            printable(&row.reason),
        ]
    };
    columns(&head, &gaps.iter().map(row).collect::<Vec<_>>())
}

fn unknown() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use common::market::{Epoch, OrderKey};
    use common::store::GapRow;

    use super::*;

    const NOON: i64 = 1_763_726_400_000_000;

    fn gaps() -> [StoredGap; 2] {
        let order = OrderKey::new(Epoch::new(7).unwrap(), 3).unwrap();
        let row = GapRow {
            feed: "binance".into(),
            conn: 3,
            order,
            symbol: Some("BTCUSDT".into()),
            stream: "btcusdt@trade\u{1b}[2J".into(),
            kind: "trade".into(),
            from: Some(5_001),
            to: Some(6_400),
            missing: Some(1_400),
            since: Some(UnixMicros(NOON)),
            until: UnixMicros(NOON + 2_400_000),
            reason: "sequence".into(),
        };
        let (stream, kind, reason) = ("*".into(), "*".into(), "shed".into());
        let vague = GapRow {
            symbol: None,
            from: None,
            to: None,
            missing: None,
            since: None,
            stream,
            kind,
            reason,
            ..row.clone()
        };
        [row, vague].map(|row| StoredGap { row, stored_at: UnixMicros(NOON + 3_000_000) })
    }

    #[test]
    fn the_list_is_one_line_per_gap() {
        insta::assert_snapshot!(table(&gaps(), UnixMicros(NOON + 92_400_000)), @r#"
         AGE  FEED     CONN  STREAM                  KIND   MISSING  FROM    TO  LASTED  REASON
        90 s  binance     3  btcusdt@trade\u{1b}[2J  trade    1,400  5001  6400   2.4 s  sequence
        90 s  binance     3  *                       *            -     -     -       -  shed
        "#);
    }

    #[test]
    fn in_json_what_is_not_known_is_null() {
        let [known, vague] = gaps().map(|gap| as_json(&gap));
        assert_eq!((&known["missing"], &known["until"]), (&json!(1_400), &json!("2025-11-21T12:00:02.4Z")));
        assert_eq!((&vague["missing"], &vague["symbol"], &vague["since"]), (&Json::Null, &Json::Null, &Json::Null));
    }
}
