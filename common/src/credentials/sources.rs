//! All sources, in their order.

use secrecy::SecretString;

use super::command::CommandSource;
use super::file::{FileSource, parsed};
use super::table::{Table, TableSource};
use super::url::UrlSource;
use super::{Answer, Asked, Fingerprint, SourceKind};
use crate::clock::UnixMicros;
use crate::settings::{Environment, Settings};

/// Where the token of one feed may be. Nothing is kept between two questions but an open database.
#[derive(Debug)]
pub struct CredentialSources {
    feed: Box<str>,
    /// Asked as often as wanted.
    near: Vec<Source>,
    /// A program is started, another machine is asked: not often.
    far: Vec<Source>,
    tables: TableSource,
}

#[derive(Debug)]
enum Source {
    File(FileSource),
    Variable { name: String, value: Option<SecretString> },
    Table(Table),
    Command(CommandSource),
    Url(UrlSource),
}

impl CredentialSources {
    /// The sources that the settings name for `feed`. `environment` is looked at now and never again: a process' own
    /// environment does not change.
    pub fn new(settings: &Settings, feed: &str, environment: &Environment) -> Self {
        let wanted = &settings.credentials;
        let variable = |name: &String| {
            let value = environment.get(name).map(SecretString::from);
            Source::Variable { name: name.clone(), value }
        };
        let near = [
            wanted.file.clone().map(FileSource::new).map(Source::File),
            wanted.variable.as_ref().map(variable),
            wanted.table.then(|| Source::Table(Table::OfFeed(feed.into()))),
            wanted.legacy_table.as_deref().map(|name| Source::Table(Table::Legacy(name.into()))),
        ];
        let far = [
            CommandSource::new(&wanted.command).map(Source::Command),
            wanted.url.clone().map(UrlSource).map(Source::Url),
        ];
        Self {
            feed: feed.into(),
            near: near.into_iter().flatten().collect(),
            far: far.into_iter().flatten().collect(),
            tables: TableSource::new(&settings.store),
        }
    }

    /// Whose token it is.
    pub fn feed(&self) -> &str {
        &self.feed
    }

    /// Asks one source after the other until one has a token that has neither run out nor is `dead`. Every source that
    /// was asked is in the answer, so the token is in its last element or nowhere.
    pub async fn ask(&self, now: UnixMicros, is_dead: impl Fn(Fingerprint) -> bool) -> Vec<Asked> {
        let mut asked = self.ask_near(now, &is_dead).await;
        if asked.last().is_none_or(|last| last.token().is_none()) {
            asked.extend(self.ask_far(now, &is_dead).await);
        }
        asked
    }

    /// Sources that [`ask`](Self::ask) would not come to: their kinds and places.
    pub fn behind(&self, asked: &[Asked]) -> Vec<(SourceKind, String)> {
        let all = self.near.iter().chain(&self.far);
        all.skip(asked.len()).map(|source| (source.kind(), self.place(source))).collect()
    }

    /// The file, the variable and the tables.
    pub(super) async fn ask_near(&self, now: UnixMicros, is_dead: &impl Fn(Fingerprint) -> bool) -> Vec<Asked> {
        self.ask_all(&self.near, now, is_dead).await
    }

    /// The command and the server.
    pub(super) async fn ask_far(&self, now: UnixMicros, is_dead: &impl Fn(Fingerprint) -> bool) -> Vec<Asked> {
        self.ask_all(&self.far, now, is_dead).await
    }

    async fn ask_all(&self, sources: &[Source], now: UnixMicros, is_dead: &impl Fn(Fingerprint) -> bool) -> Vec<Asked> {
        let mut asked = Vec::new();
        for source in sources {
            let answer = judged(self.answer(source).await, now, is_dead);
            let has_token = matches!(answer, Answer::Token(_));
            asked.push(Asked { source: source.kind(), place: self.place(source), answer });
            if has_token {
                break;
            }
        }
        asked
    }

    async fn answer(&self, source: &Source) -> Answer {
        match source {
            Source::File(file) => file.ask().await,
            Source::Variable { value: Some(value), .. } => {
                use secrecy::ExposeSecret;
                parsed(value.expose_secret(), |token| token)
            }
            Source::Variable { value: None, .. } => Answer::Nothing("not set".to_owned()),
            Source::Table(table) => self.tables.ask(table).await,
            Source::Command(command) => command.ask().await,
            Source::Url(url) => url.ask().await,
        }
    }

    fn place(&self, source: &Source) -> String {
        match source {
            Source::File(file) => file.path.display().to_string(),
            Source::Variable { name, .. } => name.clone(),
            Source::Table(table) => self.tables.place(table),
            // Not its arguments: one of them may be a secret.
            Source::Command(command) => command.program.clone(),
            Source::Url(url) => url.place(),
        }
    }
}

impl Source {
    fn kind(&self) -> SourceKind {
        match self {
            Self::File(_) => SourceKind::File,
            Self::Variable { .. } => SourceKind::Variable,
            Self::Table(Table::OfFeed(_)) => SourceKind::Table,
            Self::Table(Table::Legacy(_)) => SourceKind::LegacyTable,
            Self::Command(_) => SourceKind::Command,
            Self::Url(_) => SourceKind::Url,
        }
    }
}

/// A token is only as good as its provider thinks and its time allows.
pub(super) fn judged(answer: Answer, now: UnixMicros, is_dead: &impl Fn(Fingerprint) -> bool) -> Answer {
    let Answer::Token(token) = answer else { return answer };
    let fingerprint = token.fingerprint;
    if is_dead(fingerprint) {
        return Answer::Refused(fingerprint);
    }
    match token.expires_at {
        Some(at) if token.has_expired(now) => Answer::Expired { fingerprint, at },
        Some(_) | None => Answer::Token(token),
    }
}
