//! Transports that were added at run time.

use crate::error::Result;
use async_trait::async_trait;

/// A transport as a row of `messenger_transports` describes it.
#[derive(Debug, Clone)]
pub struct TransportRow {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its configuration, JSON text.
    pub config: String,
    /// Whether it may be used.
    pub enabled: bool,
}

/// The table of transports.
#[async_trait]
pub trait Transports: Send + Sync {
    /// All of them.
    async fn rows(&self) -> Result<Vec<TransportRow>>;
}
