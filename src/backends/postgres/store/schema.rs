//! The tables themselves: their migrations, and the facts for a diagnosis.

use super::PostgresStore;
use super::upkeep::kept_ms;
use crate::backends::postgres::migrate;
use crate::config::RetentionConfig;
use crate::error::Result;
use crate::store::schema::{Done, Schema, Sessions, Status};
use async_trait::async_trait;

#[async_trait]
impl Schema for PostgresStore {
    fn label(&self) -> &str {
        &self.database.label
    }

    async fn status(&self) -> Result<Status> {
        migrate::status(&self.database).await
    }

    async fn up(&self) -> Result<Done> {
        migrate::up(&self.database, None).await
    }

    async fn down(&self, to: i32) -> Result<Done> {
        migrate::down(&self.database, to).await
    }

    async fn sessions(&self) -> Result<Sessions> {
        if self.database.is_declared_pooled() || !self.database.shares_sessions().await? {
            return Ok(Sessions::AsConfigured);
        }
        Ok(if self.database.keeps_sessions() { Sessions::DeniedPooler } else { Sessions::HiddenPooler })
    }

    async fn facts(&self) -> Result<String> {
        let statement = &self.statements.doctor;
        let RetentionConfig { completed, failed, metrics, .. } = &self.retention;
        let [completed, failed, metrics] = [completed, failed, metrics].map(kept_ms);
        let rows = self.query(statement, &[&completed, &failed, &metrics]).await?;
        Ok(self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat())
    }
}
