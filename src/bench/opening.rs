//! Puts up what is measured: queue, store, and how parts find them.

use std::ffi::OsString;
use std::path::Path;

use common::presence::InstanceId;
use common::settings::LogFormat;
use common::shutdown::Shutdown;
use secrecy::{ExposeSecret, SecretString};

use super::plan::Plan;
use super::servers::OwnServers;
use crate::cli::Global;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::complain;
use crate::pair::Pair;
use crate::part::{self, OwnProgram};

/// Variables that lead parts to another queue or store than the pair that was asked for.
const ELSEWHERE: &[&str] = &[
    "REDIS_URL",
    "REDIS_URL_FILE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "TIDEMILL_BROKER__URL_FILE",
    "TIDEMILL_STORE__URL_FILE",
];

/// Lets the settings name the queue and the store of `pair`; without one they stay as configured.
pub(crate) async fn pair_up(
    pair: Option<Pair>,
    context: &mut Context,
    folder: &Path,
) -> Result<Option<OwnServers>, Failure> {
    let (servers, queue, store) = match pair {
        None => return Ok(None),
        Some(Pair::Embedded) => {
            let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
            (None, file("queue.db"), file("market.db"))
        }
        Some(Pair::Servers) => {
            let servers = OwnServers::start().await?;
            let (queue, store) = (servers.redis_url.clone(), servers.store_url.clone());
            (Some(servers), queue, store)
        }
    };
    let settings = &mut context.settings;
    (settings.broker.url, settings.broker.url_file) = (SecretString::from(queue), None);
    (settings.store.url, settings.store.url_file) = (SecretString::from(store), None);
    Ok(servers)
}

/// Opens queue and store and creates missing tables.
pub(crate) async fn plan(
    pair: Option<Pair>,
    context: &Context,
    servers: Option<OwnServers>,
    global: &Global,
    folder: &Path,
) -> Result<Plan, Failure> {
    let broker = context.broker().await?;
    for warning in broker.preflight().await? {
        complain(&format!("warning: {warning}"));
    }
    let store = context.store().await?;
    store.migrate().await?;
    let shutdown = Shutdown::new();
    part::stop_on_signals(&shutdown, false)?;
    let name = format!("bench_{}", InstanceId::fresh());
    Ok(Plan {
        broker,
        queue: name.parse().expect("letters, digits and an underscore are a queue's name"),
        servers,
        folder: folder.to_owned(),
        program: OwnProgram::find()?,
        arguments: global.config.iter().flat_map(|path| [OsString::from("--config"), path.into()]).collect(),
        environment: environment(pair, context),
        unset: if pair.is_some() { ELSEWHERE } else { &[] },
        drain: context.settings.worker.drain,
        shutdown,
    })
}

/// What every part needs to know.
fn environment(pair: Option<Pair>, context: &Context) -> Vec<(String, String)> {
    let settings = &context.settings;
    let format = match settings.log.format {
        LogFormat::Json => "json",
        LogFormat::Auto | LogFormat::Text => "text",
    };
    let mut environment = vec![
        ("TIDEMILL_DATA_DIR", settings.data_dir.display().to_string()),
        ("TIDEMILL_LOG__LEVEL", settings.log.level.clone()),
        ("TIDEMILL_LOG__FORMAT", format.to_owned()),
        // Our ticks wait in the queue on purpose, and their tickers are new.
        ("TIDEMILL_QUEUE__AGE_MAX", "0s".to_owned()),
        ("TIDEMILL_STORE__UNKNOWN_TICKER", "create".to_owned()),
        ("TIDEMILL_WORKER__BATCH_TASKS", settings.worker.batch_tasks.to_string()),
    ];
    if pair.is_some() {
        environment.push(("TIDEMILL_BROKER__URL", settings.broker.url.expose_secret().to_owned()));
        environment.push(("TIDEMILL_STORE__URL", settings.store.url.expose_secret().to_owned()));
    }
    environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
