//! Writes numbers as an exchange does, without an allocation: the simulator's hot path.

/// Decimal places of prices and quantities on the wire.
pub(super) const PLACES: usize = 8;

/// One whole unit, counted in the smallest that the wire can show.
pub(super) const ONE: u64 = 100_000_000;

/// Most digits of a 64-bit number.
const DIGITS_MAX: usize = 20;

/// Appends `text`.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `key` and `number`.
pub(super) fn push_keyed(out: &mut Vec<u8>, key: &str, number: u64) {
    push_text(out, key);
    push(out, number);
}

/// Appends `number`.
pub(super) fn push(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    loop {
        at -= 1;
        digits[at] = digit(number);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a number counted in 10^-8, with all [`PLACES`]: `6183763000000` -> `61837.63000000`.
pub(super) fn push_fixed(out: &mut Vec<u8>, number: u64) {
    push(out, number / ONE);
    push_fraction(out, number % ONE);
}

/// As [`push_fixed`], for sums that outgrow 64 bits; beyond 1.8 * 10^19 units it shows that bound.
pub(super) fn push_fixed_sum(out: &mut Vec<u8>, number: u128) {
    push(out, u64::try_from(number / u128::from(ONE)).unwrap_or(u64::MAX));
    push_fraction(out, u64::try_from(number % u128::from(ONE)).unwrap_or(0));
}

/// Appends `part` of `whole` in percent, with three places, cut off; 0 for a part of nothing.
pub(super) fn push_percent(out: &mut Vec<u8>, part: u64, whole: u64) {
    let thousandths = (u128::from(part) * 100_000).checked_div(u128::from(whole)).unwrap_or(0);
    let thousandths = u64::try_from(thousandths).unwrap_or(u64::MAX);
    push(out, thousandths / 1_000);
    out.push(b'.');
    out.extend_from_slice(&[digit(thousandths / 100), digit(thousandths / 10), digit(thousandths)]);
}

fn push_fraction(out: &mut Vec<u8>, mut fraction: u64) {
    let mut digits = [b'.'; PLACES + 1];
    for place in digits[1..].iter_mut().rev() {
        *place = digit(fraction);
        fraction /= 10;
    }
    out.extend_from_slice(&digits);
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers_are_written_as_they_are() {
        for number in [0, 9, 10, 3_735_683_259, u64::MAX] {
            assert_eq!(text(|out| push(out, number)), number.to_string());
        }
    }

    #[test]
    fn percentages_show_three_places() {
        assert_eq!(text(|out| push_percent(out, 1, 3)), "33.333");
        assert_eq!(text(|out| push_percent(out, 5, 2)), "250.000");
        assert_eq!(text(|out| push_percent(out, 1, 100_000)), "0.001");
        assert_eq!(text(|out| push_percent(out, 1, 0)), "0.000");
    }

    #[test]
    fn fixed_numbers_show_eight_places() {
        assert_eq!(text(|out| push_fixed(out, 6_183_763_000_000)), "61837.63000000");
        assert_eq!(text(|out| push_fixed(out, 1)), "0.00000001");
        assert_eq!(text(|out| push_fixed(out, 0)), "0.00000000");
        assert_eq!(text(|out| push_fixed(out, u64::MAX)), "184467440737.09551615");
        assert_eq!(text(|out| push_fixed_sum(out, u128::from(u64::MAX) * 10)), "1844674407370.95516150");
    }
}
