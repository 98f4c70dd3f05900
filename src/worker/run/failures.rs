//! Failures in a row: the pause after them, and when they are too many for a run that has to end.

use crate::error::Error;
use crate::worker::trouble::backoff;
use std::time::Instant;

/// Consecutive failures after which a bounded drain gives up.
pub(super) const PATIENCE: u32 = 5;
/// The same if the last one was a statement that ran into its time limit: that says more than what failed at once.
const SLOW_PATIENCE: u32 = 2;

/// How often something has failed in a row.
#[derive(Debug, Default)]
pub(super) struct Failures {
    count: u32,
    /// Not again before this instant.
    until: Option<Instant>,
}

/// How long outcomes that cannot be written are tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Whether they may be left to the lease: the run is to end.
    pub(super) may_give_up: bool,
    /// When they are, however often they have failed.
    pub(super) give_up_at: Option<Instant>,
}

impl Failures {
    /// One more, and a pause.
    pub(super) fn add(&mut self, now: Instant) {
        self.count += 1;
        self.until = Some(now + backoff(self.count));
    }

    /// Whether it failed the last time.
    pub(super) fn any(&self) -> bool {
        self.count > 0
    }

    /// It has succeeded.
    pub(super) fn end(&mut self) {
        self.count = 0;
    }

    /// It is tried again.
    pub(super) fn end_pause(&mut self) {
        self.until = None;
    }

    /// Whether it is not tried again yet.
    pub(super) fn pauses(&self, now: Instant) -> bool {
        self.until.is_some_and(|at| now < at)
    }

    /// When it is tried again.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether a bounded drain has seen enough of them.
    pub(super) fn are_many(&self) -> bool {
        self.count >= PATIENCE
    }

    /// Whether a bounded drain gives up claiming after this one.
    pub(super) fn end_claiming(&self, last: &Error) -> bool {
        let patience = if matches!(last, Error::Timeout { .. }) { SLOW_PATIENCE } else { PATIENCE };
        !last.is_transient() || self.count >= patience
    }

    /// Whether outcomes that could not be written are left to the lease after this one.
    pub(super) fn end_settling(&self, last: &Error, patience: Patience, now: Instant) -> bool {
        let most = if last.is_transient() { 2 * PATIENCE } else { PATIENCE };
        let too_late = patience.give_up_at.is_some_and(|at| now >= at);
        patience.may_give_up && (self.count >= most || too_late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAYS: Patience = Patience { may_give_up: false, give_up_at: None };

    fn slow() -> Error {
        Error::Timeout { operation: "claiming", limit_ms: 1 }
    }

    fn final_one() -> Error {
        let error = Error::Stopped { what: "the test" };
        assert!(!error.is_transient());
        error
    }

    fn after(count: u32, now: Instant) -> Failures {
        let mut failures = Failures::default();
        (0..count).for_each(|_| failures.add(now));
        failures
    }

    #[test]
    fn it_pauses_after_each_and_counts_from_the_start_after_a_success() {
        let now = Instant::now();
        let mut failures = after(PATIENCE, now);
        let until = failures.until().unwrap();
        assert!(failures.are_many() && failures.pauses(now) && !failures.pauses(until));
        failures.end_pause();
        assert!(!failures.pauses(now) && failures.are_many());
        failures.end();
        assert!(!failures.are_many());
    }

    #[test]
    fn claims_end_sooner_where_they_use_up_their_time_and_at_once_where_nothing_would_help() {
        let now = Instant::now();
        assert!(
            !after(SLOW_PATIENCE - 1, now).end_claiming(&slow()) && after(SLOW_PATIENCE, now).end_claiming(&slow())
        );
        assert!(after(1, now).end_claiming(&final_one()));
    }

    #[test]
    fn outcomes_are_tried_for_as_long_as_the_run_may_go_on() {
        let now = Instant::now();
        let ends = Patience { may_give_up: true, give_up_at: None };
        assert!(!after(100, now).end_settling(&final_one(), STAYS, now));
        assert!(!after(PATIENCE - 1, now).end_settling(&final_one(), ends, now));
        assert!(after(PATIENCE, now).end_settling(&final_one(), ends, now));
        assert!(!after(PATIENCE, now).end_settling(&slow(), ends, now), "it may pass");
        assert!(after(2 * PATIENCE, now).end_settling(&slow(), ends, now));
        let late = Patience { give_up_at: Some(now), ..ends };
        assert!(after(1, now).end_settling(&slow(), late, now), "the time is over");
    }
}
