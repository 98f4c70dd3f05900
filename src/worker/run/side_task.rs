//! Work beside the loop.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// Work that goes on while the loop does other things: on another thread, if one is free. Dropped, it ends.
pub(super) struct SideTask<T>(JoinHandle<T>);

impl<T: Send + 'static> SideTask<T> {
    pub(super) fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl<T> Future for SideTask<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(done) => Poll::Ready(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends, and this loop with it.
            Err(_) => Poll::Pending,
        }
    }
}

impl<T> Drop for SideTask<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
