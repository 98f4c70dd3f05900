//! When a consumer rescues, and how many messages at a time. Pure: instants come in.

use crate::transport::Rescued;
use std::time::{Duration, Instant};

/// Between two rescues: a sixth of the lease, within these bounds.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(5);
/// How many messages the first step takes, and how many a step takes at most. It grows as long as it succeeds: bodies
/// may be large, and a step that is longer than the time limit of a statement would never succeed.
const FIRST: usize = 100;
const MOST: usize = 1_000;
/// By what a step that failed is cut.
const CUT: usize = 8;
/// A look that took long is made less often, so that it costs one part in so many of the time: while some session keeps
/// an old snapshot, it passes over all that workers who have left ever held. The lesser of the last two counts, and for no
/// more than a lease: a database that stood still says nothing about the next look, and what a dead worker held is not to
/// wait for many times as long as that took.
const SHARE: u32 = 20;

/// The rescues of one consumer.
#[derive(Debug)]
pub struct Sweep {
    pause: Duration,
    lease: Duration,
    due: Instant,
    limit: usize,
    /// What the last look took.
    took: Duration,
}

impl Sweep {
    /// The first one is due at once.
    pub fn new(lease: Duration, now: Instant) -> Self {
        Self { pause: (lease / 6).clamp(SOONEST, LATEST), lease, due: now, limit: FIRST, took: Duration::ZERO }
    }

    /// Whether it is time.
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Begins one, if it is time; answers with the most that it may take.
    pub fn begin(&mut self, now: Instant) -> Option<usize> {
        self.is_due(now).then(|| {
            self.due = now + self.pause;
            self.limit
        })
    }

    /// Learns how a step of `limit` messages went in one store, and how long the look took that began with it; `None`: it
    /// failed. A step that was full leaves something for another one.
    pub fn learn(&mut self, limit: usize, rescued: Option<&Rescued>, took: Duration, now: Instant) {
        let lesser = took.min(std::mem::replace(&mut self.took, took));
        self.due = self.due.max(now + (lesser * SHARE).min(self.lease));
        match rescued {
            Some(rescued) if rescued.is_full(limit) => {
                self.due = now;
                self.limit = (2 * limit).min(MOST);
            }
            Some(_) => {}
            None => self.limit = (limit / CUT).max(1),
        }
    }

    /// The database was away, and no worker could beat: those that live get a lease's time to do it.
    pub fn put_off(&mut self, now: Instant) {
        self.due = now + self.lease;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(12);

    fn took(returned: usize) -> Rescued {
        Rescued { returned: returned as u64, ..Rescued::default() }
    }

    #[test]
    fn a_rescue_is_due_every_sixth_of_the_lease() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        assert_eq!(sweep.begin(start), Some(FIRST));
        sweep.learn(FIRST, Some(&took(FIRST - 1)), Duration::ZERO, start);
        assert_eq!(sweep.begin(start + LEASE / 7), None);
        assert_eq!(sweep.begin(start + LEASE / 6), Some(FIRST));
    }

    /// How long a rescue is put off by looks that took so long.
    fn put_off_by(looks: &[Duration]) -> Duration {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        for it in looks {
            sweep.due = start;
            sweep.begin(start);
            sweep.learn(FIRST, Some(&took(0)), *it, start);
        }
        sweep.due - start
    }

    #[test]
    fn a_look_that_takes_long_is_made_less_often() {
        assert_eq!(put_off_by(&[LEASE / 40, LEASE / 50]), LEASE * 2 / 5);
        assert_eq!(put_off_by(&[LEASE, LEASE / 10]), LEASE);
    }

    #[test]
    fn a_database_that_stood_still_puts_no_rescue_off_by_many_times_as_long() {
        assert_eq!(put_off_by(&[LEASE]), LEASE / 6);
        assert_eq!(put_off_by(&[LEASE, LEASE]), LEASE);
    }

    #[test]
    fn what_is_left_is_taken_at_once_in_larger_steps() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        let mut taken = Vec::new();
        while let Some(limit) = sweep.begin(start).filter(|_| taken.len() < 6) {
            taken.push(limit);
            sweep.learn(limit, Some(&took(limit)), LEASE, start);
        }
        assert_eq!(taken, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn a_step_that_fails_is_followed_by_smaller_ones_down_to_one_message() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        let mut taken = Vec::new();
        for round in 0..5 {
            let limit = sweep.begin(start + round * LEASE).unwrap();
            taken.push(limit);
            sweep.learn(limit, None, Duration::ZERO, start);
        }
        assert_eq!(taken, [100, 12, 1, 1, 1]);
    }

    #[test]
    fn after_an_outage_the_living_get_a_lease_to_beat() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        sweep.put_off(start);
        assert!(!sweep.is_due(start + LEASE - Duration::from_millis(1)));
        assert!(sweep.is_due(start + LEASE));
    }
}
