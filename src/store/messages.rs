//! Messages as operators see them: which ones, a page of them, how many there are.

use super::contents::Contents;
use super::dead_letters::{in_calendar, storable_texts};
use crate::error::{Error, Result};
use crate::search::{self, List, Query};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// How many messages a page holds unless the caller says otherwise.
pub const DEFAULT_PAGE: u32 = 50;
/// How many it holds at most.
pub const MAX_PAGE: u32 = 1000;
/// How many messages one page looks at. A filter that fits few messages ends a page early, and the next one goes on.
pub const SCAN: i64 = 10_000;

/// How far the clock of a dispatcher, which is in the ids, may be off that of the database, which is in `created_at`.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MessageStatus {
    /// It waits: now, for a retry, or for its time.
    Pending,
    /// Claimed and not settled.
    Processing,
    /// Handled.
    Completed,
    /// Discarded by its handler.
    Discarded,
    /// Cancelled by an operator before it ran.
    Cancelled,
    /// A dead letter.
    Failed,
}

impl MessageStatus {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// As it is read from the table, whose check lets no other through.
    pub fn of(name: &str) -> Self {
        match name {
            "processing" => Self::Processing,
            "completed" => Self::Completed,
            "discarded" => Self::Discarded,
            "cancelled" => Self::Cancelled,
            "failed" => Self::Failed,
            _ => Self::Pending,
        }
    }
}

/// Which messages. Every field narrows; none: all. Dead letters are not among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MessageFilter {
    /// Message type.
    pub r#type: Option<String>,
    /// Transport.
    pub transport: Option<String>,
    /// Queue.
    pub queue: Option<String>,
    /// Their state.
    pub status: Option<MessageStatus>,
    /// 1 to 10.
    pub priority: Option<i16>,
    /// Text found in the payload or in the last error, ignoring case.
    pub text: Option<String>,
    /// Dispatched at or after this instant.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub created_after: Option<DateTime<Utc>>,
    /// Dispatched at or before this instant.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub created_before: Option<DateTime<Utc>>,
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

impl MessageFilter {
    /// The page size in force.
    pub fn page_size(&self) -> u32 {
        if self.limit == 0 { DEFAULT_PAGE } else { self.limit.min(MAX_PAGE) }
    }

    /// The query, read.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if it cannot be read.
    pub fn search(&self) -> Result<Query> {
        self.query.as_deref().map_or_else(|| Ok(Query::default()), |query| search::parse(query, List::Messages))
    }

    /// The states that can fit, as they are stored.
    pub fn statuses(&self, query: &Query) -> Vec<&'static str> {
        let all = List::Messages.statuses().iter().copied();
        all.filter(|it| self.status.is_none_or(|status| status.name() == *it) && query.allows(it)).collect()
    }

    /// Checks what the database would refuse.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the field.
    pub fn check(&self) -> Result<()> {
        let Self { r#type, transport, queue, text, created_after, created_before, .. } = self;
        storable_texts(&[("type", r#type), ("transport", transport), ("queue", queue), ("text", text)])?;
        in_calendar(&[("createdAfter", created_after), ("createdBefore", created_before)])
    }

    /// Ids are UUIDv7 and sort by time: the ids, from the first to before the second, that can fit.
    ///
    /// # Errors
    /// [`Error::Serialization`] for an invalid cursor.
    pub fn ids(&self, query: &Query) -> Result<(Uuid, Uuid)> {
        let (first, last) = query.ids().unwrap_or((Uuid::nil(), Uuid::max()));
        let end = last.as_u128().checked_add(1).map_or(Uuid::max(), Uuid::from_u128);
        let least = self.created_after.map_or(first, |at| first_id_at(at - SKEW).max(first));
        let most = self.created_before.map_or(end, |at| first_id_at(at + SKEW).min(end));
        let cursor = self.cursor.as_deref().map(Uuid::parse_str).transpose();
        let cursor = cursor.map_err(|_| Error::Serialization {
            what: "cursor",
            reason: "it is not one that listMessages() returned as `nextCursor`".to_owned(),
        })?;
        Ok((least, cursor.map_or(most, |cursor| cursor.min(most))))
    }
}

/// The least UUIDv7 of a millisecond.
fn first_id_at(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

/// The millisecond of a UUIDv7.
fn instant_of(id: Uuid) -> Option<DateTime<Utc>> {
    i64::try_from(id.as_u128() >> 80).ok().and_then(DateTime::from_timestamp_millis)
}

/// A message, in any state. An instant that no calendar has, such as the `infinity` that somebody wrote by
/// hand, is `None`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptMessage {
    /// Its id.
    pub id: Uuid,
    /// Message type.
    pub r#type: String,
    /// Transport.
    pub transport: String,
    /// Queue.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// Its state.
    pub status: MessageStatus,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
    /// The caller's headers.
    pub headers: Box<RawValue>,
    /// The metadata.
    pub metadata: Box<RawValue>,
    /// When it was dispatched.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it can be claimed at the earliest.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub available_at: Option<DateTime<Utc>>,
    /// The time the caller asked for, if any.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When it was claimed for its last run, if it is or was; not known of dead letters.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub started_at: Option<DateTime<Utc>>,
    /// The worker or invocation that claimed it then.
    pub worker_id: Option<Uuid>,
    /// When it was finished or buried, if it is.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub finished_at: Option<DateTime<Utc>>,
    /// Failed runs so far.
    pub retry_count: u32,
    /// Retries allowed; `None`: as its type is configured.
    pub max_retries: Option<u32>,
    /// How often its process died.
    pub crashes: i16,
    /// What the last failed run said, or why it was discarded.
    pub last_error: Option<String>,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
    /// The dead letter that it is now, if it is one.
    pub failed_message_id: Option<Uuid>,
}

/// One page of messages.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// Newest first.
    pub messages: Vec<KeptMessage>,
    /// Where the next page begins; `None`: this was the last.
    pub next_cursor: Option<Uuid>,
    /// Until when all were examined, if there are more than one page examines.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub searched_to: Option<DateTime<Utc>>,
}

impl MessagePage {
    /// A page out of one row more than was asked for, or of fewer because these are large (`cut`); `reached` is the last
    /// id looked at, where there may be more.
    pub fn of(mut rows: Vec<KeptMessage>, size: u32, cut: bool, reached: Option<Uuid>) -> Self {
        let more = cut || rows.len() > size as usize;
        rows.truncate(size as usize);
        let last = rows.last().filter(|_| more).map(|last| last.id);
        let searched_to = reached.filter(|_| last.is_none()).and_then(instant_of);
        Self { messages: rows, next_cursor: last.or(reached), searched_to }
    }
}

/// How many finished messages and dead letters there are. Counts stop at a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Handled.
    pub completed: u64,
    /// Finished without having been handled.
    pub discarded: u64,
    /// Cancelled.
    pub cancelled: u64,
    /// Dead letters.
    pub failed: u64,
    /// Schedules that will run again.
    pub schedules: u64,
    /// Whether counting stopped at its bound.
    pub capped: bool,
}
