//! An outcome on its way.

use super::plain;
use crate::counts::rollup::Measured;
use crate::error::Error;
use crate::message::outcome::{Outcome, Road};
use crate::transport::Settlement;
use crate::worker::run::in_flight::Held;

/// One outcome on its way into its transport.
pub(in crate::worker::run) struct Pending {
    pub(in crate::worker::run) held: Held,
    pub(in crate::worker::run) settlement: Settlement,
    /// Milliseconds in its handlers.
    millis: f64,
    /// How often the transport has refused it alone.
    pub(in crate::worker::run) refusals: u32,
}

impl Pending {
    pub(in crate::worker::run) fn new(held: Held, outcome: Outcome, millis: f64) -> Self {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        Self { held, settlement, millis, refusals: 0 }
    }

    pub(in crate::worker::run) fn measured(&self) -> Measured<'_> {
        Measured { outcome: &self.settlement.outcome, millis: self.millis, waited: self.held.waited }
    }

    /// What it is settled with: the others of its transport that take the same road.
    pub(in crate::worker::run) fn way(&self) -> (usize, Road) {
        (self.held.feed, self.settlement.outcome.road())
    }

    /// About as many bytes as a settling moves for it.
    pub(in crate::worker::run) fn bytes(&self) -> usize {
        self.held.bytes + self.settlement.outcome.bytes()
    }

    /// What is tried instead of what was refused for itself: with its texts cut and in plain letters, and then as a dead
    /// letter that says no more than this.
    pub(in crate::worker::run) fn made_plainer(mut self, error: &Error) -> Self {
        self.refusals += 1;
        let outcome = &self.settlement.outcome;
        let simpler = if self.refusals == 1 { plain::outcome(outcome) } else { None };
        self.settlement.outcome = simpler.unwrap_or_else(|| plain::buried(outcome, error));
        self
    }
}
