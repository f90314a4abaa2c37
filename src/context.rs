//! What a command works with: the settings, and the way to the broker and the store.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::broker::{self, Broker};
use common::credentials::Vault;
use common::feed::described::Description;
use common::feed::{self, Feed};
use common::masters::Masters;
use common::settings::{Environment, Flags, Loaded, Origin, Resolved, Settings, load, nearest, redacted};
use common::store::{self, PriceStore};
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Global;
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;
use crate::logging;

/// How long a broker or store may take to let us in before a command gives up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// The settings of this run, and what they lead to.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Typed.
    pub(crate) settings: Settings,
    /// With origins.
    pub(crate) resolved: Resolved,
}

impl Context {
    /// Loads the settings and starts the log. `flags` are the command's own; those of every command are added.
    pub(crate) fn load(global: &Global, flags: Flags) -> Result<Self, Failure> {
        let context = Self::read(global, flags)?;
        logging::start(&context.settings.log)?;
        Ok(context)
    }

    /// As [`load`](Self::load), but the log begins at warnings, unless somebody has said where it shall begin.
    pub(crate) fn load_quietly(global: &Global, flags: Flags) -> Result<Self, Failure> {
        let mut context = Self::read(global, flags)?;
        let level = context.resolved.entries().iter().find(|entry| entry.setting.key == "log.level");
        if level.is_some_and(|entry| entry.origin == Origin::Default) {
            "warn".clone_into(&mut context.settings.log.level);
        }
        logging::start(&context.settings.log)?;
        Ok(context)
    }

    /// Loads the settings alone.
    pub(crate) fn read(global: &Global, flags: Flags) -> Result<Self, Failure> {
        let flags = global.flags().and(flags);
        let Loaded { settings, resolved } = load(flags, Environment::of_process(), global.config.as_deref())?;
        install(&settings.feeds);
        Ok(Self { settings, resolved })
    }

    /// Opens the broker.
    pub(crate) async fn broker(&self) -> Result<Arc<dyn Broker>, Failure> {
        match tokio::time::timeout(CONNECT_PATIENCE, broker::connect(self.settings.broker.address())).await {
            Ok(opened) => Ok(opened?),
            Err(_) => Err(silent(Code::BrokerUnreachable, "broker", &self.broker_place())),
        }
    }

    /// Opens the store.
    pub(crate) async fn store(&self) -> Result<Arc<dyn PriceStore>, Failure> {
        let settings = &self.settings.store;
        match tokio::time::timeout(CONNECT_PATIENCE, store::connect(settings.address(), settings.options())).await {
            Ok(opened) => Ok(opened?),
            Err(_) => Err(silent(Code::StoreUnavailable, "price store", &self.store_place())),
        }
    }

    /// Where symbol masters come from.
    pub(crate) fn masters(&self) -> Masters {
        Masters::new(&self.settings.instruments, &self.settings.data_dir)
    }

    /// The feed that the settings name.
    pub(crate) fn feed(&self) -> Result<&'static dyn Feed, Failure> {
        let name = &self.settings.listener.feed;
        feed::by_name(name).ok_or_else(|| Failure::new(unknown_feed(name, feed_names().into_iter())))
    }

    /// Where a feed's token is read; `None` for a feed that wants none.
    pub(crate) fn vault(&self, feed: &dyn Feed) -> Option<Vault> {
        feed.credential().map(|_| Vault::open(&self.settings, feed, &Environment::of_process()))
    }

    /// The broker's URL, without secrets.
    pub(crate) fn broker_place(&self) -> String {
        redacted(self.settings.broker.url.expose_secret())
    }

    /// The store's URL, without secrets.
    pub(crate) fn store_place(&self) -> String {
        redacted(self.settings.store.url.expose_secret())
    }

    /// The embedded queue's file, if it is to be created yet: then there is nothing to look at.
    pub(crate) fn missing_broker_file(&self) -> Option<PathBuf> {
        missing_file(&self.settings.broker.url)
    }

    /// The embedded store's file, if it is to be created yet.
    pub(crate) fn missing_store_file(&self) -> Option<PathBuf> {
        missing_file(&self.settings.store.url)
    }
}

/// Runs asynchronous work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads()).enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::new(Diagnostic::new(Code::Runtime, format!("cannot start the runtime: {error}"))))?;
    runtime.block_on(work)
}

/// One thread for two cores: a part waits for other processes more than it works, each hand-over between its threads is a
/// wake-up, and whoever needs more cores starts more workers.
fn threads() -> usize {
    (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1)
}

/// Makes the described feeds known by their names.
fn install(described: &[Description]) {
    let feeds = described.iter().cloned().map(feed::described::feed).collect();
    if feed::install(feeds).is_err() {
        // A command reads its settings once; a second reading is of the same file.
        tracing::debug!("the described feeds are known already");
    }
}

/// All feeds by name.
pub(crate) fn feed_names() -> Vec<&'static str> {
    feed::all().map(Feed::name).collect()
}

/// No feed has this `name`; the `known` ones have.
pub(crate) fn unknown_feed<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
    let all: Vec<&str> = known.clone().collect();
    let all = format!("feeds: {}", all.join(", "));
    let fix = nearest(name, known).map_or_else(|| all.clone(), |near| format!("did you mean `{near}`?   {all}"));
    Diagnostic::new(Code::UnknownFeed, format!("unknown feed `{name}`")).fix(fix)
}

fn missing_file(url: &SecretString) -> Option<PathBuf> {
    let path = Path::new(url.expose_secret().strip_prefix("sqlite:")?);
    (!path.exists()).then(|| path.to_owned())
}

fn silent(code: Code, what: &str, place: &str) -> Failure {
    let title = format!("the {what} at {place} does not answer");
    let patience = CONNECT_PATIENCE.as_secs();
    Failure::new(Diagnostic::new(code, title).why(format!("no answer within {patience} s")))
}
