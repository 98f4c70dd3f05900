//! How long an idempotency key is remembered.

use std::time::Duration;

use serde::Serialize;

use crate::base::limits::LONGEST_MS;
use crate::config::keys::section;
use crate::config::serialize::millis;
use crate::config::value::duration;

section! {
    /// How long an idempotency key is remembered.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct DeduplicationConfig {
        /// Time from the first dispatch during which the same key is a duplicate.
        #[serde(serialize_with = "millis")]
        pub window: Duration = Duration::from_hours(24),
        "window": duration(1.0, LONGEST_MS), "SYMPHONY_DEDUPLICATION_WINDOW";
    }
}
