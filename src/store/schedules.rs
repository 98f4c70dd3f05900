//! Schedules as they are kept.

use super::controls::Because;
use crate::base::listening::Listening;
use crate::error::Result;
use crate::message::envelope::Envelope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// A schedule that is due, its row as JSON text.
#[derive(Debug)]
pub struct DueRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The fence.
    pub version: i64,
    /// The row.
    pub record: String,
    /// Whether overlapping is not allowed, and a message of its last run is not finished.
    pub unfinished: bool,
}

/// The schedules that are due.
#[derive(Debug)]
pub struct DuePage {
    /// The time.
    pub now: DateTime<Utc>,
    /// When the first of the others is due.
    pub later: Option<DateTime<Utc>>,
    /// The longest due first.
    pub rows: Vec<DueRow>,
}

/// One schedule, if there is one of that name.
#[derive(Debug)]
pub struct Found {
    /// The time.
    pub now: DateTime<Utc>,
    /// Version and row, JSON text.
    pub row: Option<(Uuid, i64, String)>,
}

/// How a schedule continues.
#[derive(Debug, Clone)]
pub struct Move {
    /// The schedule.
    pub id: Uuid,
    /// The fence: the version that was read.
    pub version: i64,
    /// When it is due again.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The same as planned.
    pub nominal_run_at: Option<DateTime<Utc>>,
    /// When it ran; `None`: as before.
    pub last_run_at: Option<DateTime<Utc>>,
    /// Runs to count.
    pub runs: i32,
    /// Runs left out, to count.
    pub skipped: i64,
    /// Whether it is finished.
    pub finished: bool,
    /// Why it could not run.
    pub error: Option<String>,
}

/// What an operator has done with a schedule, for the audit.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// As the audit names it.
    pub action: &'static str,
    /// The name of the schedule.
    pub schedule: &'a str,
    /// Who, and why.
    pub because: &'a Because,
}

/// What was actually done.
#[derive(Debug, Default)]
pub struct Settled {
    /// Schedules that were updated.
    pub moved: HashSet<Uuid>,
    /// Messages that were stored.
    pub stored: HashSet<Uuid>,
}

/// The table of schedules.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// What is due, at most `limit` of it.
    async fn due(&self, limit: usize) -> Result<DuePage>;

    /// Stores messages, each of a schedule, and updates the schedules that nobody else has changed meanwhile. If an
    /// operator wanted it, the audit says so.
    async fn settle(&self, moves: &[Move], messages: &[(Uuid, Envelope)], deed: Option<Deed<'_>>) -> Result<Settled>;

    /// One schedule, and the time.
    async fn get(&self, name: &str) -> Result<Found>;

    /// A page of schedules after a name, each row as JSON text.
    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>>;

    /// Stores a row, JSON text, over the version that was read; `None`: another process was faster. If an operator did
    /// it, the audit says so.
    async fn put(&self, name: &str, version: Option<i64>, row: &str, deed: Option<Deed<'_>>) -> Result<Option<String>>;

    /// Deletes a schedule; whether there was one. The audit says so.
    async fn delete(&self, name: &str, because: &Because) -> Result<bool>;

    /// Deletes the schedules of a group of code except these; returns the names of the deleted ones.
    async fn prune(&self, group: &str, names: &[String]) -> Result<Vec<String>>;

    /// Calls `wake` whenever a schedule changes; `None` if that cannot be heard.
    fn watch(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Option<Box<dyn Listening>>>;
}
