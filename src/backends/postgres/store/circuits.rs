//! Circuit breakers and permission for notifications: what many short-lived processes must agree on.

use crate::backends::postgres::PostgresTransport;
use crate::error::{Error, Result};
use crate::transport::{Admission, Admitted, CircuitReport, CircuitState};
use tokio_postgres::Row;
use uuid::Uuid;

impl PostgresTransport {
    pub(in crate::backends::postgres) async fn exchange_circuits(
        &self,
        worker: Uuid,
        reports: &[CircuitReport],
    ) -> Result<Vec<CircuitState>> {
        let statement = &self.statements.circuits;
        let wrong = |error: serde_json::Error| Error::Serialization { what: "circuits", reason: error.to_string() };
        let reports = serde_json::to_string(reports).map_err(wrong)?;
        let rows = self.query(statement, &[&worker, &reports]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, Option<String>>(0))?;
        let known = text.into_iter().flatten().next();
        known.map_or(Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(wrong))
    }

    pub(in crate::backends::postgres) async fn admit_notification(&self, asked: &Admission) -> Result<Admitted> {
        let statement = &self.statements.admit_notification;
        let (token, throttle) = (Uuid::now_v7(), asked.throttle);
        let rows = self
            .query(statement, &[&asked.key, &asked.occurrences, &asked.threshold, &asked.window, &throttle, &token])
            .await?;
        let read = |row: &Row| {
            Ok(Admitted { admitted: row.try_get(0)?, occurrences: row.try_get(1)?, suppressed: row.try_get(2)? })
        };
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }
}
