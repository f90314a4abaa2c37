//! Frames of a kite session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("kite", &["408065"], "key:token", data));
