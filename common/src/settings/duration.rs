//! Durations as people write them: `500ms`, `3s`, `2m`, or bare seconds.

use std::time::Duration;

/// Units with their length in microseconds, longest first.
const UNITS: &[(&str, u64)] =
    &[("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// Digits after the point that are read: finer than a microsecond is refused.
const FRACTION_DIGITS_MAX: usize = 6;

/// Reads `500ms`, `1.5s`, `2m` or `3` (seconds). `None` when `text` is no duration.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = if unit.trim().is_empty() { "s" } else { unit.trim() };
    let (_, unit_us) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || FRACTION_DIGITS_MAX < fraction.len() || number.ends_with('.') {
        return None;
    }
    let whole: u64 = whole.replace('_', "").parse().ok()?;
    let mut micros = whole.checked_mul(*unit_us)?;
    let mut place_us = *unit_us;
    for digit in fraction.chars() {
        // A place below a microsecond would be cut off without a word.
        if !place_us.is_multiple_of(10) {
            return None;
        }
        place_us /= 10;
        micros = micros.checked_add(place_us.checked_mul(u64::from(digit.to_digit(10)?))?)?;
    }
    Some(Duration::from_micros(micros))
}

/// Writes a duration in the longest unit that needs no fraction: `90s` is `90s`, `120s` is `2m`.
pub fn format(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 {
        return "0s".to_owned();
    }
    let whole = UNITS.iter().find(|(_, unit_us)| micros.is_multiple_of(*unit_us));
    whole.map_or_else(|| format!("{micros}us"), |(unit, unit_us)| format!("{}{unit}", micros / unit_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for (text, micros) in [
            ("3", 3_000_000),
            ("0", 0),
            ("500ms", 500_000),
            ("1.5s", 1_500_000),
            ("0.25", 250_000),
            (" 2 m ", 120_000_000),
            ("1h", 3_600_000_000),
            ("7us", 7),
            ("1_000ms", 1_000_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "s", "-3s", "3 weeks", "1.s", ".5s", "1.5us", "1.1234567s", "99999999999999999d", "1e3", "1.2.3s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (micros, text) in [(0, "0s"), (500_000, "500ms"), (90_000_000, "90s"), (120_000_000, "2m"), (1, "1us")] {
            let duration = Duration::from_micros(micros);
            assert_eq!(format(duration), text);
            assert_eq!(parse(text), Some(duration));
        }
    }
}
