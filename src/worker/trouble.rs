//! What a consumer does about failures that it survives: it reports them, and pauses.

use crate::error::Error;
use serde_json::{Value, json};
use std::time::Duration;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// The pause after this many consecutive failures.
pub fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_BACKOFF * 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_BACKOFF).mul_f64(0.75 + fastrand::f64() / 2.0)
}

/// The event of a failure that the consumer survives.
pub fn trouble(error: &Error) -> Value {
    json!({ "event": "error", "code": error.code(), "message": error.to_string() })
}

/// The event of the end of such failures.
pub fn recovery() -> Value {
    json!({ "event": "recovered" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise an outage fills the log, and every worker is there at once when the database is back.
    #[test]
    fn pauses_between_failures_grow_to_seconds_and_differ() {
        for failures in [0, 1, 2, 6, 7, 100, u32::MAX] {
            let pause = backoff(failures);
            assert!(pause >= FIRST_BACKOFF.mul_f64(0.75) && pause <= LONGEST_BACKOFF.mul_f64(1.25), "{pause:?}");
        }
        assert!(backoff(3) > backoff(1) && backoff(20) >= LONGEST_BACKOFF.mul_f64(0.75));
        assert_ne!(backoff(20), backoff(20));
    }
}
