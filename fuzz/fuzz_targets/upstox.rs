//! Frames of a upstox session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("upstox", &["NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"], "token", data));
