//! Transports that are switched on or off while a consumer runs.

use crate::engine::Engine;
use crate::error::Result;
use crate::transport::Drain;
use std::sync::Arc;

/// Which transports may be consumed. That of what is switched off nothing is claimed from the same moment on is the
/// statements' doing; here the consumer learns to leave it alone, and to come back.
pub struct Switches {
    engine: Arc<Engine>,
    /// The only ones to consume; `None`: all.
    only: Option<Vec<String>>,
    names: Vec<String>,
    /// Up to which change of the engine they are known; `None`: not since the consumer started.
    seen: Option<u64>,
}

impl Switches {
    /// For a consumer that started with `names`; `all`: it takes up others, too, as a long-lived one of
    /// all transports does.
    pub fn new(engine: Arc<Engine>, names: Vec<String>, all: bool) -> Self {
        Self { engine, only: (!all).then(|| names.clone()), names, seen: None }
    }

    /// The transports as they are now, where that has changed since the last look. Asks nobody: the engine is told of
    /// changes by itself, see `watch.rs`.
    ///
    /// # Errors
    /// As [`Engine::transport`]; then the next look finds the change again.
    pub async fn changed(&mut self) -> Result<Option<Vec<Arc<dyn Drain>>>> {
        let changes = *self.engine.changes().borrow();
        if self.seen == Some(changes) {
            return Ok(None);
        }
        let mut names = self.engine.usable_names();
        names.retain(|name| self.only.as_ref().is_none_or(|only| only.contains(name)));
        if names == self.names {
            self.seen = Some(changes);
            return Ok(None);
        }
        let transports = self.engine.transports(&names).await?;
        (self.names, self.seen) = (names, Some(changes));
        Ok(Some(transports.into_iter().filter_map(|it| it.drain()).collect()))
    }
}
