//! When a failed message runs again, and when it is buried: pure decisions, randomness passed in.
//!
//! The delay before the next run is `delay * multiplier ^ retry_count`, spread by `jitter`, then capped by
//! `max_delay`. `max_retries: 3` means at most four runs.

use crate::base::limits::MAX_DELAY_MS;
use crate::config::RetryStrategy;

/// What happens to a message whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It becomes available again.
    Retry {
        /// Milliseconds from now.
        delay_ms: u64,
    },
    /// It moves to the dead letters.
    Bury,
}

/// Decides about a message that failed after `retry_count` retries (0 = its first run failed).
///
/// `max_retries` is the message's own limit and replaces the strategy's. `retry_after_ms` is what the other side asked
/// for: the message waits at least that long, regardless of `max_delay`. `random` is a number from 0 to 1.
pub fn decide(
    strategy: &RetryStrategy,
    max_retries: Option<u32>,
    retry_count: u32,
    retryable: bool,
    retry_after_ms: Option<u64>,
    random: f64,
) -> Decision {
    if !retryable || retry_count >= max_retries.unwrap_or(strategy.max_retries) {
        return Decision::Bury;
    }
    let asked = retry_after_ms.unwrap_or(0).min(MAX_DELAY_MS);
    Decision::Retry { delay_ms: delay_ms(strategy, retry_count, random).max(asked) }
}

/// Milliseconds to wait before retry number `retry_count + 1`, with the strategy's jitter drawn here.
pub fn delay(strategy: &RetryStrategy, retry_count: u32) -> u64 {
    delay_ms(strategy, retry_count, fastrand::f64())
}

/// Milliseconds to wait before retry number `retry_count + 1`; `random` from 0 (earliest) to 1 (latest).
///
/// The jitter comes before the cap, so at the cap nothing is spread any more; fractions are rounded up.
pub fn delay_ms(strategy: &RetryStrategy, retry_count: u32, random: f64) -> u64 {
    let spread = jittered(exponential(strategy, retry_count), strategy.jitter, random);
    whole_ms(if strategy.max_delay > 0.0 { spread.min(strategy.max_delay) } else { spread })
}

fn exponential(strategy: &RetryStrategy, retry_count: u32) -> f64 {
    // The power may be infinite, and 0 * infinity is not a number.
    if strategy.delay <= 0.0 { 0.0 } else { strategy.delay * strategy.multiplier.powf(f64::from(retry_count)) }
}

/// `delay` moved by a whole number of milliseconds, each from `-radius` to `+radius` equally likely.
fn jittered(delay: f64, jitter: f64, random: f64) -> f64 {
    if jitter <= 0.0 {
        return delay;
    }
    let radius = (delay * jitter).min(MAX_DELAY_MS as f64).floor();
    let draw = (random.clamp(0.0, 1.0) * (2.0 * radius + 1.0)).floor().min(2.0 * radius);
    delay - radius + draw
}

fn whole_ms(delay: f64) -> u64 {
    delay.ceil().min(MAX_DELAY_MS as f64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strategy(delay: f64, multiplier: f64, max_delay: f64, jitter: f64) -> RetryStrategy {
        RetryStrategy { max_retries: 3, delay, multiplier, max_delay, jitter }
    }

    #[test]
    fn the_delays_of_symfony_without_jitter() {
        let vectors = [
            (1000.0, 1.0, 5000.0, 0, 1000),
            (1000.0, 1.0, 5000.0, 1, 1000),
            (1000.0, 1.0, 5000.0, 2, 1000),
            (1000.0, 2.0, 10000.0, 0, 1000),
            (1000.0, 2.0, 10000.0, 1, 2000),
            (1000.0, 2.0, 10000.0, 2, 4000),
            (1000.0, 2.0, 10000.0, 3, 8000),
            (1000.0, 2.0, 10000.0, 4, 10000),
            (1000.0, 2.0, 0.0, 4, 16000),
            (1000.0, 3.0, 10000.0, 0, 1000),
            (1000.0, 3.0, 10000.0, 1, 3000),
            (1000.0, 3.0, 10000.0, 2, 9000),
            (1000.0, 1.0, 500.0, 0, 500),
            (0.0, 2.0, 10000.0, 0, 0),
            (0.0, 2.0, 10000.0, 1, 0),
            (1000.0, 1.5555, 5000.0, 0, 1000),
            (1000.0, 1.5555, 5000.0, 1, 1556),
            (1000.0, 1.5555, 5000.0, 2, 2420),
        ];
        for (delay, multiplier, max_delay, retry_count, expected) in vectors {
            let strategy = strategy(delay, multiplier, max_delay, 0.0);
            for random in [0.0, 0.5, 1.0] {
                assert_eq!(delay_ms(&strategy, retry_count, random), expected, "{strategy:?}, retry {retry_count}");
            }
        }
    }

    #[test]
    fn the_delays_of_the_seeds() {
        let delays = |strategy: RetryStrategy, retries| -> Vec<u64> {
            (0..retries).map(|retry_count| delay_ms(&strategy, retry_count, 0.5)).collect()
        };
        assert_eq!(delays(strategy(1000.0, 2.0, 30000.0, 0.0), 7), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(delays(strategy(2000.0, 2.0, 60000.0, 0.0), 5), [2000, 4000, 8000, 16000, 32000]);
    }

    /// A provider that is down for a quarter of an hour costs no message.
    #[test]
    fn the_default_bridges_a_quarter_of_an_hour() {
        for random in [0.0, 0.5, 1.0] {
            let delays =
                (0..RetryStrategy::BUILT_IN.max_retries).map(|n| delay_ms(&RetryStrategy::BUILT_IN, n, random));
            let minutes = delays.sum::<u64>() / 60_000;
            assert!((15..=18).contains(&minutes), "{minutes} minutes");
        }
    }

    #[test]
    fn the_jitter_ranges_of_symfony() {
        for (jitter, least, most) in [
            (1.0, 0, 2000),
            (0.9, 100, 1900),
            (0.8, 200, 1800),
            (0.7, 300, 1700),
            (0.6, 400, 1600),
            (0.5, 500, 1500),
            (0.4, 600, 1400),
            (0.3, 700, 1300),
            (0.2, 800, 1200),
            (0.1, 900, 1100),
            (0.0, 1000, 1000),
        ] {
            let strategy = strategy(1000.0, 1.0, 0.0, jitter);
            assert_eq!(delay_ms(&strategy, 0, 0.0), least, "jitter {jitter}");
            assert_eq!(delay_ms(&strategy, 0, 0.5), 1000, "jitter {jitter}");
            assert_eq!(delay_ms(&strategy, 0, 1.0), most, "jitter {jitter}");
            assert!((0..100).all(|_| (least..=most).contains(&delay(&strategy, 0))), "jitter {jitter}");
        }
    }

    #[test]
    fn the_jitter_is_drawn_anew_each_time() {
        let strategy = strategy(1_000_000.0, 1.0, 0.0, 1.0);
        let first = delay(&strategy, 0);
        assert!((0..20).any(|_| delay(&strategy, 0) != first));
    }

    #[test]
    fn at_the_cap_nothing_is_spread() {
        let strategy = strategy(1000.0, 2.0, 1000.0, 0.1);
        assert_eq!(delay_ms(&strategy, 1, 0.0), 1000);
        assert_eq!(delay_ms(&strategy, 0, 0.0), 900, "the jitter may still shorten what is near the cap");
    }

    #[test]
    fn no_delay_is_longer_than_a_hundred_years() {
        let endless = strategy(f64::from(i32::MAX), 2.0, 0.0, 0.0);
        assert_eq!(delay_ms(&endless, 11, 0.5), MAX_DELAY_MS);
        assert_eq!(delay_ms(&endless, u32::MAX, 0.5), MAX_DELAY_MS);
        assert_eq!(delay_ms(&RetryStrategy { jitter: 1.0, ..endless }, u32::MAX, 0.0), MAX_DELAY_MS);
        assert_eq!(delay_ms(&strategy(0.0, 2.0, 0.0, 1.0), u32::MAX, 1.0), 0);
    }

    #[test]
    fn retries_end_at_the_limit() {
        let retried = |max_retries, retry_count| {
            let strategy = RetryStrategy { max_retries, ..RetryStrategy::BUILT_IN };
            decide(&strategy, None, retry_count, true, None, 0.5) != Decision::Bury
        };
        assert!(retried(3, 0));
        assert!(retried(3, 2));
        assert!(!retried(3, 3));
        assert!(!retried(0, 0));
    }

    #[test]
    fn the_limit_of_the_message_replaces_the_strategys() {
        let decide =
            |max_retries, retry_count| decide(&RetryStrategy::BUILT_IN, max_retries, retry_count, true, None, 0.5);
        assert_eq!(decide(Some(0), 0), Decision::Bury);
        assert_eq!(decide(Some(5), 4), Decision::Retry { delay_ms: 16000 });
        assert_eq!(decide(Some(5), 5), Decision::Bury);
    }

    #[test]
    fn what_cannot_succeed_is_buried_at_once() {
        assert_eq!(decide(&RetryStrategy::BUILT_IN, Some(9), 0, false, Some(10), 0.5), Decision::Bury);
    }

    #[test]
    fn retry_after_is_the_least_delay() {
        let decide = |retry_after| decide(&RetryStrategy::BUILT_IN, None, 0, true, retry_after, 0.5);
        assert_eq!(decide(Some(10)), Decision::Retry { delay_ms: 1000 });
        assert_eq!(decide(Some(90_000)), Decision::Retry { delay_ms: 90_000 });
        assert_eq!(decide(Some(u64::MAX)), Decision::Retry { delay_ms: MAX_DELAY_MS });
    }

    #[test]
    fn whole_numbers_stay_whole_in_json() {
        assert_eq!(
            serde_json::to_string(&RetryStrategy::BUILT_IN).unwrap(),
            r#"{"maxRetries":10,"delay":1000,"multiplier":2,"maxDelay":600000,"jitter":0.1}"#
        );
    }

    proptest! {
        #[test]
        fn any_strategy_stays_within_its_bounds(
            delay in 0.0..1e12f64, multiplier in 1.0..1e6f64, max_delay in 0.0..1e12f64, jitter in 0.0..=1.0f64,
            retry_count: u32, random in 0.0..=1.0f64,
        ) {
            let chosen = delay_ms(&strategy(delay, multiplier, max_delay, jitter), retry_count, random);
            prop_assert!(chosen <= MAX_DELAY_MS);
            prop_assert!(max_delay == 0.0 || chosen as f64 <= max_delay.ceil());
        }

        #[test]
        fn even_nonsense_does_not_panic(delay: f64, multiplier: f64, max_delay: f64, jitter: f64, random: f64) {
            prop_assert!(delay_ms(&strategy(delay, multiplier, max_delay, jitter), 7, random) <= MAX_DELAY_MS);
        }
    }
}
