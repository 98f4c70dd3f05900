//! An outcome on its way.

use super::plain;
use crate::counts::rollup::Measured;
use crate::error::Error;
use crate::message::outcome::{Failure, Outcome, Road};
use crate::transport::Settlement;
use crate::worker::run::in_flight::Held;
use serde_json::{Value, json};

/// One outcome on its way into its transport.
pub(in crate::worker::run) struct Pending {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// Milliseconds in its handlers.
    millis: f64,
    /// How often the transport has refused it alone.
    refusals: u32,
}

impl Pending {
    pub(super) fn new(held: Held, outcome: Outcome, millis: f64) -> Self {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        Self { held, settlement, millis, refusals: 0 }
    }

    /// Whether its run has failed.
    pub(super) fn is_failed(&self) -> bool {
        matches!(self.settlement.outcome, Outcome::Retry { .. } | Outcome::Bury { .. })
    }

    /// Whether it is refused even as a dead letter that says no more than this.
    pub(super) fn is_refused_for_good(&self) -> bool {
        self.refusals > 1
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

    /// The event of its end.
    pub(super) fn described(&self, event: &str, transport: Option<&str>) -> Value {
        let mut told = self.held.described(event, transport);
        match &self.settlement.outcome {
            Outcome::Retry { delay, failure, .. } => {
                told["delay"] = json!(delay.as_millis() as u64);
                told["error"] = thrown(failure);
            }
            Outcome::Bury { failure, .. } => {
                told["error"] = thrown(failure);
            }
            Outcome::Snooze { delay, .. } | Outcome::Release { delay: Some(delay), .. } => {
                told["delay"] = json!(delay.as_millis() as u64)
            }
            Outcome::Discarded { reason } => told["reason"] = json!(reason),
            _ => {}
        }
        told
    }
}

/// What was thrown; the rest of a failure is told of each run by itself.
fn thrown(failure: &Failure) -> Value {
    json!(Failure { ms: None, worker: None, ..failure.clone() })
}
