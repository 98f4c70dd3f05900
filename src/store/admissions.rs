//! Whether somebody may be told about an error: many processes see it, and one tells.

use crate::error::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Asks whether a notification about an error may be sent. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admission {
    /// What it is about.
    pub key: String,
    /// How often it happened since the last question.
    pub occurrences: i32,
    /// The number of occurrences that causes a notification.
    pub threshold: i32,
    /// Within which time.
    pub window: f64,
    /// The pause before the next notification.
    pub throttle: f64,
}

/// The answer to an [`Admission`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Admitted {
    /// Whether the caller should notify.
    pub admitted: bool,
    /// How often it happened in the window, everywhere.
    pub occurrences: i32,
    /// How many since the last notification were not reported.
    pub suppressed: i32,
}

/// Lets processes agree on who sends a notification.
#[async_trait]
pub trait Admissions: Send + Sync {
    /// Whether a notification about an error may be sent.
    async fn admit(&self, asked: &Admission) -> Result<Admitted>;
}
