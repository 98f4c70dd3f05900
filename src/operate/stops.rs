//! Workers that are asked to stop, over all stores.

use crate::engine::Engine;
use crate::error::Result;
use crate::store::controls::Because;
use crate::store::stops::Stopping;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// Which workers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options {
    /// Those that take this transport; `None`: any.
    pub transport: Option<String>,
    /// Those of these ids; `None`: all.
    pub ids: Option<Vec<Uuid>>,
    /// Who.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// In which role.
    pub role: Option<String>,
}

/// Asks workers to stop; returns those that were asked.
///
/// # Errors
/// [`crate::Error::UnknownTransport`], what is wrong with the options, those of the stores.
pub async fn stop(engine: &Arc<Engine>, options: Options) -> Result<Vec<Stopping>> {
    let Options { transport, ids, actor, reason, role } = options;
    let because = Because { actor, reason, role };
    because.check()?;
    let transport = match transport {
        Some(name) => Some(engine.must_know(&name).await?),
        None => None,
    };
    let mut all = Vec::new();
    for store in engine.stores().await? {
        all.extend(store.stop_workers(transport.as_deref(), ids.as_deref(), &because).await?);
    }
    Ok(once(all))
}

/// Which of these are still there.
///
/// # Errors
/// Those of the stores.
pub async fn stopping(engine: &Arc<Engine>, ids: &[Uuid]) -> Result<Vec<Stopping>> {
    let mut all = Vec::new();
    for store in engine.stores().await? {
        all.extend(store.stopping(ids).await?);
    }
    Ok(once(all))
}

/// Each worker once, with what it holds everywhere.
fn once(all: Vec<Stopping>) -> Vec<Stopping> {
    let mut workers: Vec<Stopping> = Vec::new();
    for it in all {
        match workers.iter_mut().find(|known| known.id == it.id) {
            Some(known) => {
                known.running += it.running;
                if known.host.is_empty() {
                    (known.host, known.pid) = (it.host, it.pid);
                }
            }
            None => workers.push(it),
        }
    }
    workers
}
