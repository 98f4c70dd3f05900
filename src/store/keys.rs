//! Idempotency keys.

use crate::error::Result;
use async_trait::async_trait;

/// Knows which keys are taken.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Dispatches refused for a key inside its window.
    async fn duplicate_attempts(&self, key: &str) -> Result<u64>;
}
