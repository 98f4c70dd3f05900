//! The heartbeat: one row a worker, beaten by a task of its own, so that neither a slow claim nor a handler that
//! blocks JavaScript's event loop can cost the lease.

use crate::transport::{Transport, WorkerId};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Beats three times a lease, until it is aborted. `in_doubt` is called when a beat does not find the registration of
/// the beat before while the worker holds messages: it was declared dead, and others may have them now.
pub async fn beat(
    stores: Vec<Arc<dyn Transport>>,
    worker: WorkerId,
    in_flight: Arc<AtomicUsize>,
    in_doubt: impl Fn() + Sync,
) {
    // Each store by itself: one that does not answer must not cost the lease in another.
    join_all(stores.iter().map(|store| beat_in(&**store, &worker, &in_flight, &in_doubt))).await;
}

async fn beat_in(store: &dyn Transport, worker: &WorkerId, in_flight: &AtomicUsize, in_doubt: &(impl Fn() + Sync)) {
    let mut ticks = tokio::time::interval(worker.lease / 3);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut known: Option<DateTime<Utc>> = None;
    loop {
        ticks.tick().await;
        let held = in_flight.load(Ordering::Relaxed);
        // A beat that fails is no reason to stop: the lease has two more before it runs out.
        let Ok(since) = store.extend(worker, held).await else { continue };
        if held > 0 && (since.is_none() || since != known) {
            in_doubt();
        }
        known = since;
    }
}
