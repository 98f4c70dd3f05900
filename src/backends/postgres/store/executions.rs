//! Executions that named themselves.

use super::PostgresStore;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::rows;
use crate::error::Result;
use crate::store::executions::{Begun, Execution, Executions};
use async_trait::async_trait;
use chrono::DateTime;

#[async_trait]
impl Executions for PostgresStore {
    async fn begin_execution(&self, execution: &Execution) -> Result<Begun> {
        let Execution { route, id, lease } = execution;
        let statement = &self.statements.begin_execution;
        let rows = self.query(statement, &[route, id, &millis(*lease)]).await?;
        let found = self.read(statement, &rows, |row| rows::begun(row, *lease))?;
        Ok(found.into_iter().next().unwrap_or(Begun::Busy(*lease)))
    }

    async fn end_execution(&self, execution: &Execution, token: i64, done: bool) -> Result<bool> {
        let begun = DateTime::from_timestamp_micros(token);
        let Execution { route, id, .. } = execution;
        Ok(self.count(&self.statements.end_execution, &[route, id, &begun, &done]).await? > 0)
    }
}
