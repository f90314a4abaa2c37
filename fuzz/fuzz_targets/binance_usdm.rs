//! Frames of a binance_usdm session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("binance_usdm", &["BTCUSDT"], "k:s", data));
