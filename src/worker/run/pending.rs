//! An outcome on its way.

use crate::counts::rollup::Measured;
use crate::error::Error;
use crate::message::outcome::{Outcome, Road};
use crate::transport::Settlement;
use crate::worker::in_flight::Held;
use crate::worker::plain;

/// One outcome on its way into its transport.
pub(super) struct Pending {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// Milliseconds in its handlers.
    millis: f64,
    /// How often the transport has refused it alone.
    pub(super) refusals: u32,
}

impl Pending {
    pub(super) fn new(held: Held, outcome: Outcome, millis: f64) -> Self {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        Self { held, settlement, millis, refusals: 0 }
    }

    pub(super) fn measured(&self) -> Measured<'_> {
        Measured { outcome: &self.settlement.outcome, millis: self.millis, waited: self.held.waited }
    }

    /// What it is settled with: the others of its transport that take the same road.
    pub(super) fn way(&self) -> (usize, Road) {
        (self.held.feed, self.settlement.outcome.road())
    }

    /// About as many bytes as a settling moves for it.
    pub(super) fn bytes(&self) -> usize {
        self.held.bytes + self.settlement.outcome.bytes()
    }

    /// What is tried instead of what was refused for itself: with its texts cut and in plain letters, and then as a dead
    /// letter that says no more than this.
    pub(super) fn made_plainer(mut self, error: &Error) -> Self {
        self.refusals += 1;
        let outcome = &self.settlement.outcome;
        let simpler = if self.refusals == 1 { plain::outcome(outcome) } else { None };
        self.settlement.outcome = simpler.unwrap_or_else(|| plain::buried(outcome, error));
        self
    }
}
