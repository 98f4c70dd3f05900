//! Numbers of JSON, exactly: as text they have digits that no number of the machine holds.

use crate::base::json_number::unstorable;
use std::cmp::Ordering;

/// A number, as 0.digits × 10^point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; none for zero.
    digits: String,
    point: i64,
}

impl Decimal {
    /// Reads a JSON number.
    pub fn parse(number: &str) -> Option<Self> {
        let (negative, whole, fraction, exponent) = parts(number)?;
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, point: 0 });
        }
        let point = i64::try_from(whole.len()).ok()?.checked_sub(zeros)?.checked_add(exponent)?;
        Some(Self { negative, digits, point })
    }

    fn size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits)),
            (empty, other_empty) => other_empty.cmp(&empty),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a text is a number as JSON writes it, and small enough to be stored.
pub fn is_number(text: &str) -> bool {
    parts(text).is_some() && unstorable(text).is_none()
}

/// A number as `jsonb` writes it: without exponent, with as many digits behind the point as it came with.
pub fn written_out(number: &str) -> String {
    match parts(number) {
        Some((negative, whole, fraction, exponent)) if exponent.unsigned_abs() <= 100_000 => {
            written(negative, whole, fraction, exponent)
        }
        _ => number.to_owned(),
    }
}

fn written(negative: bool, whole: &str, fraction: &str, exponent: i64) -> String {
    let mut digits = format!("{whole}{fraction}");
    let behind = fraction.len() as i64 - exponent;
    if behind < 0 {
        digits.push_str(&"0".repeat(behind.unsigned_abs() as usize));
    }
    let behind = behind.max(0) as usize;
    // The width of a format ends at 65,535.
    let digits = format!("{}{digits}", "0".repeat((behind + 1).saturating_sub(digits.len())));
    let (whole, fraction) = digits.split_at(digits.len() - behind);
    let whole = Some(whole.trim_start_matches('0')).filter(|it| !it.is_empty()).unwrap_or("0");
    let sign = if negative && digits.bytes().any(|it| it != b'0') { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Sign, digits before and after the point, exponent.
fn parts(number: &str) -> Option<(bool, &str, &str, i64)> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).map_or((number, None), |(it, exp)| (it, Some(exp)));
    let unsigned = mantissa.strip_prefix('-');
    let (whole, fraction) = unsigned
        .unwrap_or(mantissa)
        .split_once('.')
        .map_or_else(|| (unsigned.unwrap_or(mantissa), None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let unpadded = whole == "0" || !whole.starts_with('0');
    if !digits(whole) || !unpadded || !fraction.is_none_or(digits) {
        return None;
    }
    let exponent = match exponent {
        None => 0,
        Some(text) if digits(text.strip_prefix(['+', '-']).unwrap_or(text)) => text.parse().ok()?,
        Some(_) => return None,
    };
    Some((unsigned.is_some(), whole, fraction.unwrap_or(""), exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_compare_by_all_their_digits() {
        let ordered = [
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-1",
            "-0.5",
            "0",
            "5e-324",
            "0.1",
            "0.10000000000000001",
            "1",
            "9007199254740992",
            "9007199254740992.5",
            "9007199254740993",
            "1e400",
        ];
        for pair in ordered.windows(2) {
            assert!(Decimal::parse(pair[0]) < Decimal::parse(pair[1]), "{pair:?}");
        }
        for equal in [["1", "1.0"], ["100", "1e2"], ["-0", "0.000"], ["0.015", "1.5e-2"], ["12e1", "1.2E+2"]] {
            assert_eq!(Decimal::parse(equal[0]).unwrap().cmp(&Decimal::parse(equal[1]).unwrap()), Ordering::Equal);
            assert_eq!(Decimal::parse(equal[0]), Decimal::parse(equal[1]));
        }
    }

    #[test]
    fn what_is_not_a_number_of_json_is_none() {
        for text in ["", "-", "01", "+1", ".5", "5.", "1e", "1e+", "0x10", "1 ", "NaN", "١", "1_000", "--1", "1e5e5"] {
            assert!(!is_number(text), "{text}");
        }
        assert!(!is_number("1e9999") && is_number("1e400"));
    }

    #[test]
    fn numbers_are_written_as_jsonb_does() {
        for (number, written) in [
            ("1e5", "100000"),
            ("1.5e-3", "0.0015"),
            ("1.50", "1.50"),
            ("1.50e1", "15.0"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("12e-1", "1.2"),
            ("-1E+2", "-100"),
            ("9007199254740993", "9007199254740993"),
            ("0e5", "0"),
        ] {
            assert_eq!(written_out(number), written, "{number}");
        }
    }

    #[test]
    fn no_exponent_is_too_long() {
        assert_eq!(written_out("1e-100000").len(), "0.".len() + 100_000);
        for number in ["1e-100001", "1e-9223372036854775808", "1e9223372036854775807"] {
            assert_eq!(written_out(number), number);
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_compare_as_in_the_machine(a: i64, b: i64) {
            let [left, right] = [a, b].map(|it| Decimal::parse(&it.to_string()).unwrap());
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }

        #[test]
        fn writing_a_number_out_does_not_change_it(
            whole in -9999_i64..9999, fraction in "([.][0-9]{1,5})?", exp in -9..9,
        ) {
            let number = format!("{whole}{fraction}e{exp}");
            prop_assert_eq!(Decimal::parse(&written_out(&number)), Decimal::parse(&number));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", number in "-?[0-9.]{0,9}([eE][+-]?[0-9]{0,25})?") {
            for text in [text, number] {
                let _ = (Decimal::parse(&text), is_number(&text), written_out(&text));
            }
        }
    }
}
