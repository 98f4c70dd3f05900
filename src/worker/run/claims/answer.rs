//! What a claim was made for, what it brings, and what that means.

use super::look::Look;
use crate::error::{Error, Result};
use crate::transport::Rescued;
use crate::worker::run::feeds::{Caught, Feeds};

/// What a claim was made for, and what it proves if it finds nothing.
pub(super) struct Errand {
    pub(super) look: Look,
    /// A suspect only.
    pub(super) suspect: bool,
    /// One message of a paused type, to try it.
    pub(super) probe: bool,
    /// Whether it marks this worker as waiting when it finds nothing.
    pub(super) listening: bool,
}

/// What a claim has brought.
pub(in crate::worker::run) struct Answer {
    pub(super) errand: Errand,
    pub(super) feeds: Feeds,
    pub(super) caught: Vec<Caught>,
    pub(super) error: Option<Error>,
}

/// What an answer means for the rest of the loop.
pub(in crate::worker::run) struct Learned {
    pub(in crate::worker::run) caught: Vec<Caught>,
    /// How the rescues went that came with it.
    pub(in crate::worker::run) rescued: Vec<Result<Rescued>>,
    pub(in crate::worker::run) error: Option<Error>,
    /// Whether that holds up only a part of the transports, for which it is tried again by itself.
    pub(in crate::worker::run) in_part: bool,
    /// Whether it has found nothing, and the next one comes after a rest.
    pub(in crate::worker::run) rests: bool,
}
