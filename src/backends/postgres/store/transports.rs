//! The table of transports.

use super::PostgresStore;
use crate::error::Result;
use crate::store::transports::{TransportRow, Transports};
use async_trait::async_trait;
use std::time::Instant;
use tokio_postgres::Row;

#[async_trait]
impl Transports for PostgresStore {
    async fn rows(&self) -> Result<Vec<TransportRow>> {
        let began = Instant::now();
        let rows = self.database.look(&self.statements.transports, &[]).await?;
        let read = |row: &Row| {
            Ok(TransportRow {
                name: row.try_get(0)?,
                kind: row.try_get(1)?,
                config: row.try_get(2)?,
                enabled: row.try_get(3)?,
            })
        };
        let rows = self.read(&self.statements.transports, &rows, read)?;
        let off = rows.iter().filter(|it| !it.enabled).map(|it| it.name.clone()).collect();
        self.database.switches.learn(began, off);
        Ok(rows)
    }
}
