//! How a worker compares what its places say it holds with its hand: in which steps, and how often. Pure.

use crate::error::{Error, Result};
use crate::transport::Portion;
use crate::worker::run::pace::Pace;
use crate::worker::run::steps::Steps;
use std::time::{Duration, Instant};

/// How many messages a statement puts back.
const AT_ONCE: usize = 1_000;

/// The comparisons of one worker.
pub(super) struct Reconciliation {
    /// Of each place.
    steps: Vec<Steps>,
    pace: Pace,
    /// No heartbeat asks for one before this instant.
    due: Instant,
}

/// What one has brought.
#[derive(Default)]
pub(super) struct Reconciled {
    /// Whether anything was put back, in any place.
    pub(super) any: bool,
    /// Why a place has put back nothing.
    pub(super) error: Option<Error>,
}

impl Reconciliation {
    /// Of so many places, by a worker of this lease.
    pub(super) fn new(places: usize, lease: Duration, now: Instant) -> Self {
        Self { steps: vec![Steps::new(AT_ONCE, AT_ONCE); places], pace: Pace::new(lease), due: now }
    }

    /// Whether a heartbeat may ask for one.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// What each place puts back with the next one.
    pub(super) fn portions(&self) -> Vec<Portion> {
        self.steps.iter().map(|it| Portion { limit: it.limit(), skip: it.skip() }).collect()
    }

    /// Learns what became of it in each place, and how long it took. A place that was away says nothing about its messages.
    pub(super) fn learn(&mut self, answers: Vec<Result<usize>>, took: Duration, now: Instant) -> Reconciled {
        self.due = now + self.pace.pause(took);
        let mut reconciled = Reconciled::default();
        for (steps, answer) in self.steps.iter_mut().zip(answers) {
            match answer {
                Ok(count) => {
                    steps.taken(count);
                    reconciled.any |= count > 0;
                }
                Err(error) => {
                    if !matches!(error, Error::Connection { .. }) {
                        steps.failed();
                    }
                    reconciled.error.get_or_insert(error);
                }
            }
        }
        reconciled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(12);

    fn refused() -> Result<usize> {
        Err(Error::Stopped { what: "a place" })
    }

    fn of_places(count: usize) -> (Reconciliation, Instant) {
        let now = Instant::now();
        (Reconciliation::new(count, LEASE, now), now)
    }

    #[test]
    fn what_one_store_has_put_back_counts_though_another_one_is_down() {
        for answers in [vec![refused(), Ok(3)], vec![Ok(3), refused()]] {
            let (mut it, now) = of_places(2);
            let reconciled = it.learn(answers, Duration::ZERO, now);
            assert!(reconciled.any && reconciled.error.is_some());
        }
    }

    #[test]
    fn only_the_place_that_refused_goes_on_in_smaller_steps() {
        let (mut it, now) = of_places(2);
        it.learn(vec![refused(), Ok(0)], Duration::ZERO, now);
        assert_eq!(it.portions().iter().map(|it| it.limit).collect::<Vec<_>>(), [AT_ONCE / 8, AT_ONCE]);
    }

    #[test]
    fn heartbeats_ask_less_often_for_what_takes_long() {
        let (mut it, now) = of_places(1);
        it.learn(vec![Ok(0)], LEASE, now);
        assert!(it.is_due(now), "it may just have stood still");
        it.learn(vec![Ok(0)], LEASE / 40, now);
        assert!(!it.is_due(now + LEASE / 3) && it.is_due(now + LEASE / 2));
    }
}
