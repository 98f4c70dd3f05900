//! What it proves if a claim found nothing. Pure.

use std::time::{Duration, Instant};

/// How long ago a claim may have begun to be the last look of a bounded drain, if it overlapped with the last handlers.
/// What others send in this time may be left to the next run, as everything is that comes after the last look.
const HOLDS: Duration = Duration::from_millis(250);

/// A claim, when it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) began: Instant,
    /// With nothing in hand and nothing on its way back.
    pub(super) clear: bool,
    /// How much this process had sent.
    pub(super) sent: u64,
}

impl Look {
    /// Whether nothing is left if this look found nothing and the hand is empty now. One that began with something in
    /// hand has not seen what handlers have sent and what the consumer has put back since.
    fn is_last(&self, now: Instant, sent: u64, put_back: Option<Instant>) -> bool {
        let overlapped = now.saturating_duration_since(self.began) <= HOLDS;
        self.clear || (overlapped && self.sent == sent && put_back.is_none_or(|at| at < self.began))
    }
}

/// What the last claim proves, and what has happened since.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The last claim, if it found nothing.
    found_nothing: Option<Look>,
    /// When a message was last put back by this consumer, or by others because its lease was lost.
    put_back: Option<Instant>,
}

impl Looks {
    /// A claim was answered; `None`: it found something, or it did not look at everything.
    pub(super) fn note(&mut self, found_nothing: Option<Look>) {
        self.found_nothing = found_nothing;
    }

    /// A message was put back.
    pub(super) fn note_return(&mut self, now: Instant) {
        self.put_back = Some(now);
    }

    /// Whether nothing is left if the hand is empty now; `sent`: how much this process has sent.
    pub(super) fn was_the_last(&self, now: Instant, sent: u64) -> bool {
        self.found_nothing.as_ref().is_some_and(|look| look.is_last(now, sent, self.put_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_with_an_empty_hand_is_the_last_whatever_happens() {
        let began = Instant::now();
        let look = Look { began, clear: true, sent: 1 };
        assert!(look.is_last(began + Duration::from_secs(9), 2, Some(began + HOLDS)));
    }

    #[test]
    fn a_look_beside_handlers_is_the_last_if_it_is_young_and_nothing_came_since() {
        let began = Instant::now();
        let look = Look { began, clear: false, sent: 1 };
        let before = began - Duration::from_millis(1);
        assert!(look.is_last(began + HOLDS, 1, None));
        assert!(look.is_last(began + HOLDS, 1, Some(before)));
        assert!(!look.is_last(began + HOLDS + Duration::from_millis(1), 1, None), "others may have sent something");
        assert!(!look.is_last(began, 2, None), "a handler has sent something");
        assert!(!look.is_last(began, 1, Some(began)), "a message was put back");
    }
}
