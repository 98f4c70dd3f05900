//! How a run ends: at its limits, on request, by losing its lease.

use super::failures::Patience;
use crate::error::{Error, Result};
use crate::worker::Mode;
use crate::worker::budget::Budget;
use crate::worker::context::Context;
use crate::worker::protocol::delivery;
use crate::worker::stats::StoppedBy;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Working,
    Draining,
    Aborting,
}

/// The end of a run: whether it has begun, why, and when its next phase comes.
pub(super) struct Shutdown {
    context: Arc<Context>,
    budget: Budget,
    phase: Phase,
    by: Option<StoppedBy>,
    error: Option<Error>,
    /// When the next phase begins, whatever is still running.
    phase_ends: Option<Instant>,
    /// When outcomes that cannot be written are left to the lease.
    give_up_at: Option<Instant>,
}

impl Shutdown {
    pub(super) fn new(context: Arc<Context>, start: Instant) -> Self {
        let budget = Budget::new(start, context.options.time_limit);
        Self { context, budget, phase: Phase::Working, by: None, error: None, phase_ends: None, give_up_at: None }
    }

    /// Whether it has not begun.
    pub(super) fn is_far(&self) -> bool {
        self.phase == Phase::Working
    }

    /// Learns how long a handler took.
    pub(super) fn observe(&mut self, took: Duration) {
        self.budget.observe(took);
    }

    /// How long a handler takes: the longest recent one.
    pub(super) fn longest_handler(&self) -> Duration {
        self.budget.longest()
    }

    /// When something changes by itself.
    pub(super) fn next(&self) -> [Option<Instant>; 2] {
        [self.budget.soft().filter(|_| self.is_far()), self.phase_ends]
    }

    /// Does what was asked from outside, and what is due. Says whether to give up waiting for the handlers.
    pub(super) fn obey(&mut self, now: Instant) -> bool {
        if let Some(stop) = self.context.mailbox.stop_asked() {
            self.drain(stop.by, now + self.context.options.shutdown_timeout);
            if stop.force {
                self.abort("force");
            }
        }
        if self.is_far() && self.budget.soft().is_some_and(|soft| now >= soft) {
            self.drain(StoppedBy::TimeLimit, self.budget.hard().unwrap_or(now));
        }
        if self.phase_ends.is_none_or(|end| now < end) {
            return false;
        }
        if self.phase == Phase::Draining {
            self.abort(if self.by == Some(StoppedBy::TimeLimit) { "timeLimit" } else { "signal" });
            return false;
        }
        self.phase == Phase::Aborting
    }

    /// Ends the claiming, because of a limit.
    pub(super) fn reach(&mut self, limit: StoppedBy, now: Instant) {
        self.drain(limit, now + self.context.options.shutdown_timeout);
    }

    /// Ends the claiming: what has not started goes back, what runs may end until `latest`.
    pub(super) fn drain(&mut self, by: StoppedBy, latest: Instant) {
        if self.phase == Phase::Working {
            self.phase = Phase::Draining;
            self.by = Some(by);
            self.give_up_at = Some(latest);
            let latest = self.budget.hard().map_or(latest, |hard| hard.min(latest));
            self.phase_ends = Some(latest);
            self.context.handlers.command(delivery::RETURN.to_owned());
        }
    }

    fn abort(&mut self, reason: &str) {
        if self.phase < Phase::Aborting {
            self.phase = Phase::Aborting;
            self.phase_ends = Some(Instant::now() + self.budget.grace());
            self.context.handlers.command(delivery::abort(reason));
        }
    }

    /// Nobody waits for the handlers any more.
    pub(super) fn end_waiting(&mut self) {
        self.phase_ends = None;
    }

    /// Claims fail, and a bounded drain ends for that; a worker that stays goes on.
    pub(super) fn fail(&mut self, error: Error, now: Instant) {
        if self.context.options.mode == Mode::Drain && self.error.is_none() {
            self.error = Some(error);
            self.reach(StoppedBy::Stopped, now);
        }
    }

    /// Given up: the lease will run out, and what is in hand goes to living workers.
    pub(super) fn abandon(&mut self, error: Error) {
        self.abort("force");
        self.by.get_or_insert(StoppedBy::Stopped);
        self.error.get_or_insert(error);
    }

    /// How long outcomes that cannot be written are tried again.
    pub(super) fn patience(&self) -> Patience {
        let may_give_up = !self.is_far() || self.context.options.mode == Mode::Drain;
        Patience { may_give_up, give_up_at: self.give_up_at }
    }

    /// Why the run has ended.
    pub(super) fn reason(self) -> Result<StoppedBy> {
        self.error.map_or_else(|| Ok(self.by.unwrap_or(StoppedBy::Empty)), Err)
    }
}
