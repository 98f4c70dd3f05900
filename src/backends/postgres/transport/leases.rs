//! Workers: registered, beating, rescued, signed off.

use super::PostgresTransport;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::rows;
use crate::error::{Error, Result};
use crate::transport::{Fence, Known, Leases, Portion, RescueStep, Rescued, WorkerId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use uuid::Uuid;

#[async_trait]
impl Leases for PostgresTransport {
    async fn extend(&self, worker: &WorkerId, in_flight: usize) -> Result<Option<DateTime<Utc>>> {
        let in_flight = i32::try_from(in_flight).unwrap_or(i32::MAX);
        let statement = &self.store.statements.extend;
        // A beat is due three times per lease: one that is given up leaves time for the next.
        let limit = worker.lease / 6;
        let rows = self.store.database.beat(statement, &[&worker.id, &millis(worker.lease), &in_flight], limit).await?;
        Ok(self.store.read(statement, &rows, |row| row.try_get(0))?.into_iter().next())
    }

    async fn is_asked_to_stop(&self, worker: Uuid) -> Result<bool> {
        Ok(self.store.count(&self.store.statements.asked_to_stop, &[&worker]).await? > 0)
    }

    async fn lost(&self, worker: Uuid, held: &[Fence]) -> Result<Vec<Uuid>> {
        let (ids, tokens): (Vec<Uuid>, Vec<Uuid>) = held.iter().copied().unzip();
        let statement = &self.store.statements.lost;
        let rows = self.store.query(statement, &[&ids, &tokens, &worker]).await?;
        self.store.read(statement, &rows, |row| row.try_get(0))
    }

    async fn reconcile(&self, worker: &WorkerId, known: &Known, portion: Portion) -> Result<usize> {
        let Known { tokens, before } = known;
        let [limit, skip] = [portion.limit, portion.skip].map(messages);
        let statement = &self.store.statements.reconcile;
        let rows = self.store.query(statement, &[&worker.id, &tokens, before, &limit, &skip]).await?;
        self.lower_floors(&self.store.read(statement, &rows, rows::returned)?);
        Ok(rows.len())
    }

    async fn absolve(&self, worker: Uuid) -> Result<u64> {
        self.store.count(&self.store.statements.absolve, &[&worker]).await
    }

    async fn rescue_step(&self, RescueStep { by, portion: Portion { limit, skip } }: RescueStep) -> Result<Rescued> {
        let [limit, skip] = [limit, skip].map(messages);
        let rows = self.store.query(&self.store.statements.rescue, &[&self.max_crashes, &by, &limit, &skip]).await?;
        self.read_rescued(&rows)
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        self.store.query(&self.store.statements.sign_off, &[&worker.id]).await.map(drop)
    }
}

impl PostgresTransport {
    pub(super) fn read_rescued(&self, rows: &[Row]) -> Result<Rescued> {
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<_, String>(2)?));
        let Some((workers, returned, buried)) = self.store.read(&self.store.statements.rescue, rows, read)?.pop()
        else {
            return Ok(Rescued::default());
        };
        let buried = serde_json::from_str(&buried)
            .map_err(|error| Error::Serialization { what: "burials", reason: error.to_string() })?;
        Ok(Rescued { workers: rows::count(workers), returned: rows::count(returned), buried })
    }
}

/// A number of messages; two of them can be added.
pub(super) fn messages(count: usize) -> i64 {
    i64::from(i32::try_from(count).unwrap_or(i32::MAX))
}
