//! What a broker does not keep by itself: messages that wait for their time, keys, and what became of those that were
//! received.

use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::carried::Carried;
use crate::message::envelope::{Available, IdempotencyKey};
use crate::message::outcome::Outcome;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A message to park.
#[derive(Debug, Clone)]
pub struct Parked {
    /// The message.
    pub message: Carried,
    /// When it is due, by the clock of the store.
    pub available: Available,
    /// Its key, if it has one.
    pub key: Option<IdempotencyKey>,
}

/// What became of a message to park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parking {
    /// It is parked.
    Parked {
        /// When it is due.
        available_at: DateTime<Utc>,
    },
    /// It is not: inside the window its key belongs to another message.
    Duplicate {
        /// The message that holds the key.
        of: Uuid,
    },
}

/// How many messages are parked in a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedCount {
    /// The queue.
    pub queue: String,
    /// Those that are due, and are relayed next.
    pub due: u64,
    /// Those that wait for their time.
    pub waiting: u64,
}

/// What became of a message that was received.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The message as it was received.
    pub message: &'a Carried,
    /// How its run ended.
    pub outcome: &'a Outcome,
}

/// The companion of a broker, as far as it stores.
#[async_trait]
pub trait ParkedMessages: Send + Sync {
    /// Parks messages of a transport, each with its key, as one change; answers for each, in order. One of the same id
    /// is replaced.
    async fn park(&self, transport: &str, messages: &[Parked]) -> Result<Vec<Parking>>;

    /// Messages of a transport that are due, the longest due first. They stay parked.
    async fn due(&self, transport: &str, limit: usize) -> Result<Vec<Carried>>;

    /// Takes messages out of the parking; those that are not there are passed over.
    async fn unpark(&self, transport: &str, ids: &[Uuid]) -> Result<()>;

    /// Keeps what became of messages, and counts, as one change: what is to run again is parked, what is buried is a
    /// dead letter. Idempotent by the message's id, so that it may be repeated when nobody knows whether it was done.
    async fn keep(&self, transport: &str, kept: &[Kept<'_>], rollups: &[Rollup]) -> Result<()>;

    /// How many messages of a transport are parked in each queue.
    async fn count(&self, transport: &str) -> Result<Vec<ParkedCount>>;

    /// Which of these messages are parked or buried: what a broker delivers of them again has been answered already.
    async fn answered(&self, transport: &str, ids: &[Uuid]) -> Result<Vec<Uuid>>;
}
