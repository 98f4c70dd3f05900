//! Idempotency keys.

use super::PostgresStore;
use crate::backends::postgres::rows;
use crate::error::Result;
use crate::store::keys::Keys;
use async_trait::async_trait;

#[async_trait]
impl Keys for PostgresStore {
    async fn duplicate_attempts(&self, key: &str) -> Result<u64> {
        let statement = &self.statements.duplicate_attempts;
        let rows = self.ask(statement, &[&key]).await?;
        let counts = self.read(statement, &rows, |row| row.try_get::<_, i32>(0))?;
        Ok(counts.first().copied().map_or(0, |it| rows::count(i64::from(it))))
    }
}
