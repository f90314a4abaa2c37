//! `tidemill instruments`: what symbol masters say.

use clap::{Args, Subcommand};
use common::market::MasterRow;
use common::masters::{Freshness, Loaded, Report, age_in_words};
use common::settings::Flags;
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line, printable};

/// Show, refresh and search the lists of instruments that providers publish
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill instruments ls
  tidemill instruments refresh
  tidemill instruments find RELIANCE --limit 10

The lists are named in the settings, `instruments.masters`; see docs/symbols.md.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// As JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the sources with how many instruments they hold and how old they are
    Ls,
    /// Download them again, however young they are
    Refresh,
    /// Find instruments whose symbol, key or canonical form holds a text, in any case
    Find {
        /// The text
        text: String,
        /// Show so many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

/// Does what the verb says. Fails when a source gives nothing at all, or nothing is found.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let masters = Context::load_quietly(global, Flags::new())?.masters();
    let freshness = if matches!(arguments.verb, Verb::Refresh) { Freshness::Anew } else { Freshness::Cached };
    let loaded = block_on(async { Ok(masters.load(freshness).await) })?;
    match &arguments.verb {
        Verb::Ls | Verb::Refresh => sources(&loaded.reports, arguments.json),
        Verb::Find { text, limit } => found(&loaded, text, *limit, arguments.json),
    }
}

fn sources(reports: &[Report], json: bool) -> Result<Exit, Failure> {
    if json {
        let sources: Vec<Json> = reports.iter().map(as_json).collect();
        print_json(&json!({ "schema": 1, "sources": sources }))?;
    } else if reports.is_empty() {
        print_line("no masters are configured: name them in instruments.masters, e.g. \"fyers=NSE_FO.csv\"")?;
    } else {
        let lines: Vec<String> = reports.iter().map(as_text).collect();
        print(&lines.concat())?;
    }
    Ok(if reports.iter().all(|report| 0 < report.rows) { Exit::Ok } else { Exit::Failed })
}

fn as_text(report: &Report) -> String {
    let age = report.age.map_or_else(|| "new".to_owned(), age_in_words);
    let head = format!("{:<13} {:>8} {:>5}  {}\n", report.feed, report.rows, age, printable(&report.place));
    let trouble = report.trouble.iter().map(|trouble| format!("  trouble     {}\n", printable(trouble)));
    let skipped = (0 < report.skipped).then(|| {
        let reasons = report.reasons.join("; ");
        format!("  skipped     {} rows, e.g. {}\n", report.skipped, printable(&reasons))
    });
    std::iter::once(head).chain(trouble).chain(skipped).collect()
}

fn as_json(report: &Report) -> Json {
    json!({
        "feed": report.feed,
        "place": report.place,
        "instruments": report.rows,
        "skipped": report.skipped,
        "reasons": report.reasons,
        "age_s": report.age.map(|age| age.as_secs()),
        "trouble": report.trouble,
    })
}

fn found(loaded: &Loaded, text: &str, limit: usize, json: bool) -> Result<Exit, Failure> {
    let wanted = text.to_lowercase();
    let holds = |row: &MasterRow| {
        let texts = [row.symbol.to_string(), row.key.to_string(), row.instrument.to_string()];
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let catalog = &loaded.catalog;
    let all = catalog.feeds().into_iter().flat_map(|feed| catalog.rows(feed).iter().map(move |row| (feed, row)));
    let rows: Vec<(&str, &MasterRow)> = all.filter(|(_, row)| holds(row)).take(limit).collect();
    if json {
        let shown = |(feed, row): &(&str, &MasterRow)| json!({ "feed": feed, "symbol": row.symbol, "key": row.key, "canonical": row.instrument.to_string() });
        print_json(&json!({ "schema": 1, "instruments": rows.iter().map(shown).collect::<Vec<Json>>() }))?;
    } else {
        let line = |(feed, row): &(&str, &MasterRow)| {
            let [symbol, key] = [&row.symbol, &row.key].map(|text| printable(text));
            format!("{feed:<13} {symbol:<32} {key:<24} {}\n", printable(&row.instrument.to_string()))
        };
        print(&rows.iter().map(line).collect::<Vec<String>>().concat())?;
    }
    Ok(if rows.is_empty() { Exit::Failed } else { Exit::Ok })
}
