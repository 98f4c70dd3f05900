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
mod upkeep;

use super::connection::pool::Database;
use super::sql::{Statement, Statements};
use crate::base::limits::DEPTH_CAP;
use crate::config::{Config, DatabaseConfig, RetentionConfig};
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
        self.keep_up(limit).await
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
