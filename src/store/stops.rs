//! Workers that are asked to stop.

use super::controls::Because;
use crate::error::Result;
use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;

/// A worker that was asked to stop, and is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopping {
    /// Its id.
    pub id: Uuid,
    /// Its machine.
    pub host: String,
    /// Its process.
    pub pid: i32,
    /// How many messages it has in hand.
    pub running: u64,
}

/// Asks workers to stop. Each hears of it with its next heartbeat: it claims nothing more, hands back what it has not
/// begun, and leaves when its handlers have ended.
#[async_trait]
pub trait Stops: Send + Sync {
    /// Asks those that live, take this transport and are among these (`None`: any).
    async fn stop_workers(
        &self,
        transport: Option<&str>,
        ids: Option<&[Uuid]>,
        because: &Because,
    ) -> Result<Vec<Stopping>>;

    /// Which of these are still there, or have died with messages in hand that nobody has taken back. Those that have
    /// registered again since they were asked are asked again.
    async fn stopping(&self, ids: &[Uuid]) -> Result<Vec<Stopping>>;
}
