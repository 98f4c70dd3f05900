//! A message as it is received.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A claimed message, with everything a handler may want to know.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The message.
    pub id: Uuid,
    /// The fence: named when it is settled.
    pub token: Uuid,
    /// Selects the handlers.
    pub message_type: String,
    /// The queue it waited in.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// The payload, JSON text.
    pub body: String,
    /// The caller's headers, JSON text.
    pub headers: String,
    /// The metadata, JSON text.
    pub metadata: String,
    /// When it was dispatched.
    pub created_at: DateTime<Utc>,
    /// When it could be claimed at the earliest.
    pub available_at: DateTime<Utc>,
    /// The time the caller asked for, if any.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Failed runs before this one.
    pub retry_count: u32,
    /// Retries allowed; `None`: as its type is configured.
    pub max_retries: Option<u32>,
    /// How often a process died while it held it, since its last run that ended. More than 0: it is a suspect.
    pub crash_count: i16,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
    /// Handlers that succeeded in an earlier run.
    pub handled: Vec<String>,
    /// When it was claimed, by the transport's clock.
    pub claimed_at: DateTime<Utc>,
    /// Why it cannot be handled: a part of it cannot be read, and has no value here. It is held anyway.
    pub unreadable: Option<String>,
}

impl Claimed {
    /// The size of its texts.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.headers.len() + self.metadata.len()
    }
}
