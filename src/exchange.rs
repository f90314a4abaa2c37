//! `tidemill exchange`: a simulated exchange.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::settings::{Flags, duration};
use common::shutdown::Shutdown;
use listener::exchange::{
    self, AtEnd, DEFAULT_PORT, ExchangeOptions, ExchangeSource, Provider, Rate, ReplayOptions, Speed, WalkOptions,
};

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::print_line;
use crate::part;

const EXAMPLES: &str = "\
Examples:
  tidemill exchange                                        250 symbols, 2,000 messages a second
  tidemill exchange --symbols 1000 --rate max              as fast as clients read
  tidemill exchange --replay trades.txt.gz --speed 10x     a recording, ten times as fast as it was
  tidemill listener --endpoint ws://127.0.0.1:9443 --symbols BTCUSDT";

/// Serve simulated or recorded market data in a provider's own protocol
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Whose protocol to speak
    #[arg(long, value_name = "FEED", default_value = "binance")]
    feed: Provider,
    /// File with the one credential that is admitted; without it any is
    #[arg(long, value_name = "FILE")]
    credential_file: Option<PathBuf>,
    /// Symbols that are refused, separated by commas
    #[arg(long, value_name = "SYMBOL,...", value_delimiter = ',')]
    refuse: Vec<String>,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Symbols of the random walk
    #[arg(long, value_name = "N", default_value_t = 250)]
    symbols: usize,
    /// Messages a second of the random walk, or `max`
    #[arg(long, value_name = "N", default_value = "2000")]
    rate: Rate,
    /// Messages after which the random walk ends
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Fixes prices, sizes and order of the random walk
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Let every price follow from its symbol and number, so that it can be checked anywhere behind
    #[arg(long)]
    numbered: bool,
    /// Serve a recording instead: lines of `<receive time in ns> <frame>` or of JSON with `raw`; gzip or plain
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "messages", "seed", "numbered"])]
    replay: Option<PathBuf>,
    /// Speed of the replay: 1x, 10x, ... or `max`
    #[arg(long, value_name = "SPEED", default_value = "max", requires = "replay")]
    speed: Speed,
    /// Streams that must be subscribed before the replay starts
    #[arg(long, value_name = "N", default_value_t = 1, requires = "replay")]
    wait_for: usize,
    /// Stand still while the next message's stream has lost its subscriber
    #[arg(long, requires = "replay")]
    hold: bool,
    /// Newest messages of each stream that are sent again after a connection broke: for crash tests
    #[arg(long, value_name = "N", default_value_t = 0)]
    resend: usize,
    /// Leave when everything is sent, instead of staying open
    #[arg(long)]
    leave: bool,
    /// Cut all connections every so often
    #[arg(long, value_name = "TIME")]
    cut_every: Option<String>,
    /// Where to write what was sent, as JSON, every second and at the end
    #[arg(long, value_name = "FILE")]
    stats_file: Option<PathBuf>,
}

impl Arguments {
    fn options(&self) -> Result<ExchangeOptions, Failure> {
        let source = match &self.replay {
            Some(path) => ExchangeSource::Replay(ReplayOptions {
                speed: self.speed,
                wait_for_streams: self.wait_for,
                hold: self.hold,
                ..ReplayOptions::new(path)
            }),
            None => ExchangeSource::Walk(WalkOptions {
                symbols: self.symbols,
                rate: self.rate,
                messages: self.messages,
                seed: self.seed,
                numbered: self.numbered,
                ..WalkOptions::default()
            }),
        };
        Ok(ExchangeOptions {
            listen: SocketAddr::new(self.host, self.port),
            at_end: if self.leave { AtEnd::Exit } else { AtEnd::Stay },
            resend: self.resend,
            cut_every: self.cut_every.as_deref().map(time).transpose()?,
            stats_file: self.stats_file.clone(),
            credential: self.credential_file.as_deref().map(credential).transpose()?,
            refused: self.refuse.clone(),
            ..ExchangeOptions::new(source).of(self.feed)
        })
    }
}

fn credential(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("--credential-file: cannot read {}: {error}", path.display()), "name a readable file")
    })?;
    Ok(text.trim().to_owned())
}

fn time(text: &str) -> Result<Duration, Failure> {
    duration::parse(text)
        .ok_or_else(|| Failure::usage(format!("--cut-every: {text:?} is no time"), "e.g. --cut-every 30s"))
}

/// Serves until it is asked to stop.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    Context::load(global, Flags::new())?;
    let options = arguments.options()?;
    block_on(async {
        let shutdown = Shutdown::new();
        part::stop_on_signals(&shutdown, false)?;
        let exchange = exchange::bind(options).await.map_err(|error| failure(&error))?;
        print_line(&format!("serving on {}", exchange.url()))?;
        let report = exchange.run(shutdown).await;
        let stats = &report.stats;
        let kinds: Vec<String> = stats.sent.iter().map(|(kind, sent)| format!("{kind} {sent}")).collect();
        print_line(&format!("sent {} messages: {}", stats.sent_total, kinds.join(", ")))?;
        Ok(Exit::Ok)
    })
}

/// What is wrong with an exchange, for people.
pub(crate) fn failure(error: &exchange::ExchangeError) -> Failure {
    Failure::new(Diagnostic::new(Code::Exchange, error.to_string()))
}
