//! Transports that are switched on or off while a long-lived consumer runs.

use crate::engine::Engine;
use crate::error::Result;
use crate::transport::Drain;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Checks from time to time which transports may be consumed.
pub struct Switches {
    engine: Arc<Engine>,
    every: Duration,
    names: Vec<String>,
    looked_at: Instant,
}

impl Switches {
    /// For a consumer of all transports, which started with `names` and checks once per poll interval.
    pub fn new(engine: Arc<Engine>, every: Duration, names: Vec<String>) -> Self {
        Self { engine, every, names, looked_at: Instant::now() }
    }

    /// The transports as they are now, where that has changed since the last look. No claim waits for a statement:
    /// rows of `messenger_transports` that are old are read in the background, for the next look.
    ///
    /// # Errors
    /// As [`Engine::transport`]; then the next look finds the change again.
    pub async fn changed(&mut self) -> Result<Option<Vec<Arc<dyn Drain>>>> {
        if self.looked_at.elapsed() < self.every {
            return Ok(None);
        }
        self.looked_at = Instant::now();
        // Without a database there are no rows.
        let _ = self.engine.refresh_rows().await;
        let names = self.engine.usable_names();
        if names == self.names {
            return Ok(None);
        }
        let transports = self.engine.transports(&names).await?;
        self.names = names;
        Ok(Some(transports.into_iter().filter_map(|it| it.drain()).collect()))
    }
}
