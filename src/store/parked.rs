//! What a broker does not keep by itself: messages that wait for their time, keys, and what became of those that were
//! received.
//!
//! ```text
//!              due                   published
//! [ parked ] -------> [ held ] -----------------> (out)
//!      ^                 |
//!      `-- the hold ran out, or the broker has not taken it
//! ```

use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::carried::Carried;
use crate::message::envelope::{Available, IdempotencyKey};
use crate::message::outcome::Outcome;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::time::Duration;
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

/// Who publishes parked messages, and for how long nobody else does.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// The fence: unique to what is taken together.
    pub token: Uuid,
    /// How long, from now.
    pub lease: Duration,
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
    /// is replaced. Those that are due at once are held: who parks them publishes them.
    ///
    /// # Errors
    /// [`crate::Error::TransportDisabled`] where it is switched off.
    async fn park(&self, transport: &str, messages: &[Parked], hold: Hold) -> Result<Vec<Parking>>;

    /// Messages of a transport that are due and that nobody holds, the longest due first, at most `limit`. They stay
    /// parked, held by the caller. None: there is none.
    async fn take_due(&self, transport: &str, hold: Hold, limit: usize) -> Result<Vec<Carried>>;

    /// Takes messages out of the parking. Those that are not held under this token any more are passed over: somebody
    /// else publishes them, or another run of them was parked meanwhile.
    async fn unpark(&self, transport: &str, token: Uuid, ids: &[Uuid]) -> Result<()>;

    /// Leaves messages that are held under this token to the relay that comes next.
    async fn leave(&self, transport: &str, token: Uuid, ids: &[Uuid]) -> Result<()>;

    /// Keeps what became of messages, all of one [`Road`](crate::message::outcome::Road), and counts, as one change:
    /// what is to run again is parked, what is buried is a dead letter, and what has ended is parked no more.
    /// Idempotent by the message's id, so that it may be repeated when nobody knows whether it was done.
    async fn keep(&self, transport: &str, kept: &[Kept<'_>], rollups: &[Rollup]) -> Result<()>;

    /// Whether a transport is switched off: what goes to its broker past the store, and comes from there, asks.
    async fn is_off(&self, transport: &str) -> Result<bool>;

    /// How many messages of a transport are parked in each queue. Counts stop at [`crate::base::limits::DEPTH_CAP`].
    async fn count_parked(&self, transport: &str) -> Result<Vec<ParkedCount>>;

    /// Which of these messages are buried, or parked to run again: what a broker delivers of them has been answered
    /// already. One that is held is not among them: it is being published, and leaves the parking for good.
    async fn answered(&self, transport: &str, ids: &[Uuid]) -> Result<Vec<Uuid>>;
}
