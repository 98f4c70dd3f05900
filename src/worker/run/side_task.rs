//! Work beside the loop.

use std::future::{Future, pending};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Room for one piece of work that goes on while the loop does other things: on another thread, if one is free.
/// Dropped, it ends.
pub(super) struct SideTask<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> SideTask<T> {
    /// Nothing is under way.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Begins work; what was under way before ends.
    pub(super) fn start(&mut self, work: impl Future<Output = T> + Send + 'static) {
        *self = Self(Some(tokio::spawn(work.in_current_span())));
    }

    /// Whether something is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.0.is_some()
    }

    /// Waits for its end, and makes room for the next; where nothing is under way, for ever. Given up, it goes on.
    pub(super) async fn done(&mut self) -> T {
        let Some(task) = &mut self.0 else { return pending().await };
        let end = task.await;
        self.0 = None;
        match end {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends, and this loop with it.
            Err(_) => pending().await,
        }
    }
}

impl<T> Drop for SideTask<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
