//! What other programs wrote into the broker: presence records and the roster's events.

#![no_main]

use common::presence::Presence;
use common::roster::RosterEvent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drop(serde_json::from_slice::<Presence>(data));
    if let Some(event) = std::str::from_utf8(data).ok().and_then(|text| RosterEvent::decode(text).ok()) {
        assert_eq!(RosterEvent::decode(&event.encode()).ok(), Some(event));
    }
});
