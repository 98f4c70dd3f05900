//! What whoever consumes does on the side: deleting what retention no longer covers, a bounded batch at a time.

use crate::transport::{Cleaned, Transport};
use std::sync::Arc;
use std::time::Duration;

/// Rows of each kind that one batch deletes at most: a few milliseconds of the database.
const BATCH: u32 = 1_000;
/// How often a long-lived worker tidies up.
const PAUSE: Duration = Duration::from_secs(60);

/// Tidies up now and then, until it is aborted.
pub async fn keep_tidy(stores: Vec<Arc<dyn Transport>>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        for store in &stores {
            while tidy(&**store).await {}
        }
    }
}

/// Deletes one batch; whether there is more. What fails today is deleted tomorrow.
pub async fn tidy(store: &dyn Transport) -> bool {
    let Cleaned { completed, failed, deduplication, schedules, metrics, executions } =
        store.cleanup(BATCH).await.unwrap_or_default();
    let most = [completed, failed, deduplication, schedules, metrics, executions].into_iter().max();
    most.is_some_and(|most| most >= u64::from(BATCH))
}
