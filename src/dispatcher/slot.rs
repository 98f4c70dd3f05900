//! Where the envelopes of a message are among all that are sent.

use crate::error::{Error, Result};
use std::sync::Arc;

/// The transports of one message, each with the place of its envelope, or why it cannot go there.
pub type Routed = Vec<(Arc<str>, Result<Slot>)>;

/// The place of an envelope.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Which parcel.
    pub parcel: usize,
    /// Which of its envelopes.
    pub envelope: usize,
}

/// What a place that leads nowhere means.
pub fn lost() -> Error {
    Error::Internal { what: "the dispatcher has lost sight of a message" }
}
