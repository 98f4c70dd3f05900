//! When to look again after a claim that has found nothing. Pure.

use super::due_again::DueAgain;
use super::idle::Idle;
use std::time::{Duration, Instant};

/// The rests of one consumer.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Since when those who dispatch can see that this worker waits. After the claim that said so the next one is made at
    /// once, for what was sent before.
    idle: Idle,
    /// The queue was empty: no claim before this instant, unless the hand becomes empty in a bounded drain.
    until: Option<Instant>,
    /// When there will be something to claim that the last claim has not seen, as far as is known.
    due_again: DueAgain,
}

/// A claim that has found nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// When it began.
    pub(super) began: Instant,
    /// Whether it marks this worker as waiting; a connection that came up since it began has not.
    pub(super) said_so: bool,
    /// When to look again for another reason.
    pub(super) owed: Option<Instant>,
}

impl Rest {
    /// Nothing to do: look again after the poll interval, or soon if nobody could know until now that this worker waits.
    /// Says whether there is a rest.
    pub(super) fn begin(&mut self, now: Instant, nothing: Found, poll: Duration) -> bool {
        if !nothing.said_so {
            // It has even taken back what an earlier claim said.
            self.idle.end();
        } else if !self.idle.is_known() {
            self.idle.begin(now);
            return false;
        }
        let poll = self.idle.next(nothing.began, now, poll);
        self.until = [Some(poll), self.due_again.first(), nothing.owed].into_iter().flatten().min();
        true
    }

    /// A claim begins.
    pub(super) fn end(&mut self, now: Instant) {
        self.until = None;
        self.due_again.forget_past(now);
    }

    /// There is something to claim, which a claim under way may not see.
    pub(super) fn end_now(&mut self, now: Instant) {
        self.end_after(now, Duration::ZERO);
    }

    /// There will be something to claim.
    pub(super) fn end_after(&mut self, now: Instant, delay: Duration) {
        self.due_again.add(now, delay);
        self.until = self.until.min(self.due_again.first().filter(|_| self.until.is_some()));
    }

    /// Whether a claim may be made.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|at| now >= at)
    }

    /// When it is over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether those who dispatch can see that the consumer waits.
    pub(super) fn is_known(&self) -> bool {
        self.idle.is_known()
    }

    /// The consumer has found something, or nobody knows any more that it waits.
    pub(super) fn forget(&mut self) {
        self.idle.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(60);
    const SOON: Duration = Duration::from_secs(1);

    fn nothing(began: Instant, said_so: bool, owed: Option<Instant>) -> Found {
        Found { began, said_so, owed }
    }

    /// A rest that has begun.
    fn resting() -> (Rest, Instant) {
        let (mut rest, now) = (Rest::default(), Instant::now());
        assert!(rest.begin(now, nothing(now, false, None), POLL));
        (rest, now)
    }

    #[test]
    fn one_that_has_just_said_that_it_waits_looks_once_more_at_once() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        assert!(!rest.begin(now, nothing(now, true, None), POLL));
        assert!(rest.is_known() && rest.is_over(now));
        assert!(rest.begin(now, nothing(now, true, None), POLL) && !rest.is_over(now));
    }

    #[test]
    fn a_claim_that_does_not_say_that_it_waits_takes_back_what_an_earlier_one_said() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        rest.begin(now, nothing(now, true, None), POLL);
        assert!(rest.begin(now, nothing(now, false, None), POLL) && !rest.is_known());
        assert_eq!(rest.until(), Some(now + POLL));
        assert!(!rest.begin(now, nothing(now, true, None), POLL), "once it is heard again, it looks at once");
    }

    #[test]
    fn a_rest_ends_for_what_is_due_again_and_for_what_is_owed() {
        let now = Instant::now();
        for (due_again, owed, until) in
            [(None, None, POLL), (Some(SOON), None, SOON), (None, Some(SOON), SOON), (Some(2 * SOON), Some(SOON), SOON)]
        {
            let mut rest = Rest::default();
            due_again.into_iter().for_each(|it| rest.end_after(now, it));
            assert!(rest.begin(now, nothing(now, false, owed.map(|it| now + it)), POLL));
            assert_eq!(rest.until(), Some(now + until));
        }
    }

    #[test]
    fn each_message_that_comes_back_ends_a_rest_and_what_has_come_back_ends_no_other() {
        let (mut rest, now) = resting();
        rest.end_after(now, 3 * SOON);
        rest.end_after(now, SOON);
        for soon in [SOON, 3 * SOON] {
            assert_eq!(rest.until(), Some(now + soon));
            rest.end(now + soon);
            assert!(rest.is_over(now));
            rest.begin(now + soon, nothing(now + soon, false, None), POLL);
        }
        assert_eq!(rest.until(), Some(now + 3 * SOON + POLL));
    }

    #[test]
    fn what_comes_back_while_a_claim_is_under_way_is_looked_for_after_it() {
        let (mut rest, now) = resting();
        rest.end(now);
        rest.end_now(now + SOON);
        let answered = now + 2 * SOON;
        rest.begin(answered, nothing(now, false, None), POLL);
        assert!(rest.is_over(answered));
        rest.end(answered);
        rest.begin(answered, nothing(answered, false, None), POLL);
        assert!(!rest.is_over(answered));
    }

    #[test]
    fn a_rest_goes_on_until_it_is_ended() {
        let (mut rest, now) = resting();
        assert!(!rest.is_over(now));
        rest.end_now(now);
        assert!(rest.is_over(now));
    }
}
