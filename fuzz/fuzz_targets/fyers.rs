//! Frames of a fyers session, and what its data says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::session("fyers", &["NSE:SBIN-EQ", "NSE:NIFTY50-INDEX"], "APP-100:eyJhbGciOiJIUzI1NiJ9.eyJoc21fa2V5IjoiMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1NjciLCJleHAiOjQxMDI0NDQ4MDB9.c2ln", data));
