//! Messages out of a transport, in order.

use super::leases::{RescueStep, Rescued, WorkerId};
use crate::error::Result;
use crate::message::claimed::Claimed;
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// What a claim asks for.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The claimant.
    pub worker: &'a WorkerId,
    /// The fence: unique to this claim.
    pub token: Uuid,
    /// The queues to read, in order of preference within one priority.
    pub queues: &'a [String],
    /// The types that have a handler; `None`: all.
    pub types: Option<&'a [String]>,
    /// How many messages at most.
    pub limit: usize,
    /// How far it searches places that earlier claims have read.
    pub reach: Reach,
    /// Whether the worker is woken by [`super::Wakes`], and wants to be once it finds nothing.
    pub listening: bool,
}

/// How far a claim searches for messages that have arrived before those that earlier claims have found: put back to
/// their old place, committed late, dated back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As far as is due: everything within a second or so, a part with each claim.
    Quick,
    /// Everything, unless that takes long: for a worker that is about to sleep.
    Thorough,
    /// Everything, whatever it takes: finding nothing means that there is nothing.
    Exhaustive,
}

/// Which suspects a consumer would claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimable<'a> {
    /// The queues that it reads; `None`: all.
    pub queues: Option<&'a [String]>,
    /// The types that it handles; `None`: all.
    pub types: Option<&'a [String]>,
}

/// What is in a transport right now, as far as a consumer needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The queues that are not empty, due or not.
    pub queues: Vec<String>,
    /// Whether a suspect is due that the consumer would claim.
    pub suspects: bool,
}

/// What a consumer sees of a store in one survey.
#[derive(Debug)]
pub struct Look {
    /// What its transports hold, in the order of the question.
    pub surveys: Vec<Survey>,
    /// The result of the preceding rescue, if one was requested. A claim goes on if it fails.
    pub rescued: Option<Result<Rescued>>,
}

/// How much is in one queue. Counts stop at [`crate::base::limits::DEPTH_CAP`].
#[derive(Debug, Clone, PartialEq)]
pub struct Depth {
    /// The queue.
    pub queue: String,
    /// Due now.
    pub pending: u64,
    /// Waiting for their time.
    pub delayed: u64,
    /// Claimed and not settled.
    pub processing: u64,
    /// How long the oldest due message has waited, in milliseconds.
    pub oldest_age_ms: Option<f64>,
}

/// What finds messages and claims them.
#[async_trait]
pub trait Claims: Send + Sync {
    /// What is in these transports of its place, in their order; of suspects, whether one is due that is `claimable`. With
    /// `rescue`, that of [`super::Leases::rescue_step`] comes first, and what it puts back is included. Fails if the store
    /// lacks what outcomes are written to, so that nothing is claimed whose outcome would be lost: a consumer surveys
    /// before its first claim.
    async fn survey(&self, names: &[Arc<str>], claimable: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look>;

    /// Claims due messages, highest priority first, oldest first within one, without suspects.
    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>>;

    /// Claims one suspect, to be handled alone: of those that crashed least, one of the highest priority, the oldest of
    /// them. `queues` empty: any queue.
    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>>;

    /// How much is in each queue.
    async fn depth(&self) -> Result<Vec<Depth>>;
}
