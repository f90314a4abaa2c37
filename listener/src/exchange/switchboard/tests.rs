use tokio::sync::Notify;

use super::*;

const TRADE: &[u8] = br#"{"stream":"a@trade","data":{"t":1}}"#;
const BARE: Range<usize> = 27..34;

struct Desk {
    board: Switchboard,
    counters: Arc<Counters>,
}

impl Desk {
    fn new(resend: usize) -> Self {
        let counters = Arc::new(Counters::default());
        Self { board: Switchboard::new(Provider::default(), resend, Arc::clone(&counters)), counters }
    }

    fn join(&mut self, id: u64, envelope: Envelope, streams: &[&str]) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(Arc::new(Notify::new())));
        let streams: Vec<Box<str>> = streams.iter().map(|name| (*name).into()).collect();
        self.board.join(id, Arc::clone(&outbox), envelope, &streams);
        outbox
    }

    fn answer(&mut self, id: u64, reply: &str, change: Change) {
        self.board.answer(id, &Answer::text(reply).with(change), common::clock::monotonic());
    }

    fn publish(&mut self, stream: &str, payload: &[u8]) {
        self.board.publish_recorded(stream, payload, &BARE);
    }

    /// The payloads that reach an outbox; all are shorter than 126 bytes.
    fn delivered(&mut self, outbox: &Outbox) -> Vec<String> {
        self.board.hand_over(common::clock::monotonic());
        let mut frames = Frames::default();
        outbox.take(&mut frames);
        let mut rest = frames.bytes.as_slice();
        let mut payloads = Vec::new();
        while let [0x81, length, after @ ..] = rest {
            let (payload, after) = after.split_at(usize::from(*length));
            payloads.push(String::from_utf8(payload.to_vec()).unwrap());
            rest = after;
        }
        assert!(rest.is_empty());
        payloads
    }
}

fn subscribe(streams: &[&str]) -> Change {
    Change::Subscribe(streams.iter().map(|name| (*name).into()).collect())
}

fn unsubscribe(streams: &[&str]) -> Change {
    Change::Unsubscribe(streams.iter().map(|name| (*name).into()).collect())
}

const WHOLE: &str = r#"{"stream":"a@trade","data":{"t":1}}"#;

#[test]
fn a_message_reaches_its_subscribers_each_in_its_envelope() {
    let mut desk = Desk::new(0);
    let whole = desk.join(1, Envelope::Whole, &["a@trade"]);
    let bare = desk.join(2, Envelope::DataOnly, &["a@trade"]);
    let other = desk.join(3, Envelope::Whole, &["b@trade"]);
    desk.publish("a@trade", TRADE);
    assert_eq!(desk.delivered(&whole), [WHOLE]);
    assert_eq!(desk.delivered(&bare), [r#"{"t":1}"#]);
    assert!(desk.delivered(&other).is_empty());
    assert_eq!(desk.counters.snapshot().unsent, 0);
}

#[test]
fn replies_stand_before_the_first_and_behind_the_last_message_of_a_stream() {
    let mut desk = Desk::new(0);
    let outbox = desk.join(1, Envelope::Whole, &[]);
    desk.publish("a@trade", TRADE);
    desk.answer(1, "on", subscribe(&["a@trade"]));
    desk.publish("a@trade", TRADE);
    desk.answer(1, "off", unsubscribe(&["a@trade"]));
    desk.publish("a@trade", TRADE);
    assert_eq!(desk.delivered(&outbox), ["on", WHOLE, "off"]);
    assert_eq!(desk.counters.snapshot().unsent, 2);
}

#[test]
fn after_a_broken_connection_the_newest_messages_come_again_once() {
    let mut desk = Desk::new(2);
    let first = desk.join(1, Envelope::Whole, &["a@trade"]);
    for number in 1..=3 {
        desk.publish("a@trade", format!("{number}").as_bytes());
    }
    assert_eq!(desk.delivered(&first), ["1", "2", "3"]);
    desk.board.leave(1, false);
    let second = desk.join(2, Envelope::Whole, &[]);
    desk.answer(2, "on", subscribe(&["a@trade"]));
    desk.publish("a@trade", b"4");
    assert_eq!(desk.delivered(&second), ["on", "2", "3", "4"]);
    assert_eq!(desk.counters.snapshot().resent, 2);
    let third = desk.join(3, Envelope::Whole, &["a@trade"]);
    assert!(desk.delivered(&third).is_empty());
}

#[test]
fn after_a_clean_close_nothing_comes_again() {
    let mut desk = Desk::new(2);
    let first = desk.join(1, Envelope::Whole, &["a@trade"]);
    desk.publish("a@trade", TRADE);
    assert_eq!(desk.delivered(&first), [WHOLE]);
    desk.board.leave(1, true);
    let second = desk.join(2, Envelope::Whole, &["a@trade"]);
    assert!(desk.delivered(&second).is_empty());
}

#[test]
fn what_was_prepared_for_a_connection_that_ended_is_counted_and_sent_again() {
    let mut desk = Desk::new(9);
    let _first = desk.join(1, Envelope::Whole, &["a@trade"]);
    desk.publish("a@trade", b"1");
    desk.board.hand_over(common::clock::monotonic());
    desk.publish("a@trade", b"2");
    desk.board.leave(1, true);
    assert_eq!(desk.counters.snapshot().undelivered, 2);
    let second = desk.join(2, Envelope::Whole, &["a@trade"]);
    assert_eq!(desk.delivered(&second), ["1", "2"]);
}

#[test]
fn a_stream_is_awaited_from_the_loss_of_its_last_subscriber_to_the_next_one() {
    let mut desk = Desk::new(0);
    assert!(!desk.board.is_awaited("a@trade"));
    desk.join(1, Envelope::Whole, &["a@trade"]);
    desk.join(2, Envelope::Whole, &["a@trade"]);
    desk.board.leave(1, true);
    assert!(!desk.board.is_awaited("a@trade"));
    desk.board.leave(2, true);
    assert!(desk.board.is_awaited("a@trade"));
    desk.join(3, Envelope::Whole, &["a@trade"]);
    assert!(!desk.board.is_awaited("a@trade"));
    desk.answer(3, "off", unsubscribe(&["a@trade"]));
    assert!(!desk.board.is_awaited("a@trade"));
}

#[test]
fn a_muted_connection_gets_nothing_and_its_streams_are_awaited() {
    let mut desk = Desk::new(0);
    let outbox = desk.join(1, Envelope::Whole, &["a@trade"]);
    desk.board.set_muted(Some(1), true);
    assert!(desk.board.is_awaited("a@trade"));
    desk.publish("a@trade", TRADE);
    desk.board.set_muted(Some(1), false);
    assert!(!desk.board.is_awaited("a@trade"));
    assert!(desk.delivered(&outbox).is_empty());
    assert_eq!(desk.counters.snapshot().unsent, 1);
}

#[test]
fn a_reader_that_never_reads_is_cut_when_its_time_is_up() {
    let start = common::clock::monotonic();
    let patience = Duration::from_mins(1);
    let mut desk = Desk::new(0);
    let outbox = desk.join(1, Envelope::Whole, &["a@trade"]);
    desk.publish("a@trade", &vec![b'x'; super::super::outbox::OUTBOX_BYTES_MAX + 1]);
    desk.board.hand_over(start);
    assert_eq!(desk.board.patience_ends(start + patience / 2, patience), Some(start + patience));
    assert_eq!(desk.board.patience_ends(start + patience, patience), None);
    assert_eq!(desk.counters.snapshot().slow_readers, 1);
    outbox.take(&mut Frames::default());
    assert_eq!(desk.board.patience_ends(start + patience, patience), None);
}
