//! What operators look at beside messages, over all stores. Those that keep no such thing are passed over.

use crate::counts::window::Window;
use crate::engine::Engine;
use crate::error::Result;
use crate::store::insights::{DepthPoint, ErrorGroup, GroupFilter, Judgement, MOST, RefusedKey, Release, WorkerRow};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::sync::Arc;

/// Who is at work, those that registered last first.
///
/// # Errors
/// Those of a statement.
pub async fn workers(engine: &Arc<Engine>) -> Result<Vec<WorkerRow>> {
    let mut all: Vec<WorkerRow> = Vec::new();
    for store in engine.stores().await? {
        let Some(it) = store.insights() else { continue };
        for row in it.workers().await? {
            // One that consumes from several stores is registered in each.
            match all.iter_mut().find(|it| it.id == row.id) {
                None => all.push(row),
                Some(known) => {
                    known.transports.extend(row.transports);
                    known.in_flight = known.in_flight.max(row.in_flight);
                    known.alive |= row.alive;
                }
            }
        }
    }
    all.sort_by_key(|it| Reverse(it.started_at));
    all.truncate(MOST as usize);
    Ok(all)
}

/// How full a queue was; without a transport all queues together, over all stores.
///
/// # Errors
/// [`crate::Error::InvalidConfiguration`] for an invalid window, [`crate::Error::UnknownTransport`], and those of a
/// statement.
pub async fn depths(
    engine: &Arc<Engine>,
    window: &Window,
    transport: Option<&str>,
    queue: &str,
) -> Result<Vec<DepthPoint>> {
    window.check()?;
    let transport = match transport {
        Some(transport) => engine.must_know(transport).await?,
        None => String::new(),
    };
    let mut all: Vec<DepthPoint> = Vec::new();
    for store in engine.stores().await? {
        let Some(it) = store.insights() else { continue };
        for point in it.depths(window, &transport, queue).await? {
            match all.iter_mut().find(|it| it.minute == point.minute) {
                None => all.push(point),
                Some(sum) => {
                    sum.pending += point.pending;
                    sum.delayed += point.delayed;
                    sum.processing += point.processing;
                    sum.oldest_age = sum.oldest_age.into_iter().chain(point.oldest_age).reduce(f64::max);
                    sum.capped |= point.capped;
                }
            }
        }
    }
    all.sort_by_key(|it| it.minute);
    Ok(all)
}

/// Groups of errors, the latest first.
///
/// # Errors
/// Those of a statement.
pub async fn error_groups(engine: &Arc<Engine>, filter: &GroupFilter) -> Result<Vec<ErrorGroup>> {
    let mut all = Vec::new();
    for store in engine.stores().await? {
        if let Some(it) = store.insights() {
            all.extend(it.error_groups(filter).await?);
        }
    }
    all.sort_by_key(|it| Reverse(it.last_at));
    all.truncate(if filter.limit == 0 { MOST } else { filter.limit } as usize);
    Ok(all)
}

/// Says what is thought of a group, in every store that has seen it; whether one has.
///
/// # Errors
/// Those of a statement.
pub async fn judge(engine: &Arc<Engine>, judgement: &Judgement) -> Result<bool> {
    let mut known = false;
    for store in engine.stores().await? {
        if let Some(it) = store.insights() {
            known |= it.judge(judgement).await?;
        }
    }
    Ok(known)
}

/// Keys that have refused dispatches, the latest first.
///
/// # Errors
/// Those of a statement.
pub async fn refused_keys(engine: &Arc<Engine>, before: Option<DateTime<Utc>>, limit: u32) -> Result<Vec<RefusedKey>> {
    let mut all = Vec::new();
    for store in engine.stores().await? {
        if let Some(it) = store.insights() {
            all.extend(it.refused_keys(before, limit).await?);
        }
    }
    all.sort_by_key(|it| Reverse(it.first_seen_at));
    all.truncate(limit as usize);
    Ok(all)
}

/// Releases, the newest first.
///
/// # Errors
/// Those of a statement.
pub async fn releases(engine: &Arc<Engine>) -> Result<Vec<Release>> {
    let mut all = Vec::new();
    for store in engine.stores().await? {
        if let Some(it) = store.insights() {
            all.extend(it.releases().await?);
        }
    }
    all.sort_by_key(|it| Reverse(it.first_at));
    Ok(all)
}
