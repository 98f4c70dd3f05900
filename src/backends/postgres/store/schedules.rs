//! The table of schedules.

use crate::backends::postgres::PostgresTransport;
use crate::backends::postgres::connection::pool::Database;
use crate::backends::postgres::parameters::Columns;
use crate::backends::postgres::parameters::millis;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::transport::Transport;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// What a notification about schedules contains, instead of a transport's name.
pub const CHANGED: &str = "@schedules";

/// The table of schedules.
pub struct Schedules(PostgresTransport);

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

/// What was actually done.
#[derive(Debug, Default)]
pub struct Settled {
    /// Schedules that were updated.
    pub moved: HashSet<Uuid>,
    /// Messages that were stored.
    pub stored: HashSet<Uuid>,
}

impl Schedules {
    /// The table in a database.
    pub fn new(database: Arc<Database>, config: &Config) -> Self {
        Self(PostgresTransport::new("".into(), database, config))
    }

    /// Which store its messages can be in, see [`Transport::store`].
    pub fn store(&self) -> String {
        self.0.store()
    }

    /// What is due, at most `limit` of it.
    ///
    /// # Errors
    /// As [`Database::query`], as for everything here.
    pub async fn due(&self, limit: usize) -> Result<DuePage> {
        let statement = &self.0.statements.schedules_due;
        let rows = self.0.query(statement, &[&(limit as i64)]).await?;
        let head = self.0.read(statement, &rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let (now, later) = head.first().copied().unwrap_or((Utc::now(), None));
        let due = |row: &Row| {
            let Some(id) = row.try_get(2)? else { return Ok(None) };
            let (name, version) = (row.try_get(3)?, row.try_get(4)?);
            Ok(Some(DueRow { id, name, version, record: row.try_get(5)?, unfinished: row.try_get(6)? }))
        };
        let rows = self.0.read(statement, &rows, due)?.into_iter().flatten().collect();
        Ok(DuePage { now, later, rows })
    }

    /// Stores messages, each of a schedule, and updates the schedules that nobody else has changed meanwhile.
    pub async fn settle(&self, moves: &[Move], messages: &[(Uuid, Envelope)]) -> Result<Settled> {
        let envelopes: Vec<Envelope> = messages.iter().map(|(_, envelope)| envelope.clone()).collect();
        let schedules: Vec<Uuid> = messages.iter().map(|(schedule, _)| *schedule).collect();
        let columns = Columns::of(&envelopes);
        let keys = envelopes.iter().map(|it| it.key.as_ref());
        let names: Vec<Option<&str>> = keys.clone().map(|key| key.map(|it| it.key.as_str())).collect();
        let windows: Vec<Option<f64>> = keys.clone().map(|key| key.map(|it| millis(it.window))).collect();
        let repeats: Vec<i32> = keys.map(|_| 0).collect();
        let ids: Vec<Uuid> = moves.iter().map(|it| it.id).collect();
        let versions: Vec<i64> = moves.iter().map(|it| it.version).collect();
        let next: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.next_run_at).collect();
        let nominal: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.nominal_run_at).collect();
        let last: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.last_run_at).collect();
        let runs: Vec<i32> = moves.iter().map(|it| it.runs).collect();
        let skipped: Vec<i64> = moves.iter().map(|it| it.skipped).collect();
        let finished: Vec<bool> = moves.iter().map(|it| it.finished).collect();
        let errors: Vec<Option<&str>> = moves.iter().map(|it| it.error.as_deref()).collect();
        let mut parameters = columns.parameters().to_vec();
        let refusal = Error::RunRefused { keys: String::new() };
        let refusal = format!("{}: {refusal}", refusal.code());
        let own: [&(dyn ToSql + Sync); 14] = [
            &names, &windows, &repeats, &schedules, &ids, &versions, &next, &nominal, &last, &runs, &skipped,
            &finished, &errors, &refusal,
        ];
        parameters.extend_from_slice(&own);
        let statement = &self.0.statements.schedules_settle;
        let rows = self.0.query(statement, &parameters).await?;
        let read = |row: &Row| Ok((row.try_get::<_, Vec<Uuid>>(0)?, row.try_get::<_, Vec<Uuid>>(1)?));
        let answer = self.0.read(statement, &rows, read)?.into_iter().next().unwrap_or_default();
        Ok(Settled { moved: answer.0.into_iter().collect(), stored: answer.1.into_iter().collect() })
    }

    /// One schedule, and the time.
    pub async fn get(&self, name: &str) -> Result<Found> {
        let statement = &self.0.statements.schedule_get;
        let rows = self.0.query(statement, &[&name]).await?;
        let read = |row: &Row| {
            let row_of = |id| Ok((id, row.try_get(2)?, row.try_get(3)?));
            let row = row.try_get::<_, Option<Uuid>>(1)?.map(row_of).transpose()?;
            Ok(row)
        };
        let now = self.0.read(statement, &rows, |row| row.try_get(0))?.first().copied().unwrap_or_else(Utc::now);
        Ok(Found { now, row: self.0.read(statement, &rows, read)?.into_iter().next().flatten() })
    }

    /// A page of schedules after a name, each row as JSON text.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        let statement = &self.0.statements.schedules_list;
        let rows = self.0.ask(statement, &[&after, &(limit as i64)]).await?;
        self.0.read(statement, &rows, |row| row.try_get(0))
    }

    /// Stores a row, JSON text, over the version that was read; `None`: another process was faster.
    pub async fn put(&self, name: &str, version: Option<i64>, row: &str) -> Result<Option<String>> {
        let statement = &self.0.statements.schedule_put;
        let rows = self.0.query(statement, &[&name, &version.unwrap_or(-1), &row]).await?;
        Ok(self.0.read(statement, &rows, |row| row.try_get(0))?.into_iter().next())
    }

    /// Deletes a schedule; whether there was one.
    pub async fn delete(&self, name: &str) -> Result<bool> {
        Ok(self.0.count(&self.0.statements.schedule_delete, &[&name]).await? > 0)
    }

    /// Deletes the schedules of a group of code except these; returns the names of the deleted ones.
    pub async fn prune(&self, group: &str, names: &[String]) -> Result<Vec<String>> {
        let statement = &self.0.statements.schedules_prune;
        let rows = self.0.query(statement, &[&group, &names]).await?;
        self.0.read(statement, &rows, |row| row.try_get(0))
    }
}
