//! `access_token` of the store, and the replaced system's table.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time;

use super::Answer;
use super::file::parsed;
use crate::settings::{StoreSettings, redacted};
use crate::store::{self, PriceStore, StoreError, StoredToken};

/// How long the database may take: other sources wait behind it.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The store, opened when it is first asked and again after trouble.
#[derive(Debug)]
pub(super) struct TableSource {
    settings: StoreSettings,
    opened: Mutex<Option<Arc<dyn PriceStore>>>,
}

/// Which table.
#[derive(Debug, Clone)]
pub(super) enum Table {
    /// `access_token`, the rows of this feed.
    OfFeed(Box<str>),
    /// One of this name with columns `id` and `value`.
    Legacy(Box<str>),
}

impl TableSource {
    pub(super) fn new(settings: &StoreSettings) -> Self {
        // One connection is enough: nothing is asked at once.
        Self { settings: StoreSettings { connections: 1, ..settings.clone() }, opened: Mutex::default() }
    }

    /// The table's name and where it is, without secrets.
    pub(super) fn place(&self, table: &Table) -> String {
        let name = match table {
            Table::OfFeed(_) => "access_token",
            Table::Legacy(name) => name,
        };
        format!("{name} at {}", redacted(self.settings.url.expose_secret()))
    }

    pub(super) async fn ask(&self, table: &Table) -> Answer {
        if missing_file(&self.settings.url) {
            return Answer::Nothing("the store has no file yet".to_owned()); // opening it would create it
        }
        match time::timeout(ANSWER_MAX, self.read(table)).await {
            Ok(Ok(Some(row))) => {
                parsed(row.value.expose_secret(), |token| token.or_expiring_at(row.expires_at).set_at(row.created_at))
            }
            Ok(Ok(None)) => Answer::Nothing("none stored".to_owned()),
            Ok(Err(error)) => Answer::Trouble(crate::chain(&error)),
            Err(_) => Answer::Trouble(format!("no answer within {ANSWER_MAX:?}")),
        }
    }

    async fn read(&self, table: &Table) -> Result<Option<StoredToken>, StoreError> {
        let mut opened = self.opened.lock().await;
        let store = match opened.take() {
            Some(store) => store,
            None => store::connect(self.settings.address(), self.settings.options()).await?,
        };
        let row = match table {
            Table::OfFeed(feed) => store.newest_token(feed).await,
            Table::Legacy(name) => store.legacy_token(name).await,
        }?;
        // Kept only after it answered: what failed, or was given up in mid-call, is opened anew.
        *opened = Some(store);
        Ok(row)
    }
}

fn missing_file(url: &SecretString) -> bool {
    url.expose_secret().strip_prefix("sqlite:").is_some_and(|path| !Path::new(path).exists())
}
