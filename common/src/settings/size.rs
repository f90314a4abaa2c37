//! Sizes in bytes as people write them: `4MiB`, `512KB`, or a bare number of bytes.

const UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Reads `4MiB`, `512KB` or `1048576`. `None` when `text` is no size.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = if unit.trim().is_empty() { "B" } else { unit.trim() };
    let (_, bytes) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.replace('_', "").parse::<u64>().ok()?.checked_mul(*bytes)
}

/// Writes a size in the largest binary unit that needs no fraction.
pub fn format(bytes: u64) -> String {
    let units = UNITS.iter().filter(|(name, _)| name.contains('i'));
    let mut fitting = units.filter(|(_, unit)| 0 < bytes && bytes.is_multiple_of(*unit));
    fitting.next().map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [("4MiB", 4 << 20), ("512kb", 512_000), ("1_024", 1_024), ("0", 0), ("1 GiB", 1 << 30)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
            assert_eq!(parse(&format(bytes)), Some(bytes), "{text}");
        }
        assert_eq!(format(4 << 20), "4MiB");
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MiB", "-1", "1.5MiB", "4 megs", "99999999999999GiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
