//! Watches for transports that are switched on or off, or added, while a long-lived consumer runs.

use super::side_task::SideTask;
use crate::engine::{Engine, SWITCHES_FRESH};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::sleep;

/// How soon the rows are asked for again after they could not be read.
const AWAY: Duration = Duration::from_secs(5);

/// Keeps what the engine knows of its transports fresh, and tells of changes. All consumers of an engine share the
/// readings: one statement in [`SWITCHES_FRESH`], of 0.1 ms.
pub(super) struct Watch {
    changes: Receiver<u64>,
    /// Ends with the run.
    _reading: SideTask<()>,
}

impl Watch {
    /// `stays`: whether the consumer is a long-lived one. A bounded drain is over before anybody would wait for it;
    /// the database gives it nothing out of what is switched off.
    pub(super) fn new(engine: Arc<Engine>, stays: bool) -> Self {
        let (changes, mut reading) = (engine.changes(), SideTask::none());
        if stays {
            reading.start(async move {
                loop {
                    let answered = engine.recent_rows().await.is_ok();
                    sleep(if answered { SWITCHES_FRESH } else { AWAY }).await;
                }
            });
        }
        Self { changes, _reading: reading }
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The engine is gone, and changes no more.
            std::future::pending().await
        }
    }
}
