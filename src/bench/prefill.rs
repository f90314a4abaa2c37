//! A queue full of tasks, as a listener would have made them.

use common::broker::{Enqueue, Enqueued};
use common::clock::{self, UnixMicros};
use common::limits::Payload;
use common::market::Epoch;
use common::presence::InstanceId;
use common::queue::{IntakeCounts, Task, WIRE_VERSION};
use serde_json::value::RawValue;

use super::plan::{FEED, Plan};
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Tasks of one enqueue.
const CHUNK: u64 = 1_000;

/// Puts so many ticks on the queue; `false` after Ctrl-C. An epoch of their own makes them newer than all before.
pub(crate) async fn fill(plan: &Plan, symbols: usize, ticks: u64) -> Result<bool, Failure> {
    let (producer, epoch) = (InstanceId::fresh(), plan.broker.next_epoch().await?);
    let names: Vec<String> = (1..=symbols).map(symbol).collect();
    let numbers: Vec<u64> = (0..ticks).collect();
    for (numbers, batch) in numbers.chunks(usize::try_from(CHUNK).unwrap_or(usize::MAX)).zip(1..) {
        if plan.shutdown.has_begun() {
            return Ok(false);
        }
        let at = clock::now();
        let tasks: Vec<Vec<u8>> = numbers.iter().map(|&number| task(number, &names, epoch, at)).collect();
        let counts = IntakeCounts { received: numbers.len() as u64, ..IntakeCounts::default() };
        let enqueue =
            Enqueue { queue: &plan.queue, producer, batch, tasks: &tasks, waiting_max: ticks, counts: &counts };
        match plan.broker.enqueue(&enqueue).await? {
            Enqueued::Accepted | Enqueued::Already => {}
            Enqueued::Full { waiting } => return Err(not_alone(plan, waiting)),
        }
    }
    Ok(true)
}

/// The first `ticks` ticks over so many symbols, as frames and as elements of a queue.
pub(crate) fn payload(symbols: usize, ticks: usize, epoch: Epoch, at: UnixMicros) -> Payload {
    let names: Vec<String> = (1..=symbols).map(symbol).collect();
    let numbers = || 0..ticks as u64;
    let frame = |number| frame(number, &names[place(number, names.len())], at).1;
    Payload {
        frames: numbers().map(frame).collect(),
        elements: numbers().map(|number| task(number, &names, epoch, at)).collect(),
    }
}

/// Which symbol: a trade and a quote of each in turn, then of the next.
fn place(number: u64, symbols: usize) -> usize {
    usize::try_from(number / 2).unwrap_or(0) % symbols.max(1)
}

/// The queue's name is random and it was empty, so somebody else must have put tasks there.
fn not_alone(plan: &Plan, waiting: u64) -> Failure {
    let title = format!("the queue {} holds {waiting} tasks that are not ours", plan.queue);
    Failure::new(Diagnostic::new(Code::PartEnded, title))
}

/// The `number`th symbol, from 1: those that the simulated exchange makes up behind its real ones.
pub(crate) fn symbol(number: usize) -> String {
    format!("{SIMULATED}{number:03}USDT")
}

/// How the simulated exchange's made-up symbols begin. No real asset is called so.
pub(crate) const SIMULATED: &str = "SIM";

fn task(number: u64, names: &[String], epoch: Epoch, at: UnixMicros) -> Vec<u8> {
    let (kind, frame) = frame(number, &names[place(number, names.len())], at);
    let body =
        RawValue::from_string(frame).expect("the two templates below are JSON, and names are letters and digits");
    Task {
        v: WIRE_VERSION,
        feed: FEED.into(),
        kind: kind.into(),
        conn: 1,
        epoch,
        seq: u32::try_from(number).unwrap_or(u32::MAX),
        at,
        attempt: 0,
        body: &body,
    }
    .encode()
}

/// A frame of the combined streams as Binance documents them:
/// <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>.
fn frame(number: u64, symbol: &str, at: UnixMicros) -> (&'static str, String) {
    let (stream, ms) = (symbol.to_lowercase(), at.0 / 1_000);
    let (cents, size) = (number % 100, number % 9_000 + 1_000);
    if number.is_multiple_of(2) {
        let frame = format!(
            r#"{{"stream":"{stream}@trade","data":{{"e":"trade","E":{ms},"s":"{symbol}","t":{number},"p":"61685.{cents:02}000000","q":"0.{size}0000","T":{ms},"m":true,"M":true}}}}"#
        );
        return ("trade", frame);
    }
    let frame = format!(
        r#"{{"stream":"{stream}@bookTicker","data":{{"u":{number},"s":"{symbol}","b":"61685.{cents:02}000000","B":"1.{size}0000","a":"61686.{cents:02}000000","A":"2.{size}0000"}}}}"#
    );
    ("bookTicker", frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_read_by_the_feed_and_carries_the_next_place_in_the_order() {
        let names: Vec<String> = (1..=3).map(symbol).collect();
        let feed = common::feed::by_name(FEED).unwrap();
        let epoch = Epoch::new(7).unwrap();
        let mut seen = Vec::new();
        for number in 0..12 {
            let element = task(number, &names, epoch, UnixMicros(1_763_726_400_000_000));
            let task = Task::decode(&element).unwrap();
            assert_eq!((u64::from(task.seq), &*task.feed), (number, FEED));
            let mut ticks = Vec::new();
            feed.decode(&task.kind, task.body.get(), &mut ticks).unwrap();
            assert_eq!(ticks.len(), 1);
            assert!(feed.instrument(&ticks[0].symbol).is_ok());
            seen.push((ticks[0].symbol.to_string(), task.kind.into_owned()));
        }
        assert_eq!(seen[..6], seen[6..], "round robin");
        seen.truncate(6);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6, "three symbols, two kinds each");
    }
}
