//! Circuit breakers: what many short-lived processes must agree on.

use super::PostgresStore;
use crate::error::{Error, Result};
use crate::store::circuits::{CircuitReport, CircuitState, Circuits};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
impl Circuits for PostgresStore {
    async fn exchange(&self, worker: Uuid, reports: &[CircuitReport]) -> Result<Vec<CircuitState>> {
        let statement = &self.statements.circuits;
        let wrong = |error: serde_json::Error| Error::Serialization { what: "circuits", reason: error.to_string() };
        let reports = serde_json::to_string(reports).map_err(wrong)?;
        let rows = self.query(statement, &[&worker, &reports]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, Option<String>>(0))?;
        let known = text.into_iter().flatten().next();
        known.map_or(Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(wrong))
    }
}
