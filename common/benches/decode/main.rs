//! What one message of each feed costs: to read its frame in the listener, and to decode its body in the worker.
//!
//! Beside each stands the floor: `serde_json` filling a plain struct of the body's values, which neither checks a
//! number nor turns it into a decimal. Binary feeds are held against the JSON that their frames become. Run with
//! `cargo bench -p tidemill-common --bench decode`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;

use common::feed::{self, Feed, FeedSession, Incoming, Reading, SessionRequest};

#[path = "../counts/case.rs"]
mod case;
mod fixture;
mod floor;
mod measure;

use case::Case;
use fixture::Fixture;
use measure::nanos_per_message;

fn main() {
    if let Some(wish) = case::wish() {
        return case::fulfil(&wish, fixture::all().iter().flat_map(cases).collect());
    }
    println!(
        "{:<22}{:>7}{:>9}{:>9}{:>9}{:>8}{:>8}{:>13}{:>13}",
        "ns per message", "bytes", "read", "decode", "floor", "read/f", "dec/f", "read msg/s", "decode msg/s"
    );
    for fixture in fixture::all() {
        println!("{}", line(&fixture));
    }
}

fn line(fixture: &Fixture) -> String {
    let feed = feed::by_name(fixture.feed).expect("the table has it");
    let mut session = opened(feed, fixture);
    let (kind, body) = data(&mut *session, fixture.frame.as_incoming());
    let read = nanos_per_message(reader(session, fixture));
    let decode = nanos_per_message(decoder(feed, kind.clone(), body.clone()));
    let floor = (fixture.floor)(&body);
    format!(
        "{:<22}{:>7}{:>9}{:>9}{:>9}{:>8}{:>8}{:>13}{:>13}",
        format!("{} {}", fixture.feed, kind),
        fixture.frame.bytes(),
        read.nanos(),
        decode.nanos(),
        floor.nanos(),
        read.over(floor),
        decode.over(floor),
        read.per_second(),
        decode.per_second(),
    )
}

/// The same two operations by name.
fn cases(fixture: &Fixture) -> [Case<'_>; 2] {
    let feed = feed::by_name(fixture.feed).expect("the table has it");
    let mut session = opened(feed, fixture);
    let (kind, body) = data(&mut *session, fixture.frame.as_incoming());
    let name = format!("{} {kind}", fixture.feed);
    [
        Case::new(format!("read {name}"), reader(session, fixture)),
        Case::new(format!("decode {name}"), decoder(feed, kind, body)),
    ]
}

/// A session that has seen what comes before the data.
fn opened(feed: &dyn Feed, fixture: &Fixture) -> Box<dyn FeedSession> {
    let catalog = fixture.catalog();
    let channels: Vec<String> = fixture.channels.iter().map(|&channel| channel.to_owned()).collect();
    let topics = feed.topics(&[fixture.symbol.to_owned()], &channels, &catalog).expect("documented symbols");
    let request = SessionRequest {
        endpoints: feed.endpoints(),
        topics: &topics,
        credential: fixture.credential.as_ref(),
        catalog: &catalog,
        now: common::clock::now(),
    };
    let mut session = feed.session(&request).expect("a credential of the right form");
    session.opening();
    for frame in &fixture.before {
        session.read(frame.as_incoming(), &mut Vec::new());
    }
    session
}

/// Kind and body of the message in the frame.
fn data(session: &mut dyn FeedSession, frame: Incoming<'_>) -> (String, String) {
    let mut readings = Vec::new();
    session.read(frame, &mut readings);
    let found = readings.iter().find_map(|reading| {
        let Reading::Data { kind, body, .. } = reading else { return None };
        Some((kind.to_string(), body.to_string()))
    });
    found.unwrap_or_else(|| unreachable!("the frame holds a message: {readings:?}"))
}

/// Reads the fixture's frames in turn, so that each is news.
fn reader(mut session: Box<dyn FeedSession>, fixture: &Fixture) -> impl FnMut() {
    let mut frames = fixture.other.iter().chain([&fixture.frame]).cycle();
    move || {
        let frame = frames.next().unwrap_or(&fixture.frame);
        let mut readings = Vec::new();
        session.read(black_box(frame.as_incoming()), &mut readings);
        assert!(readings.iter().any(|reading| matches!(reading, Reading::Data { .. })), "no message: {readings:?}");
        black_box(&readings);
    }
}

fn decoder(feed: &'static dyn Feed, kind: String, body: String) -> impl FnMut() {
    move || {
        let mut ticks = Vec::new();
        feed.decode(black_box(&kind), black_box(&body), &mut ticks).expect("a documented message");
        black_box(&ticks);
    }
}
