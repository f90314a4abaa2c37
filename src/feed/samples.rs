//! `tidemill feed samples`: frames that were no message of their feed, as the running listeners keep them.

use common::clock::{self, UnixMicros};
use common::presence::{ListenerState, Part, Presence, Sample};
use serde_json::{Value as Json, json};

use crate::amount::{age, count, size};
use crate::columns::{Align, columns};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line, printable};

/// Characters of a frame that a line shows; `--json` has all that is kept.
const SHOWN_CHARS_MAX: usize = 72;

/// A listener's sample.
#[derive(Debug)]
struct Found {
    listener: String,
    feed: Box<str>,
    sample: Sample,
}

/// Lists the samples of all listeners, or of those of a feed.
pub(super) async fn run(context: &Context, feed: Option<&str>, as_json: bool) -> Result<Exit, Failure> {
    let presences = if context.missing_broker_file().is_some() {
        Vec::new() // opening it would create it
    } else {
        context.broker().await?.presences().await?
    };
    let found = found(&presences, feed);
    if as_json {
        print_json(&json!({ "schema": 1, "samples": found.iter().map(json_of).collect::<Vec<_>>() }))?;
    } else if found.is_empty() {
        print_line("no rejected frames at the listeners that run")?;
    } else {
        print(&table(&found, clock::now()))?;
    }
    Ok(Exit::Ok)
}

fn found(presences: &[Presence], feed: Option<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    for presence in presences {
        let Part::Listener(ListenerState { connections, samples, .. }) = &presence.part else { continue };
        // A listener reads one feed. One without a connection cannot say which.
        let own = connections.first().map_or("-", |connection| &connection.feed);
        if feed.is_none_or(|feed| feed == own) {
            let listener = format!("{}/{}", presence.host, presence.pid);
            let one = |sample: &Sample| Found { listener: listener.clone(), feed: own.into(), sample: sample.clone() };
            found.extend(samples.iter().map(one));
        }
    }
    found
}

fn json_of(found: &Found) -> Json {
    let Found { listener, feed, sample } = found;
    json!({ "listener": listener, "feed": feed, "sample": sample })
}

fn table(found: &[Found], now: UnixMicros) -> String {
    use Align::{Left, Right};
    let head = [
        ("LISTENER", Left),
        ("FEED", Left),
        ("REASON", Left),
        ("FRAMES", Right),
        ("NEWEST", Right),
        ("SIZE", Right),
        ("BEGINS", Left),
    ];
    let row = |found: &Found| {
        let sample = &found.sample;
        vec![
            printable(&found.listener),
            printable(&found.feed),
            printable(&sample.reason),
            count(sample.frames),
            format!("{} ago", age(sample.at.age_at(now))),
            size(sample.bytes),
            start(sample),
        ]
    };
    columns(&head, &found.iter().map(row).collect::<Vec<_>>())
}

/// `{"e":"odd"..`, or `hex 00ff..`.
fn start(sample: &Sample) -> String {
    let text = if sample.is_text { printable(&sample.start) } else { format!("hex {}", printable(&sample.start)) };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or(&text)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use common::presence::InstanceId;

    use super::*;

    const NOW: UnixMicros = UnixMicros(1_763_726_400_000_000);

    fn presence(feed: &str, samples: Vec<Sample>) -> Presence {
        let record = json!({
            "conn": 1, "feed": feed, "state": "live", "symbols": 1, "confirmed": 1, "messages": 0, "errors": 0,
            "last_frame_at": null, "last_message_at": null, "reconnects": 0, "reason": null, "next_attempt_at": null,
            "refused": {},
        });
        let connections = vec![serde_json::from_value(record).unwrap()];
        Presence {
            instance: InstanceId::fresh(),
            host: "host-a".into(),
            pid: 4_121,
            life: None,
            version: "0.1.0".into(),
            started_at: NOW,
            beat_at: NOW,
            memory_bytes: 0,
            cpu_us: 0,
            part: Part::Listener(ListenerState { connections, samples, ..ListenerState::default() }),
        }
    }

    fn sample(reason: &str, is_text: bool, start: &str) -> Sample {
        let at = UnixMicros(NOW.0 - 3_000_000);
        Sample { reason: reason.into(), frames: 1_204, at, bytes: 2_100, is_text, start: start.into() }
    }

    #[test]
    fn each_reason_has_a_line_with_the_start_of_its_newest_frame() {
        let texts = vec![sample("not_json", true, "<html>\u{1b}[2J"), sample("bad_frame", false, &"00ff".repeat(100))];
        let presences = [presence("kite", texts), presence("binance", vec![sample("unknown_message", true, "{}")])];
        assert_eq!((found(&presences, None).len(), found(&presences, Some("fyers")).len()), (3, 0));
        insta::assert_snapshot!(table(&found(&presences, Some("kite")), NOW), @r#"
        LISTENER     FEED  REASON     FRAMES     NEWEST   SIZE  BEGINS
        host-a/4121  kite  not_json    1,204  3.0 s ago  2 KiB  <html>\u{1b}[2J
        host-a/4121  kite  bad_frame   1,204  3.0 s ago  2 KiB  hex 00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff..
        "#);
    }
}
