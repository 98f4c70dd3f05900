//! Single values of the configuration: what each may be, and how to say so when it is not.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value;

use super::bounds::{Bounds, Kind};
use crate::base::duration;
use crate::base::suggestions;
use crate::error::Error;

/// The longest name of a transport, queue or message type, in characters.
const MAX_NAME_CHARS: usize = 190;
/// The longest text that an error repeats, in characters.
const MAX_SHOWN_CHARS: usize = 80;
/// The largest whole number that a float holds exactly: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A valid value, or why it is invalid.
pub(super) type Fit<T> = Result<T, Misfit>;

/// Why a value is invalid; [`Misfit::at`] adds where it is.
#[derive(Debug)]
pub(super) struct Misfit {
    got: String,
    wants: String,
}

impl Misfit {
    /// `value` is not what `wants` describes.
    pub fn new(value: &Value, wants: impl Into<String>) -> Self {
        Self { got: shown(value), wants: wants.into() }
    }

    /// Like [`Misfit::new`], for a value that may be a password even if it does not look like it.
    pub fn secret(value: &Value, wants: impl Into<String>) -> Self {
        let is_open = |text: &String| text.is_empty() || text.contains("://");
        let got = match value {
            Value::String(text) if !is_open(text) => "a text that is not shown here".to_owned(),
            _ => shown(value),
        };
        Self { got, wants: wants.into() }
    }

    /// Adds that one of these words would be valid as well.
    pub fn or_wants(mut self, words: &[&str]) -> Self {
        for word in words {
            self.wants += &format!(", or \"{word}\"");
        }
        self
    }

    /// The error about the value at `key`.
    pub fn at(self, key: impl Into<String>) -> Error {
        Error::configuration(key, self.got, self.wants)
    }
}

/// The value as an error shows it: JSON, but short, and never the login of a URL.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => match text.split_once("://") {
            Some((scheme, _)) => Value::from(format!("{}://…", shortened(scheme))).to_string(),
            None => Value::from(shortened(text)).to_string(),
        },
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The rule of a single value.
pub(super) struct Leaf<F> {
    /// The value, if it is valid.
    pub fit: F,
    /// What is valid, for people.
    pub bounds: Bounds,
}

/// A rule that needs no bounds.
type Plain<T> = Leaf<fn(&Value) -> Fit<T>>;

/// `true` or `false`.
pub(super) const FLAG: Plain<bool> = Leaf { fit: flag, bounds: Bounds::of(Kind::Flag) };
/// A name of a transport or queue.
pub(super) const NAME: Plain<String> = Leaf { fit: name, bounds: Bounds::of(Kind::Text) };
/// An object, whatever it holds.
pub(super) const OBJECT: Plain<Value> = Leaf { fit: object, bounds: Bounds::of(Kind::Object) };

/// A key that may be left out, without a default.
pub(super) fn optional<T>(rule: Leaf<impl Fn(&Value) -> Fit<T>>) -> Leaf<impl Fn(&Value) -> Fit<Option<T>>> {
    Leaf { fit: move |value: &Value| (rule.fit)(value).map(Some), bounds: rule.bounds }
}

/// `true` or `false`.
pub(super) fn flag(value: &Value) -> Fit<bool> {
    value.as_bool().ok_or_else(|| Misfit::new(value, "true or false"))
}

/// An object, whatever it holds.
pub(super) fn object(value: &Value) -> Fit<Value> {
    if value.is_object() { Ok(value.clone()) } else { Err(Misfit::new(value, "an object")) }
}

/// A whole number from `min` to `max`; `10.0` is one.
pub(super) fn whole<T>(min: T, max: T) -> Leaf<impl Fn(&Value) -> Fit<T>>
where
    T: TryFrom<u64> + TryInto<u64> + PartialOrd + Display + Copy,
{
    let float = |number: T| number.try_into().map_or(f64::INFINITY, |number| number as f64);
    let bounds = Bounds::range(Kind::Whole, float(min), float(max));
    let fit = move |value: &Value| {
        let exact = |number: &f64| number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(number);
        let number = value.as_u64().or_else(|| value.as_f64().filter(exact).map(|number| number as u64));
        number
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| (&min..=&max).contains(&number))
            .ok_or_else(|| Misfit::new(value, format!("a whole number from {min} to {max}")))
    };
    Leaf { fit, bounds }
}

/// A number of at least `min` and, where `max` is finite, at most that.
pub(super) fn number(min: f64, max: f64) -> Leaf<impl Fn(&Value) -> Fit<f64>> {
    let fit = move |value: &Value| {
        value.as_f64().filter(|number| (min..=max).contains(number)).ok_or_else(|| {
            let wants = if max.is_finite() { format!("from {min} to {max}") } else { format!("of {min} or more") };
            Misfit::new(value, format!("a number {wants}"))
        })
    };
    Leaf { fit, bounds: Bounds::range(Kind::Number, min, max) }
}

/// Milliseconds from `min` to `max`, given as a number or as text with a unit.
pub(super) fn milliseconds(min: f64, max: f64) -> Leaf<impl Fn(&Value) -> Fit<f64>> {
    let fit = move |value: &Value| {
        let number = value.as_f64().or_else(|| value.as_str().and_then(duration::parse));
        number.filter(|number| (min..=max).contains(number)).ok_or_else(|| {
            let (min, max) = (duration::display(min), duration::display(max));
            let forms = "milliseconds as a number, or text with a unit such as 500ms, 30s, 5m, 24h, 30d";
            Misfit::new(value, format!("a duration from {min} to {max}: {forms}"))
        })
    };
    Leaf { fit, bounds: Bounds::range(Kind::Duration, min, max) }
}

/// A duration of `min_ms` to `max_ms` milliseconds, rounded to whole ones.
pub(super) fn duration(min_ms: f64, max_ms: f64) -> Leaf<impl Fn(&Value) -> Fit<Duration>> {
    let Leaf { fit, bounds } = milliseconds(min_ms, max_ms);
    Leaf { fit: move |value: &Value| fit(value).map(|number| Duration::from_millis(number.round() as u64)), bounds }
}

/// A duration of at most `max_ms` milliseconds, of which 0 means no limit.
pub(super) fn time_limit(max_ms: f64) -> Leaf<impl Fn(&Value) -> Fit<Option<Duration>>> {
    let Leaf { fit, bounds } = duration(0.0, max_ms);
    Leaf { fit: move |value: &Value| fit(value).map(|limit| Some(limit).filter(|limit| !limit.is_zero())), bounds }
}

/// The value behind one of these words.
pub(super) fn choice<T: Copy, const N: usize>(choices: [(&'static str, T); N]) -> Leaf<impl Fn(&Value) -> Fit<T>> {
    let words = choices.map(|(word, _)| word);
    let fit = move |value: &Value| {
        let given = value.as_str().unwrap_or_default();
        let found = choices.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| Misfit::new(value, suggestions::one_of(&words, given)))
    };
    Leaf { fit, bounds: Bounds { words: words.into(), ..Bounds::of(Kind::Choice) } }
}

/// A name of a transport or queue.
pub(super) fn name(value: &Value) -> Fit<String> {
    value.as_str().filter(|text| is_name(text)).map(str::to_owned).ok_or_else(|| {
        let wants = "a name of 1 to 190 characters, without control characters, without blanks at its ends";
        Misfit::new(value, wants)
    })
}

/// A message type, or the beginning of some followed by `*`.
pub(super) fn pattern(value: &Value) -> Fit<String> {
    value.as_str().filter(|text| is_pattern(text)).map(str::to_owned).ok_or_else(|| {
        Misfit::new(
            value,
            "a message type of 1 to 190 characters, or a pattern with one `*` at its end, as `Email*` or `*`",
        )
    })
}

/// One item, or an array of at least one.
pub(super) fn one_or_more<T>(item: impl Fn(&Value) -> Fit<T>) -> impl Fn(&Value) -> Fit<Vec<T>> {
    move |value| match value {
        Value::Array(items) if items.is_empty() => {
            Err(Misfit { got: "an empty array".to_owned(), wants: "at least one".to_owned() })
        }
        Value::Array(items) => items.iter().map(&item).collect(),
        single => item(single).map(|single| vec![single]),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= MAX_NAME_CHARS
        && !text.chars().any(char::is_control)
}

fn is_pattern(text: &str) -> bool {
    let prefix = text.strip_suffix('*').unwrap_or(text);
    text == "*" || is_name(prefix) && !prefix.contains('*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused<T>(fit: Fit<T>) -> String {
        fit.err().unwrap().at("key").to_string()
    }

    #[test]
    fn whole_numbers_have_bounds() {
        let read = whole(1_u8, 10).fit;
        assert_eq!(read(&json!(1)).unwrap(), 1);
        assert_eq!(read(&json!(10.0)).unwrap(), 10);
        for value in [json!(0), json!(11), json!(5.5), json!(-1), json!(1e30), json!("5"), json!(null), json!(300)] {
            assert!(refused(read(&value)).ends_with("wants a whole number from 1 to 10"), "{value}");
        }
        assert_eq!((whole(0_u32, u32::MAX).fit)(&json!(4_294_967_295_u32)).unwrap(), u32::MAX);
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!((number(0.0, 1.0).fit)(&json!(0.5)).unwrap(), 0.5);
        assert_eq!(refused((number(0.0, 1.0).fit)(&json!(1.1))), "key: got 1.1, wants a number from 0 to 1");
        assert_eq!(refused((number(1.0, f64::INFINITY).fit)(&json!(0.9))), "key: got 0.9, wants a number of 1 or more");
        assert!((number(1.0, f64::INFINITY).fit)(&json!("2")).is_err());
    }

    #[test]
    fn durations_are_numbers_or_text() {
        let read = duration(1_000.0, 86_400_000.0).fit;
        assert_eq!(read(&json!(1500)).unwrap(), Duration::from_millis(1500));
        assert_eq!(read(&json!("30s")).unwrap(), Duration::from_secs(30));
        assert_eq!(read(&json!(1500.4)).unwrap(), Duration::from_millis(1500));
        for value in [json!(999), json!("25h"), json!("1000"), json!(-1), json!(true), json!("soon")] {
            assert!(
                refused(read(&value)).contains("wants a duration from 1s to 1d: milliseconds as a number"),
                "{value}"
            );
        }
    }

    #[test]
    fn flags_and_objects_are_what_they_are() {
        assert!(flag(&json!(true)).unwrap());
        assert_eq!(refused(flag(&json!("true"))), "key: got \"true\", wants true or false");
        assert_eq!(object(&json!({ "a": 1 })).unwrap(), json!({ "a": 1 }));
        assert_eq!(refused(object(&json!([]))), "key: got an array, wants an object");
    }

    #[test]
    fn choices_suggest_what_was_meant() {
        let read = choice([("postgres", 1), ("sync", 2)]).fit;
        assert_eq!(read(&json!("sync")).unwrap(), 2);
        assert_eq!(
            refused(read(&json!("Postgres"))),
            "key: got \"Postgres\", wants one of postgres, sync; did you mean \"postgres\"?"
        );
        assert_eq!(refused(read(&json!(null))), "key: got nothing, wants one of postgres, sync");
    }

    #[test]
    fn names_are_short_and_visible() {
        for text in ["email", "a b", "zażółć", &"x".repeat(190)] {
            assert_eq!(name(&json!(text)).unwrap(), text);
        }
        for text in ["", " ", " a", "a\n", "a\0b", &"x".repeat(191)] {
            assert!(refused(name(&json!(text))).contains("wants a name of 1 to 190 characters"), "{text:?}");
        }
        assert!(name(&json!(5)).is_err());
    }

    #[test]
    fn patterns_have_one_star_at_the_end() {
        for text in ["Email", "Email*", "*", "App.Mail*", &format!("{}*", "x".repeat(190))] {
            assert_eq!(pattern(&json!(text)).unwrap(), text);
        }
        for text in ["", "Em*il", "**", "*Mail", "Email *", &"x".repeat(191)] {
            assert!(refused(pattern(&json!(text))).contains("or a pattern with one `*` at its end"), "{text:?}");
        }
    }

    #[test]
    fn one_or_more_is_never_none() {
        let read = one_or_more(name);
        assert_eq!(read(&json!("a")).unwrap(), ["a"]);
        assert_eq!(read(&json!(["a", "b"])).unwrap(), ["a", "b"]);
        assert_eq!(refused(read(&json!([]))), "key: got an empty array, wants at least one");
        assert!(refused(read(&json!(["a", 5]))).starts_with("key: got 5, wants a name"));
        assert!(refused(read(&json!({}))).starts_with("key: got an object, wants a name"));
    }

    #[test]
    fn errors_show_neither_secrets_nor_novels() {
        assert_eq!(shown(&json!("redis://:hunter2@host")), "\"redis://…\"");
        assert_eq!(shown(&json!("x".repeat(200))).len(), 80 + "\"…\"".len());
        assert_eq!(
            refused::<()>(Err(Misfit::secret(&json!("hunter2"), "a URL"))),
            "key: got a text that is not shown here, wants a URL"
        );
        assert_eq!(
            refused::<()>(Err(Misfit::secret(&json!("mysql://u:hunter2@h"), "x"))),
            "key: got \"mysql://…\", wants x"
        );
        assert_eq!(refused::<()>(Err(Misfit::secret(&json!(7), "x"))), "key: got 7, wants x");
    }
}
