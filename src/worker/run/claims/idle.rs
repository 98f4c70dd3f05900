//! How long a consumer that has found nothing rests before it looks again; pure.
//!
//! A dispatch wakes only workers that it sees waiting. One that began before the worker said that it waits, and
//! commits after the worker has looked once more, wakes nobody. It is at most as old as a statement, so the worker looks
//! twice more, soon, before it relies on being woken: 2 of 1,000 messages had to wait for the next poll otherwise.

use std::time::Duration;

/// The first rests of a consumer that says that it waits. A commit takes a few milliseconds, and some tens of them where
/// another server has to confirm it.
const FIRST_RESTS: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(250)];

/// Whether a consumer has said that it waits, and how often it has rested since.
#[derive(Debug, Default)]
pub struct Idle {
    rests: Option<usize>,
}

impl Idle {
    /// Whether those who dispatch can see that the consumer waits.
    pub fn is_known(&self) -> bool {
        self.rests.is_some()
    }

    /// The consumer has said that it waits.
    pub fn begin(&mut self) {
        self.rests = Some(0);
    }

    /// The consumer has found something, or nobody knows any more that it waits.
    pub fn end(&mut self) {
        self.rests = None;
    }

    /// How long to rest now, where looks are usually `poll_interval` apart.
    pub fn rest(&mut self, poll_interval: Duration) -> Duration {
        let Some(rests) = &mut self.rests else { return poll_interval };
        let first = FIRST_RESTS.get(*rests).copied();
        *rests += 1;
        first.map_or(poll_interval, |it| it.min(poll_interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(60);

    #[test]
    fn one_that_says_that_it_waits_looks_twice_more_before_it_relies_on_being_woken() {
        let mut idle = Idle::default();
        idle.begin();
        let rests = [(); 4].map(|()| idle.rest(POLL));
        assert_eq!(rests, [FIRST_RESTS[0], FIRST_RESTS[1], POLL, POLL]);
        idle.begin();
        assert_eq!(idle.rest(POLL), FIRST_RESTS[0]);
        assert_eq!(idle.rest(Duration::from_millis(100)), Duration::from_millis(100));
    }

    #[test]
    fn one_that_has_not_said_so_polls() {
        let mut idle = Idle::default();
        assert_eq!(idle.rest(POLL), POLL);
        idle.begin();
        idle.end();
        assert_eq!((idle.is_known(), idle.rest(POLL)), (false, POLL));
    }
}
