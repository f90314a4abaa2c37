//! Lines of `dead import`. What was read is written and read again unchanged.

#![no_main]

use common::queue::DeadLetter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(letter) = DeadLetter::from_line(data) {
        let again = DeadLetter::from_line(letter.to_line().as_bytes());
        assert_eq!(again.ok(), Some(letter));
    }
});
