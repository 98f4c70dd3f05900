//! Connections that nobody uses are closed, so that a quiet process holds no slots of the server.

use crate::base::lock::lock;
use deadpool_postgres::{Pool, WeakPool};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// For how long connections may rest, and when one was used.
pub struct Idle {
    limit: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the clock on the wall: no other one knows for certain that a machine was asleep.
    used: Option<SystemTime>,
    /// Closes what rests, while anything is open.
    closing: Option<JoinHandle<()>>,
}

impl State {
    /// Notes a use. Whether the last one is longer ago than this.
    fn has_rested(&mut self, now: SystemTime, limit: Duration) -> bool {
        let unused = self.used.replace(now).and_then(|it| now.duration_since(it).ok());
        unused.is_some_and(|it| it > limit)
    }
}

impl Idle {
    pub fn new(limit: Duration) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// A connection is about to be used, or was. After a sleep nothing is used that was open before: the server may have
    /// closed it meanwhile, see [`Session`](super::session::Session).
    pub fn note_use(&self, pools: [&Pool; 2]) {
        let mut state = lock(&self.state);
        if state.has_rested(SystemTime::now(), self.limit) {
            pools.iter().for_each(|it| drop(it.retain(|_, _| false)));
        }
        if state.closing.as_ref().is_none_or(JoinHandle::is_finished) {
            state.closing = Some(tokio::spawn(close(pools.map(Pool::weak), self.limit)));
        }
    }
}

/// Closes each connection when its time is over, until none is open. What is at work is not looked at.
async fn close(pools: [WeakPool; 2], limit: Duration) {
    loop {
        let (mut next, mut open) = (limit, 0);
        for pool in pools.iter().filter_map(WeakPool::upgrade) {
            pool.retain(|_, metrics| {
                let left = limit.checked_sub(metrics.last_used()).filter(|it| !it.is_zero());
                next = next.min(left.unwrap_or(limit));
                left.is_some()
            });
            open += pool.status().size;
        }
        if open == 0 {
            return;
        }
        tokio::time::sleep(next.max(Duration::from_millis(1))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_before_a_sleep_is_not_used_again() {
        let (mut state, start, limit) = (State::default(), SystemTime::UNIX_EPOCH, Duration::from_secs(30));
        let mut at = |seconds| state.has_rested(start + Duration::from_secs(seconds), limit);
        assert_eq!([100, 130, 161, 162].map(&mut at), [false, false, true, false]);
        assert!(!at(50), "the clock was set back");
    }
}
