//! Bad rows and bad texts; the formats themselves are tested with fixtures in `tests/it/masters.rs`.

use proptest::prelude::*;

use super::*;

const KITE: &str = "\
instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange
1,1,INFY,,0,,0,0.05,1,EQ,NSE,NSE
2,2,NIFTY25DECFUT,NIFTY,0,soon,0,0.05,75,FUT,NFO-FUT,NFO
3,3,NIFTY25DEC1CE,NIFTY,0,2025-12-30,0,0.05,75,CE,NFO-OPT,NFO
4,4,NIFTY25DEC1CE,NIFTY,0,2025-12-30,1e400,0.05,75,CE,NFO-OPT,NFO
5,5,MYSTERY,NIFTY,0,,,,,XX,NFO-OPT,NFO
6
";

#[test]
fn a_bad_row_is_counted_and_its_neighbours_stay() {
    let found = read("kite", KITE).unwrap();
    assert_eq!((found.rows.len(), found.skipped, found.reasons.len()), (1, 5, 3));
    assert_eq!(found.reasons[0], "line 3: no expiry (YYYY-MM-DD)");
    assert!(found.reasons[1].starts_with("line 4: \"0\" is no strike"), "{:?}", found.reasons);
}

#[test]
fn a_text_without_a_good_row_says_what_was_expected() {
    for feed in feeds() {
        for text in ["", "\n\n", "<html>not found</html>", "[]", "{}", "null", "\u{feff}", "a,b\n1,2\n"] {
            let error = read(feed, text).unwrap_err();
            assert!(error.to_string().contains("; expected "), "{feed} {text:?}: {error}");
        }
    }
}

#[test]
fn a_feed_without_masters_gets_the_list_of_those_with() {
    let error = read("massive", "").unwrap_err().to_string();
    assert!(error.contains("\"massive\"") && error.contains("fyers, upstox, kite"), "{error}");
}

#[test]
fn a_strike_stays_exact_however_it_is_written() {
    for (text, kept) in [("24450.0", "24450"), ("86.625", "86.625"), ("1.2475E5", "124750"), (".965", "0.965")] {
        assert_eq!(strike(text).map(|strike| strike.to_string()), Ok(kept.to_owned()));
    }
    for text in ["", "0", "0.0", "-1", "NaN", "inf", "ten"] {
        assert!(strike(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", lines in proptest::collection::vec("[a-z0-9,\"|:. -]{0,60}", 0..6)) {
        for feed in feeds() {
            drop(read(feed, &text));
            drop(read(feed, &format!("{KITE}{}", lines.join("\n"))));
        }
    }
}
