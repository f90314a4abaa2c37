//! Numbers, ages and sizes as people read them.

use std::time::Duration;

use common::settings::duration;

/// `12418` -> `12,418`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number with its noun: `1 task`, `2 tasks`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Two leading units: `41 ms`, `1.9 s`, `12 min`, `3 h 12 min`, `2 d 4 h`.
pub(crate) fn age(duration: Duration) -> String {
    let (millis, secs) = (duration.as_millis(), duration.as_secs());
    match secs {
        0 if millis == 0 => format!("{} us", duration.as_micros()),
        0 => format!("{millis} ms"),
        1..10 => format!("{secs}.{} s", millis % 1_000 / 100),
        10..120 => format!("{secs} s"),
        120..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => format!("{} h {} min", secs / 3_600, secs % 3_600 / 60),
        _ => format!("{} d {} h", secs / 86_400, secs % 86_400 / 3_600),
    }
}

/// Microseconds as an [`age`].
pub(crate) fn age_us(micros: u64) -> String {
    age(Duration::from_micros(micros))
}

/// `38 MiB`, one unit, rounded down.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// A duration of the command line.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| "a duration such as `500ms`, `3s`, `2m` or bare seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (41_208_114, "41,208,114")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((counted(1, "task"), counted(0, "task")), ("1 task".to_owned(), "0 tasks".to_owned()));
    }

    #[test]
    fn ages_are_short() {
        for (millis, text) in [
            (0, "0 us"),
            (41, "41 ms"),
            (1_990, "1.9 s"),
            (59_999, "59 s"),
            (120_000, "2 min"),
            (11_520_000, "3 h 12 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(age(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [(0, "0 B"), (2_048, "2 KiB"), (39_845_888, "38 MiB"), (u64::MAX, "17179869183 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
