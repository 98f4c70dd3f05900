//! What the test programs share.

// Each of them uses its own part of this.
#![allow(dead_code)]

pub mod any_kind;
pub mod kit;
pub mod schema;
pub mod server;
pub mod subject;
#[macro_use]
mod suite;

use std::future::Future;
use std::time::{Duration, Instant};
use tokio::task::JoinError;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a test may take: only one that stands still is stopped by it, so that it has a name and the others go on.
const LONGEST: Duration = Duration::from_secs(180);

/// Runs a test on a runtime with real parallelism.
pub fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all().build().unwrap().block_on(test);
}

/// Runs the body of a test on a task of its own, so that what it has set up can be removed however it ends.
pub async fn attempt(body: impl Future<Output = ()> + Send + 'static) -> Result<(), JoinError> {
    let mut task = tokio::spawn(body);
    match tokio::time::timeout(LONGEST, &mut task).await {
        Ok(outcome) => outcome,
        Err(_) => {
            task.abort();
            tokio::spawn(async { panic!("the test stands still: not done after {LONGEST:?}") }).await
        }
    }
}

/// Fails as the task failed.
pub fn pass_on(outcome: Result<(), JoinError>) {
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Waits until a condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
