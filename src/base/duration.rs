//! Durations as people write them: `500ms`, `30s`, `5m`, `24h`, `30d`.

/// Units and their milliseconds, longest first.
const UNITS: [(&str, f64); 5] = [("d", 86_400_000.0), ("h", 3_600_000.0), ("m", 60_000.0), ("s", 1_000.0), ("ms", 1.0)];

/// The milliseconds of a decimal number with a unit, as `1.5h` or `30 s`; `None` if it is anything else.
///
/// A number without a unit is refused: nobody can tell whether `'30'` means seconds.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit_at = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(decimal(number.trim_end())? * milliseconds)
}

/// Digits, possibly with a fraction; no sign, no exponent.
fn decimal(text: &str) -> Option<f64> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_digits(whole) && is_digits(fraction) { text.parse().ok() } else { None }
}

/// Milliseconds in the largest unit that shows them as a whole number: `24h`, `1s`, `24855d` stays in `ms`.
pub(crate) fn display(milliseconds: f64) -> String {
    let fits = |unit: &&(&str, f64)| milliseconds >= unit.1 && milliseconds % unit.1 == 0.0;
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("ms", 1.0));
    format!("{}{name}", milliseconds / unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_with_a_unit_are_durations() {
        for (text, expected) in [
            ("500ms", 500.0),
            ("30s", 30_000.0),
            ("5m", 300_000.0),
            ("24h", 86_400_000.0),
            ("30d", 2_592_000_000.0),
            ("0s", 0.0),
            ("1.5h", 5_400_000.0),
            ("0.25s", 250.0),
            (" 30 s ", 30_000.0),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "", " ", "30", "s", "ms", "-5s", "+5s", "1e3s", "5 min", "5S", "5M", "1h30m", "5w", ".5s", "5.s", "1.2.3s",
            "inf", "NaNs", "٣s", "5s!", "forever",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_largest_whole_unit_is_shown() {
        for (milliseconds, expected) in [
            (0.0, "0ms"),
            (1.0, "1ms"),
            (1_000.0, "1s"),
            (1_500.0, "1500ms"),
            (5_400_000.0, "90m"),
            (86_400_000.0, "1d"),
        ] {
            assert_eq!(display(milliseconds), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn what_looks_like_a_duration_is_finite_or_refused(text in "[0-9.]{0,400} ?(ms|s|m|h|d|w)?") {
            prop_assert!(parse(&text).is_none_or(|milliseconds| milliseconds >= 0.0));
        }

        #[test]
        fn what_is_shown_is_read_back(milliseconds in 0..=3_155_760_000_000_u64) {
            prop_assert_eq!(parse(&display(milliseconds as f64)), Some(milliseconds as f64));
        }
    }
}
