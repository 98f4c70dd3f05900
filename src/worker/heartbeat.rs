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
    /// The registration of the beat before is gone: the worker was declared dead, and others may have what it holds, or
    /// held until a moment ago.
    InDoubt,
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
        // Asked once more at the next beat: a rescue that began before the worker was registered again may end after it.
        if was_dead || (held > 0 && (in_doubt || doubted)) {
            tell(Beat::InDoubt);
        }
        if since.is_some() {
            tell(Beat::Kept);
        }
        (known, doubted) = (since, in_doubt);
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
    use uuid::Uuid;

    #[tokio::test]
    async fn one_that_was_declared_dead_is_told_so_even_if_it_holds_nothing_by_then() {
        let place = Arc::new(MemoryTransport::new("memory".into()));
        let worker = WorkerId { id: Uuid::now_v7(), host: String::new(), pid: 1, lease: Duration::from_millis(60) };
        let (reach, token) = (Reach::Quick, Uuid::now_v7());
        let claim = Claim { worker: &worker, token, queues: &[], types: None, limit: 1, reach, listening: false };
        place.claim(&claim).await.unwrap();
        let (told, mut beats) = tokio::sync::mpsc::unbounded_channel();
        let tell = move |beat| {
            let _ = told.send(beat);
        };
        let heart = tokio::spawn(beat(vec![place.clone()], worker.clone(), Arc::default(), tell));
        assert_eq!(beats.recv().await, Some(Beat::Kept));
        place.sign_off(&worker).await.unwrap();
        let wait = async { while beats.recv().await != Some(Beat::InDoubt) {} };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("not told");
        heart.abort();
    }
}
