//! Frames of a twelvedata session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("twelvedata", &["AAPL", "EUR/USD"], "key", data));
