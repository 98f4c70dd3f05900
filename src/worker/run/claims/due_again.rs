//! When what a consumer has put back is due again. Pure.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What is due later counts as due up to so much later, together with its neighbours.
const GRID: Duration = Duration::from_millis(50);
/// The most instants that are remembered.
const MOST: usize = 64;

/// The instants at which something is due again; where they are too many, some of them give way to the next.
#[derive(Debug, Default)]
pub(super) struct DueAgain {
    origin: Option<Instant>,
    instants: BTreeSet<Instant>,
}

impl DueAgain {
    /// Something is due after `delay`, or at once.
    pub(super) fn add(&mut self, now: Instant, delay: Duration) {
        let at = if delay.is_zero() { now } else { self.on_grid(now, now + delay) };
        // For all that is due already one look is enough.
        if at > now || self.first().is_none_or(|first| first > now) {
            self.instants.insert(at);
        }
        if self.instants.len() > MOST {
            self.thin_out();
        }
    }

    /// The first of them.
    pub(super) fn first(&self) -> Option<Instant> {
        self.instants.first().copied()
    }

    /// What is due by now is looked for.
    pub(super) fn forget_past(&mut self, now: Instant) {
        while self.first().is_some_and(|at| at <= now) {
            self.instants.pop_first();
        }
    }

    fn on_grid(&mut self, now: Instant, at: Instant) -> Instant {
        let origin = *self.origin.get_or_insert(now);
        let steps = at.saturating_duration_since(origin).as_nanos().div_ceil(GRID.as_nanos());
        u32::try_from(steps).map_or(at, |steps| (origin + GRID * steps).max(at))
    }

    /// The instant that is closest to the next one gives way to it: what is due then is late by the least.
    fn thin_out(&mut self) {
        let pairs = self.instants.iter().zip(self.instants.iter().skip(1));
        let closest = pairs.min_by_key(|(at, next)| **next - **at).map(|(at, _)| *at);
        closest.map(|at| self.instants.remove(&at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(now: Instant, delays: impl IntoIterator<Item = Duration>) -> DueAgain {
        let mut due = DueAgain::default();
        delays.into_iter().for_each(|it| due.add(now, it));
        due
    }

    #[test]
    fn the_second_is_remembered_when_the_first_has_passed() {
        let now = Instant::now();
        let mut due = after(now, [3 * SECOND, SECOND]);
        assert!(due.first().is_some_and(|at| at >= now + SECOND && at < now + SECOND + GRID));
        due.forget_past(now + SECOND + GRID);
        assert!(due.first().is_some_and(|at| at >= now + 3 * SECOND && at < now + 3 * SECOND + GRID));
        due.forget_past(now + 3 * SECOND + GRID);
        assert_eq!(due.first(), None);
    }

    #[test]
    fn neighbours_are_one_and_come_late_by_less_than_a_step() {
        let now = Instant::now();
        let due = after(now, (0..1000).map(|n| SECOND + Duration::from_micros(100 * n)));
        assert!(due.instants.len() <= 3, "{due:?}");
        assert!(due.instants.last().is_some_and(|at| *at >= now + SECOND + Duration::from_micros(99_900)));
    }

    #[test]
    fn what_is_due_at_once_is_due_now_and_kept_once() {
        let start = Instant::now();
        let mut due = after(start, [SECOND]);
        for millis in 1..=10 {
            due.add(start + Duration::from_millis(millis), Duration::ZERO);
        }
        assert_eq!((due.first(), due.instants.len()), (Some(start + Duration::from_millis(1)), 2));
    }

    #[test]
    fn too_many_come_later_but_none_is_forgotten() {
        let now = Instant::now();
        let last = 100 * SECOND;
        let mut due = after(now, (0..1000).map(|n| SECOND + (last - SECOND) * n / 999));
        assert!(due.instants.len() <= MOST);
        let mut before = now + SECOND;
        for at in due.instants.clone() {
            assert!(at - before <= 4 * last / u32::try_from(MOST).unwrap(), "{:?}", at - before);
            before = at;
        }
        assert!(before >= now + last);
        due.forget_past(now + last + GRID);
        assert_eq!(due.first(), None);
    }

    #[test]
    fn no_delay_is_too_long() {
        let now = Instant::now();
        let year = 365 * 24 * 3600 * SECOND;
        assert!(after(now, [SECOND, 20 * year]).instants.last().is_some_and(|at| *at >= now + 20 * year));
    }
}
