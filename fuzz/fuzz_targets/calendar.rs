//! Days of one's own in the market calendar.

#![no_main]

use common::clock::UnixMicros;
use common::market::{Calendar, Segment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(calendar) = Calendar::builtin().with(text) {
        for day in 0..400_u16 {
            let at = UnixMicros(1_735_689_600_000_000 + i64::from(day) * 86_400_000_000);
            std::hint::black_box(calendar.state(Segment::ALL[usize::from(day) % Segment::ALL.len()], at));
        }
    }
});
