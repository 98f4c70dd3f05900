//! When a consumer rescues. Pure: instants come in.

use crate::worker::run::pace::Pace;
use std::time::{Duration, Instant};

/// Between two rescues: a sixth of the lease, within these bounds.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(5);

/// The rescues of one consumer.
#[derive(Debug)]
pub struct Sweep {
    pause: Duration,
    lease: Duration,
    due: Instant,
    /// When one that rests wakes up for it: a sixth of the lease after the last one, however long that is.
    wakes: Instant,
    pace: Pace,
}

impl Sweep {
    /// The first one is due at once.
    pub fn new(lease: Duration, now: Instant) -> Self {
        Self { pause: (lease / 6).clamp(SOONEST, LATEST), lease, due: now, wakes: now, pace: Pace::new(lease) }
    }

    /// Whether it is time.
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// When one that rests is to wake up for it.
    pub fn wakes(&self) -> Instant {
        self.wakes
    }

    /// Begins one, if it is time.
    pub fn begin(&mut self, now: Instant) -> bool {
        let due = self.is_due(now);
        if due {
            self.due = now + self.pause;
            self.wakes = now + self.pause.max(self.lease / 6);
        }
        due
    }

    /// Learns how long the look took that began with a rescue, and whether that may have left some for another one.
    pub fn learn(&mut self, left_some: bool, took: Duration, now: Instant) {
        let next = now + self.pace.pause(took);
        (self.due, self.wakes) = if left_some { (now, now) } else { (self.due.max(next), self.wakes.max(next)) };
    }

    /// The database was away, and no worker could send heartbeats: living ones get a lease's time to do so.
    pub fn put_off(&mut self, now: Instant) {
        (self.due, self.wakes) = (now + self.lease, now + self.lease);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(12);

    #[test]
    fn a_rescue_is_due_every_sixth_of_the_lease() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        assert!(sweep.begin(start));
        sweep.learn(false, Duration::ZERO, start);
        assert!(!sweep.begin(start + LEASE / 7));
        assert!(sweep.begin(start + LEASE / 6));
    }

    #[test]
    fn one_that_rests_wakes_up_for_it_a_sixth_of_the_lease_later_however_long_that_is() {
        let start = Instant::now();
        for (lease, due) in [(LEASE, LEASE / 6), (100 * LEASE, LATEST), (LEASE / 1000, SOONEST)] {
            let mut sweep = Sweep::new(lease, start);
            sweep.begin(start);
            assert_eq!(sweep.wakes(), start + SOONEST.max(lease / 6));
            assert!(sweep.wakes() >= start + due && sweep.is_due(start + due));
            sweep.learn(true, Duration::ZERO, start);
            assert_eq!(sweep.wakes(), start, "some of it is left");
        }
    }

    #[test]
    fn looks_that_take_long_put_the_next_rescue_off() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        sweep.begin(start);
        sweep.learn(false, LEASE / 40, start);
        assert!(sweep.is_due(start + LEASE / 6));
        sweep.learn(false, LEASE / 40, start);
        assert!(!sweep.is_due(start + LEASE / 3) && sweep.is_due(start + LEASE / 2));
    }

    #[test]
    fn what_is_left_is_taken_at_once() {
        let start = Instant::now();
        let mut sweep = Sweep::new(LEASE, start);
        sweep.begin(start);
        sweep.learn(true, LEASE, start);
        assert!(sweep.is_due(start));
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
