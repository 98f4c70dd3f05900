//! At which figures health finds a warning, and at which an error.

use std::time::Duration;

use serde::Serialize;

use crate::base::limits::LONGEST_MS;
use crate::config::keys::{Nested, section};
use crate::config::serialize::millis;
use crate::config::value::{duration, number, whole};

section! {
    /// At which figures health finds a warning, and at which an error.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct HealthConfig {
        /// How far error rate, latency and processing rate look back.
        #[serde(serialize_with = "millis")]
        pub window: Duration = Duration::from_mins(5),
        "window": duration(60_000.0, LONGEST_MS);

        /// Number of runs below which the error rate is ignored.
        pub minimum_volume: u64 = 20,
        "minimumVolume": whole(1, 1_000_000_000);

        /// At these figures it works, but someone should look.
        pub warning: Thresholds = Thresholds::default(),
        "warning": Nested;

        /// At these figures it does not do its work.
        pub error: Thresholds = Thresholds {
            queue_depth: 100_000,
            oldest_age: Duration::from_hours(1),
            error_rate: 0.5,
            dead_letters: 1_000,
        },
        "error": Nested;
    }
}

section! {
    /// Figures at which something is wrong; by default those of `warning`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Thresholds {
        /// Due messages, all queues together.
        pub queue_depth: u64 = 10_000,
        "queueDepth": whole(1, 1_000_000_000);

        /// How long the oldest due message has waited.
        #[serde(serialize_with = "millis")]
        pub oldest_age: Duration = Duration::from_mins(5),
        "oldestAge": duration(1.0, LONGEST_MS);

        /// Failed of processed.
        pub error_rate: f64 = 0.1,
        "errorRate": number(0.0, 1.0);

        /// Dead letters of the last hour.
        pub dead_letters: u64 = 10,
        "deadLetters": whole(1, 1_000_000_000);
    }
}
