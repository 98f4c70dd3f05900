//! The heartbeat: one row for each worker, beaten by a task of its own, so that neither a slow claim nor a handler that
//! blocks JavaScript's event loop can cost the lease.

use crate::base::targets::WORKER;
use crate::error::Error;
use crate::transport::{Drain, WorkerId};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

/// What a heartbeat tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The worker is registered, and the database answers: time to compare what it holds there with what it holds here.
    Kept,
    /// The worker is not registered, and no beat before this one has found it so: it has not claimed here yet, or it was
    /// declared dead before the first one.
    Missing,
    /// The registration of the beat before is gone: the worker was declared dead, and others may have what it holds, or
    /// held until a moment ago. Or its lease has run out in the meantime, so that nobody has woken it.
    InDoubt,
    /// Somebody has asked the worker to stop.
    Stop,
}

/// Beats three times in each lease, until it is aborted; after a beat that failed twice as fast.
pub async fn beat(
    places: Vec<Arc<dyn Drain>>,
    worker: WorkerId,
    in_flight: Arc<AtomicUsize>,
    tell: impl Fn(Beat) + Sync,
) {
    // Each place by itself: one that does not answer must not cost the lease in another.
    join_all(places.iter().map(|place| beat_in(&**place, &worker, &in_flight, &tell))).await;
}

async fn beat_in(place: &dyn Drain, worker: &WorkerId, in_flight: &AtomicUsize, tell: &(impl Fn(Beat) + Sync)) {
    let mut next = Instant::now() + worker.lease / 3;
    let mut known: Option<DateTime<Utc>> = None;
    let mut doubted = false;
    let mut failures = 0;
    let mut answered_at = Instant::now();
    loop {
        sleep_until(next).await;
        let began = Instant::now();
        let held = in_flight.load(Ordering::Relaxed);
        // A beat that fails must not stop the heart; it is repeated before the lease runs out. Where the row is locked,
        // by a claim of this worker that has not committed, a beat is given up when the next one is due: so there is
        // one that waits for the row whenever that comes free, and no rescue comes before it.
        let since = match place.extend(worker, held).await {
            Ok(since) => since,
            Err(error) => {
                failures += 1;
                tell_of_failure(place, &error, failures);
                next = began + worker.lease / 6;
                continue;
            }
        };
        failures = 0;
        next = began + worker.lease / 3;
        let in_doubt = since.is_none() || since != known;
        // Without anything in hand by now, there may still be crashes to take back.
        let was_dead = known.is_some() && in_doubt;
        let was_late = since.is_some() && answered_at.elapsed() > worker.lease;
        // Asked once more at the next beat: a rescue that began before the worker was registered again may end after it.
        if was_dead || was_late || (held > 0 && (in_doubt || doubted)) {
            tell(Beat::InDoubt);
        } else if since.is_none() {
            tell(Beat::Missing);
        }
        if since.is_some() {
            tell(Beat::Kept);
            // Where that cannot be said, it can after the next beat.
            if place.is_asked_to_stop(worker.id).await.unwrap_or(false) {
                tell(Beat::Stop);
            }
        }
        (known, doubted, answered_at) = (since, in_doubt, began);
    }
}

/// The second in a row is worth a warning: half of the lease is over by then.
fn tell_of_failure(place: &dyn Drain, error: &Error, failures: u32) {
    let (place, code) = (place.place(), error.code());
    if failures == 2 {
        warn!(target: WORKER, place, code, "heartbeats fail: when the lease is over, others take what is in hand here");
    } else {
        debug!(target: WORKER, place, code, failures, "a heartbeat failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::memory::MemoryTransport;
    use crate::transport::{Claim, Claims, Leases, Reach};
    use std::time::Duration;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use uuid::Uuid;

    const LEASE: Duration = Duration::from_millis(60);

    /// A worker that has claimed nothing, and what its heart tells from now on.
    async fn idle_worker() -> (Arc<MemoryTransport>, WorkerId, UnboundedReceiver<Beat>) {
        let place = Arc::new(MemoryTransport::new("memory".into()));
        let worker = WorkerId { id: Uuid::now_v7(), host: String::new(), pid: 1, lease: LEASE, about: Arc::default() };
        let (reach, token) = (Reach::Quick, Uuid::now_v7());
        let claim = Claim { worker: &worker, token, queues: &[], types: None, limit: 1, reach, listening: false };
        place.claim(&claim).await.unwrap();
        let (told, beats) = unbounded_channel();
        let tell = move |beat| {
            let _ = told.send(beat);
        };
        tokio::spawn({
            let (place, worker) = (place.clone(), worker.clone());
            async move { beat(vec![place], worker, Arc::default(), tell).await }
        });
        (place, worker, beats)
    }

    async fn until_told(beats: &mut UnboundedReceiver<Beat>, what: Beat) {
        let wait = async { while beats.recv().await != Some(what) {} };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("not told");
    }

    #[tokio::test]
    async fn one_that_was_declared_dead_is_told_so_even_if_it_holds_nothing_by_then() {
        let (place, worker, mut beats) = idle_worker().await;
        until_told(&mut beats, Beat::Kept).await;
        place.sign_off(&worker).await.unwrap();
        until_told(&mut beats, Beat::InDoubt).await;
    }

    #[tokio::test]
    async fn one_that_was_declared_dead_before_its_first_beat_is_told_that_it_is_missing() {
        let (place, worker, mut beats) = idle_worker().await;
        place.sign_off(&worker).await.unwrap();
        until_told(&mut beats, Beat::Missing).await;
    }

    #[tokio::test]
    async fn one_whose_lease_ran_out_without_consequence_is_told_so_too() {
        let (_place, _worker, mut beats) = idle_worker().await;
        until_told(&mut beats, Beat::Kept).await;
        // Nothing runs meanwhile, the heart included.
        std::thread::sleep(2 * LEASE);
        until_told(&mut beats, Beat::InDoubt).await;
    }
}
