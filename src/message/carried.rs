//! A message as it travels through a broker, and as it is parked on the way.

use super::claimed::Claimed;
use super::envelope::Envelope;
use super::outcome::Failure;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many of the last failed runs of a message keep their stacks.
pub const STACKS: usize = 3;

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedRun {
    /// When.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: DateTime<Utc>,
    /// What with.
    #[serde(flatten)]
    pub failure: Failure,
}

/// A message with all that its runs have left behind: a broker keeps nothing of it by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// The message.
    pub id: Uuid,
    /// Selects the handlers.
    pub message_type: String,
    /// The queue it waits in.
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
    /// When it may be handled at the earliest.
    pub available_at: DateTime<Utc>,
    /// The time the caller asked for, if any.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Failed runs so far.
    pub retry_count: u32,
    /// Retries allowed; `None`: as its type is configured.
    pub max_retries: Option<u32>,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
    /// Handlers that have succeeded so far.
    pub handled: Vec<String>,
    /// The last runs that failed.
    pub history: Vec<FailedRun>,
}

impl Carried {
    /// A message that is being sent.
    pub fn of(envelope: &Envelope, now: DateTime<Utc>) -> Self {
        let object = |json: Option<&str>| json.unwrap_or("{}").to_owned();
        Self {
            id: envelope.id,
            message_type: envelope.message_type.to_string(),
            queue: envelope.queue.to_string(),
            priority: envelope.priority,
            body: envelope.body.to_string(),
            headers: object(envelope.headers.as_deref()),
            metadata: object(envelope.metadata.as_deref()),
            created_at: now,
            available_at: now,
            scheduled_at: None,
            retry_count: 0,
            max_retries: envelope.max_retries,
            idempotency_key: envelope.key.as_ref().map(|it| it.key.clone()),
            handled: Vec::new(),
            history: Vec::new(),
        }
    }

    /// As a worker receives it.
    pub fn claimed(&self, token: Uuid, crash_count: i16, now: DateTime<Utc>) -> Claimed {
        let it = self.clone();
        Claimed {
            id: it.id,
            token,
            message_type: it.message_type,
            queue: it.queue,
            priority: it.priority,
            body: it.body,
            headers: it.headers,
            metadata: it.metadata,
            created_at: it.created_at,
            available_at: it.available_at,
            scheduled_at: it.scheduled_at,
            retry_count: it.retry_count,
            max_retries: it.max_retries,
            crash_count,
            idempotency_key: it.idempotency_key,
            handled: it.handled,
            claimed_at: now,
            unreadable: None,
        }
    }
}
