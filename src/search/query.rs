//! A query, understood.

use super::pattern::Pattern;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

/// What is searched. Some terms make sense in one list only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Messages other than dead letters.
    Messages,
    /// Dead letters.
    DeadLetters,
}

impl List {
    /// The states in which a message is in the list.
    pub fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &["pending", "processing", "completed", "discarded", "cancelled"],
            Self::DeadLetters => &["failed"],
        }
    }
}

/// Terms that all have to hold; none: everything matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// In the order in which they were written.
    pub terms: Vec<Term>,
}

impl Query {
    /// Whether a message in this state can match.
    pub fn allows(&self, status: &str) -> bool {
        let mut terms = self.terms.iter().filter(|it| it.field == Field::Status);
        terms.all(|it| it.any.iter().any(|value| matches!(value, Value::Status(name) if *name == status)) != it.negated)
    }

    /// The least and the greatest of the ids that can match, if the query names some.
    pub fn ids(&self) -> Option<(Uuid, Uuid)> {
        let term = self.terms.iter().find(|it| it.field == Field::Id && !it.negated)?;
        let ids = || term.any.iter().filter_map(|it| if let Value::Id(id) = it { Some(*id) } else { None });
        Some((ids().min()?, ids().max()?))
    }

    /// The same whenever it is asked again: with instants for what is written as spans before now, which is `now`
    /// from here on.
    pub fn frozen(mut self, now: DateTime<Utc>) -> Self {
        for value in self.terms.iter_mut().flat_map(|it| &mut it.any) {
            if let Value::Instant(_, when) = value
                && let When::Ago(millis) = *when
            {
                let at = i64::try_from(millis)
                    .ok()
                    .and_then(TimeDelta::try_milliseconds)
                    .and_then(|ago| now.checked_sub_signed(ago));
                *when = at.filter(|it| it.year() >= 1).map_or(*when, When::At);
            }
        }
        self
    }

    /// The names of transports, without those that have a star.
    pub fn transports(&mut self) -> impl Iterator<Item = &mut Pattern> {
        let terms = self.terms.iter_mut().filter(|it| it.field == Field::Transport);
        terms.flat_map(|it| &mut it.any).filter_map(|it| match it {
            Value::Text(pattern) if pattern.exact().is_some() => Some(pattern),
            _ => None,
        })
    }
}

/// A field, and values of which one has to hold, or none if the term is negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Written with a `-`.
    pub negated: bool,
    /// What is looked at.
    pub field: Field,
    /// Separated by commas.
    pub any: Vec<Value>,
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The id; that of a dead letter, or of the message it was.
    Id,
    /// Message type.
    Type,
    /// Transport.
    Transport,
    /// Queue.
    Queue,
    /// State.
    Status,
    /// 1 to 10.
    Priority,
    /// Failed runs so far; those before the last, of a dead letter.
    Attempts,
    /// How often its process died.
    Crashes,
    /// The idempotency key.
    Key,
    /// Class of the last error.
    Class,
    /// Text of the last error.
    Error,
    /// Payload and last error, as text.
    Text,
    /// When it was dispatched.
    Created,
    /// When it was finished or buried.
    Finished,
    /// For how long it has been due, if it waits.
    Waited,
    /// A place in the payload, the headers or the metadata.
    Path(Root, Vec<String>),
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The payload.
    Payload,
    /// The caller's headers.
    Header,
    /// The metadata.
    Metadata,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, possibly with stars.
    Text(Pattern),
    /// An id.
    Id(Uuid),
    /// A state, as it is stored.
    Status(&'static str),
    /// A whole number.
    Number(Comparison, i64),
    /// An instant.
    Instant(Comparison, When),
    /// A span in milliseconds.
    Span(Comparison, u64),
    /// What stands at a path.
    Json(Json),
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing is written.
    Is,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Comparison {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Is => "",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether something that compares so with the value fits.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Is => order.is_eq(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// An instant as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds ago.
    Ago(u64),
    /// At that time.
    At(DateTime<Utc>),
    /// A day in UTC: its beginning, or without a comparison the whole of it.
    Day(NaiveDate),
}

/// An instant in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// So long before now.
    Ago(i64),
    /// Since 1970, and where its day ends.
    At(i64, i64),
}

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

impl When {
    /// In microseconds.
    pub fn bounds(self) -> Bounds {
        let from = match self {
            Self::Ago(millis) => return Bounds::Ago(micros(millis)),
            Self::At(at) => at,
            Self::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
        };
        Bounds::At(from.timestamp_micros(), from.timestamp_micros() + DAY)
    }
}

/// Milliseconds in microseconds.
pub fn micros(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// What is asked of a place in JSON. Arrays count by their elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// Anything stands there.
    Present,
    /// A number, `true`, `false` or `null`, or a string with the same letters.
    Loose(String),
    /// A string.
    Text(Pattern),
    /// A number compared with a number, or a string with a string.
    Compare(Comparison, Operand),
}

/// What something in JSON is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A JSON number, with all its digits.
    Number(String),
    /// A string.
    Text(String),
}
