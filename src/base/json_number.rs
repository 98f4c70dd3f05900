//! Numbers in JSON text: those that `jsonb` cannot hold or writes out at many times their length, and how ours look.

use memchr::memchr2;
use serde::Serializer;

/// What is allowed, for error messages.
pub const WANTS: &str = "numbers of at most 16,383 digits, with an exponent from -512 to 512";

/// The most digits before and after the point: after it Postgres holds no more. A text that is not longer than this,
/// and has no exponent in it, holds no number that is too long.
pub const MAX_DIGITS: usize = 16_383;
/// The largest exponent. `jsonb` writes numbers out, and a claim reads what it wrote: eight bytes such as `1e131071`
/// would come back as 128 KiB.
const MAX_EXPONENT: usize = 512;
/// From here on a string is read many bytes at a time: that takes a moment to begin, and 1 MB then 10 µs instead of 1 ms.
const SHORT: usize = 32;

/// The first number of a JSON text that cannot be stored. That the text is JSON is known already.
pub fn unstorable(json: &str) -> Option<&str> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => end_of_string(bytes, at) + 1,
            b'-' | b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|&&it| is_part(it)).count();
                if !is_storable(&json[at..end]) {
                    return json.get(at..end);
                }
                end
            }
            _ => at + 1,
        };
    }
    None
}

/// The closing quote of the string that opens at `open`.
pub fn end_of_string(json: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ if at - open < SHORT => at += 1,
            _ => at += memchr2(b'"', b'\\', &json[at..]).unwrap_or(json.len() - at),
        }
    }
    at
}

/// How long a text becomes once `jsonb` has written its numbers out: `1e308`, five bytes, comes back as 309. At most; a
/// zero, or a fraction that begins with zeros, may become shorter.
pub fn written_out(json: &str) -> usize {
    let bytes = json.as_bytes();
    let (mut at, mut length) = (0, json.len());
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => end_of_string(bytes, at) + 1,
            b'-' | b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|&&it| is_part(it)).count();
                length = length + digits(&json[at..end]) - (end - at);
                end
            }
            _ => at + 1,
        };
    }
    length
}

/// The length of a number without its exponent.
fn digits(number: &str) -> usize {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else { return number.len() };
    let size: usize = exponent.trim_start_matches(['+', '-']).parse().unwrap_or(usize::MAX);
    let sign = usize::from(mantissa.starts_with('-'));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, fraction) = (whole.len() - sign, fraction.len());
    let (whole, fraction) = if exponent.starts_with('-') {
        (whole.saturating_sub(size).max(1), fraction.saturating_add(size))
    } else {
        (whole.saturating_add(size), fraction.saturating_sub(size))
    };
    sign.saturating_add(whole).saturating_add(fraction).saturating_add(usize::from(fraction > 0))
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_storable(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // One that does not even fit a number of the machine is too large as well.
    let size = exponent.trim_start_matches(['+', '-']).parse().unwrap_or(usize::MAX);
    if size > MAX_EXPONENT {
        return false;
    }
    let behind = fraction.len() + if exponent.starts_with('-') { size } else { 0 };
    whole.len() + size <= MAX_DIGITS && behind <= MAX_DIGITS
}

/// A number, without the fraction `.0` where it is whole.
pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = *number as i64;
    if whole as f64 == *number { serializer.serialize_i64(whole) } else { serializer.serialize_f64(*number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_postgres_holds_passes() {
        let digits = "9".repeat(16_000);
        for number in ["0", "-1", "1e400", "1E-512", "1e+308", "5e-324", "1.5e0000000012", &digits, "9007199254740993"]
        {
            assert_eq!(unstorable(&format!(r#"{{"a":[{number}]}}"#)), None, "{number}");
        }
    }

    #[test]
    fn what_it_does_not_hold_is_named() {
        let (long, behind) = ("9".repeat(140_000), format!("0.{}", "9".repeat(16_384)));
        for number in ["1e513", "-1e-513", "1e999999999999999999999999", "0E131072", &long, &behind] {
            assert_eq!(unstorable(&format!(r#"{{"a":[1,{number},2]}}"#)), Some(number));
        }
    }

    #[test]
    fn what_only_looks_like_a_number_passes() {
        for json in [r#"{"1e999":"1e999","a":true,"b":"\"1e999"}"#, r#"{"a":"5eba","b":false}"#] {
            assert_eq!(unstorable(json), None);
        }
    }

    #[test]
    fn numbers_are_as_long_as_postgres_writes_them() {
        for (number, written) in [
            ("1e308", 309),
            ("-1E+3", 5),
            ("1.5e3", 4),
            ("1.2345e2", 6),
            ("1e-5", 7),
            ("1.50e-3", 7),
            ("123e-2", 4),
            ("-5e-324", 327),
            ("1e0", 1),
            ("12.50", 5),
        ] {
            assert_eq!(written_out(number), written, "{number}");
            let around = r#"{"1e9":["1e9",,true]}"#;
            assert_eq!(written_out(&around.replace(",,", &format!(",{number},"))), around.len() + written, "{number}");
        }
    }

    proptest! {
        #[test]
        fn a_double_is_as_long_as_without_its_exponent(number: f64) {
            prop_assume!(number.is_finite());
            prop_assert_eq!(written_out(&format!("{number:e}")), format!("{number}").len());
        }

        #[test]
        fn a_string_ends_where_its_text_does(text in r#"["\\a]{0,80}"#, behind in r#"["\\a]{0,3}"#) {
            let string = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(end_of_string(format!("{string}{behind}").as_bytes(), 0), string.len() - 1);
        }

        #[test]
        fn doubles_pass_and_texts_too(numbers: Vec<f64>, text: String) {
            let json = serde_json::json!({ "numbers": numbers, &text: [text] }).to_string();
            prop_assert_eq!(unstorable(&json), None);
        }
    }

    #[test]
    fn numbers_are_whole_where_they_can_be() {
        let json = |value| serialize(&value, serde_json::value::Serializer).unwrap();
        assert_eq!(json(2.0).to_string(), "2");
        assert_eq!(json(-0.5).to_string(), "-0.5");
        assert_eq!(json(1e300).to_string(), "1e+300");
    }
}
