//! Frames of a binance session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("binance", &["BTCUSDT", "ETHUSDT"], "k:s", data));
