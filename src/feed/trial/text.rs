//! A test's report for people, in the order in which things happened.

use std::time::Duration;

use super::report::{First, Report, Seen, TokenFound, Verdict};
use crate::amount::{age, counted};
use crate::columns::{Align, columns};
use crate::output::printable;

/// Several lines.
pub(super) fn render(report: &Report) -> String {
    let mut lines = vec![("feed", report.feed.to_owned()), ("endpoint", printable(&report.endpoint))];
    match &report.token {
        TokenFound::NotWanted => lines.push(("token", "none is wanted".to_owned())),
        TokenFound::Fingerprint(fingerprint) => lines.push(("token", format!("fingerprint {fingerprint}"))),
        TokenFound::Missing(sources) => {
            lines.push(("token", "no source has one".to_owned()));
            lines.extend(sources.iter().map(|said| ("", printable(said))));
        }
    }
    lines.extend(connection(report));
    let took = age(Duration::from_millis(report.took_ms));
    match &report.first {
        Some(first) => lines.push(("message", format!("{}, after {took}", printable(&first.kind)))),
        None if report.connection.is_some() => lines.push(("message", format!("none within {took}"))),
        None => {}
    }
    let ticks = report.first.as_ref().map(ticks).unwrap_or_default();
    let set = |(name, value): (&str, String)| format!("{name:<11} {value}\n");
    let lines: String = lines.into_iter().map(set).collect();
    format!("{lines}{ticks}{}", set(("result", result(report))))
}

fn connection(report: &Report) -> Vec<(&'static str, String)> {
    let Some(connection) = &report.connection else { return Vec::new() };
    let state = crate::status::link(connection.state);
    let mut lines = vec![("connection", format!("{state}, {}", counted(connection.attempts, "attempt")))];
    if let Some(reason) = &connection.reason {
        lines.push(("", format!("the last session ended: {}", printable(reason))));
    }
    let symbols = report.symbols.iter().map(|symbol| printable(symbol)).collect::<Vec<_>>().join(", ");
    lines.push(("symbols", format!("{symbols}: {} confirmed", connection.confirmed)));
    let refused = connection.refused.iter();
    lines.extend(refused.map(|(symbol, why)| ("refused", format!("{}: {}", printable(symbol), printable(why)))));
    lines
}

fn ticks(first: &First) -> String {
    use Align::{Left, Right};
    if first.ticks.is_empty() {
        return String::new();
    }
    let head = [("  SYMBOL", Left), ("INSTRUMENT", Left), ("LAST", Right), ("BID", Right), ("ASK", Right)];
    let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), printable);
    let row = |seen: &Seen| {
        let symbol = format!("  {}", printable(&seen.symbol));
        vec![symbol, shown(&seen.instrument), shown(&seen.last), shown(&seen.bid), shown(&seen.ask)]
    };
    columns(&head, &first.ticks.iter().map(row).collect::<Vec<_>>())
}

fn result(report: &Report) -> String {
    let first = report.first.as_ref();
    match report.result {
        Verdict::Works => match first.and_then(|first| first.skipped) {
            Some(reason) => format!("it works; a worker passes over this message: {reason}"),
            None => "it works".to_owned(),
        },
        Verdict::Unreadable => {
            let problem = first.and_then(|first| first.problem.as_deref()).unwrap_or_default();
            format!("data comes, but this program cannot read it: {}", printable(problem))
        }
        Verdict::Silent => "connected, but no data: is the market open? --patience waits longer".to_owned(),
        Verdict::NotConnected if report.token.is_missing() => format!(
            "not tried: a listener waits until there is a token; tidemill token set {} gives it one",
            report.feed
        ),
        Verdict::NotConnected => "could not connect".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use common::market::Catalog;
    use common::presence::Link;

    use super::super::report::tests::{connection, task};
    use super::*;

    fn report(token: TokenFound) -> Report {
        Report {
            schema: 1,
            feed: "binance",
            endpoint: "ws://127.0.0.1:9443/***".to_owned(),
            token,
            symbols: vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()],
            result: Verdict::NotConnected,
            connection: None,
            first: None,
            took_ms: 0,
        }
    }

    #[test]
    fn the_first_message_is_shown_as_a_worker_reads_it() {
        let quote = r#"{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"61837.63000000","B":"3","a":"61837.64000000","A":"1"}}"#;
        let first = First::read(&task("bookTicker", quote), &Catalog::default());
        let shown = Report {
            result: Verdict::of(None, Some(&first)),
            connection: Some(connection(Link::Live)),
            first: Some(first),
            took_ms: 1_240,
            ..report(TokenFound::NotWanted)
        };
        insta::assert_snapshot!(render(&shown), @r#"
        feed        binance
        endpoint    ws://127.0.0.1:9443/***
        token       none is wanted
        connection  live, 2 attempts
                    the last session ended: the server closed it
        symbols     BTCUSDT, ETHUSDT: 1 confirmed
        refused     ETHUSDT: no such symbol
        message     bookTicker, after 1.2 s
          SYMBOL   INSTRUMENT             LAST             BID             ASK
          BTCUSDT  BINANCE:BTC/USDT:SPOT     -  61837.63000000  61837.64000000
        result      it works
        "#);
    }

    #[test]
    fn without_a_token_every_source_says_why() {
        let missing = vec!["variable TIDEMILL_TOKEN: not set".to_owned(), "table: none\u{1b}".to_owned()];
        insta::assert_snapshot!(render(&report(TokenFound::Missing(missing))), @r#"
        feed        binance
        endpoint    ws://127.0.0.1:9443/***
        token       no source has one
                    variable TIDEMILL_TOKEN: not set
                    table: none\u{1b}
        result      not tried: a listener waits until there is a token; tidemill token set binance gives it one
        "#);
    }

    #[test]
    fn silence_and_unreadable_data_are_told_apart() {
        let connected = || Some(connection(Link::Live));
        let silent = Report {
            result: Verdict::Silent,
            connection: connected(),
            took_ms: 10_020,
            ..report(TokenFound::NotWanted)
        };
        assert!(render(&silent).ends_with("message     none within 10 s\nresult      connected, but no data: is the market open? --patience waits longer\n"));
        let first = First::read(&task("trade", r#"{"stream":"x@trade","data":{}}"#), &Catalog::default());
        let odd = Report { result: Verdict::Unreadable, first: Some(first), ..silent };
        assert!(render(&odd).contains("result      data comes, but this program cannot read it: "), "{}", render(&odd));
    }
}
