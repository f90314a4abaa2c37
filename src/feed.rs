//! `tidemill feed`: whether a feed works, what listeners carry, and changing it while they run.

use clap::{Args, Subcommand};
use common::broker::shards::GroupName;
use common::feed::{self, Feed};
use common::settings::Flags;

use crate::cli::Global;
use crate::context::{Context, block_on, feed_names, unknown_feed};
use crate::exit::Exit;
use crate::failure::Failure;

mod change;
mod ls;
mod samples;
mod text;
mod trial;
mod view;

/// Try a feed; show what listeners carry; subscribe, unsubscribe, pause, resume
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill feed ls
  tidemill feed subscribe binance SOLUSDT ADAUSDT
  tidemill feed unsubscribe binance ADAUSDT     two subscriptions need two of these
  tidemill feed pause binance                   listeners close their connections and wait
  tidemill feed test --feed fyers --symbols NSE:SBIN-EQ     one connection, nothing is queued

Listeners follow within 2 s, those that start later too. Symbols of the settings count as subscribed once.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the groups: listeners, who holds which shards, symbols
    Ls {
        /// Only this feed
        #[arg(value_name = "FEED")]
        feed: Option<String>,
        /// Only this group
        #[arg(long, value_name = "NAME", conflicts_with = "feed")]
        group: Option<GroupName>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Add symbols; all of them or none
    Subscribe(Change),
    /// Take symbols away; all of them or none
    Unsubscribe(Change),
    /// Close all connections and keep them closed; what was read is still stored
    Pause(Which),
    /// Open them again
    Resume(Which),
    /// Connect once, with the first few symbols, and tell what came: 0 data, 5 none in time, 1 no connection
    Test(trial::Arguments),
    /// Show frames that were no message of their feed: why, how many, and how the newest begins
    Samples {
        /// Only this feed's listeners
        #[arg(value_name = "FEED")]
        feed: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    which: Which,
    /// As the provider spells them
    #[arg(value_name = "SYMBOL", required = true)]
    symbols: Vec<String>,
}

#[derive(Debug, Args)]
struct Which {
    /// Whose listeners
    #[arg(value_name = "FEED")]
    feed: String,
    /// Which group of them [default: the setting listener.group, else the feed's name]
    #[arg(long, value_name = "NAME")]
    group: Option<GroupName>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A feed's listeners, and the symbols that their settings name.
#[derive(Debug)]
struct Target {
    feed: &'static dyn Feed,
    group: GroupName,
    /// `None` when the group is not that of our settings: its listeners have others.
    base: Option<Vec<String>>,
}

impl Target {
    fn find(which: &Which, context: &Context) -> Result<Self, Failure> {
        let feed = by_name(&which.feed)?;
        let group = match &which.group {
            Some(group) => group.clone(),
            None => group_of(feed.name(), context)?,
        };
        let base = base_of(&group, context);
        Ok(Self { feed, group, base })
    }
}

fn by_name(name: &str) -> Result<&'static dyn Feed, Failure> {
    feed::by_name(name).ok_or_else(|| Failure::new(unknown_feed(name, feed_names().into_iter())))
}

/// The group of a feed's listeners, as far as our settings tell.
fn group_of(feed: &str, context: &Context) -> Result<GroupName, Failure> {
    let own = &context.settings.listener;
    match &own.group {
        Some(group) if own.feed == feed => Ok(group.clone()),
        _ => feed.parse().map_err(|bad| Failure::usage(format!("{bad}"), "name a group: --group NAME")),
    }
}

/// The symbols of the settings, where they are those of the group.
fn base_of(group: &GroupName, context: &Context) -> Option<Vec<String>> {
    let own = &context.settings.listener;
    if own.symbols.is_empty() {
        return None; // its listeners have theirs from elsewhere, e.g. from `tidemill start`
    }
    let own_group = group_of(&own.feed, context).ok()?;
    (own_group == *group).then(|| own.symbols.clone())
}

/// Does what the verb says.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let flags = if let Verb::Test(arguments) = &arguments.verb { arguments.flags() } else { Flags::new() };
    let context = Context::load_quietly(global, flags)?;
    block_on(async {
        match &arguments.verb {
            Verb::Ls { feed, group, json } => {
                let wanted = match feed {
                    Some(feed) => Some(group_of(by_name(feed)?.name(), &context)?),
                    None => group.clone(),
                };
                ls::run(&context, wanted.as_ref(), *json).await
            }
            Verb::Subscribe(change) => change::subscribe(&context, change).await,
            Verb::Unsubscribe(change) => change::unsubscribe(&context, change).await,
            Verb::Pause(which) => change::pause(&context, which).await,
            Verb::Resume(which) => change::resume(&context, which).await,
            Verb::Samples { feed, json } => {
                let feed = feed.as_deref().map(by_name).transpose()?;
                samples::run(&context, feed.map(Feed::name), *json).await
            }
            Verb::Test(arguments) => trial::run(&context, arguments).await,
        }
    })
}
