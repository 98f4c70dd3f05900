//! From reports to outcomes, and from outcomes into the transports.

use super::{Loop, PATIENCE, Phase, SETTLE_AT_ONCE, backoff, trouble};
use crate::error::{Error, Result};
use crate::transport::{Outcome, Settlement};
use crate::worker::consumer::lock;
use crate::worker::hand::Held;
use crate::worker::report::{Report, Said};
use crate::worker::stats::StoppedBy;
use crate::worker::{Mode, verdict};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One outcome on its way into its transport.
pub(super) struct Pending {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// Whether an earlier try may have been applied without an answer.
    retried: bool,
}

impl Pending {
    fn new(held: Held, outcome: Outcome) -> Self {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        Self { held, settlement, retried: false }
    }
}

impl Loop {
    pub(super) fn take_reports(&mut self) {
        let reports = std::mem::take(&mut *lock(&self.consumer.reports));
        let config = self.consumer.engine.config();
        for report in reports {
            let Some(held) = self.hand.give(&report) else { continue };
            self.note_time(&report);
            let strategy = config.retry_for(&held.message_type);
            let outcome = verdict::outcome(report.said, held.run, strategy, fastrand::f64());
            self.conclude(held, outcome);
        }
    }

    pub(super) fn note_time(&mut self, report: &Report) {
        if matches!(report.said, Said::Released { .. }) {
            return;
        }
        let millis = report.millis.clamp(0.0, 1e12);
        self.budget.observe(Duration::from_secs_f64(millis / 1000.0));
        self.consumer.count(|stats| {
            stats.runs += 1;
            stats.handler_millis += millis;
        });
    }

    /// Takes an outcome on its way, unless its message is known to be with others.
    pub(super) fn conclude(&mut self, held: Held, outcome: Outcome) {
        if held.lost {
            return;
        }
        self.unsettled.push(Pending::new(held, outcome));
    }

    /// Writes all outcomes that wait, of one transport at a time; what comes meanwhile goes with the next.
    pub(super) fn start_settling(&mut self) {
        let later = self.settle_after.is_some_and(|at| self.now < at);
        let Some(feed) = self.unsettled.first().map(|it| it.held.feed).filter(|_| self.settling.is_none() && !later)
        else {
            return;
        };
        self.settle_after = None;
        let mut batch = Vec::new();
        let mut others = Vec::new();
        for it in std::mem::take(&mut self.unsettled) {
            if it.held.feed == feed && batch.len() < SETTLE_AT_ONCE { batch.push(it) } else { others.push(it) }
        }
        self.unsettled = others;
        let Some(transport) = self.transports.get(feed).cloned() else { return };
        self.settling = Some(Box::pin(async move {
            let settlements: Vec<_> = batch.iter().map(|it| it.settlement.clone()).collect();
            let lost = transport.settle(&settlements).await.map(HashSet::from_iter);
            (batch, lost)
        }));
    }

    pub(super) fn on_settled(&mut self, batch: Vec<Pending>, answer: Result<HashSet<Uuid>>) {
        match answer {
            Ok(lost) => {
                self.settle_failures = 0;
                let is_lost = |it: &Pending| lost.contains(&it.settlement.id) && !it.retried;
                self.tell_of_lost(batch.iter().filter(|it| is_lost(it)).count());
                for it in &batch {
                    self.on_outcome(it, is_lost(it));
                }
            }
            Err(error) => self.on_settle_error(batch, error),
        }
    }

    /// Outcomes are kept and tried again: losing one would run its message twice.
    pub(super) fn on_settle_error(&mut self, batch: Vec<Pending>, error: Error) {
        self.settle_failures += 1;
        self.event(|| trouble(&error));
        let may_end = self.phase > Phase::Working || self.consumer.options.mode == Mode::Drain;
        let patience = if error.is_transient() { 2 * PATIENCE } else { PATIENCE };
        if may_end && self.settle_failures >= patience {
            return self.abandon(error);
        }
        self.settle_after = Some(Instant::now() + backoff(self.settle_failures));
        self.unsettled.splice(0..0, batch.into_iter().map(|it| Pending { retried: true, ..it }));
    }

    /// Past help: the lease will run out, and what is in hand comes back to whoever is alive then.
    pub(super) fn abandon(&mut self, error: Error) {
        self.abort("force");
        self.hand.give_all();
        self.unsettled.clear();
        self.stopped_by.get_or_insert(StoppedBy::Stopped);
        self.error.get_or_insert(error);
    }

    pub(super) fn on_outcome(&mut self, it: &Pending, lost: bool) {
        let mut event = "lost";
        self.consumer.count(|stats| {
            let (name, counter) = match it.settlement.outcome {
                _ if lost => ("lost", &mut stats.lost),
                Outcome::Completed => ("completed", &mut stats.succeeded),
                Outcome::Discarded { .. } => ("discarded", &mut stats.discarded),
                Outcome::Retry { .. } => ("retried", &mut stats.retried),
                Outcome::Bury { .. } => ("deadLettered", &mut stats.dead_lettered),
                Outcome::Snooze { .. } => ("snoozed", &mut stats.snoozed),
                Outcome::Release { .. } => ("released", &mut stats.released),
            };
            *counter += 1;
            event = name;
        });
        match it.settlement.outcome {
            Outcome::Retry { delay, .. } | Outcome::Snooze { delay, .. } if !lost => self.expect_back(delay),
            _ => {}
        }
        if self.consumer.observes_messages() {
            let told = self.describe(it, event);
            self.events.push(told);
        }
    }
}
