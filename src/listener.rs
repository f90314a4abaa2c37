//! `tidemill listener`: read feeds, queue ticks.

use std::sync::Arc;

use clap::Args;
use common::outage::chain;
use common::settings::{Flags, Settings};
use common::shutdown::Shutdown;
use listener::{ListenerError, ListenerOptions, ShardLimits, SpoolOptions};
use tokio::sync::watch;

use crate::calendar;
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::part;
use crate::reload::Reloader;

const EXAMPLES: &str = "\
Examples:
  tidemill listener --symbols BTCUSDT,ETHUSDT
  tidemill listener --feed binance --symbols BTCUSDT --channels trade,kline_1m
  tidemill listener --stocks-per-connection 50 --max-stocks 250    the replaced system's flags";

/// Read feeds over WebSocket and queue their messages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    feed: FeedArguments,
    /// Queue to fill
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// When the buffer is full: merge, spool, block or `drop_oldest`
    #[arg(long, value_name = "POLICY")]
    overflow: Option<String>,
    /// Stop when standard input closes: for launchers
    #[arg(long, hide = true)]
    supervised: bool,
}

/// What to read. Shared with the recorder.
#[derive(Debug, Clone, Args)]
pub(crate) struct FeedArguments {
    #[command(flatten)]
    shards: ShardArguments,
    /// The provider
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// Symbols as the provider spells them, separated by commas
    #[arg(long, value_name = "SYMBOL,...")]
    symbols: Option<String>,
    /// Channels of the feed, separated by commas
    #[arg(long, value_name = "CHANNEL,...")]
    channels: Option<String>,
    /// Where to connect instead of the provider's own address
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

/// How symbols are split over connections. Shared with the launcher.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ShardArguments {
    /// Symbols one connection carries
    #[arg(long, visible_alias = "stocks-per-connection", value_name = "N")]
    symbols_per_connection: Option<usize>,
    /// Symbols at most; the remainder is refused by name
    #[arg(long, visible_alias = "max-stocks", value_name = "N")]
    max_symbols: Option<usize>,
    /// Between opening two connections, e.g. 3 or 500ms
    #[arg(long, value_name = "TIME")]
    connection_delay: Option<String>,
    /// Between two log lines about the connections
    #[arg(long, value_name = "TIME")]
    monitor_interval: Option<String>,
    /// Ask for last prices only, where the provider offers that
    #[arg(long)]
    litemode: bool,
}

impl ShardArguments {
    /// What was said, as setting, flag and text.
    pub(crate) fn said(&self) -> Vec<(&'static str, &'static str, String)> {
        let said = |key, flag, text: Option<String>| text.map(|text| (key, flag, text));
        [
            said(
                "listener.symbols_per_connection",
                "--symbols-per-connection",
                self.symbols_per_connection.map(|n| n.to_string()),
            ),
            said("listener.max_symbols", "--max-symbols", self.max_symbols.map(|n| n.to_string())),
            said("listener.connection_delay", "--connection-delay", self.connection_delay.clone()),
            said("listener.monitor_interval", "--monitor-interval", self.monitor_interval.clone()),
            said("listener.litemode", "--litemode", self.litemode.then(|| "true".to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The same as settings.
    pub(crate) fn flags(&self) -> Flags {
        self.said().into_iter().fold(Flags::new(), |flags, (key, flag, text)| flags.set(key, flag, Some(text)))
    }
}

impl Arguments {
    fn flags(&self) -> Flags {
        self.feed.flags().set("listener.overflow", "--overflow", self.overflow.as_ref()).set(
            "queue.name",
            "--queue",
            self.queue.as_ref(),
        )
    }
}

impl FeedArguments {
    /// The same as settings.
    pub(crate) fn flags(&self) -> Flags {
        Flags::new()
            .set("listener.feed", "--feed", self.feed.as_ref())
            .set("listener.symbols", "--symbols", self.symbols.as_ref())
            .set("listener.channels", "--channels", self.channels.as_ref())
            .set("listener.endpoint", "--endpoint", self.endpoint.as_ref())
            .and(self.shards.flags())
    }
}

/// What the settings ask of a listener.
pub(crate) fn options(settings: &Settings, context: &Context) -> Result<ListenerOptions, Failure> {
    let wanted = &settings.listener;
    if wanted.symbols.is_empty() {
        let title = "no symbols to subscribe";
        let fix = "set listener.symbols in tidemill.toml, or --symbols BTCUSDT,ETHUSDT";
        return Err(Failure::new(Diagnostic::new(Code::NoSymbols, title).fix(fix)));
    }
    let mut options = ListenerOptions::new(context.feed()?, settings.queue.name.clone(), wanted.symbols.clone());
    options.endpoint.clone_from(&wanted.endpoint);
    options.http_endpoint.clone_from(&wanted.http_endpoint);
    options.channels.clone_from(&wanted.channels);
    options.lite = wanted.litemode;
    options.group.clone_from(&wanted.group);
    options.shards = ShardLimits {
        symbols_per_connection: wanted.symbols_per_connection,
        symbols_max: wanted.max_symbols,
        connection_delay: wanted.connection_delay,
    };
    options.calendar = Arc::new(calendar::load(settings)?);
    options.vault = context.vault(options.feed).map(Arc::new);
    options.link.data_age_max = wanted.data_age_max;
    options.buffer.messages_max = wanted.buffer_max;
    options.buffer.bytes_max = wanted.buffer_bytes;
    options.buffer.overflow = wanted.overflow;
    options.spool = Some(SpoolOptions { folder: settings.data_dir.join("spool"), bytes_max: wanted.spool_max });
    options.enqueue.waiting_max = settings.queue.waiting_max;
    options.accepted_log.clone_from(&wanted.accepted_log);
    options.latency_log.clone_from(&wanted.latency_log);
    options.health = settings.health.listen;
    options.monitor_interval = wanted.monitor_interval;
    Ok(options)
}

/// The options with what the feed's masters know; `None` when `shutdown` begins before they are read.
pub(crate) async fn equipped(
    mut options: ListenerOptions,
    context: &Context,
    shutdown: &Shutdown,
) -> Result<Option<ListenerOptions>, Failure> {
    let masters = context.masters().of_feed(options.feed.name());
    let Some(catalogs) = part::instruments(masters, shutdown).await else { return Ok(None) };
    options.catalog = catalogs;
    Ok(Some(options))
}

/// What a running listener takes over from new settings. Tokens are read at every attempt anyway.
const RELOADED: &[&str] = &["listener.symbols"];

/// Reads feeds until it is asked to stop.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, arguments.flags())?;
    let mut options = options(&context.settings, &context)?;
    block_on(async {
        let shutdown = Shutdown::new();
        let asked = part::watch_signals(&shutdown, arguments.supervised)?;
        let (symbols, latest) = watch::channel(options.symbols.clone());
        options.symbols_latest = Some(latest);
        let reloader = Reloader::new(global, arguments.flags(), context.clone(), RELOADED);
        let apply = move |settings: &Settings| symbols.send_modify(|now| now.clone_from(&settings.listener.symbols));
        shutdown.spawn("reload", reloader.run(asked, shutdown.clone(), apply));
        let Some(options) = equipped(options, &context, &shutdown).await? else { return Ok(Exit::Ok) };
        let broker = context.broker().await?;
        match listener::run(options, broker, shutdown).await {
            Ok(_summary) => Ok(Exit::Ok),
            Err(error @ ListenerError::Panics { .. }) => Err(Failure::new(
                Diagnostic::new(Code::Panicked, error.to_string())
                    .safe("what the queue has accepted stays there")
                    .fix("start it again, and report this with the log above"),
            )),
            Err(ListenerError::Health(error)) => Err(Failure::new(Diagnostic::from(&error))),
            Err(error) => Err(Failure::new(Diagnostic::new(Code::Listener, chain(&error)))),
        }
    })
}
