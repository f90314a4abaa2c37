//! The token of an attempt, and what is done when the provider refuses it: one refresh, then a person.

use common::credentials::{AfterRefusal, Fingerprint};
use common::presence::Link;
use secrecy::SecretString;
use tracing::{error, info};

use crate::ending::End;
use crate::retreat::Pace;
use crate::shard::Shard;

/// What follows from a refused token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterLogin {
    /// Connect again at this pace.
    Retry(Pace),
    /// There is a new token: connect at once.
    NewToken,
    /// The shard was stopped while it waited.
    Stopped,
}

impl Shard {
    /// The credential to connect with. Read anew at every attempt.
    pub(crate) async fn credential(&self) -> Result<Option<SecretString>, End> {
        let options = &self.context.options;
        let Some(vault) = &options.vault else { return Ok(options.credential.clone()) };
        match vault.token().await {
            Ok(token) => {
                self.note_token(token.as_ref().map(|token| token.fingerprint));
                Ok(token.map(|token| token.secret))
            }
            Err(none) => {
                self.note_token(None);
                Err(End::NoToken(none.to_string()))
            }
        }
    }

    /// What to do after the provider refused the token, or when there was none. Waits for a new one where only a person
    /// can help; that is seen within the vault's polling interval.
    pub(crate) async fn log_in(&self, end: &End) -> AfterLogin {
        let Some(vault) = &self.context.options.vault else {
            return AfterLogin::Retry(Pace::Slow { at_least: None });
        };
        let used = self.token_used();
        if let Some(used) = used
            && vault.refused(used) == AfterRefusal::Refresh
        {
            return AfterLogin::Retry(Pace::Usual);
        }
        let (conn, feed) = (self.conn, self.context.options.feed.name());
        error!(conn, "connection {conn} needs a login: {end}; give a new token with `tidemill token set {feed}`");
        self.show(Link::NeedsLogin, end, None);
        match self.stop.run_until_cancelled(vault.changed(used)).await {
            None => AfterLogin::Stopped,
            Some(token) => {
                info!(conn, token = %token.fingerprint, "connection {conn} has a new token");
                AfterLogin::NewToken
            }
        }
    }

    fn note_token(&self, token: Option<Fingerprint>) {
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = token;
    }

    fn token_used(&self) -> Option<Fingerprint> {
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
