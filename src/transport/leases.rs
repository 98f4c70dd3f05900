//! Who holds messages, and for how long.

use crate::error::Result;
use crate::message::outcome::Failure;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use super::settlements::Fence;

/// The claimant: one worker, or one invocation of `consumeBatch()`.
#[derive(Debug, Clone)]
pub struct WorkerId {
    /// Unique to the worker or invocation.
    pub id: Uuid,
    /// The machine's name, for people.
    pub host: String,
    /// The process id, for people.
    pub pid: i32,
    /// How long its claims are valid without a heartbeat.
    pub lease: Duration,
    /// What else people ask about it.
    pub about: Arc<About>,
}

/// What people ask about a worker. It is noted when it registers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// `worker` or `drain`.
    pub kind: Option<&'static str>,
    /// How many handlers it runs at the same time, at most.
    pub concurrency: Option<i32>,
    /// The release of the application.
    pub release: Option<String>,
}

/// The version of this package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a worker knows of its claims. It makes their tokens itself, in order, so whatever is held under another one
/// that is older than `before` is unknown to it: the answer to a claim was lost, or a settlement has been undone.
#[derive(Debug, Clone)]
pub struct Known {
    /// The tokens of all that it holds or has not settled yet.
    pub tokens: Vec<Uuid>,
    /// Older than the token of any claim that may be under way.
    pub before: Uuid,
}

/// How many messages a statement puts back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// At most so many; what is left is for the next one.
    pub limit: usize,
    /// How many are passed over first: earlier statements have found that they cannot be put back.
    pub skip: usize,
}

impl Portion {
    /// Enough for what a few workers hold.
    pub const WIDE: Self = Self { limit: 10_000, skip: 0 };
}

/// One step of a rescue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescueStep {
    /// The asking worker. It is alive, whatever its row says, so it is not declared dead.
    pub by: Uuid,
    /// How many messages it takes, and how many it passes over first.
    pub portion: Portion,
}

impl RescueStep {
    /// Wide, and asked by no worker.
    pub const WIDE: Self = Self { by: Uuid::nil(), portion: Portion::WIDE };
}

/// What a rescue did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Workers declared dead.
    pub workers: u64,
    /// Messages put back.
    pub returned: u64,
    /// Messages buried as `WorkerCrash`.
    pub buried: Vec<Buried>,
}

impl Rescued {
    /// How many messages no longer are where they were held.
    pub fn count(&self) -> usize {
        usize::try_from(self.returned).unwrap_or(usize::MAX).saturating_add(self.buried.len())
    }
}

/// A message that was buried because its process died too often while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buried {
    /// The message.
    pub id: Uuid,
    /// Its type.
    pub r#type: String,
    /// Its transport, which may be one of the store that is not consumed here.
    pub transport: String,
    /// Its queue.
    pub queue: String,
    /// Its failed runs; crashes are not among them.
    pub retry_count: u32,
    /// How often its process died.
    pub crashes: i16,
    /// The error of its dead letter.
    pub error: Failure,
}

/// What keeps claims valid, and takes them from workers that have died.
#[async_trait]
pub trait Leases: Send + Sync {
    /// One heartbeat for all that the worker holds. Returns since when it is registered; `None`: it is not, so it was
    /// declared dead. Another instant than before: it was, and a claim has registered it again.
    async fn extend(&self, worker: &WorkerId, in_flight: usize) -> Result<Option<DateTime<Utc>>>;

    /// Whether somebody has asked the worker to stop.
    async fn is_asked_to_stop(&self, worker: Uuid) -> Result<bool> {
        let _ = worker;
        Ok(false)
    }

    /// Which of these messages the worker no longer holds under these tokens.
    async fn lost(&self, worker: Uuid, held: &[Fence]) -> Result<Vec<Uuid>>;

    /// Puts back, without using up an attempt, what is held under this worker and is unknown to it; answers how many that
    /// were. All of the portion or nothing; where there is more, ask again.
    async fn reconcile(&self, worker: &WorkerId, known: &Known, portion: Portion) -> Result<usize>;

    /// A worker that was declared dead, but is alive, takes back the crashes that were counted for it; returns on how
    /// many messages.
    async fn absolve(&self, worker: Uuid) -> Result<u64> {
        let _ = worker;
        Ok(0)
    }

    /// Takes messages that no worker holds: those of workers whose lease has run out, and those whose worker is not
    /// registered. Cheap when there are none, and safe to call from everywhere.
    async fn rescue_step(&self, step: RescueStep) -> Result<Rescued>;

    /// The worker signs off. It must be sure that it holds nothing and that no claim of its own is on its way;
    /// otherwise it lets its lease run out.
    async fn sign_off(&self, worker: &WorkerId) -> Result<()>;
}
