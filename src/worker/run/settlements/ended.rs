//! What has ended: how it is counted, and when it is back to be claimed. Pure.

use crate::message::outcome::Outcome;
use crate::worker::stats::Stats;
use std::time::Duration;

/// Counts a message that was settled, or lost. Returns the name of its event.
pub(super) fn count(stats: &mut Stats, outcome: &Outcome, lost: bool) -> &'static str {
    let (name, counter) = match outcome {
        _ if lost => ("lost", &mut stats.lost),
        Outcome::Completed => ("completed", &mut stats.succeeded),
        Outcome::Discarded { .. } => ("discarded", &mut stats.discarded),
        Outcome::Retry { .. } => ("retried", &mut stats.retried),
        Outcome::Bury { .. } => ("deadLettered", &mut stats.dead_lettered),
        Outcome::Snooze { .. } => ("snoozed", &mut stats.snoozed),
        Outcome::Release { .. } => ("released", &mut stats.released),
    };
    *counter += 1;
    name
}

/// What a consumer has put back, or others have because its lease was lost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::worker::run) struct Returned {
    /// Whether there is any.
    pub(in crate::worker::run) any: bool,
    /// In how much time it is due, each for itself.
    pub(in crate::worker::run) due_in: Vec<Duration>,
}

impl Returned {
    /// Notes a message that was settled, or lost.
    pub(super) fn note(&mut self, outcome: &Outcome, lost: bool) {
        let due_in = match outcome {
            Outcome::Retry { delay, .. } | Outcome::Snooze { delay, .. } => *delay,
            Outcome::Release { delay, .. } => {
                self.any = true;
                delay.unwrap_or_default()
            }
            _ => return,
        };
        if !lost {
            self.any = true;
            self.due_in.push(due_in);
        }
    }

    /// The one that took them has put them back.
    pub(super) fn note_lost(&mut self) {
        self.any = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::outcome::Failure;

    fn retry(seconds: u64) -> Outcome {
        let failure = Failure::new("Error", "no".to_owned());
        Outcome::Retry { delay: Duration::from_secs(seconds), failure, handled: Vec::new() }
    }

    fn returned(outcomes: &[Outcome], lost: bool) -> Returned {
        let mut returned = Returned::default();
        outcomes.iter().for_each(|it| returned.note(it, lost));
        returned
    }

    #[test]
    fn each_that_is_due_again_counts() {
        let delay = Some(Duration::from_secs(2));
        let put_off = Outcome::Release { delay, handled: Vec::new(), ran: false };
        let due_in = [3, 1, 2].map(Duration::from_secs).to_vec();
        let outcomes = [retry(3), retry(1), Outcome::Completed, put_off];
        assert_eq!(returned(&outcomes, false), Returned { any: true, due_in });
    }

    #[test]
    fn what_is_handed_back_is_there_at_once_and_what_is_done_never() {
        assert_eq!(returned(&[Outcome::UNTOUCHED], false), Returned { any: true, due_in: vec![Duration::ZERO] });
        assert_eq!(returned(&[Outcome::Completed], false), Returned::default());
    }

    #[test]
    fn of_what_was_lost_nobody_here_knows_when_it_is_due() {
        assert_eq!(returned(&[retry(1)], true), Returned::default());
    }

    #[test]
    fn a_lost_message_counts_as_lost_whatever_its_outcome() {
        let mut stats = Stats::default();
        let names = [(retry(1), false), (retry(1), true), (Outcome::UNTOUCHED, false)]
            .map(|(outcome, lost)| count(&mut stats, &outcome, lost));
        assert_eq!(names, ["retried", "lost", "released"]);
        assert_eq!((stats.retried, stats.lost, stats.released, stats.settled()), (1, 1, 1, 3));
    }
}
