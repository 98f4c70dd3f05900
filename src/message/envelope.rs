//! The envelope: a message on its way into a transport.

use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// When a message may first be handled. The database's clock decides, not this process's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Available {
    /// As soon as it is stored.
    Now,
    /// At an instant (`scheduledAt`).
    At(DateTime<Utc>),
    /// So long after it is stored (`delay`).
    After(Duration),
}

/// A caller's idempotency key, with the window in which it admits one message per type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key, as given.
    pub key: String,
    /// How long after the first dispatch others are refused; `None`: for ever.
    pub window: Option<Duration>,
    /// How often the key stands again in the same batch; those are refused without being sent.
    pub repeats: u32,
}

/// One message for one transport, validated and complete.
///
/// Payload, headers and metadata are JSON text as the caller wrote it: nothing between JavaScript and the database
/// takes them apart. The automatic headers (`message-type`, `message-id`, `dispatched-at`) are not among `headers`;
/// they are derived where a message is read, from fields that are stored anyway.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// UUIDv7, made by the dispatcher.
    pub id: Uuid,
    /// Selects the handlers.
    pub message_type: Arc<str>,
    /// The transport it goes to.
    pub transport: Arc<str>,
    /// The queue within the transport.
    pub queue: Arc<str>,
    /// 1 to 10, 10 first.
    pub priority: u8,
    /// The payload, a JSON object.
    pub body: Arc<str>,
    /// The caller's headers, a JSON object; `None`: none.
    pub headers: Option<Arc<str>>,
    /// Metadata of message and options, merged, a JSON object; `None`: none.
    pub metadata: Option<Arc<str>>,
    /// When it may first be handled.
    pub available: Available,
    /// The caller's idempotency key; `None`: it deduplicates nothing.
    pub key: Option<IdempotencyKey>,
    /// Retries allowed; `None`: as its type is configured where it is consumed.
    pub max_retries: Option<u32>,
}
