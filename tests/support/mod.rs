//! What the test programs share.

// Each of them uses its own part of this.
#![allow(dead_code)]

pub mod kit;
pub mod schema;
pub mod subject;
#[macro_use]
mod suite;

use std::future::Future;
use std::time::{Duration, Instant};
use tokio::task::JoinError;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test on a runtime with real parallelism.
pub fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all().build().unwrap().block_on(test);
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
