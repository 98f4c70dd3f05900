//! The message as the caller hands it in: read, checked, and refused with the name of what is wrong.
//!
//! Reading has a fast path, which takes well-formed requests and copies nothing, and a slow path, which only runs
//! when the fast one fails and exists to say precisely why.

use super::envelope::Available;
use super::key::validate_key;
use super::limits::fits;
use crate::base::json_number as number;
use crate::base::limits::MAX_DELAY_MS;
use crate::config::PayloadLimits;
use crate::error::{Error, Invalid, Result};
use chrono::{DateTime, Utc};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

/// The longest type, queue or transport name, in characters.
pub const MAX_NAME_CHARS: usize = 190;
/// The most retries that a message can have: what Postgres counts to.
pub const MAX_RETRIES: u32 = i32::MAX.unsigned_abs();
/// The seconds since 1970 of the years 1 to 9999: what ISO 8601 writes with four digits, and less than Postgres holds.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;
/// The deepest nesting of a payload: Postgres parses `jsonb` by recursion and gives up at a few thousand.
pub const MAX_DEPTH: usize = 500;

/// One message to dispatch, as JSON describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request<'a> {
    /// Chooses route and handlers.
    #[serde(borrow, rename = "type")]
    pub message_type: Cow<'a, str>,
    /// A JSON object.
    #[serde(borrow)]
    pub payload: &'a RawValue,
    /// A JSON object, or nothing.
    #[serde(borrow, default)]
    pub metadata: Option<&'a RawValue>,
    /// How to dispatch it.
    #[serde(borrow, default, deserialize_with = "an_object")]
    pub options: Option<Options<'a>>,
}

/// Options from an object or `null`; serde would take an array for a struct as well.
fn an_object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Options<'a>>, D::Error> {
    struct Object<'a>(PhantomData<Options<'a>>);

    impl<'de: 'a, 'a> Visitor<'de> for Object<'a> {
        type Value = Option<Options<'a>>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Options::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}

/// The options of one dispatch.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options<'a> {
    /// Transports, instead of the routed ones.
    pub transport: Option<Names>,
    /// Queue, instead of the transport's.
    #[serde(borrow)]
    pub queue: Option<Cow<'a, str>>,
    /// 1 to 10, instead of the transport's.
    pub priority: Option<u8>,
    /// Not before this instant.
    pub scheduled_at: Option<Instant>,
    /// Not before so many milliseconds have passed.
    pub delay: Option<f64>,
    /// Unique within the deduplication window.
    #[serde(borrow)]
    pub idempotency_key: Option<Cow<'a, str>>,
    /// A JSON object.
    #[serde(borrow)]
    pub headers: Option<&'a RawValue>,
    /// A JSON object, merged over the message's.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// Retries allowed, instead of the type's.
    pub max_retries: Option<u32>,
}

/// One name or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// An instant: milliseconds since 1970, or ISO 8601 text.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Instant {
    /// Milliseconds since 1970.
    Millis(f64),
    /// Text with a zone.
    Text(DateTime<Utc>),
}

impl Instant {
    /// The instant, where it lies in the years 1 to 9999.
    pub fn in_calendar(self) -> Option<DateTime<Utc>> {
        let at = match self {
            Self::Text(at) => Some(at),
            Self::Millis(ms) if ms.abs() <= 8.64e15 => DateTime::from_timestamp_millis(ms.floor() as i64),
            Self::Millis(_) => None,
        };
        at.filter(|it| YEARS.contains(&it.timestamp()))
    }
}

/// Reads a batch; one bad request does not spoil the others.
///
/// # Errors
/// [`Error::Serialization`] when the text as a whole is not a JSON array.
pub fn read(text: &str) -> Result<Vec<Result<Request<'_>>>> {
    if let Ok(requests) = serde_json::from_str::<Vec<Request<'_>>>(text) {
        return Ok(requests.into_iter().map(Ok).collect());
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::Serialization { what: "dispatch requests", reason: error.to_string() })?;
    Ok(items.into_iter().map(|item| serde_json::from_str(item.get()).map_err(|error| explain(item, &error))).collect())
}

/// Finds out what is wrong with a request that could not be read.
fn explain(item: &RawValue, error: &serde_json::Error) -> Error {
    let Ok(Value::Object(request)) = serde_json::from_str::<Value>(item.get()) else {
        return Error::invalid(Invalid::Type, "message", "wants an object { type, payload }");
    };
    match request.get("type") {
        Some(Value::String(_)) => {}
        found => return wants(Invalid::Type, "type", found, "a string of 1 to 190 characters"),
    }
    if !matches!(request.get("payload"), Some(Value::Object(_))) {
        return wants(Invalid::Payload, "payload", request.get("payload"), "an object");
    }
    let Some(Value::Object(options)) = request.get("options") else {
        return match request.get("options") {
            None | Some(Value::Null) => Error::invalid(Invalid::Option, "message", error.to_string()),
            found => wants(Invalid::Option, "options", found, "an object"),
        };
    };
    let broken = options.iter().find_map(|(name, value)| option_problem(name, value));
    broken.unwrap_or_else(|| Error::invalid(Invalid::Option, "options", error.to_string()))
}

/// What is wrong with one option, if anything.
fn option_problem(name: &str, value: &Value) -> Option<Error> {
    let path = format!("options.{name}");
    let names = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let (rule, fits, allowed) = match name {
        "transport" => (Invalid::Option, value.is_string() || names(value), "a transport's name, or several"),
        "queue" => (Invalid::Queue, value.is_string(), "a string of 1 to 190 characters"),
        "priority" => {
            (Invalid::Priority, value.as_u64().is_some_and(|n| (1..=10).contains(&n)), "a whole number from 1 to 10")
        }
        "scheduledAt" => (Invalid::ScheduledAt, from_json::<Instant>(value), "a Date, or an ISO 8601 text with zone"),
        "delay" => (Invalid::Delay, value.is_number(), "milliseconds, 0 or more"),
        "idempotencyKey" => (Invalid::IdempotencyKey, value.is_string(), "a string of 1 to 255 characters"),
        "headers" | "metadata" => (Invalid::Headers, value.is_object(), "an object"),
        "maxRetries" => (Invalid::MaxRetries, from_json::<u32>(value), "a whole number from 0 to 2147483647"),
        _ => (
            Invalid::Option,
            false,
            "one of transport, queue, priority, scheduledAt, delay, idempotencyKey, headers, metadata, maxRetries",
        ),
    };
    (!fits && !value.is_null()).then(|| wants(rule, &path, Some(value), allowed))
}

fn from_json<T: for<'de> Deserialize<'de>>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

fn wants(rule: Invalid, path: &str, found: Option<&Value>, allowed: &str) -> Error {
    let found = match found {
        None => "nothing".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
        Some(Value::Array(_)) => "an array".to_owned(),
        Some(value) => shortened(&value.to_string()),
    };
    Error::invalid(rule, path, format!("got {found}, wants {allowed}"))
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Request<'_> {
    /// Checks all that does not depend on where the message goes.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] naming the field, what it holds and what is allowed.
    pub fn check(&self, limits: &PayloadLimits) -> Result<()> {
        name(Invalid::Type, "type", &self.message_type)?;
        payload(self.payload, limits)?;
        if let Some(metadata) = self.metadata {
            fits("metadata", "is", object(Invalid::Headers, "metadata", metadata)?, &limits.metadata())?;
        }
        self.options.as_ref().map_or(Ok(()), |it| it.check(limits))
    }
}

/// Checks a payload.
///
/// # Errors
/// [`Error::InvalidMessage`] unless it is an object that is small enough and has in it only what can be stored.
pub fn payload(raw: &RawValue, limits: &PayloadLimits) -> Result<()> {
    let written = object(Invalid::Payload, "payload", raw)?;
    let length = raw.get().len();
    if written > length && length <= limits.max_bytes {
        fits("payload", "is, with its numbers written out as the database does,", written, &limits.payload())?;
    }
    fits("payload", "is", length, &limits.payload())
}

impl Options<'_> {
    /// Checks all of them.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] naming the option.
    pub fn check(&self, limits: &PayloadLimits) -> Result<()> {
        if self.transport.as_ref().is_some_and(|it| it.as_slice().is_empty()) {
            let problem = "got an empty list, wants a transport's name, or several; leave it out to have one chosen";
            return Err(Error::invalid(Invalid::Option, "options.transport", problem));
        }
        if let Some(queue) = &self.queue {
            name(Invalid::Queue, "options.queue", queue)?;
            unpadded(Invalid::Queue, "options.queue", queue)?;
        }
        if let Some(priority) = self.priority.filter(|it| !(1..=10).contains(it)) {
            let problem = format!("got {priority}, wants a whole number from 1 to 10");
            return Err(Error::invalid(Invalid::Priority, "options.priority", problem));
        }
        if let Some(key) = &self.idempotency_key {
            validate_key(key)?;
        }
        if let Some(retries) = self.max_retries.filter(|&it| it > MAX_RETRIES) {
            let problem = format!("got {retries}, wants a whole number from 0 to {MAX_RETRIES}");
            return Err(Error::invalid(Invalid::MaxRetries, "options.maxRetries", problem));
        }
        if let Some(headers) = self.headers {
            fits("options.headers", "is", object(Invalid::Headers, "options.headers", headers)?, &limits.headers())?;
            texts(headers)?;
        }
        if let Some(metadata) = self.metadata {
            fits(
                "options.metadata",
                "is",
                object(Invalid::Headers, "options.metadata", metadata)?,
                &limits.metadata(),
            )?;
        }
        self.available().map(drop)
    }

    /// When the message may first be handled.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] for an instant or delay out of range, or both at once.
    pub fn available(&self) -> Result<Available> {
        match (self.scheduled_at, self.delay) {
            (None, None) => Ok(Available::Now),
            (Some(_), Some(_)) => {
                Err(Error::invalid(Invalid::Delay, "options.delay", "excludes scheduledAt; give only one of them"))
            }
            (Some(instant), None) => instant.in_calendar().map(Available::At).ok_or_else(|| {
                let found = match instant {
                    Instant::Millis(ms) => format!("{ms} ms since 1970"),
                    Instant::Text(at) => at.to_rfc3339(),
                };
                let problem = format!("got {found}, wants an instant in the years 1 to 9999");
                Error::invalid(Invalid::ScheduledAt, "options.scheduledAt", problem)
            }),
            (None, Some(ms)) if (0.0..=MAX_DELAY_MS as f64).contains(&ms) => {
                Ok(Available::After(Duration::from_secs_f64(ms / 1000.0)))
            }
            (None, Some(ms)) => {
                let problem = format!("got {ms}, wants milliseconds from 0 to {MAX_DELAY_MS}");
                Err(Error::invalid(Invalid::Delay, "options.delay", problem))
            }
        }
    }
}

fn name(rule: Invalid, path: &str, text: &str) -> Result<()> {
    let length = text.chars().count();
    let problem = if text.trim().is_empty() {
        "is empty".to_owned()
    } else if length > MAX_NAME_CHARS {
        format!("has {length} characters")
    } else if text.contains('\0') {
        "holds a NUL".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(rule, path, format!("{problem}, wants a string of 1 to {MAX_NAME_CHARS} characters")))
}

/// Refuses a name that looks like another one: a blank or a line feed at its end makes a queue that nobody reads.
fn unpadded(rule: Invalid, path: &str, text: &str) -> Result<()> {
    let problem = if text.trim() != text {
        "begins or ends with a blank"
    } else if text.chars().any(char::is_control) {
        "holds a control character"
    } else {
        return Ok(());
    };
    Err(Error::invalid(
        rule,
        path,
        format!("got {}, which {problem}; wants the name alone", shortened(&format!("{text:?}"))),
    ))
}

/// Checks that headers are texts: what travels in them is read by other programs, which know no other kind.
fn texts(headers: &RawValue) -> Result<()> {
    let all: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(headers.get())
        .map_err(|error| Error::invalid(Invalid::Headers, "options.headers", error.to_string()))?;
    let Some((key, value)) = all.iter().find(|(_, value)| !value.get().starts_with('"')) else { return Ok(()) };
    let found = match value.get().as_bytes().first() {
        Some(b'{') => "an object".to_owned(),
        Some(b'[') => "an array".to_owned(),
        _ => shortened(value.get()),
    };
    let path = format!("options.headers{}", member(key));
    Err(Error::invalid(Invalid::Headers, path, format!("got {found}, wants a string")))
}

/// `.key`, or `["odd key"]`, as the facade writes paths.
fn member(key: &str) -> String {
    let starts = key.starts_with(|it: char| it.is_alphabetic() || "_$".contains(it));
    if starts && key.chars().all(|it| it.is_alphanumeric() || "_$-".contains(it)) {
        return format!(".{}", shortened(key));
    }
    format!("[{}]", Value::String(shortened(key)))
}

/// Checks JSON text for what `jsonb` refuses, in one pass: anything but an object, `\u0000`, a lone surrogate, nesting
/// deeper than [`MAX_DEPTH`], and numbers that it cannot hold. That the text is JSON at all is known already. Answers how
/// many bytes it has, or will have once its numbers are written out, whichever is more.
fn object(rule: Invalid, path: &str, raw: &RawValue) -> Result<usize> {
    let text = raw.get();
    if !text.starts_with('{') {
        let found = shortened(text);
        return Err(Error::invalid(rule, path, format!("got {found}, wants an object")));
    }
    let (depth, has_exponent) = look_over(text.as_bytes());
    if depth > MAX_DEPTH {
        return Err(Error::invalid(rule, path, format!("is nested deeper than {MAX_DEPTH} levels")));
    }
    if (has_exponent || text.len() > number::MAX_DIGITS)
        && let Some(number) = number::unstorable(text)
    {
        let problem = format!("holds the number {}, wants {}", shortened(number), number::WANTS);
        return Err(Error::invalid(rule, path, problem));
    }
    match text.contains("\\u").then(|| refused_escape(text)).flatten() {
        Some(what) => Err(Error::invalid(rule, path, format!("holds {what}, which Postgres cannot store"))),
        None if has_exponent => Ok(text.len().max(number::written_out(text))),
        None => Ok(text.len()),
    }
}

/// How deep objects and arrays nest, and whether a number has an exponent.
fn look_over(json: &[u8]) -> (usize, bool) {
    let (mut depth, mut max, mut at, mut has_exponent) = (0_usize, 0, 0, false);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at = number::end_of_string(json, at),
            b'{' | b'[' => {
                depth += 1;
                max = max.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'e' | b'E' => has_exponent |= at > 0 && json[at - 1].is_ascii_digit(),
            _ => {}
        }
        at += 1;
    }
    (max, has_exponent)
}

/// The first escape that JSON allows and `jsonb` does not.
fn refused_escape(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let digits = text.get(at + 2..at + 6)?;
        (bytes.get(at..at + 2)? == b"\\u").then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(at) {
            None => at += 2,
            Some(0) => return Some("the character \\u0000"),
            Some(0xD800..=0xDBFF) => match unit(at + 6) {
                Some(0xDC00..=0xDFFF) => at += 12,
                _ => return Some("half a surrogate pair"),
            },
            Some(0xDC00..=0xDFFF) => return Some("half a surrogate pair"),
            Some(_) => at += 6,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: PayloadLimits = PayloadLimits { max_bytes: 1000, max_headers_bytes: 100, max_metadata_bytes: 100 };

    fn refusal(request: &str) -> (String, String) {
        let text = format!("[{request}]");
        let mut read = read(&text).unwrap();
        let outcome = read.remove(0).and_then(|it| it.check(&LIMITS));
        let error = outcome.unwrap_err();
        (error.code().to_owned(), error.to_string())
    }

    fn accepted(request: &str) {
        let text = format!("[{request}]");
        read(&text).unwrap().remove(0).unwrap().check(&LIMITS).unwrap();
    }

    #[test]
    fn every_bad_field_is_named_with_what_is_allowed() {
        let cases = [
            (r#"{"type":"","payload":{}}"#, "SYMPHONY_INVALID_TYPE", "type: is empty"),
            (r#"{"type":7,"payload":{}}"#, "SYMPHONY_INVALID_TYPE", "type: got 7"),
            (r#"{"payload":{}}"#, "SYMPHONY_INVALID_TYPE", "type: got nothing"),
            (r#"{"type":"A","payload":[1]}"#, "SYMPHONY_INVALID_PAYLOAD", "payload: got [1], wants an object"),
            (r#"{"type":"A"}"#, "SYMPHONY_INVALID_PAYLOAD", "payload: got nothing"),
            (r#"{"type":"A","payload":{"a":"\u0000"}}"#, "SYMPHONY_INVALID_PAYLOAD", "payload: holds the character"),
            (r#"{"type":"A","payload":{"a":"\ud800"}}"#, "SYMPHONY_INVALID_PAYLOAD", "half a surrogate"),
            (r#"{"type":"A","payload":{"\udc00":1}}"#, "SYMPHONY_INVALID_PAYLOAD", "half a surrogate"),
            (r#"{"type":"A","payload":{},"metadata":3}"#, "SYMPHONY_INVALID_HEADERS", "metadata: got 3"),
            (r#"{"type":"A","payload":{},"options":[]}"#, "SYMPHONY_UNKNOWN_OPTION", "options: got an array"),
            (r#"{"type":"A","payload":{},"options":{"priority":0}}"#, "SYMPHONY_INVALID_PRIORITY", "got 0, wants"),
            (r#"{"type":"A","payload":{},"options":{"priority":11}}"#, "SYMPHONY_INVALID_PRIORITY", "got 11, wants"),
            (r#"{"type":"A","payload":{},"options":{"priority":5.5}}"#, "SYMPHONY_INVALID_PRIORITY", "got 5.5, wants"),
            (r#"{"type":"A","payload":{},"options":{"priority":"high"}}"#, "SYMPHONY_INVALID_PRIORITY", "got \"high\""),
            (r#"{"type":"A","payload":{},"options":{"scheduledAt":"soon"}}"#, "SYMPHONY_INVALID_SCHEDULED_AT", "soon"),
            (
                r#"{"type":"A","payload":{},"options":{"scheduledAt":1e17}}"#,
                "SYMPHONY_INVALID_SCHEDULED_AT",
                "since 1970, wants an instant in the years 1 to 9999",
            ),
            (
                r#"{"type":"A","payload":{},"options":{"scheduledAt":"+10000-01-01T00:00:00Z"}}"#,
                "SYMPHONY_INVALID_SCHEDULED_AT",
                "the years 1 to 9999",
            ),
            (r#"{"type":"A","payload":{},"options":{"transport":[]}}"#, "SYMPHONY_UNKNOWN_OPTION", "got an empty list"),
            (r#"{"type":"A","payload":{},"options":{"queue":"a\n"}}"#, "SYMPHONY_INVALID_QUEUE", r#"got "a\n", which"#),
            (r#"{"type":"A","payload":{},"options":{"queue":" a"}}"#, "SYMPHONY_INVALID_QUEUE", "ends with a blank"),
            (r#"{"type":"A","payload":{},"options":{"queue":"a\tb"}}"#, "SYMPHONY_INVALID_QUEUE", "control character"),
            (
                r#"{"type":"A","payload":{},"options":{"maxRetries":2147483648}}"#,
                "SYMPHONY_INVALID_MAX_RETRIES",
                "got 2147483648, wants a whole number from 0 to 2147483647",
            ),
            (
                r#"{"type":"A","payload":{},"options":{"headers":{"a":"b","c":1}}}"#,
                "SYMPHONY_INVALID_HEADERS",
                "options.headers.c: got 1, wants a string",
            ),
            (
                r#"{"type":"A","payload":{},"options":{"headers":{"a b":{}}}}"#,
                "SYMPHONY_INVALID_HEADERS",
                r#"options.headers["a b"]: got an object"#,
            ),
            (r#"{"type":"A","payload":{"a":-1e513}}"#, "SYMPHONY_INVALID_PAYLOAD", "holds the number -1e513, wants"),
            (r#"{"type":"A","payload":{},"options":{"delay":-1}}"#, "SYMPHONY_INVALID_DELAY", "got -1, wants"),
            (
                r#"{"type":"A","payload":{},"options":{"delay":1,"scheduledAt":1}}"#,
                "SYMPHONY_INVALID_DELAY",
                "only one",
            ),
            (
                r#"{"type":"A","payload":{},"options":{"queue":" "}}"#,
                "SYMPHONY_INVALID_QUEUE",
                "options.queue: is empty",
            ),
            (r#"{"type":"A","payload":{},"options":{"headers":[]}}"#, "SYMPHONY_INVALID_HEADERS", "wants an object"),
            (r#"{"type":"A","payload":{},"options":{"maxRetries":-1}}"#, "SYMPHONY_INVALID_MAX_RETRIES", "got -1"),
            (
                r#"{"type":"A","payload":{},"options":{"idempotencyKey":""}}"#,
                "SYMPHONY_INVALID_IDEMPOTENCY_KEY",
                "empty",
            ),
            (r#"{"type":"A","payload":{},"options":{"prio":1}}"#, "SYMPHONY_UNKNOWN_OPTION", "one of transport, queue"),
            ("3", "SYMPHONY_INVALID_TYPE", "wants an object { type, payload }"),
        ];
        for (request, code, text) in cases {
            let (found_code, found_text) = refusal(request);
            assert_eq!(found_code, code, "{request}: {found_text}");
            assert!(found_text.contains(text), "{request}: {found_text}");
        }
    }

    #[test]
    fn size_and_depth_are_limited() {
        let (code, text) = refusal(&format!(r#"{{"type":"A","payload":{{"a":"{}"}}}}"#, "x".repeat(1000)));
        assert_eq!(code, "SYMPHONY_PAYLOAD_TOO_LARGE");
        assert!(text.contains("is 1008 bytes, wants at most 1000"), "{text}");
        let deep = format!(r#"{{"type":"A","payload":{{"a":{}{}}}}}"#, "[".repeat(450), "]".repeat(450));
        accepted(&deep);
        let (code, _) = refusal(&deep.replacen("[[", &"[".repeat(60), 1).replacen("]]", &"]".repeat(60), 1));
        assert_eq!(code, "SYMPHONY_INVALID_PAYLOAD");
    }

    #[test]
    fn what_looks_dangerous_and_is_not_goes_through() {
        accepted(r#"{"type":"A","payload":{"a":"\\u0000 '); DROP TABLE x; --","__proto__":{"b":1},"c":"😀"}}"#);
        accepted(r#"{"type":"A","payload":{"a":"\u00e9 😀 [{[{"},"options":null,"metadata":null}"#);
        accepted(r#"{"type":"A","payload":{},"options":{"transport":["a","b"],"scheduledAt":"2026-12-25T00:00:00Z"}}"#);
    }

    #[test]
    fn one_bad_request_leaves_the_others_alone() {
        let read = read(r#"[{"type":"A","payload":{}},{"type":1,"payload":{}},{"type":"B","payload":{}}]"#).unwrap();
        assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            if let Ok(read) = read(&text) {
                for request in read.into_iter().flatten() { let _ = request.check(&LIMITS); }
            }
        }

        #[test]
        fn any_text_in_a_payload_is_accepted_as_serde_writes_it(value in "[^\0]*") {
            let request = serde_json::json!([{ "type": "A", "payload": { value.clone(): value } }]).to_string();
            for request in read(&request).unwrap() { request.unwrap().check(&PayloadLimits::default()).unwrap(); }
        }

        #[test]
        fn an_escape_is_refused_exactly_when_a_strict_reader_refuses_it(units in proptest::collection::vec(any::<u16>(), 0..6)) {
            let json: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let strict = serde_json::from_str::<String>(&format!("\"{json}\""));
            let storable = strict.is_ok_and(|text| !text.contains('\0'));
            prop_assert_eq!(refused_escape(&json).is_none(), storable);
        }
    }
}
