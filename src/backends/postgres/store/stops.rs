//! Workers that are asked to stop.

use super::PostgresStore;
use crate::backends::postgres::rows;
use crate::error::Result;
use crate::store::controls::Because;
use crate::store::stops::{Stopping, Stops};
use async_trait::async_trait;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

#[async_trait]
impl Stops for PostgresStore {
    async fn stop_workers(
        &self,
        transport: Option<&str>,
        ids: Option<&[Uuid]>,
        Because { actor, reason, role }: &Because,
    ) -> Result<Vec<Stopping>> {
        let statement = &self.statements.stop_workers;
        let rows = self.ask(statement, &[&transport, &ids, &Uuid::now_v7(), actor, reason, role]).await?;
        self.read(statement, &rows, stopping)
    }

    async fn stopping(&self, ids: &[Uuid]) -> Result<Vec<Stopping>> {
        let statement = &self.statements.stopping_workers;
        let rows = self.ask(statement, &[&ids]).await?;
        self.read(statement, &rows, stopping)
    }
}

fn stopping(row: &Row) -> Result<Stopping, Error> {
    let running = rows::count(row.try_get(3)?);
    Ok(Stopping { id: row.try_get(0)?, host: row.try_get(1)?, pid: row.try_get(2)?, running })
}
