//! Lists of instruments, in every provider's form, and the symbols they name.

#![no_main]

use common::feed;
use common::market::{Catalog, master};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for feed in feed::all() {
        let Ok(rows) = master::read(feed.name(), text) else { continue };
        let mut catalog = Catalog::default();
        catalog.add(feed.name(), rows.rows);
        for row in catalog.rows(feed.name()) {
            assert!(catalog.find(feed.name(), &row.symbol).is_some());
            drop(catalog.instrument(feed, &row.symbol));
        }
    }
});
