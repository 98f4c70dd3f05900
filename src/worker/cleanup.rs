//! What a consumer does in the background: deleting what is past its retention, one bounded batch at a time.
//!
//! Batches of 1,000 rows take milliseconds each. A run deletes more of them only after a full one, so a queue with
//! nothing to delete pays for one look per run.

use super::Mode;
use crate::base::targets::WORKER;
use crate::store::{Cleaned, Store};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::debug;

/// Rows of each kind that one batch deletes at most: a few milliseconds of the database.
const BATCH: u32 = 1_000;

/// Cleans up from time to time, until it is aborted. A bounded drain that uses up its time limit has none left at its
/// end, so a long one does it on the way.
pub async fn keep_tidy(stores: Vec<Arc<dyn Store>>, mode: Mode) {
    let pause = Duration::from_secs(if mode == Mode::Run { 60 } else { 10 });
    loop {
        tokio::time::sleep(pause).await;
        for store in &stores {
            while tidy(&**store).await {}
        }
    }
}

/// Deletes one batch; whether there is more. What fails today is deleted tomorrow.
pub async fn tidy(store: &dyn Store) -> bool {
    let cleaned = store.cleanup(BATCH).await.unwrap_or_else(|error| {
        let (store, code) = (store.identity(), error.code());
        debug!(target: WORKER, store, code, "what its retention no longer covers could not be deleted");
        Cleaned::default()
    });
    let Cleaned { completed, failed, deduplication, schedules, metrics, executions, audit } = cleaned;
    let most = [completed, failed, deduplication, schedules, metrics, executions, audit].into_iter().max();
    most.is_some_and(|most| most >= u64::from(BATCH))
}

/// After a first batch that was full: deletes what a run that has finished this many messages owes, in the time left
/// until `last`.
pub async fn catch_up(store: &dyn Store, finished: u64, last: Option<Instant>) {
    let mut batch_took = Duration::ZERO;
    for _ in 1..batches(finished) {
        let began = Instant::now();
        if !has_time(began, batch_took, last) || !tidy(store).await {
            break;
        }
        batch_took = began.elapsed();
    }
}

/// How many batches a run owes: what it has finished and half as much again, so that a backlog shrinks with every run.
fn batches(finished: u64) -> u64 {
    finished.saturating_add(finished / 2).div_ceil(u64::from(BATCH))
}

/// Whether one more batch ends in time, even when it takes twice as long as the one before.
fn has_time(now: Instant, batch_took: Duration, last: Option<Instant>) -> bool {
    last.is_none_or(|last| now + batch_took * 2 < last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_owes_more_than_it_has_finished() {
        assert_eq!([0, 1, 666, 667, 1_000, 100_000].map(batches), [0, 1, 1, 1, 2, 150]);
        assert!(batches(u64::MAX) > 0);
    }

    #[test]
    fn no_batch_begins_that_may_end_after_the_limit() {
        let now = Instant::now();
        let last = Some(now + Duration::from_millis(100));
        assert!(has_time(now, Duration::from_millis(49), last));
        assert!(!has_time(now, Duration::from_millis(50), last));
        assert!(!has_time(now, Duration::ZERO, Some(now)));
        assert!(has_time(now, Duration::from_secs(60), None));
    }
}
