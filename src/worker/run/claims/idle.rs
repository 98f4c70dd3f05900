//! How long a consumer that has found nothing rests before it looks again; pure.
//!
//! A dispatch wakes only workers that it sees waiting. One that began before the worker said that it waits, and
//! commits after the worker has looked once more, wakes nobody: 2 of 1,000 messages had to wait for the next poll. It
//! takes a few milliseconds as a rule, tens of them where another server has to confirm it, and is given up after the
//! time limit of a statement. So the worker looks a few times more, ever later, before it relies on being woken.

use std::time::{Duration, Instant};

/// When a consumer looks after it has said that it waits, whatever wakes it in between. The last one comes after the
/// default of `database.statementTimeout`.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(25),
    Duration::from_millis(250),
    Duration::from_millis(2_500),
    Duration::from_millis(15_000),
];

/// Since when a consumer has said that it waits.
#[derive(Debug, Default)]
pub struct Idle {
    since: Option<Instant>,
}

impl Idle {
    /// Whether those who dispatch can see that the consumer waits.
    pub fn is_known(&self) -> bool {
        self.since.is_some()
    }

    /// The consumer has said that it waits.
    pub fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// The consumer has found something, or nobody knows any more that it waits.
    pub fn end(&mut self) {
        self.since = None;
    }

    /// When to look again after a claim that began at `looked`, where looks are usually `poll` apart.
    pub fn next(&self, looked: Instant, now: Instant, poll: Duration) -> Instant {
        let looks = LOOKS.iter().filter(|it| **it < poll);
        let next = self.since.and_then(|since| looks.map(|it| since + *it).find(|at| *at > looked));
        next.unwrap_or(now + poll).min(now + poll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(60);

    fn begun() -> (Idle, Instant) {
        let (mut idle, start) = (Idle::default(), Instant::now());
        idle.begin(start);
        (idle, start)
    }

    #[test]
    fn one_that_says_that_it_waits_looks_a_few_times_more_before_it_relies_on_being_woken() {
        let (idle, start) = begun();
        let mut now = start;
        for look in LOOKS {
            now = idle.next(now, now, POLL);
            assert_eq!(now, start + look);
        }
        assert_eq!(idle.next(now, now, POLL), now + POLL);
    }

    #[test]
    fn being_woken_for_nothing_uses_up_no_look() {
        let (idle, start) = begun();
        for millis in 0..25 {
            let now = start + Duration::from_millis(millis);
            assert_eq!(idle.next(now, now, POLL), start + LOOKS[0]);
        }
    }

    #[test]
    fn a_look_that_began_too_early_counts_for_nothing_even_if_it_ends_late() {
        let (idle, start) = begun();
        let now = start + LOOKS[1] * 2;
        assert_eq!(idle.next(start + LOOKS[1] / 2, now, POLL), start + LOOKS[1], "at once");
    }

    #[test]
    fn looks_are_never_further_apart_than_polls() {
        let (idle, start) = begun();
        let poll = Duration::from_millis(100);
        assert_eq!(idle.next(start, start, poll), start + LOOKS[0]);
        let now = start + LOOKS[0];
        assert_eq!(idle.next(now, now, poll), now + poll);
    }

    #[test]
    fn one_that_has_not_said_so_polls() {
        let (mut idle, start) = begun();
        idle.end();
        assert_eq!((idle.is_known(), idle.next(start, start, POLL)), (false, start + POLL));
    }
}
