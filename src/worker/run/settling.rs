//! From reports to outcomes, and from outcomes into the transports.

use super::beside::Beside;
use super::{Loop, PATIENCE, Phase, SETTLE_AT_ONCE, backoff, trouble};
use crate::error::{Error, Result};
use crate::monitor::rollup::Measured;
use crate::transport::{Outcome, Settlement};
use crate::worker::consumer::lock;
use crate::worker::hand::Held;
use crate::worker::report::{Report, Said};
use crate::worker::stats::StoppedBy;
use crate::worker::{Mode, verdict};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One outcome on its way into its transport.
pub(super) struct Pending {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// Milliseconds in its handlers.
    millis: f64,
    /// The minute that it counts in, once it is counted.
    counted: Option<DateTime<Utc>>,
    /// Whether an earlier try may have been applied without an answer.
    retried: bool,
}

impl Pending {
    fn new(held: Held, outcome: Outcome, millis: f64) -> Self {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        Self { held, settlement, millis, counted: None, retried: false }
    }

    fn measured(&self) -> Measured<'_> {
        Measured { outcome: &self.settlement.outcome, millis: self.millis, waited: self.held.waited }
    }
}

impl Loop {
    pub(super) fn take_reports(&mut self) {
        let reports = std::mem::take(&mut *lock(&self.consumer.reports));
        let config = self.consumer.engine.config();
        for report in reports {
            let Some(held) = self.hand.give(&report) else { continue };
            self.note_time(&report);
            let millis = report.millis.clamp(0.0, 1e12);
            self.breaker.note(held.id, &held.message_type, &report.said, &config.circuit_breaker);
            let strategy = config.retry_for(&held.message_type);
            let outcome = verdict::outcome(report.said, millis > 0.0, held.run, strategy, fastrand::f64());
            self.conclude(held, outcome, millis);
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
    pub(super) fn conclude(&mut self, held: Held, outcome: Outcome, millis: f64) {
        if held.lost {
            return;
        }
        self.unsettled.push(Pending::new(held, outcome, millis));
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
        self.count_batch(feed, &mut batch);
        let rollups = self.counter.unwritten(feed);
        self.settling_tokens = batch.iter().map(|it| it.settlement.token).collect();
        self.settling = Some(Beside::start(async move {
            let settlements: Vec<_> = batch.iter().map(|it| it.settlement.clone()).collect();
            let lost = transport.settle_counted(&settlements, &rollups).await.map(HashSet::from_iter);
            (batch, lost)
        }));
    }

    /// The tokens of the outcomes on their way, once for each.
    pub(super) fn being_settled(&self) -> impl Iterator<Item = Uuid> {
        self.settling.iter().flat_map(|_| self.settling_tokens.iter().copied())
    }

    /// A batch that failed is counted already; its rows are written again as they are.
    fn count_batch(&mut self, feed: usize, batch: &mut [Pending]) {
        for it in batch.iter_mut().filter(|it| it.counted.is_none()) {
            it.counted = Some(self.counter.record(feed, &it.held.message_type, it.measured(), self.now));
        }
    }

    /// Counts of messages whose lease had been lost are wrong in the last rows written. Where that can not be put
    /// right the figures are off by them, which is no reason to fail.
    pub(super) async fn write_corrections(&mut self) {
        let feeds: Vec<usize> = self.counter.dirty().filter(|_| self.error.is_none()).collect();
        for feed in feeds {
            let rollups = self.counter.unwritten(feed);
            if let Some(transport) = self.transports.get(feed).cloned() {
                let _ = transport.settle_counted(&[], &rollups).await;
            }
        }
    }

    pub(super) fn on_settled(&mut self, batch: Vec<Pending>, answer: Result<HashSet<Uuid>>) {
        match answer {
            Ok(lost) => {
                self.settle_failures = 0;
                if let Some(first) = batch.first() {
                    self.counter.written(first.held.feed, Instant::now());
                }
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
        let too_late = self.give_up_at.is_some_and(|at| Instant::now() >= at);
        if may_end && (self.settle_failures >= patience || too_late) {
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
        if let Some(minute) = it.counted.filter(|_| lost) {
            self.counter.forget(it.held.feed, &it.held.message_type, it.measured(), minute);
        }
        match it.settlement.outcome {
            Outcome::Retry { delay, .. } | Outcome::Snooze { delay, .. } if !lost => self.expect_back(delay),
            Outcome::Release { .. } => self.put_back = Some(Instant::now()),
            _ => {}
        }
        if self.consumer.observes_messages() {
            let told = self.describe(it, event);
            self.events.push(told);
        }
    }
}
