//! Events for a group's roster.

use common::broker::Broker;
use common::broker::shards::GroupName;
use common::clock;
use common::presence::ProcessFacts;
use common::roster::{Roster, RosterAction, RosterEvent};
use serde_json::json;

use super::{Change, Target, Which};
use crate::amount::counted;
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, printable};

/// Subscribes all symbols, or none.
pub(super) async fn subscribe(context: &Context, change: &Change) -> Result<Exit, Failure> {
    let target = Target::find(&change.which, context)?;
    let bad: Vec<Diagnostic> = change.symbols.iter().filter_map(|symbol| bad_symbol(&target, symbol)).collect();
    if !bad.is_empty() {
        return Err(Failure::Told { exit: Code::BadSymbol.exit(), diagnostics: bad });
    }
    let desk = Desk::open(context, &target).await?;
    let symbols: Vec<Box<str>> = change.symbols.iter().map(|symbol| desk.spelling(symbol)).collect();
    let actions = symbols.iter().map(|symbol| RosterAction::Subscribe { symbol: symbol.clone() });
    let desk = desk.append(actions.collect()).await?;
    desk.tell(&symbols, change.which.json)
}

/// Takes one subscription of each symbol away, or of none.
pub(super) async fn unsubscribe(context: &Context, change: &Change) -> Result<Exit, Failure> {
    let target = Target::find(&change.which, context)?;
    let desk = Desk::open(context, &target).await?;
    let symbols: Vec<Box<str>> = change.symbols.iter().map(|symbol| desk.spelling(symbol)).collect();
    let bad: Vec<Diagnostic> = desk.not_subscribed(&symbols);
    if !bad.is_empty() {
        return Err(Failure::Told { exit: Code::NotSubscribed.exit(), diagnostics: bad });
    }
    let actions = symbols.iter().map(|symbol| RosterAction::Unsubscribe { symbol: symbol.clone() });
    let desk = desk.append(actions.collect()).await?;
    desk.tell(&symbols, change.which.json)
}

/// Stops the whole feed.
pub(super) async fn pause(context: &Context, which: &Which) -> Result<Exit, Failure> {
    let target = Target::find(which, context)?;
    Desk::open(context, &target).await?.append(vec![RosterAction::Pause]).await?.tell(&[], which.json)
}

/// Lets it go on.
pub(super) async fn resume(context: &Context, which: &Which) -> Result<Exit, Failure> {
    let target = Target::find(which, context)?;
    Desk::open(context, &target).await?.append(vec![RosterAction::Resume]).await?.tell(&[], which.json)
}

fn bad_symbol(target: &Target, symbol: &str) -> Option<Diagnostic> {
    let problem = match target.feed.instrument(symbol) {
        Err(error) => error.problem,
        // What no provider has, but every listener would have to carry in its list.
        Ok(_) if RosterEvent::SYMBOL_BYTES_MAX < symbol.len() => "it is too long".into(),
        Ok(_) => return None,
    };
    let title = format!("`{symbol}` is no symbol of {}", target.feed.name());
    Some(Diagnostic::new(Code::BadSymbol, title).why(&*problem).safe("none of the symbols was subscribed"))
}

/// A group's roster, open for changes.
struct Desk<'t> {
    broker: std::sync::Arc<dyn Broker>,
    target: &'t Target,
    roster: Roster,
}

impl<'t> Desk<'t> {
    async fn open(context: &Context, target: &'t Target) -> Result<Self, Failure> {
        let broker = context.broker().await?;
        let roster = Roster::new(target.base.as_deref().unwrap_or_default());
        Self { broker, target, roster }.caught_up().await
    }

    fn group(&self) -> &GroupName {
        &self.target.group
    }

    async fn caught_up(mut self) -> Result<Self, Failure> {
        let news = self.broker.roster_since(self.group(), self.roster.revision()).await?;
        self.roster.catch_up(&news);
        Ok(self)
    }

    /// As it is subscribed already, if only the case of letters differs: `btcusdt` is meant to be `BTCUSDT`.
    fn spelling(&self, symbol: &str) -> Box<str> {
        if 0 < self.roster.count(symbol) {
            return symbol.into();
        }
        let known = self.roster.symbols().into_iter().find(|known| known.eq_ignore_ascii_case(symbol));
        known.unwrap_or(symbol).into()
    }

    /// Symbols that are asked to go more often than they are there. Where the settings are not ours we cannot know.
    fn not_subscribed(&self, symbols: &[Box<str>]) -> Vec<Diagnostic> {
        let Some(_) = self.target.base else { return Vec::new() };
        let mut left = std::collections::BTreeMap::new();
        for symbol in symbols {
            *left.entry(&**symbol).or_insert(0_u32) += 1;
        }
        let missing = left.into_iter().filter(|(symbol, asked)| self.roster.count(symbol) < *asked);
        let diagnostic = |(symbol, asked): (&str, u32)| {
            let title = format!("`{symbol}` is not subscribed in group {}", self.group());
            let count = self.roster.count(symbol);
            Diagnostic::new(Code::NotSubscribed, title)
                .why(format!("it has {}, {asked} would have to go", counted(count.into(), "subscription")))
                .safe("nothing was changed")
                .fix(format!("see what is subscribed: tidemill feed ls {}", self.target.feed.name()))
        };
        missing.map(diagnostic).collect()
    }

    /// Appends, in as few steps as the broker allows, and reads what came of it.
    async fn append(self, actions: Vec<RosterAction>) -> Result<Self, Failure> {
        let by = format!("cli@{}", ProcessFacts::read().host);
        let now = clock::now();
        let events: Vec<RosterEvent> = actions.into_iter().map(|action| RosterEvent::new(action, &by, now)).collect();
        for events in events.chunks(RosterEvent::APPEND_MAX) {
            self.broker.roster_append(self.group(), events).await?;
        }
        self.caught_up().await
    }

    /// Says what is so now.
    fn tell(&self, symbols: &[Box<str>], as_json: bool) -> Result<Exit, Failure> {
        let (roster, group) = (&self.roster, self.group());
        let mut symbols = symbols.to_vec();
        symbols.sort_unstable();
        symbols.dedup();
        if as_json {
            let symbols: Vec<_> = symbols
                .iter()
                .map(|symbol| json!({ "symbol": symbol, "subscriptions": roster.count(symbol) }))
                .collect();
            print_json(&json!({
                "schema": 1, "group": group, "feed": self.target.feed.name(), "revision": roster.revision(),
                "paused": roster.is_paused(), "follow_within_ms": 2_000, "symbols": symbols,
            }))?;
            return Ok(Exit::Ok);
        }
        let mut lines: Vec<String> = symbols.iter().map(|symbol| self.about(symbol)).collect();
        lines.push(if roster.is_paused() {
            format!("{group} is paused; tidemill feed resume {} lets it go on", self.target.feed.name())
        } else {
            format!("{group} is open")
        });
        lines.push(format!(
            "its listeners follow within 2 s, later ones when they start; what came of it, and what a limit refuses: \
             tidemill feed ls {}",
            self.target.feed.name()
        ));
        print(&format!("{}\n", lines.join("\n")))?;
        Ok(Exit::Ok)
    }

    fn about(&self, symbol: &str) -> String {
        let state = match (self.roster.count(symbol), &self.target.base) {
            (0, Some(_)) => "not subscribed any more".to_owned(),
            (0, None) => "not subscribed, unless by the settings of its listeners".to_owned(),
            (1, _) => "subscribed".to_owned(),
            (count, _) => format!("subscribed {count} times"),
        };
        format!("{}  {state}", printable(symbol))
    }
}
