//! What became of claimed messages, into a transport.

use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::outcome::{Outcome, Road};
use async_trait::async_trait;
use uuid::Uuid;

/// A message, and the token of the claim that it was received with.
pub type Fence = (Uuid, Uuid);

/// An outcome with the fence of its claim.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The message.
    pub id: Uuid,
    /// The token of the claim that it was received with.
    pub token: Uuid,
    /// What happened to it.
    pub outcome: Outcome,
}

impl Settlement {
    /// Its fence.
    pub fn fence(&self) -> Fence {
        (self.id, self.token)
    }
}

/// The road of all of these; if there are none, only counts are written.
///
/// # Errors
/// As [`Road::of`].
pub(crate) fn one_road<'a>(settlements: impl IntoIterator<Item = &'a Settlement>) -> Result<Road> {
    Road::of(settlements.into_iter().map(|it| &it.outcome))
}

/// What takes the outcomes of claimed messages.
#[async_trait]
pub trait Settles: Send + Sync {
    /// Applies outcomes of one [`Road`] and writes how many messages ended how, as one change: all of it, or nothing.
    /// Returns the claims that this worker does not hold any more; if there are any, nothing was done. A rollup replaces
    /// the one of the same source, minute and type.
    async fn settle_counted(&self, worker: Uuid, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>>;
}
