//! What a test sees of a memory transport.

use super::message::Message;
use super::message::raw;
use crate::store::messages::MessageStatus;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use uuid::Uuid;

/// How many finished messages are kept.
const KEPT: usize = 1000;

/// The state of a message. Dead letters are not among the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It waits: now, for a retry, or for its time.
    Pending,
    /// Claimed and not settled.
    Processing,
    /// Handled.
    Completed,
    /// Finished without having been handled.
    Discarded,
    /// Cancelled by an operator.
    Cancelled,
}

impl From<Status> for MessageStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Processing => Self::Processing,
            Status::Completed => Self::Completed,
            Status::Discarded => Self::Discarded,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// One message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub r#type: String,
    /// Its queue.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// Its state.
    pub status: Status,
    /// The payload.
    pub payload: Box<RawValue>,
    /// The caller's headers.
    pub headers: Box<RawValue>,
    /// The metadata.
    pub metadata: Box<RawValue>,
    /// When it can be claimed at the earliest.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub available_at: DateTime<Utc>,
    /// Failed runs so far.
    pub retry_count: u32,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
}

/// How many messages have been finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Finished {
    /// Handled.
    pub completed: u64,
    /// Finished without having been handled.
    pub discarded: u64,
}

/// Finished messages: the count, and the last of them.
#[derive(Debug, Default)]
pub struct Archive {
    pub count: Finished,
    last: VecDeque<(Message, Status, DateTime<Utc>)>,
}

impl Archive {
    /// Takes a message in.
    pub fn add(&mut self, message: Message, status: Status, now: DateTime<Utc>) {
        match status {
            Status::Discarded => self.count.discarded += 1,
            Status::Cancelled => {}
            _ => self.count.completed += 1,
        }
        if self.last.len() >= KEPT {
            self.last.pop_front();
        }
        self.last.push_back((message, status, now));
    }

    /// The last ones, as they were.
    pub fn messages(&self) -> impl Iterator<Item = (&Message, Status, DateTime<Utc>)> {
        self.last.iter().map(|(message, status, at)| (message, *status, *at))
    }

    /// The last ones.
    pub fn iter(&self) -> impl Iterator<Item = Listed> {
        self.last.iter().map(|(message, status, _)| Listed::of(message, *status))
    }
}

impl Listed {
    /// A message as it is shown.
    pub fn of(message: &Message, status: Status) -> Self {
        Self {
            id: message.id,
            r#type: message.message_type.to_string(),
            queue: message.queue.to_string(),
            priority: message.priority,
            status,
            payload: raw(&message.body),
            headers: raw(&message.headers),
            metadata: raw(&message.metadata),
            available_at: message.available_at,
            retry_count: message.retry_count,
            idempotency_key: message.idempotency_key.clone(),
        }
    }
}
