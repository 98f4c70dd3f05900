//! How a run ends: at its limits, on request, by losing its lease.

use super::settlements::pending::Pending;
use super::{Loop, Phase};
use crate::message::outcome::Outcome;
use crate::worker::protocol::delivery;
use crate::worker::stats::StoppedBy;
use std::time::Instant;

impl Loop {
    /// Does what was requested from outside, and what is due.
    pub(super) fn obey(&mut self) {
        let stop = self.context.mailbox.stop_asked();
        if let Some(stop) = stop {
            self.drain(stop.by, self.now + self.context.options.shutdown_timeout);
            if stop.force {
                self.abort("force");
            }
        }
        let now = self.now;
        if self.phase == Phase::Working && self.budget.soft().is_some_and(|soft| now >= soft) {
            self.drain(StoppedBy::TimeLimit, self.budget.hard().unwrap_or(now));
        }
        if self.phase_ends.is_some_and(|end| now >= end) {
            match self.phase {
                Phase::Working => {}
                Phase::Draining => {
                    self.abort(if self.stopped_by == Some(StoppedBy::TimeLimit) { "timeLimit" } else { "signal" })
                }
                Phase::Aborting => self.release_all(),
            }
        }
    }

    /// Ends the claiming: what has not started goes back, what runs may end until `latest`.
    pub(super) fn drain(&mut self, by: StoppedBy, latest: Instant) {
        if self.phase == Phase::Working {
            self.phase = Phase::Draining;
            self.stopped_by = Some(by);
            self.give_up_at = Some(latest);
            let latest = self.budget.hard().map_or(latest, |hard| hard.min(latest));
            self.phase_ends = Some(latest);
            self.context.handlers.command(delivery::RETURN.to_owned());
        }
    }

    pub(super) fn abort(&mut self, reason: &str) {
        if self.phase < Phase::Aborting {
            self.phase = Phase::Aborting;
            self.phase_ends = Some(Instant::now() + self.budget.grace());
            self.context.handlers.command(delivery::abort(reason));
        }
    }

    /// Gives up waiting for the handlers: their messages go back, and the fence will refuse their late outcomes.
    pub(super) fn release_all(&mut self) {
        self.phase_ends = None;
        for held in self.hand.give_all() {
            self.conclude(held, Outcome::UNTOUCHED, 0.0);
        }
    }

    pub(super) fn watch_limits(&mut self) {
        let far = self.now + self.context.options.shutdown_timeout;
        if self.context.options.failure_limit.is_some_and(|limit| self.failures() >= limit) {
            self.drain(StoppedBy::FailureLimit, far);
        } else if self.wanted() == 0 && self.is_clear() {
            self.drain(StoppedBy::MessageLimit, far);
        }
    }

    /// Failed runs, those included that are not settled yet.
    pub(super) fn failures(&self) -> u64 {
        let failed = |it: &&Pending| matches!(it.settlement.outcome, Outcome::Retry { .. } | Outcome::Bury { .. });
        self.context.mailbox.stats().failures() + self.unsettled.iter().filter(failed).count() as u64
    }
}
