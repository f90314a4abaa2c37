//! Elements of a queue, and the bodies in them.

#![no_main]

use common::feed;
use common::queue::Task;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(task) = Task::decode(data) {
        fuzz::body(&task.feed, &task.kind, task.body.get().as_bytes());
    }
    // The kind is the first line, the body the rest: for every feed.
    let text = String::from_utf8_lossy(data);
    if let Some((kind, body)) = text.split_once('\n') {
        feed::all().for_each(|known| fuzz::body(known.name(), kind, body.as_bytes()));
    }
});
