//! Operations on many messages, in steps, and the audit of all that operators do.

use super::controls::Because;
use super::dead_letters::{Cursor, FailedFilter, Redriven, in_calendar, storable_texts};
use super::messages::MessageFilter;
use crate::error::{Error, Result};
use crate::search::List;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// What is done to messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Dead letters become messages again.
    Retry,
    /// Dead letters are deleted.
    Remove,
    /// Messages that wait are cancelled.
    Cancel,
    /// Messages that wait are due after so many milliseconds; 0: now.
    Snooze {
        /// Milliseconds.
        delay: u64,
    },
    /// Messages that wait go elsewhere; `None`: as it is.
    Move {
        /// Another transport of the same store.
        transport: Option<String>,
        /// Another queue.
        queue: Option<String>,
        /// Another priority.
        priority: Option<i16>,
    },
}

impl Action {
    /// As the audit names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Remove => "remove",
            Self::Cancel => "cancel",
            Self::Snooze { .. } => "snooze",
            Self::Move { .. } => "move",
        }
    }

    /// Where it finds what it acts on.
    pub fn list(&self) -> List {
        match self {
            Self::Retry | Self::Remove => List::DeadLetters,
            Self::Cancel | Self::Snooze { .. } | Self::Move { .. } => List::Messages,
        }
    }
}

/// Which messages an operation is about. It is frozen: what comes after `before` is not among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selection {
    /// Dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<FailedFilter>,
    /// Messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<MessageFilter>,
    /// Messages by their ids, instead of a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
}

/// An operation as its row has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// What is done.
    pub operation: Action,
    /// To which.
    pub selection: Selection,
}

/// An operation that begins.
#[derive(Debug)]
pub struct Begin<'a> {
    /// Its id, which begins once.
    pub id: Uuid,
    /// What, and to which.
    pub target: &'a Target,
    /// Who, and why.
    pub because: &'a Because,
    /// How many match, as far as they were counted.
    pub matched: Option<u64>,
}

/// One entry of the audit: an action, or an operation and how far it has come.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// When it was done, or begun.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub at: Option<DateTime<Utc>>,
    /// Who, if anybody said so.
    pub actor: Option<String>,
    /// In which role, if anybody said so.
    pub role: Option<String>,
    /// What, such as `pause` or `retry`.
    pub action: String,
    /// To what, JSON.
    pub target: Box<RawValue>,
    /// Why, if anybody said so.
    pub reason: Option<String>,
    /// How many matched at the beginning, as far as they were counted.
    pub matched: Option<u64>,
    /// To how many it was done.
    pub done: u64,
    /// Those that had changed by the time their turn came.
    pub skipped: u64,
    /// Those that the database refused.
    pub failed: u64,
    /// How many steps were made: the fence of the next one.
    #[serde(skip)]
    pub steps: i32,
    /// Where the next step goes on.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// What the database said about the last one that failed.
    pub error: Option<String>,
    /// When it went on last.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was over; `None`: it can go on.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub ended_at: Option<DateTime<Utc>>,
    /// `completed` or `aborted`.
    pub ended: Option<String>,
}

impl Entry {
    /// The operation that it is.
    ///
    /// # Errors
    /// [`Error::Serialization`] if it is another action, or somebody has changed its row.
    pub fn operation(&self) -> Result<Target> {
        let what = "messenger_audit.target";
        serde_json::from_str(self.target.get())
            .map_err(|error| Error::Serialization { what, reason: error.to_string() })
    }

    /// Whether it can go on.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Adds how far another part of the same operation has come.
    pub fn add(&mut self, other: &Self) {
        // Each store looks for all ids that were named, and passes over those that others have.
        let ids = self.operation().ok().and_then(|it| it.selection.ids).map_or(0, |it| it.len() as u64);
        self.matched = self.matched.max(other.matched);
        self.done += other.done;
        self.skipped = (self.skipped + other.skipped).saturating_sub(ids);
        self.failed += other.failed;
        self.error = other.error.clone().or(self.error.take());
        self.updated_at = self.updated_at.max(other.updated_at);
        if other.is_open() {
            (self.ended, self.ended_at) = (None, None);
        } else if !self.is_open() {
            self.ended_at = self.ended_at.max(other.ended_at);
            let aborted = [&self.ended, &other.ended].iter().any(|it| it.as_deref() == Some("aborted"));
            self.ended = Some(if aborted { "aborted" } else { "completed" }.to_owned());
        }
    }
}

/// Which entries of the audit. Every field narrows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditFilter {
    /// Of this actor.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// Since then.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub after: Option<DateTime<Utc>>,
    /// Until then.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub before: Option<DateTime<Utc>>,
    /// Page size; 0: 50.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl AuditFilter {
    /// The page size in force.
    pub fn page_size(&self) -> u32 {
        if self.limit == 0 { 50 } else { self.limit.min(1000) }
    }

    /// Checks what the database would refuse.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the field.
    pub fn check(&self) -> Result<()> {
        storable_texts(&[("actor", &self.actor), ("action", &self.action)])?;
        in_calendar(&[("after", &self.after), ("before", &self.before)])
    }

    /// Where to go on.
    ///
    /// # Errors
    /// [`Error::Serialization`] for an invalid cursor.
    pub fn after_cursor(&self) -> Result<Option<Cursor>> {
        self.cursor.as_deref().map(Cursor::parse).transpose()
    }
}

/// One page of the audit, newest first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None`: this was the last.
    pub next_cursor: Option<String>,
}

/// Messages that wait, as an operation finds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Newest first.
    pub ids: Vec<Uuid>,
    /// The last that was looked at, where there may be more.
    pub reached: Option<Uuid>,
}

/// The turn of a step: it does something only if it is the next one of its operation.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The operation.
    pub operation: Uuid,
    /// How many steps it has made.
    pub step: i32,
    /// Where the step after this one goes on.
    pub cursor: Option<String>,
    /// Whether there is none after this one.
    pub is_last: bool,
}

/// A message that was acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The message, or the dead letter.
    pub id: Uuid,
    /// The message that it is now.
    pub message_id: Uuid,
    /// Its transport.
    pub transport: String,
}

impl From<Touched> for Redriven {
    fn from(Touched { id, message_id, transport }: Touched) -> Self {
        Self { failed_message_id: id, message_id, transport }
    }
}

/// Operations, and the audit. A step acts and writes down what it did in one statement.
#[async_trait]
pub trait Operations: Send + Sync {
    /// The clock that instants are compared with.
    async fn clock(&self) -> Result<DateTime<Utc>>;

    /// Begins an operation; `None`: one of that id has begun already.
    async fn begin(&self, begin: &Begin<'_>) -> Result<Option<Entry>>;

    /// One entry.
    async fn entry(&self, id: Uuid) -> Result<Option<Entry>>;

    /// One page of the audit. Says where the next one begins.
    async fn audit(&self, filter: &AuditFilter) -> Result<AuditPage>;

    /// Messages that wait and match, no more than so many, among the next [`SCAN`](super::messages::SCAN).
    async fn waiting(&self, filter: &MessageFilter, limit: usize) -> Result<Waiting>;

    /// Whether some of these may wait here; `false` is certain.
    async fn may_have(&self, ids: &[Uuid]) -> Result<bool> {
        Ok(!ids.is_empty())
    }

    /// A step: acts on those of these that are as they were found, if it is its turn.
    async fn act(&self, action: &Action, ids: &[Uuid], turn: &Turn) -> Result<Vec<Touched>>;

    /// A step past messages that cannot be acted on, and why; or past none.
    async fn pass(&self, ids: &[Uuid], turn: &Turn, error: Option<&str>) -> Result<()>;

    /// Ends an operation where it stands; `None`: it is over, or there is none.
    async fn abort(&self, id: Uuid) -> Result<Option<Entry>>;

    /// An operation of one step.
    async fn at_once(&self, action: Action, ids: &[Uuid], because: &Because) -> Result<Vec<Touched>> {
        let of_letters = action.list() == List::DeadLetters;
        let letters = of_letters.then(|| FailedFilter { ids: Some(ids.to_vec()), ..FailedFilter::default() });
        let selection = Selection { letters, messages: None, ids: (!of_letters).then(|| ids.to_vec()) };
        let target = Target { operation: action, selection };
        let (id, matched) = (Uuid::now_v7(), Some(ids.len() as u64));
        self.begin(&Begin { id, target: &target, because, matched }).await?;
        self.act(&target.operation, ids, &Turn { operation: id, step: 0, cursor: None, is_last: true }).await
    }

    /// Puts dead letters back as new messages, with their lineage in the headers; missing ones are skipped.
    async fn redrive(&self, failed: &[Uuid]) -> Result<Vec<Redriven>> {
        let touched = self.at_once(Action::Retry, failed, &Because::default()).await?;
        Ok(touched.into_iter().map(Redriven::from).collect())
    }

    /// Deletes dead letters; returns how many there were.
    async fn remove_failed(&self, failed: &[Uuid]) -> Result<u64> {
        Ok(self.at_once(Action::Remove, failed, &Because::default()).await?.len() as u64)
    }
}
