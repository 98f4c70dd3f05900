//! What is kept beside the messages, one subject per file.

mod admissions;
mod circuits;
mod controls;
mod counts;
mod dead_letters;
mod executions;
mod insights;
mod keys;
mod operations;
mod parked;
mod reasons;
mod schedules;
mod schema;
mod stops;
mod transports;

use super::connection::pool::Database;
use super::parameters::millis;
use super::sql::{Statement, Statements};
use crate::base::limits::DEPTH_CAP;
use crate::config::{Config, DatabaseConfig, Retention, RetentionConfig};
use crate::error::{Error, Result};
use crate::store::admissions::Admissions;
use crate::store::circuits::Circuits;
use crate::store::insights::Insights;
use crate::store::schedules::Schedules;
use crate::store::schema::Schema;
use crate::store::transports::Transports;
use crate::store::vitals::Vitals;
use crate::store::{Cleaned, Store};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// The tables of one schema.
pub struct PostgresStore {
    pub(super) database: Arc<Database>,
    pub(super) statements: Statements,
    pub(super) retention: RetentionConfig,
    pub(super) listen_to: DatabaseConfig,
}

impl PostgresStore {
    /// The tables behind a pool.
    pub fn new(database: Arc<Database>, config: &Config) -> Self {
        let statements = Statements::new(&database.schema);
        let (retention, listen_to) = (config.retention.clone(), config.database.clone());
        Self { database, statements, retention, listen_to }
    }

    pub(in crate::backends::postgres) async fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        self.database.query(statement, parameters).await
    }

    /// As `query`, for people, see [`Database::ask`].
    pub(in crate::backends::postgres) async fn ask(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        self.database.ask(statement, parameters).await
    }

    /// Turns rows into values; a column of another type than expected is an older or newer schema.
    pub(in crate::backends::postgres) fn read<T>(
        &self,
        statement: &Statement,
        rows: &[Row],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>> {
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| Error::MigrationMissing {
            schema: self.database.schema.clone(),
            reason: format!("{} answered with {error}", statement.name),
        })
    }

    pub(in crate::backends::postgres) async fn count(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64> {
        Ok(self.query(statement, parameters).await?.len() as u64)
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn identity(&self) -> String {
        format!("postgres:{}:{}", self.database.label, self.database.schema)
    }

    async fn vitals(&self) -> Result<Vitals> {
        let statement = &self.statements.vitals;
        let rows = self.ask(statement, &[&DEPTH_CAP]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        serde_json::from_str(&text).map_err(|error| Error::Serialization { what: "vitals", reason: error.to_string() })
    }

    async fn cleanup(&self, limit: u32) -> Result<Cleaned> {
        let limit = i64::from(limit);
        let statements = &self.statements;
        let schedules = finished_schedules(&self.retention);
        let RetentionConfig { completed, failed, metrics, audit } = &self.retention;
        let [completed, failed, schedules, metrics, audit] =
            [completed, failed, &schedules, metrics, audit].map(kept_ms);
        let answers = self
            .database
            .query_all(&[
                (&statements.merge_metrics, &[&limit]),
                (&statements.cleanup_notifications, &[&limit]),
                (&statements.cleanup_finished, &[&completed, &limit]),
                (&statements.cleanup_failed, &[&failed, &limit]),
                (&statements.cleanup_deduplication, &[&limit]),
                (&statements.cleanup_schedules, &[&schedules, &limit]),
                (&statements.cleanup_metrics, &[&metrics, &limit]),
                (&statements.cleanup_executions, &[&limit]),
                (&statements.cleanup_hours, &[&metrics, &limit]),
                (&statements.cleanup_depths, &[&metrics, &limit]),
                (&statements.cleanup_error_groups, &[&metrics, &limit]),
                (&statements.cleanup_audit, &[&audit, &limit]),
                (&statements.cleanup_pauses, &[&limit]),
                (&statements.note_depths, &[]),
                (&statements.note_releases, &[]),
            ])
            .await?;
        let mut counts = answers.iter().map(|rows| rows.len() as u64);
        let [
            _merged,
            _notifications,
            completed,
            failed,
            deduplication,
            schedules,
            minutes,
            executions,
            hours,
            depths,
            _groups,
            audit,
        ] = std::array::from_fn(|_| counts.next().unwrap_or_default());
        let metrics = minutes + hours + depths;
        Ok(Cleaned { completed, failed, deduplication, schedules, metrics, executions, audit })
    }

    fn circuits(&self) -> Option<&dyn Circuits> {
        Some(self)
    }

    fn admissions(&self) -> Option<&dyn Admissions> {
        Some(self)
    }

    fn schedules(&self) -> Option<&dyn Schedules> {
        Some(self)
    }

    fn transports(&self) -> Option<&dyn Transports> {
        Some(self)
    }

    fn insights(&self) -> Option<&dyn Insights> {
        Some(self)
    }

    fn schema(&self) -> Option<&dyn Schema> {
        Some(self)
    }
}

/// How long something is kept; `None`, which no age exceeds: forever, or not at all.
fn kept_ms(retention: &Retention) -> Option<f64> {
    retention.limit().map(millis)
}

/// Schedules without a run left stay as long as finished messages do, at least a day, so that people can find them.
fn finished_schedules(retention: &RetentionConfig) -> Retention {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    match retention.completed {
        Retention::Forever => Retention::Forever,
        Retention::None => Retention::For(DAY),
        Retention::For(kept) => Retention::For(kept.max(DAY)),
    }
}
