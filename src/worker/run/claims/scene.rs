//! The rest of the loop as a claim finds it.

use super::solitude::InHand;
use crate::worker::run::circuits::Circuits;
use crate::worker::run::in_flight::InFlight;
use crate::worker::run::sources::Sources;
use std::time::{Duration, Instant};

/// What a claim depends on beside what the claims know themselves.
pub(in crate::worker::run) struct Scene<'a> {
    pub(in crate::worker::run) now: Instant,
    /// Whether more should come in.
    pub(in crate::worker::run) more: bool,
    pub(in crate::worker::run) hand: &'a InFlight,
    /// Whether every outcome is written.
    pub(in crate::worker::run) settled: bool,
    pub(in crate::worker::run) longest_handler: Duration,
    pub(in crate::worker::run) circuits: &'a Circuits,
    pub(in crate::worker::run) sources: &'a Sources,
}

impl Scene<'_> {
    /// Whether nothing is in hand and nothing on its way back.
    pub(super) fn is_clear(&self) -> bool {
        self.hand.is_empty() && self.settled
    }

    pub(super) fn in_hand(&self, slots: usize) -> InHand {
        InHand {
            clear: self.is_clear(),
            slot_free: self.hand.len() < slots,
            suspect: self.hand.has_suspect(),
            youngest: self.hand.youngest(),
        }
    }
}
