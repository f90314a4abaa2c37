//! `tidemill symbol`: what a provider's symbol means.

use clap::Args;
use common::clock;
use common::feed::{self, SymbolError};
use common::market::{Instrument, symbol};
use common::masters::Freshness;
use common::settings::Flags;
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::context::{Context, block_on, feed_names, unknown_feed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, printable};

/// Show what a provider's symbols mean
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill symbol fyers NSE:RELIANCE25JULFUT
  tidemill symbol binance BTCUSDT ETHUSDT --json")]
pub(crate) struct Arguments {
    /// Whose symbols
    feed: String,
    /// The symbols, as the provider spells them
    #[arg(required = true)]
    raw: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

type Read = Result<Instrument, SymbolError>;
type Grammar = fn(&str) -> Read;

/// Whose symbols, and how they are read without a master.
struct Provider {
    name: &'static str,
    grammar: Box<dyn Fn(&str) -> Read>,
}

/// Grammars of providers that have no feed yet.
const GRAMMARS: &[(&str, Grammar)] = &[
    ("coinbase", symbol::coinbase::parse),
    ("kraken", symbol::kraken::parse),
    ("globaldatafeeds", |symbol| symbol::dated::parse("globaldatafeeds", symbol)),
    ("angel", |symbol| symbol::dated::parse("angel", symbol)),
    ("openalgo", |symbol| symbol::dated::parse("openalgo", symbol)),
    ("shoonya", |symbol| symbol::dated::parse("shoonya", symbol)),
];

/// Reads every symbol; fails if any of them makes no sense.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let provider = provider(&arguments.feed).ok_or_else(|| {
        let known = GRAMMARS.iter().map(|(name, _)| *name).chain(feed_names());
        Failure::new(unknown_feed(&arguments.feed, known.collect::<Vec<_>>().into_iter()))
    })?;
    let masters = Context::load_quietly(global, Flags::new())?.masters().of_feed(provider.name);
    let loaded = block_on(async { Ok(masters.load(Freshness::Cached).await) })?;
    let read = |raw: &String| {
        let symbol = loaded.catalog.resolve(provider.name, raw, clock::now())?;
        loaded.catalog.instrument_or(provider.name, &symbol, || (provider.grammar)(&symbol))
    };
    let results: Vec<(&String, Read)> = arguments.raw.iter().map(|raw| (raw, read(raw))).collect();
    if arguments.json {
        let symbols: Vec<Json> = results.iter().map(|(raw, result)| as_json(provider.name, raw, result)).collect();
        print_json(&json!({ "schema": 1, "symbols": symbols }))?;
    } else {
        let blocks: Vec<String> = results.iter().map(|(raw, result)| as_text(raw, result)).collect();
        print(&blocks.join("\n"))?;
    }
    Ok(if results.iter().all(|(_, result)| result.is_ok()) { Exit::Ok } else { Exit::Failed })
}

fn provider(name: &str) -> Option<Provider> {
    if let Some(feed) = feed::by_name(name) {
        return Some(Provider { name: feed.name(), grammar: Box::new(|raw| feed.instrument(raw)) });
    }
    let (name, read) = GRAMMARS.iter().find(|(known, _)| *known == name)?;
    Some(Provider { name, grammar: Box::new(read) })
}

/// The parts of an instrument by name, absent ones as `None`.
fn parts(instrument: &Instrument) -> [(&'static str, Option<String>); 9] {
    let strike = instrument.option.map(|(strike, _)| strike.normalize().to_string());
    let right = instrument.option.map(|(_, right)| right.to_string());
    [
        ("canonical", Some(instrument.to_string())),
        ("exchange", Some(instrument.exchange.to_string())),
        ("underlying", Some(instrument.underlying.to_string())),
        ("kind", Some(instrument.kind.to_string())),
        ("expiry", instrument.expiry.map(|expiry| expiry.to_string())),
        ("strike", strike),
        ("right", right),
        ("series", instrument.series.as_ref().map(ToString::to_string)),
        ("processed", Some(instrument.ticker_symbol())),
    ]
}

fn as_text(raw: &str, result: &Read) -> String {
    let raw = printable(raw);
    match result {
        Ok(instrument) => {
            let said = parts(instrument).into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
            let lines = said.map(|(name, value)| format!("  {name:<11} {}\n", printable(&value)));
            format!("{raw}\n{}", lines.collect::<Vec<String>>().concat())
        }
        Err(error) => format!("{raw}\n  error       {}\n", printable(&error.problem)),
    }
}

fn as_json(feed: &str, raw: &str, result: &Read) -> Json {
    let mut object = serde_json::Map::from_iter([("feed".to_owned(), feed.into()), ("raw".to_owned(), raw.into())]);
    match result {
        Ok(instrument) => {
            object.extend(parts(instrument).map(|(name, value)| (name.to_owned(), Json::from(value))));
        }
        Err(error) => {
            object.insert("error".to_owned(), error.problem.as_ref().into());
        }
    }
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use common::market::{Expiry, Kind, Right};

    use super::*;

    fn option() -> Instrument {
        Instrument {
            exchange: "NSE".into(),
            underlying: "NIFTY".into(),
            kind: Kind::Opt,
            expiry: Some(Expiry::Month { year: 2026, month: 8 }),
            option: Some((rust_decimal::Decimal::from(24_500), Right::Call)),
            series: None,
        }
    }

    #[test]
    fn an_option_shows_all_its_parts() {
        let shown = as_text("NSE:NIFTY26AUG24500CE", &Ok(option()));
        insta::assert_snapshot!(shown, @r#"
        NSE:NIFTY26AUG24500CE
          canonical   NSE:NIFTY:OPT:2026-08:24500:C
          exchange    NSE
          underlying  NIFTY
          kind        OPT
          expiry      2026-08
          strike      24500
          right       C
          processed   nifty
        "#);
    }

    #[test]
    fn json_names_absent_parts() {
        let shown = as_json("fyers", "NSE:NIFTY26AUG24500CE", &Ok(option())).to_string();
        insta::assert_snapshot!(shown, @r#"{"canonical":"NSE:NIFTY:OPT:2026-08:24500:C","exchange":"NSE","expiry":"2026-08","feed":"fyers","kind":"OPT","processed":"nifty","raw":"NSE:NIFTY26AUG24500CE","right":"C","series":null,"strike":"24500","underlying":"NIFTY"}"#);
    }

    #[test]
    fn a_symbol_that_makes_no_sense_is_an_error_of_its_own() {
        let error = SymbolError { feed: "fyers", symbol: "??".into(), problem: "no exchange".into() };
        assert_eq!(as_text("\u{1b}??", &Err(error.clone())), "\\u{1b}??\n  error       no exchange\n");
        assert_eq!(as_json("fyers", "??", &Err(error))["error"], "no exchange");
    }
}
