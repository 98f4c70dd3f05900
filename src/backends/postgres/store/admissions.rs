//! Permission for notifications: many processes see an error, and one tells.

use super::PostgresStore;
use crate::error::Result;
use crate::store::admissions::{Admission, Admissions, Admitted};
use async_trait::async_trait;
use tokio_postgres::Row;
use uuid::Uuid;

#[async_trait]
impl Admissions for PostgresStore {
    async fn admit(&self, asked: &Admission) -> Result<Admitted> {
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
