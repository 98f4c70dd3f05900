//! How the time of a bounded run is spent. Pure: instants come in.
//!
//! ```text
//! start ............ claiming ............ soft ... running handlers end ... hard .. final ........ last
//!                                          |  what has not started goes back  |  abort |  release   | give up
//! ```

use std::time::{Duration, Instant};

/// The most time that running handlers get between their abort signal and the release of their messages.
const LONGEST_GRACE: Duration = Duration::from_millis(100);
/// How long past its limit a run may wait for a database that does not answer: a tenth of the limit, within these.
const LEAST_OVERTIME: Duration = Duration::from_millis(200);
const LONGEST_OVERTIME: Duration = Duration::from_secs(2);
/// The least time reserved for settling.
const LEAST_RESERVE: Duration = Duration::from_millis(50);

/// The time limit of a run, and what is known about how long handlers take.
#[derive(Debug, Clone)]
pub struct Budget {
    start: Instant,
    limit: Option<Duration>,
    /// The longest recent handler, forgotten slowly: one slow message must not shorten every later run.
    longest: Duration,
}

impl Budget {
    /// A budget that runs from `start`.
    pub fn new(start: Instant, limit: Option<Duration>) -> Self {
        Self { start, limit, longest: Duration::ZERO }
    }

    /// Learns how long a handler took.
    pub fn observe(&mut self, took: Duration) {
        self.longest = took.max(self.longest.mul_f64(0.99));
    }

    /// How long a handler takes: the longest recent one.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// When to stop starting handlers: early enough that running ones can end, but never before half the time.
    pub fn soft(&self) -> Option<Instant> {
        let limit = self.limit?;
        let reserve = self.longest.max(LEAST_RESERVE) + self.grace();
        Some(self.start + (limit - reserve.min(limit / 2)))
    }

    /// When to abort what still runs: a grace before the end, because the limit includes everything.
    pub fn hard(&self) -> Option<Instant> {
        self.limit.map(|limit| self.start + limit.saturating_sub(self.grace()))
    }

    /// When to give the database up too. What is not written then comes back when the lease has run out.
    pub fn last(&self) -> Option<Instant> {
        let overtime = |limit: Duration| (limit / 10).clamp(LEAST_OVERTIME, LONGEST_OVERTIME);
        self.limit.map(|limit| self.start + limit + overtime(limit))
    }

    /// How long aborted handlers may take to end.
    pub fn grace(&self) -> Duration {
        self.limit.map_or(LONGEST_GRACE, |limit| LONGEST_GRACE.min(limit / 10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_follows_the_handlers() {
        let start = Instant::now();
        let mut budget = Budget::new(start, Some(Duration::from_secs(2)));
        assert_eq!(budget.soft(), Some(start + Duration::from_millis(1850)));
        budget.observe(Duration::from_millis(300));
        assert_eq!(budget.soft(), Some(start + Duration::from_millis(1600)));
        budget.observe(Duration::from_secs(60));
        assert_eq!(budget.soft(), Some(start + Duration::from_secs(1)));
        for _ in 0..1000 {
            budget.observe(Duration::from_millis(10));
        }
        assert_eq!(budget.soft(), Some(start + Duration::from_millis(1850)));
        assert_eq!(budget.hard(), Some(start + Duration::from_millis(1900)));
        assert_eq!(budget.last(), Some(start + Duration::from_millis(2200)));
    }

    #[test]
    fn without_a_limit_it_never_ends() {
        let budget = Budget::new(Instant::now(), None);
        assert_eq!((budget.soft(), budget.hard(), budget.last()), (None, None, None));
    }
}
