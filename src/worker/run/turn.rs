//! What each turn of the loop does, in the words of its concerns.

use super::Loop;
use super::claims::Scene;
use super::verdict;
use crate::message::outcome::Outcome;
use crate::transport::Known;
use crate::worker::protocol::report::{Report, Said};
use crate::worker::stats::StoppedBy;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

impl Loop {
    /// From what the handlers have reported to outcomes that wait.
    pub(super) fn take_reports(&mut self) {
        let reports = self.context.mailbox.take_reports();
        let config = self.context.engine.config();
        for report in reports {
            let Some(held) = self.hand.give(&report) else { continue };
            self.note_time(&report);
            let millis = report.millis.clamp(0.0, 1e12);
            self.circuits.note(held.id, &held.message_type, &report.said, &config.circuit_breaker);
            let strategy = config.retry_for(&held.message_type);
            let outcome = verdict::outcome(report.said, millis > 0.0, held.run, strategy, fastrand::f64());
            self.settlements.add(held, outcome, millis);
        }
    }

    fn note_time(&mut self, report: &Report) {
        if matches!(report.said, Said::Released { .. }) {
            return;
        }
        let millis = report.millis.clamp(0.0, 1e12);
        self.shutdown.observe(Duration::from_secs_f64(millis / 1000.0));
        self.context.mailbox.count(|stats| {
            stats.runs += 1;
            stats.handler_millis += millis;
        });
    }

    /// Whether a bounded drain has found all there is; what is in hand may still come back.
    pub(super) fn notice_the_end(&mut self) {
        let clear = self.is_clear() && self.lease_check.is_sure();
        self.claims.notice_the_end(self.now, clear);
    }

    /// Does what was asked from outside, and what is due.
    pub(super) fn obey(&mut self) {
        if self.shutdown.obey(self.now) {
            self.release_all();
        }
    }

    /// Gives up waiting for the handlers: their messages go back, and the fence will refuse their late outcomes.
    fn release_all(&mut self) {
        self.shutdown.end_waiting();
        for held in self.hand.give_all() {
            self.settlements.add(held, Outcome::UNTOUCHED, 0.0);
        }
    }

    pub(super) fn watch_limits(&mut self) {
        if self.context.options.failure_limit.is_some_and(|limit| self.failures() >= limit) {
            self.shutdown.reach(StoppedBy::FailureLimit, self.now);
        } else if self.claims.wanted() == 0 && self.is_clear() {
            self.shutdown.reach(StoppedBy::MessageLimit, self.now);
        }
    }

    /// Failed runs, those included that are not settled yet.
    fn failures(&self) -> u64 {
        self.context.mailbox.stats().failures() + self.settlements.failed_runs()
    }

    /// For messages of a type whose handler has just come, nobody wakes this worker.
    pub(super) fn follow_types(&mut self) {
        if self.context.mailbox.types_changed.swap(false, Ordering::Relaxed) {
            self.claims.look_again(self.now);
        }
    }

    /// Compares what this worker holds with what its places say.
    pub(super) fn check_leases(&mut self) {
        if !self.lease_check.is_due(self.now, self.claims.are_waiting()) {
            return;
        }
        // A worker that was declared dead is not marked as waiting any more.
        if self.lease_check.is_in_doubt() {
            self.claims.stop_waiting(self.now);
        }
        let (known, sources) = (self.known(), &self.sources);
        let claims = || self.hand.claims().into_iter().filter_map(|(feed, it)| Some((sources.get(feed)?.clone(), it)));
        self.lease_check.start(self.now, known, claims);
    }

    /// What this worker knows of its claims, now.
    fn known(&self) -> Known {
        let mut tokens: Vec<Uuid> = self.hand.tokens().chain(self.settlements.tokens()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        Known { tokens, before: self.claims.since() }
    }

    pub(super) fn claim(&mut self) {
        self.claims.start_claiming(&Scene {
            now: self.now,
            more: self.shutdown.is_far() && !self.settlements.are_behind(),
            hand: &self.hand,
            settled: self.settlements.is_empty(),
            longest_handler: self.shutdown.longest_handler(),
            circuits: &self.circuits,
            sources: &self.sources,
        });
    }

    /// Hands over what was claimed.
    pub(super) fn deliver(&mut self) {
        for batch in self.deliveries.take() {
            if !self.shutdown.is_far() {
                // The claim was under way when the end came.
                for held in self.hand.give_batch(batch.number) {
                    self.settlements.add(held, Outcome::UNTOUCHED, 0.0);
                }
            } else if !self.deliveries.deliver(&batch, &self.sources) {
                self.shutdown.drain(StoppedBy::Stopped, Instant::now());
                self.release_all();
            }
        }
    }

    /// Lets others see how many messages are in hand or not settled.
    pub(super) fn show_in_flight(&self) {
        self.context.mailbox.in_flight.store(self.hand.len() + self.settlements.len(), Ordering::Relaxed);
    }
}
