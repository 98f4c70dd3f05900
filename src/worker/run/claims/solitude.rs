//! When a suspect has its turn, and what may run beside it. Pure: instants and the state of the hand come in.
//!
//! A suspect is a message whose process died while it held it. One that kills its process should die alone: before its
//! turn nothing else is claimed until nothing is in hand, and nothing while it runs.
//!
//! ```text
//!                 its turn                  the hand is empty, or a slot is free          it ended, or takes long
//! [ fresh work ] ----------> [ emptying ] -------------------------------------> [ alone ] ----------------------,
//!       ^                                                                                                        |
//!       `------------------------------- for at least twice the time that this took ----------------------------'
//! ```
//!
//! Both waits are bounded, so that neither a slow handler nor a slow suspect stops the other work: past its bound, the
//! suspect runs beside whatever there is. If it kills the process then, it is still the one that is counted.

use std::time::{Duration, Instant};

/// The longest wait for an empty hand with slots idle, and the longest time that a suspect has for itself.
const LONGEST: Duration = Duration::from_secs(1);
/// A message that has been in hand for this long is not waited for: it will hardly end within half of it.
const SLOW: Duration = Duration::from_secs(2);
/// In a bounded run, at most this fraction of its time.
const PART_OF_LIMIT: u32 = 4;
/// Fresh work gets this many times what a suspect took: at twice, and with the time that it needs to gather speed
/// again, more than half of the undisturbed rate.
const FRESH_SHARE: u32 = 2;
/// And at least this.
const LEAST_FRESH: Duration = Duration::from_millis(50);
/// While suspects wait, a claim takes no more than runs in about this time, so that the hand can be emptied.
const HANDFUL: Duration = Duration::from_millis(250);

/// What to claim next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Anything but suspects.
    Fresh,
    /// One suspect.
    Suspect,
    /// Nothing before this instant, unless the hand changes.
    Wait(Option<Instant>),
}

/// What is in hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct InHand {
    /// Nothing, and every outcome is written.
    pub clear: bool,
    /// Whether what is claimed now starts at once.
    pub slot_free: bool,
    /// A suspect among it.
    pub suspect: bool,
    /// When the youngest of it was claimed.
    pub youngest: Option<Instant>,
}

/// The turns of one consumer.
#[derive(Debug)]
pub struct Solitude {
    /// The bound of both waits.
    longest: Duration,
    /// Not before this instant.
    turn: Instant,
    /// Since when slots are idle because of a suspect.
    since: Option<Instant>,
    /// When the suspect in hand was claimed.
    alone_since: Option<Instant>,
}

impl Solitude {
    /// Fresh work comes first, unless `suspect_first`.
    pub fn new(start: Instant, time_limit: Option<Duration>, suspect_first: bool) -> Self {
        let longest = time_limit.map_or(LONGEST, |limit| LONGEST.min(limit / PART_OF_LIMIT));
        let turn = if suspect_first { start } else { start + LEAST_FRESH };
        Self { longest, turn, since: None, alone_since: None }
    }

    /// What to claim now; `due` says whether a suspect waits that this consumer would claim.
    pub fn next(&mut self, now: Instant, due: bool, hand: InHand) -> Turn {
        if hand.suspect {
            let until = *self.alone_since.get_or_insert(now) + self.longest;
            return if now < until { Turn::Wait(Some(until)) } else { Turn::Fresh };
        }
        if let Some(alone_since) = self.alone_since.take() {
            self.give_way(now, alone_since);
        }
        if !due || now < self.turn {
            self.since = None;
            return Turn::Fresh;
        }
        if !hand.slot_free {
            // The work goes on at full speed, and the next slot is the suspect's.
            return Turn::Wait(None);
        }
        let latest = *self.since.get_or_insert(now) + self.longest;
        let until = hand.youngest.map_or(latest, |at| latest.min(at + SLOW));
        if hand.clear || now >= until { Turn::Suspect } else { Turn::Wait(Some(until)) }
    }

    /// When it is a suspect's turn.
    pub fn turn(&self) -> Instant {
        self.turn
    }

    /// A claim for a suspect was answered.
    pub fn claimed(&mut self, now: Instant, found: bool) {
        if found {
            self.alone_since = Some(now);
        } else {
            self.give_way(now, now);
        }
    }

    /// A claim for anything else found nothing: no other work has to go first.
    pub fn nothing_fresh(&mut self, now: Instant) {
        self.turn = self.turn.min(now);
    }

    fn give_way(&mut self, now: Instant, alone_since: Instant) {
        let end = now.min(alone_since + self.longest);
        let took = end.saturating_duration_since(self.since.take().unwrap_or(alone_since));
        self.turn = now + LEAST_FRESH.max(took * FRESH_SHARE);
    }
}

/// How many messages a claim takes while suspects wait: about as many as run within [`HANDFUL`], and at least as many as
/// run at once. `longest` is how long a handler takes.
pub fn handful(limit: usize, slots: usize, longest: Duration) -> usize {
    let rounds = HANDFUL.as_secs_f64() / longest.as_secs_f64().max(1e-6);
    let quick = slots.saturating_mul(rounds.clamp(1.0, 1e6) as usize);
    limit.min(quick)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);
    const EMPTY: InHand = InHand { clear: true, slot_free: true, suspect: false, youngest: None };
    const SUSPECT: InHand = InHand { clear: false, slot_free: true, suspect: true, youngest: None };

    fn busy(youngest: Instant) -> InHand {
        InHand { clear: false, slot_free: true, suspect: false, youngest: Some(youngest) }
    }

    #[test]
    fn without_suspects_everything_is_fresh() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        for at in [0, 1, 1000] {
            assert_eq!(turns.next(start + at * MS, false, busy(start)), Turn::Fresh);
        }
    }

    #[test]
    fn fresh_work_comes_first_and_a_suspect_as_soon_as_there_is_none() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, false);
        assert_eq!(turns.next(start, true, EMPTY), Turn::Fresh);
        turns.nothing_fresh(start + MS);
        assert_eq!(turns.next(start + MS, true, EMPTY), Turn::Suspect);
    }

    #[test]
    fn the_hand_is_emptied_first() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        assert_eq!(turns.next(start, true, busy(start)), Turn::Wait(Some(start + LONGEST)));
        assert_eq!(turns.next(start + 10 * MS, true, EMPTY), Turn::Suspect);
    }

    #[test]
    fn a_slow_handler_is_not_waited_for_again_and_again() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        assert_eq!(turns.next(start + SLOW, true, busy(start)), Turn::Suspect, "beside it, at once");
    }

    #[test]
    fn while_every_slot_works_no_time_is_lost() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        let full = InHand { slot_free: false, ..busy(start) };
        let later = start + SLOW - MS;
        assert_eq!(turns.next(start, true, full), Turn::Wait(None));
        assert_eq!(turns.next(later, true, full), Turn::Wait(None));
        assert_eq!(
            turns.next(later, true, busy(later)),
            Turn::Wait(Some(later + LONGEST)),
            "counted from the first idle slot"
        );
    }

    #[test]
    fn outcomes_that_cannot_be_written_do_not_hold_it_up() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        let unsettled = InHand { youngest: None, ..busy(start) };
        assert_eq!(turns.next(start, true, unsettled), Turn::Wait(Some(start + LONGEST)));
        assert_eq!(turns.next(start + LONGEST, true, unsettled), Turn::Suspect);
    }

    #[test]
    fn nothing_runs_beside_a_suspect_unless_it_takes_long() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        assert_eq!(turns.next(start, true, EMPTY), Turn::Suspect);
        turns.claimed(start, true);
        assert_eq!(turns.next(start + MS, true, SUSPECT), Turn::Wait(Some(start + LONGEST)));
        assert_eq!(turns.next(start + LONGEST, true, SUSPECT), Turn::Fresh);
        assert_eq!(turns.next(start + 9 * LONGEST, true, SUSPECT), Turn::Fresh);
    }

    #[test]
    fn a_bounded_run_spends_a_part_of_its_time_on_it() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, Some(400 * MS), true);
        turns.claimed(start, true);
        assert_eq!(turns.next(start, true, SUSPECT), Turn::Wait(Some(start + 100 * MS)));
    }

    #[test]
    fn one_that_was_claimed_by_others_meanwhile_costs_no_time() {
        let start = Instant::now();
        let mut turns = Solitude::new(start, None, true);
        assert_eq!(turns.next(start, true, EMPTY), Turn::Suspect);
        turns.claimed(start + 5 * MS, false);
        assert_eq!(turns.next(start + 5 * MS, true, EMPTY), Turn::Fresh);
    }

    #[test]
    fn a_claim_is_never_smaller_than_what_runs_at_once() {
        assert_eq!(handful(100, 10, MS), 100);
        assert_eq!(handful(100, 10, 125 * MS), 20);
        assert_eq!(handful(100, 10, Duration::from_secs(9)), 10);
        assert_eq!(handful(3, 10, Duration::from_secs(9)), 3);
        assert_eq!(handful(10_000, 10_000, Duration::ZERO), 10_000);
    }

    proptest! {
        /// However long handlers and suspects take, and however many suspects there are: of any stretch of time, fresh
        /// work may be claimed in more than half, but for the first turn.
        #[test]
        fn fresh_work_has_more_than_half_of_the_time(
            empties in prop::collection::vec(0_u32..3000, 1..60), runs in prop::collection::vec(0_u32..3000, 60),
        ) {
            let start = Instant::now();
            let (mut now, mut turns, mut held) = (start, Solitude::new(start, None, false), Duration::ZERO);
            for (empties, runs) in empties.iter().zip(runs) {
                // Fresh work until the turn, then a hand that takes a while to be emptied.
                now = now.max(turns.turn());
                let began = now;
                loop {
                    let hand = if now >= began + *empties * MS { EMPTY } else { busy(began) };
                    match turns.next(now, true, hand) {
                        Turn::Wait(Some(until)) => now = until.min(began + *empties * MS),
                        Turn::Suspect => break,
                        it => prop_assert!(false, "{it:?}"),
                    }
                }
                turns.claimed(now, true);
                held += now - began + LONGEST.min(runs * MS);
                now += runs * MS;
                prop_assert_eq!(turns.next(now, true, EMPTY), Turn::Fresh);
                prop_assert!(2 * held <= turns.turn() - start, "{held:?} of {:?}", turns.turn() - start);
            }
        }
    }
}
