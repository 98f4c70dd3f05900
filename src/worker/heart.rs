//! The heartbeat: one row a worker, beaten by a task of its own, so that neither a slow claim nor a handler that
//! blocks JavaScript's event loop can cost the lease.

use crate::transport::{Transport, WorkerId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Beats three times a lease, until it is aborted. `declared_dead` is called when a beat finds the worker's row gone
/// while it holds messages: others have them now.
pub async fn beat(
    stores: Vec<Arc<dyn Transport>>,
    worker: WorkerId,
    in_flight: Arc<AtomicUsize>,
    declared_dead: impl Fn() + Send,
) {
    let mut ticks = tokio::time::interval(worker.lease / 3);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        for store in &stores {
            let held = in_flight.load(Ordering::Relaxed);
            // A beat that fails is no reason to stop: the lease has two more before it runs out.
            if matches!(store.extend(&worker, held).await, Ok(false)) && held > 0 {
                declared_dead();
            }
        }
    }
}
