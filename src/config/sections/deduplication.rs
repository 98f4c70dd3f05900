//! How long an idempotency key is remembered.

use std::time::Duration;

use serde::Serialize;

use super::retention::{Retention, kept};
use crate::config::keys::section;

section! {
    /// How long an idempotency key is remembered.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct DeduplicationConfig {
        /// Time from the first dispatch during which the same key is a duplicate; never [`Retention::None`].
        pub window: Retention = Retention::For(Duration::from_hours(24)),
        "window": kept(&["forever"]), "SYMPHONY_DEDUPLICATION_WINDOW";
    }
}
