//! Symbols, by every feed's grammar.

#![no_main]

use common::feed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for known in feed::all() {
        drop(known.instrument(&text));
    }
});
