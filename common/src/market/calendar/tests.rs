use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::market::{Instrument, Kind};

static BUILTIN: LazyLock<Calendar> = LazyLock::new(Calendar::builtin);

/// A moment of the segment's own clock, e.g. `2025-10-21T13:45`.
fn at(segment: Segment, local: &str) -> UnixMicros {
    let local: jiff::civil::DateTime = local.parse().unwrap();
    UnixMicros(segment.zone().to_timestamp(local).unwrap().as_microsecond())
}

/// Checks what a market does from one time of a day to another, all times on its own clock.
fn expect(segment: Segment, cases: &[(&str, &str, &str)]) {
    let calendar = Calendar::builtin();
    for (now, phase, until) in cases {
        let until = (*until != "-").then(|| at(segment, until));
        let expected = match *phase {
            "pre" => MarketState::Pre { until },
            "open" => MarketState::Open { until },
            "post" => MarketState::Post { until },
            _ => MarketState::Closed { opens_at: until },
        };
        assert_eq!(calendar.state(segment, at(segment, now)), expected, "{} {now}", segment.name());
    }
}

#[test]
fn indian_shares_have_a_pre_open_and_close_in_the_afternoon() {
    expect(
        Segment::IndiaEquity,
        &[
            ("2026-11-25T08:59", "closed", "2026-11-25T09:00"),
            ("2026-11-25T09:00", "pre", "2026-11-25T09:15"),
            ("2026-11-25T09:15", "open", "2026-11-25T15:30"),
            ("2026-11-25T15:30", "closed", "2026-11-26T09:00"),
            ("2026-11-27T15:30", "closed", "2026-11-30T09:00"),
            ("2026-11-23T15:30", "closed", "2026-11-25T09:00"), // the 24th is a holiday
        ],
    );
    assert_eq!(at(Segment::IndiaEquity, "2026-11-25T09:15"), UnixMicros(1_795_578_300_000_000), "03:45 UTC");
}

#[test]
fn the_muhurat_session_is_all_there_is_of_its_day() {
    for segment in [Segment::IndiaEquity, Segment::Mcx] {
        expect(
            segment,
            &[
                ("2025-10-21T10:00", "closed", "2025-10-21T13:30"),
                ("2025-10-21T13:30", "pre", "2025-10-21T13:45"),
                ("2025-10-21T14:00", "open", "2025-10-21T14:45"),
            ],
        );
    }
    expect(Segment::IndiaEquity, &[("2025-10-21T14:45", "closed", "2025-10-23T09:00")]);
    expect(Segment::Mcx, &[("2025-10-21T14:45", "closed", "2025-10-22T17:00")]);
    expect(Segment::IndiaEquity, &[("2026-11-08T12:00", "closed", "2026-11-09T09:00")]); // hours unknown
}

#[test]
fn a_weekend_day_may_be_a_trading_day() {
    expect(Segment::IndiaEquity, &[("2026-02-01T12:00", "open", "2026-02-01T15:30")]);
    expect(Segment::Mcx, &[("2026-02-01T12:00", "open", "2026-02-01T17:00")]);
}

#[test]
fn mcx_closes_later_while_new_york_has_winter_time() {
    expect(
        Segment::Mcx,
        &[
            ("2026-03-06T12:00", "open", "2026-03-06T23:55"),
            ("2026-03-09T12:00", "open", "2026-03-09T23:30"),
            ("2026-10-30T12:00", "open", "2026-10-30T23:30"),
            ("2026-11-02T12:00", "open", "2026-11-02T23:55"),
            ("2026-01-01T16:00", "open", "2026-01-01T17:00"), // New Year: no evening
            ("2026-11-10T12:00", "closed", "2026-11-10T17:00"), // half a holiday
            ("2026-11-10T17:00", "open", "2026-11-10T23:55"),
        ],
    );
}

#[test]
fn the_us_day_has_three_sessions_and_half_days_have_short_ones() {
    expect(
        Segment::UsEquity,
        &[
            ("2026-11-25T03:59", "closed", "2026-11-25T04:00"),
            ("2026-11-25T04:00", "pre", "2026-11-25T09:30"),
            ("2026-11-25T09:30", "open", "2026-11-25T16:00"),
            ("2026-11-25T19:59", "post", "2026-11-25T20:00"),
            ("2026-11-25T20:00", "closed", "2026-11-27T04:00"), // Thanksgiving
            ("2026-11-27T12:59", "open", "2026-11-27T13:00"),
            ("2026-11-27T13:00", "post", "2026-11-27T17:00"),
            ("2026-11-27T17:00", "closed", "2026-11-30T04:00"),
        ],
    );
}

#[test]
fn hours_follow_new_yorks_clock_over_its_changes() {
    let utc = |segment, local| at(segment, local).to_string();
    assert_eq!(utc(Segment::UsEquity, "2026-03-06T09:30"), "2026-03-06T14:30:00Z");
    assert_eq!(utc(Segment::UsEquity, "2026-03-09T09:30"), "2026-03-09T13:30:00Z");
    expect(
        Segment::UsEquity,
        &[("2026-03-06T20:00", "closed", "2026-03-09T04:00"), ("2026-10-30T20:00", "closed", "2026-11-02T04:00")],
    );
}

#[test]
fn currencies_trade_from_sunday_to_friday_without_a_break_at_midnight() {
    expect(
        Segment::Forex,
        &[
            ("2026-11-22T16:59", "closed", "2026-11-22T17:00"),
            ("2026-11-22T17:00", "open", "2026-11-27T17:00"),
            ("2026-11-24T23:59", "open", "2026-11-27T17:00"),
            ("2026-11-27T17:00", "closed", "2026-11-29T17:00"),
            ("2026-03-08T17:00", "open", "2026-03-13T17:00"), // clocks change that morning
        ],
    );
}

#[test]
fn crypto_never_closes() {
    expect(Segment::Crypto, &[("2026-12-31T23:59", "open", "-")]);
}

#[test]
fn a_year_ends_in_the_markets_own_time_zone() {
    expect(
        Segment::UsEquity,
        &[("2025-12-31T20:00", "closed", "2026-01-02T04:00"), ("2026-12-31T20:00", "closed", "2027-01-04T04:00")],
    );
    let calendar = Calendar::builtin();
    let eve = at(Segment::UsEquity, "2027-12-31T23:00");
    assert_eq!(calendar.coverage(Segment::UsEquity, eve), Coverage::Full);
    assert_eq!(calendar.coverage(Segment::UsEquity, UnixMicros(eve.0 + 3_600_000_000)), Coverage::WeekdaysOnly);
    assert_eq!(
        calendar.coverage(Segment::IndiaEquity, at(Segment::IndiaEquity, "2024-06-01T00:00")),
        Coverage::WeekdaysOnly
    );
    assert_eq!(calendar.coverage(Segment::Crypto, eve), Coverage::Full);
}

#[test]
fn a_year_that_is_not_known_has_its_weekends() {
    expect(
        Segment::UsEquity,
        &[("2030-12-25T12:00", "open", "2030-12-25T16:00"), ("2030-12-28T12:00", "closed", "2030-12-30T04:00")],
    );
}

#[test]
fn own_days_replace_the_built_in_ones() {
    let own = "# ours\n\nindia_equity,2026-11-08,pre 18:00-18:15 open 18:15-19:15,Muhurat\r\n\
               us_equity,2026-11-26,pre 04:00-09:30 open 09:30-16:00,open after all\nus_equity,2028,known\n\
               crypto,2026-05-01,open 00:00-12:00 open 13:00-24:00,maintenance, as announced";
    let calendar = Calendar::builtin().with(own).unwrap();
    let state = |segment, now| calendar.state(segment, at(segment, now));
    let until = |segment, then| Some(at(segment, then));
    assert_eq!(
        state(Segment::IndiaEquity, "2026-11-08T18:20"),
        MarketState::Open { until: until(Segment::IndiaEquity, "2026-11-08T19:15") }
    );
    assert_eq!(
        state(Segment::UsEquity, "2026-11-26T16:00"),
        MarketState::Closed { opens_at: until(Segment::UsEquity, "2026-11-27T04:00") }
    );
    assert_eq!(
        state(Segment::Crypto, "2026-04-30T09:00"),
        MarketState::Open { until: until(Segment::Crypto, "2026-05-01T12:00") }
    );
    assert_eq!(calendar.coverage(Segment::UsEquity, at(Segment::UsEquity, "2028-06-01T12:00")), Coverage::Full);
}

#[test]
fn every_mistake_of_a_file_is_told_with_its_line() {
    let text = "nse,2026-01-01,closed\nmcx,2026-02-30,closed\nmcx,2026-01-02\nmcx,2026,closed\nmcx,2026-01-05,known\n\
                mcx,2026-01-06,open 09:00\nmcx,2026-01-07,late 09:00-10:00\nmcx,2026-01-08,open 9:00-10:00\n\
                mcx,2026-01-09,open 10:00-09:00\nmcx,2026-01-12,pre 09:00-09:15 open 09:10-10:00\n\
                mcx,2026-01-13,closed\nmcx,2026-01-13,closed\nmcx,2026-01-14,open 09:00-24:30\nmcx,9999-01-01,closed";
    let told = Calendar::builtin().with(text).unwrap_err().to_string();
    insta::assert_snapshot!(told, @r#"
    line 1: there is no segment "nse", only india_equity, india_currency, mcx, us_equity, crypto, forex
    line 2: "2026-02-30" is no day such as 2028-01-17
    line 3: not `segment,date,hours,why`
    line 4: `known` goes with a year such as 2028, hours with a day, not "2026" with "closed"
    line 5: `known` goes with a year such as 2028, hours with a day, not "2026-01-05" with "known"
    line 6: "09:00" is not from when to when, such as 09:15-15:30
    line 7: there is no session "late", only pre, open, post
    line 8: "9:00-10:00" is not from when to when, such as 09:15-15:30
    line 9: 10:00-09:00 ends before it begins; a session past midnight goes on in the next day's line
    line 10: `open 09:10-10:00` begins before the session in front of it ends
    line 12: mcx 2026-01-13 stands in line 11 already
    line 13: "09:00-24:30" is not from when to when, such as 09:15-15:30
    line 14: "9999-01-01" is no day such as 2028-01-17
    "#);
    let many = "x\n".repeat(1_000);
    assert!(Calendar::default().with(&many).unwrap_err().to_string().ends_with("and 980 more"));
}

#[test]
fn instruments_trade_where_their_exchange_and_kind_say() {
    for (exchange, underlying, kind, segment) in [
        ("NSE", "RELIANCE", Kind::Eq, Some(Segment::IndiaEquity)),
        ("BSE", "SENSEX", Kind::Index, Some(Segment::IndiaEquity)),
        ("NSE", "NIFTY", Kind::Opt, Some(Segment::IndiaEquity)),
        ("NSE", "USDINR", Kind::Fut, Some(Segment::IndiaCurrency)),
        ("MCX", "CRUDEOIL", Kind::Fut, Some(Segment::Mcx)),
        ("NASDAQ", "AAPL", Kind::Eq, Some(Segment::UsEquity)),
        ("BINANCE", "BTC/USDT", Kind::Fut, Some(Segment::Crypto)),
        ("SOMEWHERE", "BTC/USD", Kind::Spot, Some(Segment::Crypto)),
        ("SOMEWHERE", "EUR/USD", Kind::Fx, Some(Segment::Forex)),
        ("SOMEWHERE", "X", Kind::Eq, None),
    ] {
        let (exchange, underlying) = (exchange.into(), underlying.into());
        let instrument = Instrument { exchange, underlying, kind, expiry: None, option: None, series: None };
        assert_eq!(Segment::of(&instrument), segment, "{instrument}");
    }
}

#[test]
fn a_moment_beyond_the_calendar_is_closed_for_good() {
    for at in [UnixMicros(i64::MIN), UnixMicros(i64::MAX)] {
        for segment in Segment::ALL {
            assert_eq!(Calendar::builtin().state(segment, at), MarketState::Closed { opens_at: None });
        }
    }
}

/// The same phase, whatever is said of its end.
fn phase(state: MarketState) -> u8 {
    match state {
        MarketState::Pre { .. } => 0,
        MarketState::Open { .. } => 1,
        MarketState::Post { .. } => 2,
        MarketState::Closed { .. } => 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// From 2024 to 2029: until it changes it stays, and then it is another one.
    #[test]
    fn the_state_changes_exactly_when_it_says(
        micros in 1_704_000_000_000_000..1_861_000_000_000_000_i64, place in 0..Segment::ALL.len(), within in 0..1_000_i64,
    ) {
        let (calendar, segment, now) = (&*BUILTIN, Segment::ALL[place], UnixMicros(micros));
        let state = calendar.state(segment, now);
        let Some(then) = state.changes_at() else {
            prop_assert_eq!(segment, Segment::Crypto);
            return Ok(());
        };
        prop_assert!(now < then);
        let between = UnixMicros(now.0 + (then.0 - 1 - now.0) / 1_000 * within);
        prop_assert_eq!(calendar.state(segment, between), state);
        prop_assert_eq!(calendar.state(segment, UnixMicros(then.0 - 1)), state);
        prop_assert_ne!(phase(calendar.state(segment, then)), phase(state));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(india_equity|mcx|,|-|:|2026|known|open| |[0-9]|\n|.){0,40}") {
        drop(Calendar::default().with(&text));
    }
}
