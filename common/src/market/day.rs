//! Which day it is where an exchange trades.

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::clock::UnixMicros;

/// India has one time zone and no summer time.
const INDIA_SECONDS: i32 = (5 * 60 + 30) * 60;

/// The exchanges of India, as the canonical form names them.
const INDIA: [&str; 4] = ["NSE", "BSE", "MCX", "NCDEX"];

/// The day at `now` in the time zone of `exchange`: India's for India's exchanges, UTC for all others (crypto exchanges
/// count so). `None` outside the calendar's years.
pub fn trading_day(exchange: &str, now: UnixMicros) -> Option<Date> {
    let seconds = if INDIA.contains(&exchange) { INDIA_SECONDS } else { 0 };
    day_at(now, Offset::from_seconds(seconds).ok()?)
}

/// The day in India at `seconds` since 1970; masters write expiries so.
pub(super) fn day_in_india(seconds: i64) -> Option<Date> {
    trading_day(INDIA[0], UnixMicros::from_secs(seconds)?)
}

/// The day of UTC at `millis` since 1970.
pub(super) fn day_of_utc(millis: i64) -> Option<Date> {
    day_at(UnixMicros::from_millis(millis)?, Offset::UTC)
}

fn day_at(now: UnixMicros, offset: Offset) -> Option<Date> {
    Some(offset.to_datetime(jiff::Timestamp::from_microsecond(now.0).ok()?).date())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_day_begins_earlier_in_india() {
        let evening = UnixMicros::from_secs(1_764_096_600).unwrap(); // 2025-11-25T18:50:00Z
        assert_eq!(trading_day("NSE", evening), Some(date(2025, 11, 26)));
        assert_eq!(trading_day("BINANCE_USDM", evening), Some(date(2025, 11, 25)));
        assert_eq!(day_in_india(1_756_375_200), Some(date(2025, 8, 28)));
        assert_eq!(day_in_india(i64::MAX), None);
    }
}
