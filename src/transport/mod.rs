//! Where messages wait. [`Transport`] is the seam: the dispatcher sends through it, the worker claims and settles
//! through it, and neither knows which one it has.
//!
//! ```text
//!            send                    claim                     settle
//! (caller) --------> [ pending ] ------------> [ processing ] --------> [ finished ]
//!                        ^                        |   |   `-----------> [ dead letters ]
//!                        |  retry, snooze,        |   |
//!                        |  release, rescue       |   `- the lease ran out
//!                        `------------------------'
//! ```
//!
//! A transport never decides what an outcome means: whether a failure is retried, and when, comes in with the
//! [`Settlement`].

pub mod broker;
pub mod inline;

mod claims;
mod companion;
mod inspects;
mod leases;
mod settlements;

pub use claims::{Claim, Claimable, Claims, Depth, Look, Reach, Survey};
pub use companion::Companion;
pub use inspects::{Inspects, Unhandled};
pub use leases::{About, Buried, Known, Leases, Portion, RescueStep, Rescued, VERSION, WorkerId};
pub(crate) use settlements::one_road;
pub use settlements::{Fence, Settlement, Settles};

use crate::base::listening::Listening;
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::store::Store;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// What happened to one envelope that was sent.
#[derive(Debug)]
pub enum Sent {
    /// Stored; to be handled from this instant on, by the transport's clock.
    Queued {
        /// When it can be claimed at the earliest.
        available_at: DateTime<Utc>,
    },
    /// Refused: within the window, its key belongs to another message.
    Duplicate {
        /// The message that holds the key.
        of: Uuid,
    },
    /// Handled immediately (transport `sync`).
    Handled,
    /// Only this one failed.
    Failed(Error),
}

/// Where messages go. What it can do beside taking them is a facet: one that is not there cannot be asked for.
///
/// Every implementation passes the same suite, `tests/conformance/`.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &Arc<str>;

    /// Where its messages wait. Transports of the same place accept each other's envelopes in one `send`, and are
    /// surveyed, leased and rescued together.
    fn place(&self) -> String;

    /// Stores a batch, as far as storing goes all or nothing; returns an answer for each envelope, in order.
    ///
    /// A key appears at most once in a batch (see [`crate::policy::idempotency`]).
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>>;

    /// As what a worker drains; `None` if messages do not wait in it: `send` handles them.
    fn drain(self: Arc<Self>) -> Option<Arc<dyn Drain>> {
        None
    }

    /// What keeps things beside its messages, if anything does.
    fn store(&self) -> Option<Arc<dyn Store>> {
        None
    }

    /// As what tells of messages that are sent.
    fn wakes(&self) -> Option<&dyn Wakes> {
        None
    }

    /// As what shows single messages.
    fn inspects(&self) -> Option<&dyn Inspects> {
        None
    }
}

/// A transport in which messages wait until a worker claims them.
pub trait Drain: Transport + Claims + Settles + Leases {}

impl<T: Transport + Claims + Settles + Leases> Drain for T {}

/// Tells of messages that are sent.
pub trait Wakes: Send + Sync {
    /// Calls `wake` whenever something is sent; `None` if that cannot be heard where the transport is configured.
    fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Option<Box<dyn Listening>>;
}
