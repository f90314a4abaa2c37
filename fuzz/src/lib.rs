//! What every target does: feed bytes to a reader and let what it makes of them be read again.

use std::sync::OnceLock;

use common::clock::UnixMicros;
use common::feed::{self, Feed, FeedSession, HttpAnswer, Incoming, Reading, SessionRequest};
use common::market::Catalog;
use secrecy::SecretString;

/// Frames of one session, each behind two bytes: its length and whether it is text.
pub fn session(name: &str, symbols: &[&str], credential: &str, data: &[u8]) {
    let Some(feed) = feed::by_name(name) else { return };
    let Some(mut session) = open(feed, symbols, credential) else { return };
    let mut rest = data;
    while let [length, kind, after @ ..] = rest {
        let (frame, left) = after.split_at(after.len().min(usize::from(*length) * 4));
        rest = left;
        let mut readings = Vec::new();
        match (kind % 2, std::str::from_utf8(frame)) {
            (0, Ok(text)) => session.read(Incoming::Text(text), &mut readings),
            _ => session.read(Incoming::Binary(frame), &mut readings),
        }
        for reading in &readings {
            decode(feed, reading);
        }
    }
}

/// A task's body, past the session.
pub fn body(name: &str, kind: &str, data: &[u8]) {
    let (Some(feed), Ok(body)) = (feed::by_name(name), std::str::from_utf8(data)) else { return };
    decode_body(feed, kind, body);
}

fn decode(feed: &dyn Feed, reading: &Reading<'_>) {
    if let Reading::Data { kind, body, .. } = reading {
        decode_body(feed, kind, body);
    }
}

fn decode_body(feed: &dyn Feed, kind: &str, body: &str) {
    let mut observations = Vec::new();
    if feed.decode(kind, body, &mut observations).is_ok() {
        for observation in &observations {
            drop(feed.instrument(&observation.symbol));
        }
    }
}

/// A session that is past its errands.
fn open(feed: &dyn Feed, symbols: &[&str], credential: &str) -> Option<Box<dyn FeedSession>> {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    let catalog = CATALOG.get_or_init(Catalog::default);
    let symbols: Vec<String> = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
    let channels: Vec<String> = feed.default_channels().iter().map(|channel| (*channel).to_owned()).collect();
    let topics = feed.topics(&symbols, &channels, catalog).ok()?;
    let credential = SecretString::from(credential);
    let request = SessionRequest {
        endpoints: feed.endpoints(),
        topics: &topics,
        credential: Some(&credential),
        catalog,
        now: UnixMicros(0),
    };
    let mut session = feed.session(&request).ok()?;
    while session.errand().is_some() {
        let mut readings = Vec::new();
        let answer = HttpAnswer { status: 200, body: "{}".to_owned() };
        session.returned(&answer, &mut readings);
        if !readings.is_empty() {
            break;
        }
    }
    drop(session.opening());
    Some(session)
}
