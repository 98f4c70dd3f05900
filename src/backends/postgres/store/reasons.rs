//! What is known of why a message does not run.

use super::PostgresStore;
use crate::base::limits::DEPTH_CAP;
use crate::error::{Error, Result};
use crate::store::reasons::{Facts, Reasons};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
impl Reasons for PostgresStore {
    async fn facts_about(&self, id: Uuid) -> Result<Option<Facts>> {
        let statement = &self.statements.why;
        let rows = self.ask(statement, &[&id, &DEPTH_CAP]).await?;
        let Some(text) = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.into_iter().next() else {
            return Ok(None);
        };
        let wrong = |error: serde_json::Error| Error::Serialization { what: "facts", reason: error.to_string() };
        serde_json::from_str(&text).map(Some).map_err(wrong)
    }
}
