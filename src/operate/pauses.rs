//! Pauses of transports, queues and types, over all stores.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::controls::{Because, Pause, Scope, Until};
use crate::store::dead_letters::in_calendar;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// What to pause or to resume, by whom and why.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options {
    /// Only of this transport.
    pub transport: Option<String>,
    /// Only of this queue.
    pub queue: Option<String>,
    /// Only of this type.
    pub r#type: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// In which role.
    pub role: Option<String>,
    /// When it is over by itself.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub until: Option<DateTime<Utc>>,
    /// After how many milliseconds it is over by itself.
    pub r#for: Option<u64>,
}

/// Pauses messages. Where several stores hold them, each is told.
///
/// # Errors
/// [`Error::InvalidConfiguration`] naming the option, [`Error::UnknownTransport`], those of a statement.
pub async fn pause(engine: &Arc<Engine>, options: Options) -> Result<Pause> {
    let until = match (options.until, options.r#for) {
        (Some(_), Some(_)) => return Err(Error::configuration("for", "an `until` beside it", "one of the two")),
        (Some(at), None) => Until::At(at),
        (None, Some(millis)) => Until::For(Duration::from_millis(millis)),
        (None, None) => Until::Resumed,
    };
    in_calendar(&[("until", &options.until)])?;
    let (scope, because) = parts(engine, options).await?;
    let mut pause = None;
    for store in stores(engine, &scope).await? {
        let paused = store.pause(&scope, &because, until).await?;
        pause = pause.or(Some(paused));
    }
    pause.ok_or(Error::NotCapable { name: scope.to_string(), what: "be paused: nothing waits there" })
}

/// Ends the pause of exactly these messages, and answers what it was; `None`: there was none.
///
/// # Errors
/// As [`pause`].
pub async fn resume(engine: &Arc<Engine>, options: Options) -> Result<Option<Pause>> {
    let (scope, because) = parts(engine, options).await?;
    let mut resumed = None;
    for store in stores(engine, &scope).await? {
        resumed = resumed.or(store.resume(&scope, &because).await?);
    }
    engine.note_sent();
    Ok(resumed)
}

/// What is paused, since longest first; once, wherever it holds.
///
/// # Errors
/// Those of a statement.
pub async fn list(engine: &Arc<Engine>) -> Result<Vec<Pause>> {
    let mut all: Vec<Pause> = Vec::new();
    for store in engine.stores().await? {
        for pause in store.pauses().await? {
            if all.iter().all(|it| it.scope != pause.scope) {
                all.push(pause);
            }
        }
    }
    all.sort_by_key(|it| it.since);
    Ok(all)
}

async fn parts(engine: &Arc<Engine>, options: Options) -> Result<(Scope, Because)> {
    let Options { transport, queue, r#type, actor, reason, role, .. } = options;
    let mut scope = Scope { transport, queue, r#type };
    let because = Because { actor, reason, role };
    scope.check()?;
    because.check()?;
    if let Some(transport) = &mut scope.transport {
        *transport = engine.must_know(transport).await?;
    }
    Ok((scope, because))
}

/// Those that may hold such messages. That of a transport which is switched off is the one of the configured database.
async fn stores(engine: &Arc<Engine>, scope: &Scope) -> Result<Vec<Arc<dyn Store>>> {
    let Some(name) = &scope.transport else { return engine.stores().await };
    match engine.transport(name).await {
        Ok(transport) => Ok(transport.store().into_iter().collect()),
        Err(Error::TransportDisabled { .. }) => engine.stores().await,
        Err(error) => Err(error),
    }
}
