//! Dead letters: what is kept of a message that could not be handled, and how to ask for some of them.

use super::contents::Contents;
use crate::base::limits::DEPTH_CAP;
use crate::error::{Error, Result};
use crate::message::request::Instant;
use crate::search::{self, List, Query};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// How many dead letters a page holds unless the caller says otherwise.
pub const DEFAULT_PAGE: u32 = 50;
/// How many it holds at most.
pub const MAX_PAGE: u32 = 1000;
/// How many dead letters one page looks at, of the type and the time that is asked for. A filter that fits few of them
/// ends a page early, and the next one goes on.
pub const SCAN: i64 = DEPTH_CAP;

/// Which dead letters. Every field narrows; none: all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FailedFilter {
    /// Message type.
    pub r#type: Option<String>,
    /// Transport.
    pub transport: Option<String>,
    /// Queue.
    pub queue: Option<String>,
    /// Class of the last error.
    pub error_class: Option<String>,
    /// Text found in the error or in the payload, ignoring case.
    pub text: Option<String>,
    /// Failed at or after this instant.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub failed_after: Option<DateTime<Utc>>,
    /// Failed at or before this instant.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub failed_before: Option<DateTime<Utc>>,
    /// These only.
    pub ids: Option<Vec<Uuid>>,
    /// A query of the search language.
    pub query: Option<String>,
    /// Whether all that they hold is told, and not only outlines.
    #[serde(skip_serializing)]
    pub full: bool,
    /// Page size; 0: [`DEFAULT_PAGE`].
    #[serde(skip_serializing)]
    pub limit: u32,
    /// Where the page before ended.
    #[serde(skip_serializing)]
    pub cursor: Option<String>,
}

impl FailedFilter {
    /// The page size in force.
    pub fn page_size(&self) -> u32 {
        if self.limit == 0 { DEFAULT_PAGE } else { self.limit.min(MAX_PAGE) }
    }

    /// The query, read.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if it cannot be read.
    pub fn search(&self) -> Result<Query> {
        self.query.as_deref().map_or_else(|| Ok(Query::default()), |query| search::parse(query, List::DeadLetters))
    }

    /// Checks what the database would refuse.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the field.
    pub fn check(&self) -> Result<()> {
        let Self { r#type, transport, queue, error_class, text, failed_after, failed_before, .. } = self;
        storable_texts(&[
            ("type", r#type),
            ("transport", transport),
            ("queue", queue),
            ("errorClass", error_class),
            ("text", text),
        ])?;
        in_calendar(&[("failedAfter", failed_after), ("failedBefore", failed_before)])
    }

    /// Where to go on.
    pub fn after(&self) -> Result<Option<Cursor>> {
        self.cursor.as_deref().map(Cursor::parse).transpose()
    }
}

/// Refuses a text that Postgres cannot hold.
///
/// # Errors
/// [`Error::InvalidConfiguration`] naming the field.
pub(crate) fn storable_texts(fields: &[(&str, &Option<String>)]) -> Result<()> {
    let wrong = fields.iter().find(|(_, text)| text.as_ref().is_some_and(|it| it.contains('\0')));
    wrong.map_or(Ok(()), |(field, _)| Err(Error::configuration(*field, "a text with a NUL", "a text without")))
}

/// Refuses an instant that ISO 8601 does not write with four digits of a year; Postgres cannot hold all of the others.
///
/// # Errors
/// [`Error::InvalidConfiguration`] naming the field.
pub(crate) fn in_calendar(fields: &[(&str, &Option<DateTime<Utc>>)]) -> Result<()> {
    let wrong = fields.iter().find(|(_, at)| at.is_some_and(|it| Instant::Text(it).in_calendar().is_none()));
    wrong.map_or(Ok(()), |(field, at)| {
        let found = at.map(|it| it.to_rfc3339()).unwrap_or_default();
        Err(Error::configuration(*field, found, "an instant in the years 1 to 9999"))
    })
}

/// The last dead letter of a page: `<moment>.<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When it failed.
    pub failed_at: Moment,
    /// Its id.
    pub id: Uuid,
}

/// An instant as Postgres has it: microseconds since 2000, and at the ends `-infinity` and `infinity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// 1 January 2000 in microseconds since 1970.
const Y2K: i64 = 946_684_800_000_000;
/// What lies between the infinities: from 4714 BC to 294276.
const FINITE: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

impl Moment {
    fn parse(text: &str) -> Option<Self> {
        let micros = text.parse().ok()?;
        (FINITE.contains(&micros) || [i64::MIN, i64::MAX].contains(&micros)).then_some(Self(micros))
    }

    /// As an instant, if a calendar has it.
    pub fn instant(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0.checked_add(Y2K)?)
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros().saturating_sub(Y2K))
    }
}

impl Cursor {
    /// A cursor as text.
    ///
    /// # Errors
    /// [`Error::Serialization`] if it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once('.').and_then(|(at, id)| Some((Moment::parse(at)?, Uuid::parse_str(id).ok()?)));
        let parsed = parts.map(|(failed_at, id)| Self { failed_at, id });
        parsed.ok_or_else(|| Error::Serialization {
            what: "cursor",
            reason: "it is not one that listFailed() returned as `nextCursor`".to_owned(),
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.failed_at.0, self.id)
    }
}

/// A dead letter. An instant that no calendar has, such as the `infinity` that somebody wrote by hand, is `None`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedMessage {
    /// Its id as a dead letter.
    pub id: Uuid,
    /// The id it had as a message.
    pub message_id: Uuid,
    /// Message type.
    pub r#type: String,
    /// Transport.
    pub transport: String,
    /// Queue.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
    /// The caller's headers, and the lineage of a redrive.
    pub headers: Box<RawValue>,
    /// The metadata.
    pub metadata: Box<RawValue>,
    /// What the last run said.
    pub error: String,
    /// Its class.
    pub error_class: Option<String>,
    /// When it was buried.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub failed_at: Option<DateTime<Utc>>,
    /// Failed runs before the last.
    pub retry_count: u32,
    /// How often its process died.
    pub crashes: i16,
    /// When it was dispatched.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub created_at: Option<DateTime<Utc>>,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
    /// The exact instant for the cursor; `failedAt` is rounded to milliseconds.
    #[serde(skip)]
    pub cursor: Cursor,
}

/// One page of dead letters.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedPage {
    /// Newest first.
    pub messages: Vec<FailedMessage>,
    /// Where the next page begins; `None`: this was the last.
    pub next_cursor: Option<Cursor>,
    /// Until when all were examined, if there are more than one page examines.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub searched_to: Option<DateTime<Utc>>,
}

impl FailedPage {
    /// A page out of one row more than was asked for, or of fewer because these are large (`cut`); `reached` is the last
    /// one looked at, where there may be more.
    pub fn of(mut rows: Vec<FailedMessage>, size: u32, cut: bool, reached: Option<Cursor>) -> Self {
        let more = cut || rows.len() > size as usize;
        rows.truncate(size as usize);
        let last = rows.last().filter(|_| more).map(|last| last.cursor);
        let searched_to = reached.filter(|_| last.is_none()).and_then(|it| it.failed_at.instant());
        Self { messages: rows, next_cursor: last.or(reached), searched_to }
    }
}

/// Where the dead letters of a page stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedPlaces {
    /// Newest first.
    pub places: Vec<Cursor>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<Cursor>,
}

/// A dead letter that is a message again.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Redriven {
    /// The dead letter that was.
    pub failed_message_id: Uuid,
    /// The message that is.
    pub message_id: Uuid,
    /// Where it waits.
    pub transport: String,
}

/// Messages that could not be handled, over all transports of a store.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Dead letters, newest first.
    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage>;

    /// The places of the dead letters of a page, newest first: what is needed to put them back or delete them.
    async fn failed_places(&self, filter: &FailedFilter) -> Result<FailedPlaces> {
        let page = self.list_failed(filter).await?;
        Ok(FailedPlaces { places: page.messages.into_iter().map(|it| it.cursor).collect(), next: page.next_cursor })
    }

    /// How many dead letters match, among the newest [`SCAN`] of the type and the time that is asked for, and whether
    /// there are more than these. Page size and cursor do not count.
    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)>;

    /// One dead letter, with all that it holds.
    async fn get_failed(&self, id: Uuid) -> Result<Option<FailedMessage>> {
        let one = FailedFilter { ids: Some(vec![id]), limit: 1, full: true, ..FailedFilter::default() };
        Ok(self.list_failed(&one).await?.messages.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written_and_no_text_makes_it_panic(
            micros in -1_000_000_000_000_000_i64..1_000_000_000_000_000, id: u128, text in "\\PC*",
        ) {
            for micros in [micros, i64::MIN, i64::MAX, FINITE.start, FINITE.end - 1] {
                let cursor = Cursor { failed_at: Moment(micros), id: Uuid::from_u128(id) };
                proptest::prop_assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
            }
            for micros in [i64::MIN + 1, i64::MAX - 1, FINITE.start - 1, FINITE.end] {
                let none = Cursor { failed_at: Moment(micros), id: Uuid::from_u128(id) };
                proptest::prop_assert!(Cursor::parse(&none.to_string()).is_err());
            }
            let _ = Cursor::parse(&text);
            let _ = Cursor::parse(&format!("{micros}.{text}"));
        }
    }
}
