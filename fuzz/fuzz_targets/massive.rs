//! Frames of a massive session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("massive", &["AAPL", "O:SPY251219C00650000"], "key", data));
