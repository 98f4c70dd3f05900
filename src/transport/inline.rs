//! Handlers that run inside `dispatch()`.

use crate::error::Result;
use crate::message::claimed::Claimed;
use async_trait::async_trait;

/// Runs handlers immediately.
#[async_trait]
pub trait Inline: Send + Sync {
    /// Handles a batch; one answer per message, in order. A message that failed is not retried.
    async fn handle(&self, transport: &str, messages: Vec<Claimed>) -> Vec<Result<()>>;
}
