//! What operators look at beside messages: who is at work, how full the queues were, which errors there are, which keys
//! have refused something, and which releases were seen.

use super::controls::Because;
use crate::counts::window::Window;
use crate::error::Result;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many rows of a kind are told at most.
pub const MOST: u32 = 1_000;

/// A worker or an invocation. An instant that no calendar has is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerRow {
    /// Its id.
    pub id: Uuid,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: i32,
    /// `worker` or `drain`; `None`: it is of a build that does not tell.
    pub kind: Option<String>,
    /// The transports that it has claimed from.
    pub transports: Vec<String>,
    /// When it registered.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub started_at: Option<DateTime<Utc>>,
    /// Its last heartbeat.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub last_beat_at: Option<DateTime<Utc>>,
    /// Until when its claims are valid.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub lease_until: Option<DateTime<Utc>>,
    /// Messages that it held at its last heartbeat.
    pub in_flight: u32,
    /// How many handlers it runs at the same time, at most.
    pub concurrency: Option<u32>,
    /// Whether it waits for something to come in.
    pub waiting: bool,
    /// The version of this package.
    pub version: Option<String>,
    /// The release of the application.
    pub release: Option<String>,
    /// Since when it is asked to stop.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub stop_at: Option<DateTime<Utc>>,
    /// Whether its lease holds.
    pub alive: bool,
}

/// How full a queue was in a minute. Counts stop at a bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DepthPoint {
    /// The minute.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub minute: Option<DateTime<Utc>>,
    /// Messages that were due.
    pub pending: u64,
    /// Messages that waited for their time.
    pub delayed: u64,
    /// Messages that ran.
    pub processing: u64,
    /// For how many milliseconds the first that was due had been; `None`: none was.
    pub oldest_age: Option<f64>,
    /// Whether there was at least as much, because counting stopped.
    pub capped: bool,
}

/// What is thought of a group of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GroupState {
    /// Somebody should look at it.
    Open,
    /// It is mended; open again once it is seen later.
    Resolved,
    /// Nobody needs to look at it.
    Ignored,
}

impl GroupState {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// As it is read from the table, whose check lets no other through.
    pub fn of(name: &str) -> Self {
        match name {
            "resolved" => Self::Resolved,
            "ignored" => Self::Ignored,
            _ => Self::Open,
        }
    }
}

/// Failed runs of one type, with errors of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroup {
    /// The message type.
    pub r#type: String,
    /// The class.
    pub class: String,
    /// The minute in which it was first seen.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub first_at: Option<DateTime<Utc>>,
    /// When it was last seen.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub last_at: Option<DateTime<Utc>>,
    /// How often.
    pub occurrences: u64,
    /// What is thought of it.
    pub state: GroupState,
    /// When that was said.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub state_at: Option<DateTime<Utc>>,
    /// What somebody wrote about it.
    pub note: Option<String>,
}

/// Which groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GroupFilter {
    /// Of one message type.
    pub r#type: Option<String>,
    /// In one state.
    pub state: Option<GroupState>,
    /// How many at most; 0: [`MOST`].
    pub limit: u32,
}

/// What is to be thought of a group.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judgement {
    /// The message type.
    pub r#type: String,
    /// The class.
    pub class: String,
    /// Its state.
    pub state: GroupState,
    /// What is noted about it; `None`: nothing.
    pub note: Option<String>,
    /// Who says so, and why.
    #[serde(default)]
    pub because: Because,
}

/// A key that has refused dispatches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedKey {
    /// The key.
    pub idempotency_key: String,
    /// The transport that it is held in.
    pub transport: String,
    /// The message type that it is held for; `None`: any, as builds hold it that know no types.
    pub r#type: Option<String>,
    /// The message that holds it.
    pub message_id: Uuid,
    /// When it was taken.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub first_seen_at: Option<DateTime<Utc>>,
    /// When it is free again; `None`: never.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Dispatches refused since.
    pub refused: u64,
}

/// A release that was seen at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Its name.
    pub release: String,
    /// The version of this package in it.
    pub version: Option<String>,
    /// When it was first seen.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub first_at: Option<DateTime<Utc>>,
}

/// What a store tells operators beside messages.
#[async_trait]
pub trait Insights: Send + Sync {
    /// Who is at work, those that registered last first; [`MOST`] of them at most.
    async fn workers(&self) -> Result<Vec<WorkerRow>>;

    /// How full a queue was, in at most 300 points; both names empty: all together.
    async fn depths(&self, window: &Window, transport: &str, queue: &str) -> Result<Vec<DepthPoint>>;

    /// Groups of errors, the latest first.
    async fn error_groups(&self, filter: &GroupFilter) -> Result<Vec<ErrorGroup>>;

    /// Says what is thought of a group; whether it was ever seen.
    async fn judge(&self, judgement: &Judgement) -> Result<bool>;

    /// Keys that have refused dispatches, taken before an instant, the latest first.
    async fn refused_keys(&self, before: Option<DateTime<Utc>>, limit: u32) -> Result<Vec<RefusedKey>>;

    /// Releases, the newest first; [`MOST`] of them at most.
    async fn releases(&self) -> Result<Vec<Release>>;
}
