//! From what the handlers reported to what the transport does: the retry decision. Pure.

use crate::base::limits::MAX_DELAY_MS;
use crate::config::RetryStrategy;
use crate::message::outcome::Outcome;
use crate::policy::retry::{self, Decision};
use crate::worker::protocol::report::Said;
use std::time::Duration;

/// The part of a message that the decision needs.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Failed runs before this one.
    pub retry_count: u32,
    /// The message's own limit of retries.
    pub max_retries: Option<u32>,
}

/// Decides what happens to a message; `ran` says whether its handlers were started. `random` is from 0 to 1.
pub fn outcome(said: Said, ran: bool, run: Run, strategy: &RetryStrategy, random: f64) -> Outcome {
    match said {
        Said::Completed => Outcome::Completed,
        Said::Discarded { reason } => Outcome::Discarded { reason },
        Said::Snoozed { delay, handled } => Outcome::Snooze { delay: millis(delay), handled },
        Said::Released { delay, handled } => Outcome::Release { delay: delay.map(millis), handled, ran },
        Said::Failed { retryable, retry_after, error: failure, handled } => {
            let asked = retry_after.map(|ms| ms.clamp(0.0, MAX_DELAY_MS as f64) as u64);
            match retry::decide(strategy, run.max_retries, run.retry_count, retryable, asked, random) {
                Decision::Retry { delay_ms } => {
                    Outcome::Retry { delay: Duration::from_millis(delay_ms), failure, handled }
                }
                Decision::Bury => Outcome::Bury { failure, handled },
            }
        }
    }
}

/// A duration from outside, which may be negative, infinite or not a number.
fn millis(value: f64) -> Duration {
    Duration::from_secs_f64(value.clamp(0.0, MAX_DELAY_MS as f64).max(0.0) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::outcome::Failure;

    fn failed(retryable: bool, retry_after: Option<f64>) -> Said {
        let error = Failure::new("Error", "no".to_owned());
        Said::Failed { retryable, retry_after, error, handled: vec![] }
    }

    fn after(said: Said, retry_count: u32, max_retries: Option<u32>) -> Outcome {
        outcome(said, true, Run { retry_count, max_retries }, &RetryStrategy::BUILT_IN, 0.5)
    }

    #[test]
    fn a_retryable_failure_waits_longer_each_time_and_is_buried_at_the_end() {
        let delays: Vec<_> = (0..4)
            .map(|n| match after(failed(true, None), n, Some(3)) {
                Outcome::Retry { delay, .. } => delay.as_millis(),
                _ => 0,
            })
            .collect();
        assert_eq!(delays, [1000, 2000, 4000, 0]);
    }

    #[test]
    fn the_message_s_own_limit_and_retry_after_count() {
        assert!(matches!(after(failed(true, None), 0, Some(0)), Outcome::Bury { .. }));
        assert!(matches!(after(failed(false, None), 0, None), Outcome::Bury { .. }));
        let patient = after(failed(true, Some(60_000.0)), 0, None);
        assert!(matches!(patient, Outcome::Retry { delay, .. } if delay == Duration::from_secs(60)));
    }

    #[test]
    fn spans_from_outside_cannot_break_it() {
        for delay in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            let snoozed = Said::Snoozed { delay, handled: vec![] };
            assert!(matches!(after(snoozed, 0, None), Outcome::Snooze { .. }));
            after(failed(true, Some(delay)), 0, None);
        }
    }
}
