//! Whether the next claim is for a suspect. Pure.

use super::solitude::{InHand, Solitude, Turn, handful};
use std::time::{Duration, Instant};

/// The suspects of one consumer among its other work.
#[derive(Debug)]
pub(super) struct Suspects {
    solitude: Solitude,
    /// Whether to look for one before anything else, and nobody has yet.
    first: bool,
    /// When a suspect or fresh work has its turn.
    turn: Option<Instant>,
}

impl Suspects {
    pub(super) fn new(start: Instant, time_limit: Option<Duration>, first: bool) -> Self {
        Self { solitude: Solitude::new(start, time_limit, first), first, turn: None }
    }

    /// What to claim now; `known` says whether a suspect waits that this consumer would claim.
    pub(super) fn next(&mut self, now: Instant, known: bool, hand: InHand) -> Turn {
        let due = known || std::mem::take(&mut self.first);
        let turn = self.solitude.next(now, due, hand);
        self.turn = match turn {
            Turn::Suspect => None,
            Turn::Wait(until) => until,
            Turn::Fresh => due.then(|| self.solitude.turn()),
        };
        turn
    }

    /// How much fresh work a claim takes: less while suspects wait for their turn.
    pub(super) fn limit(&self, limit: usize, slots: usize, longest_handler: Duration) -> usize {
        self.turn.map_or(limit, |_| handful(limit, slots, longest_handler))
    }

    /// Learns what a claim has found: one for a `suspect`, or one for anything else.
    pub(super) fn learn(&mut self, suspect: bool, found: bool, failed: bool, now: Instant) {
        if suspect {
            self.solitude.claimed(now, found);
        } else if !found && !failed {
            self.solitude.nothing_fresh(now);
        }
    }

    /// Nobody waits for a turn.
    pub(super) fn forget_turn(&mut self) {
        self.turn = None;
    }

    /// When a suspect or fresh work has its turn.
    pub(super) fn turn(&self) -> Option<Instant> {
        self.turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: InHand = InHand { clear: true, slot_free: true, suspect: false, youngest: None };

    #[test]
    fn one_that_looks_for_a_suspect_first_does_so_once() {
        let start = Instant::now();
        let mut suspects = Suspects::new(start, None, true);
        assert_eq!(suspects.next(start, false, EMPTY), Turn::Suspect);
        suspects.learn(true, false, false, start);
        assert_eq!((suspects.next(start, false, EMPTY), suspects.turn()), (Turn::Fresh, None));
    }

    #[test]
    fn while_suspects_wait_a_claim_takes_a_handful_and_their_turn_wakes_the_loop() {
        let start = Instant::now();
        let mut suspects = Suspects::new(start, None, false);
        let slow = Duration::from_secs(1);
        assert_eq!((suspects.next(start, false, EMPTY), suspects.limit(500, 10, slow)), (Turn::Fresh, 500));
        assert_eq!((suspects.next(start, true, EMPTY), suspects.limit(500, 10, slow)), (Turn::Fresh, 10));
        assert!(suspects.turn() > Some(start));
        suspects.forget_turn();
        assert_eq!(suspects.turn(), None);
    }

    #[test]
    fn a_claim_that_failed_says_nothing_about_fresh_work() {
        let start = Instant::now();
        let mut suspects = Suspects::new(start, None, false);
        suspects.learn(false, false, true, start);
        assert_eq!(suspects.next(start, true, EMPTY), Turn::Fresh);
        suspects.learn(false, false, false, start);
        assert_eq!(suspects.next(start, true, EMPTY), Turn::Suspect);
    }
}
