//! Whether a message matches: what the statements of Postgres answer, in one process.

use super::decimal::Decimal;
use super::json::{Scalar, as_stored, at, scalars};
use super::pattern::Pattern;
use super::query::{Bounds, Comparison, Field, Json, Operand, Query, Root, Value, When, micros};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

/// What is known of a message or a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The id of the message.
    pub id: Uuid,
    /// That of the dead letter, if it is one.
    pub letter: Option<Uuid>,
    /// Message type.
    pub message_type: &'a str,
    /// Transport.
    pub transport: &'a str,
    /// Queue.
    pub queue: &'a str,
    /// State, as it is stored.
    pub status: &'a str,
    /// 1 to 10.
    pub priority: u8,
    /// Failed runs so far.
    pub attempts: u32,
    /// How often its process died.
    pub crashes: i16,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// Class of the last error.
    pub class: Option<&'a str>,
    /// Text of the last error.
    pub error: Option<&'a str>,
    /// When it was dispatched.
    pub created: DateTime<Utc>,
    /// When it was finished or buried.
    pub finished: Option<DateTime<Utc>>,
    /// Since when it has been due, if it waits and is due.
    pub due_since: Option<DateTime<Utc>>,
    /// The payload, as JSON.
    pub payload: &'a str,
    /// The headers.
    pub headers: &'a str,
    /// The metadata.
    pub metadata: &'a str,
    /// The instant of the question.
    pub now: DateTime<Utc>,
}

impl Query {
    /// Whether all terms hold.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        let holds = |field: &Field, any: &[Value]| any.iter().any(|it| fits(field, it, facts));
        self.terms.iter().all(|it| holds(&it.field, &it.any) != it.negated)
    }
}

fn fits(field: &Field, value: &Value, facts: &Facts<'_>) -> bool {
    match value {
        Value::Text(pattern) => fits_text(field, pattern, facts),
        Value::Id(id) => facts.id == *id || facts.letter == Some(*id),
        Value::Status(name) => facts.status == *name,
        Value::Number(comparison, number) => comparison.holds(count(field, facts).cmp(number)),
        Value::Instant(comparison, when) => {
            let at = if *field == Field::Created { Some(facts.created) } else { facts.finished };
            at.is_some_and(|at| fits_instant(at, *comparison, *when, facts.now))
        }
        Value::Span(comparison, millis) => facts.due_since.is_some_and(|due| {
            let waited = (facts.now - due).num_microseconds().unwrap_or(i64::MAX);
            comparison.holds(waited.cmp(&micros(*millis)))
        }),
        Value::Json(json) => {
            let Field::Path(root, path) = field else { return false };
            let document = match root {
                Root::Payload => facts.payload,
                Root::Header => facts.headers,
                Root::Metadata => facts.metadata,
            };
            at(document, path).into_iter().any(|it| fits_json(it, json))
        }
    }
}

fn fits_text(field: &Field, pattern: &Pattern, facts: &Facts<'_>) -> bool {
    match field {
        Field::Type => pattern.matches(facts.message_type),
        Field::Transport => pattern.matches(facts.transport),
        Field::Queue => pattern.matches(facts.queue),
        Field::Key => facts.key.is_some_and(|it| pattern.matches(it)),
        Field::Class => facts.class.is_some_and(|it| pattern.matches(it)),
        Field::Error => facts.error.is_some_and(|it| pattern.is_in(it)),
        Field::Text => facts.error.is_some_and(|it| pattern.is_in(it)) || pattern.is_in(&as_stored(facts.payload)),
        _ => false,
    }
}

fn count(field: &Field, facts: &Facts<'_>) -> i64 {
    match field {
        Field::Priority => facts.priority.into(),
        Field::Attempts => facts.attempts.into(),
        _ => facts.crashes.into(),
    }
}

fn fits_instant(at: DateTime<Utc>, comparison: Comparison, when: When, now: DateTime<Utc>) -> bool {
    let at = at.timestamp_micros();
    match when.bounds() {
        Bounds::Ago(micros) => comparison.holds(at.cmp(&(now.timestamp_micros() - micros))),
        Bounds::At(from, to) if comparison == Comparison::Is => from <= at && at < to,
        Bounds::At(from, _) => comparison.holds(at.cmp(&from)),
    }
}

fn fits_json(value: &RawValue, json: &Json) -> bool {
    if *json == Json::Present {
        return true;
    }
    scalars(value).any(|it| match (json, it) {
        (Json::Loose(text), Scalar::Number(number)) => Decimal::parse(text).is_some_and(|it| is(&it, number)),
        (Json::Loose(text), Scalar::Text(found)) => *text == found,
        (Json::Loose(text), Scalar::Bool(found)) => *text == found.to_string(),
        (Json::Loose(text), Scalar::Null) => text == "null",
        (Json::Text(pattern), Scalar::Text(found)) => pattern.matches(&found),
        (Json::Compare(comparison, Operand::Number(text)), Scalar::Number(number)) => {
            let both = Decimal::parse(number).zip(Decimal::parse(text));
            both.is_some_and(|(found, wanted)| comparison.holds(found.cmp(&wanted)))
        }
        (Json::Compare(comparison, Operand::Text(text)), Scalar::Text(found)) => comparison.holds(found.cmp(text)),
        _ => false,
    })
}

fn is(wanted: &Decimal, number: &str) -> bool {
    Decimal::parse(number).is_some_and(|it| it == *wanted)
}
