//! One token for all connections of a process.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync;
use tokio::time;

use super::sources::judged;
use super::{AfterRefusal, Asked, CredentialSources, Fingerprint, NoToken, Standing, Token};
use crate::clock;
use crate::feed::Feed;
use crate::redact::Redactor;
use crate::settings::{Environment, Settings};

/// Tokens that [`Vault::redact`] knows: today's, yesterday's, and a few in case of typos.
const SEEN_MAX: usize = 8;

/// Hands out the feed's token. It reads the sources anew at every question, with two exceptions: questions within
/// [`VaultTimes::share`] share one reading, and a command or a server is asked again only after [`VaultTimes::far`] or
/// when its token was refused.
#[derive(Debug)]
pub struct Vault {
    /// `None`: the feed wants no token.
    sources: Option<CredentialSources>,
    times: VaultTimes,
    /// Held while the sources are asked, so that everybody who comes meanwhile waits for that one answer.
    kept: sync::Mutex<Kept>,
    /// Held for a look, never across an await.
    standing: Mutex<Standing>,
    seen: Mutex<Vec<Token>>,
}

/// How often sources are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultTimes {
    /// A reading that is younger is shared.
    pub share: Duration,
    /// Between two looks while a new token is waited for.
    pub poll: Duration,
    /// Between two questions to a command or a server.
    pub far: Duration,
}

impl Default for VaultTimes {
    fn default() -> Self {
        Self { share: Duration::from_millis(250), poll: Duration::from_secs(1), far: Duration::from_secs(30) }
    }
}

#[derive(Debug, Default)]
struct Kept {
    reading: Option<Reading<Result<Token, NoToken>>>,
    far: Option<Reading<Vec<Asked>>>,
}

/// What was read, when, and in which age: another one has begun when a token has died since, or a refresh was granted.
#[derive(Debug)]
struct Reading<T> {
    at: Instant,
    age: u64,
    got: T,
}

impl<T> Reading<T> {
    fn is_fresh(&self, time_max: Duration, age: u64) -> bool {
        self.age == age && self.at.elapsed() < time_max
    }
}

fn has_token(asked: &[Asked]) -> bool {
    asked.last().is_some_and(|last| last.token().is_some())
}

impl Vault {
    /// For `feed`, from the sources of the settings; an empty one where the feed wants no token.
    pub fn open(settings: &Settings, feed: &dyn Feed, environment: &Environment) -> Self {
        let sources = feed.credential().map(|_| CredentialSources::new(settings, feed.name(), environment));
        Self::new(sources, VaultTimes::default())
    }

    /// From these sources; `None` for a feed that wants no token.
    pub fn new(sources: Option<CredentialSources>, times: VaultTimes) -> Self {
        Self { sources, times, kept: sync::Mutex::default(), standing: Mutex::default(), seen: Mutex::default() }
    }

    /// The token to connect with: never one that has run out or was refused. `None` when the feed wants none.
    ///
    /// # Errors
    /// When no source has one; the error says what each of them said.
    ///
    /// # Cancel safety
    /// Dropping the future ends the reading; the next question starts another.
    pub async fn token(&self) -> Result<Option<Token>, NoToken> {
        let Some(sources) = &self.sources else { return Ok(None) };
        let mut kept = self.kept.lock().await;
        let deaths = self.standing().deaths();
        if let Some(reading) = kept.reading.as_ref().filter(|kept| kept.is_fresh(self.times.share, deaths)) {
            return reading.got.clone().map(Some);
        }
        let asked = self.ask(sources, &mut kept.far).await;
        let token = asked.last().and_then(Asked::token).cloned();
        let got = token.ok_or_else(|| NoToken { feed: sources.feed().into(), asked });
        match &got {
            Ok(token) => {
                self.standing().found();
                self.see(token);
            }
            Err(_) => self.standing().found_none(),
        }
        kept.reading = Some(Reading { at: clock::monotonic(), age: deaths, got: got.clone() });
        got.map(Some)
    }

    async fn ask(&self, sources: &CredentialSources, far: &mut Option<Reading<Vec<Asked>>>) -> Vec<Asked> {
        let is_dead = |fingerprint| self.standing().is_dead(fingerprint);
        let mut asked = sources.ask_near(clock::now(), &is_dead).await;
        if has_token(&asked) {
            return asked;
        }
        let refreshes = self.standing().refreshes();
        if far.as_ref().is_none_or(|far| !far.is_fresh(self.times.far, refreshes)) {
            let mut asking = pin!(sources.ask_far(clock::now(), &is_dead));
            let got = loop {
                match time::timeout(self.times.poll, &mut asking).await {
                    Ok(got) => break got,
                    // A login may take its time; who puts a token into the file meanwhile need not wait for it.
                    Err(_) => asked = sources.ask_near(clock::now(), &is_dead).await,
                }
                if has_token(&asked) {
                    return asked;
                }
            };
            *far = Some(Reading { at: clock::monotonic(), age: refreshes, got });
        }
        let kept = far.iter().flat_map(|far| far.got.iter().cloned());
        // Time has passed since they answered.
        asked.extend(kept.map(|asked| Asked { answer: judged(asked.answer, clock::now(), &is_dead), ..asked }));
        asked
    }

    /// The provider has refused this token. It is not handed out again.
    pub fn refused(&self, fingerprint: Fingerprint) -> AfterRefusal {
        self.standing().refused(fingerprint, clock::monotonic())
    }

    /// Waits until a source has a token that may be used and is another than `known`, and returns it. For ever where
    /// the feed wants none.
    pub async fn changed(&self, known: Option<Fingerprint>) -> Token {
        loop {
            match self.token().await {
                Ok(Some(token)) if Some(token.fingerprint) != known => return token,
                Ok(_) | Err(_) => time::sleep(self.times.poll).await,
            }
        }
    }

    /// Foreign text without the tokens that were handed out, and without what looks like a secret.
    pub fn redact(&self, text: &str) -> String {
        let secrets: Vec<SecretString> = self.seen().iter().map(|token| token.secret.clone()).collect();
        Redactor::new(&secrets).redact(text)
    }

    fn see(&self, token: &Token) {
        let mut seen = self.seen();
        if seen.iter().any(|known| known.fingerprint == token.fingerprint) {
            return;
        }
        if seen.len() == SEEN_MAX {
            seen.remove(0);
        }
        seen.push(token.clone());
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Token>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
