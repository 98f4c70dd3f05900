//! When to look again after a claim that has found nothing. Pure.

use super::idle::Idle;
use std::time::{Duration, Instant};

/// The rests of one consumer.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Whether the last claim found nothing and said so: the next one is made at once, for what was sent before anybody
    /// could know that this worker waits.
    idle: Idle,
    /// The queue was empty: no claim before this instant, unless the hand becomes empty in a bounded drain.
    until: Option<Instant>,
    /// When the next of the messages that this consumer has put back is due.
    due_again: Option<Instant>,
}

impl Rest {
    /// Nothing to do: look again after the poll interval, or soon if nobody could know until now that this worker waits.
    /// `said_so`: whether the claim began as one that marks it as waiting; a connection that came up since has not. Says
    /// whether there is a rest.
    pub(super) fn begin(&mut self, now: Instant, said_so: bool, poll: Duration, owed: Option<Instant>) -> bool {
        if !self.idle.is_known() && said_so {
            self.idle.begin();
            return false;
        }
        let poll = now + self.idle.rest(poll);
        self.until = [Some(poll), self.due_again, owed].into_iter().flatten().min();
        true
    }

    /// A claim begins.
    pub(super) fn end(&mut self, now: Instant) {
        self.until = None;
        self.due_again = self.due_again.filter(|at| *at > now);
    }

    /// There is something to claim.
    pub(super) fn end_now(&mut self) {
        self.until = None;
    }

    /// There will be something to claim.
    pub(super) fn end_at(&mut self, at: Instant) {
        self.due_again = Some(self.due_again.map_or(at, |it| it.min(at)));
        self.until = self.until.map(|it| it.min(at));
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

    #[test]
    fn one_that_has_just_said_that_it_waits_looks_once_more_at_once() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        assert!(!rest.begin(now, true, POLL, None));
        assert!(rest.is_known() && rest.is_over(now));
        assert!(rest.begin(now, true, POLL, None) && !rest.is_over(now));
    }

    #[test]
    fn a_rest_ends_for_what_is_due_again_and_for_what_is_owed() {
        let now = Instant::now();
        for (due_again, owed, until) in
            [(None, None, POLL), (Some(SOON), None, SOON), (None, Some(SOON), SOON), (Some(2 * SOON), Some(SOON), SOON)]
        {
            let mut rest = Rest::default();
            due_again.into_iter().for_each(|it| rest.end_at(now + it));
            assert!(rest.begin(now, false, POLL, owed.map(|it| now + it)));
            assert_eq!(rest.until(), Some(now + until));
        }
    }

    #[test]
    fn what_comes_back_during_a_rest_ends_it_and_what_has_come_back_ends_no_other() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        rest.begin(now, false, POLL, None);
        rest.end_at(now + SOON);
        assert_eq!(rest.until(), Some(now + SOON));
        rest.end(now + SOON);
        assert!(rest.is_over(now));
        rest.begin(now + SOON, false, POLL, None);
        assert_eq!(rest.until(), Some(now + SOON + POLL));
    }
}
