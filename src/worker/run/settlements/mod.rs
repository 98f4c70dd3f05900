//! From reports to outcomes, and from outcomes to the transports.

pub(super) mod attempt;
pub(super) mod pending;
mod plain;
pub(super) mod portion;

use self::attempt::{Answer, Attempt, Doubt};
use self::pending::Pending;
use super::in_flight::Held;
use super::side_task::SideTask;
use super::verdict;
use super::{Loop, PATIENCE, Phase};
use crate::error::{Error, Result};
use crate::message::outcome::Outcome;
use crate::transport::Fence;
use crate::worker::Mode;
use crate::worker::protocol::report::{Report, Said};
use crate::worker::stats::StoppedBy;
use crate::worker::trouble::{backoff, trouble};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

impl Loop {
    pub(super) fn take_reports(&mut self) {
        let reports = self.context.mailbox.take_reports();
        let config = self.context.engine.config();
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
        self.context.mailbox.count(|stats| {
            stats.runs += 1;
            stats.handler_millis += millis;
        });
    }

    /// Accepts an outcome, unless other workers are known to have its message.
    pub(super) fn conclude(&mut self, held: Held, outcome: Outcome, millis: f64) {
        if held.lost {
            return;
        }
        self.unsettled.push(Pending::new(held, outcome, millis));
    }

    /// Writes outcomes that wait, of one way at a time; what comes meanwhile goes with the next.
    pub(super) fn start_settling(&mut self) {
        let later = self.settle_after.is_some_and(|at| self.now < at);
        let Some(way) = self.unsettled.first().map(Pending::way).filter(|_| self.settling.is_none() && !later) else {
            return;
        };
        self.settle_after = None;
        let mut room = self.portion.room();
        let batch: Vec<_> = self.unsettled.extract_if(.., |it| it.way() == way && room.takes(it.bytes())).collect();
        let feed = way.0;
        let Some(transport) = self.transports.get(feed).cloned() else { return };
        let rollups = self.counter.with(feed, batch.iter().map(|it| (&*it.held.message_type, it.measured())), self.now);
        self.settling_tokens = batch.iter().map(|it| it.settlement.token).collect();
        let attempt = Attempt { feed, batch, rollups, doubts: std::mem::take(&mut self.doubts) };
        self.settling = Some(SideTask::start(attempt.make(transport)));
    }

    /// The tokens of the outcomes on their way, once for each.
    pub(super) fn being_settled(&self) -> impl Iterator<Item = Uuid> {
        self.settling.iter().flat_map(|_| self.settling_tokens.iter().copied())
    }

    pub(super) fn on_settled(&mut self, attempt: Attempt, answer: Result<Answer>) {
        let Attempt { feed, batch, rollups, doubts } = attempt;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.on_settle_error(Attempt { feed, batch, rollups, doubts }, error),
        };
        self.settle_failures = 0;
        match answer {
            Answer::Done => {
                self.portion.grow();
                self.counter.written(feed, rollups);
                batch.iter().for_each(|it| self.on_outcome(it, false));
            }
            Answer::Lost(lost) => {
                self.tell_of_lost(lost.len());
                self.doubts = Attempt::doubts_without(doubts, &lost);
                self.put_first(batch);
                self.conclude_with(&lost, true);
            }
            Answer::DoneBefore(Doubt { claims, rollups }) => {
                self.counter.written(feed, rollups);
                self.put_first(batch);
                self.conclude_with(&claims, false);
            }
        }
    }

    /// What was not done comes first: an attempt that is in doubt excludes whatever else has one of its messages, and
    /// until then nothing may be counted that it could take back.
    fn put_first(&mut self, batch: Vec<Pending>) {
        self.unsettled.splice(0..0, batch);
    }

    /// Some of what waits is settled, or lost.
    fn conclude_with(&mut self, claims: &HashSet<Fence>, lost: bool) {
        let ended: Vec<_> = self.unsettled.extract_if(.., |it| claims.contains(&it.settlement.fence())).collect();
        ended.iter().for_each(|it| self.on_outcome(it, lost));
    }

    /// Outcomes are kept and retried, fewer at once: losing one would run its message twice.
    pub(super) fn on_settle_error(&mut self, mut attempt: Attempt, error: Error) {
        self.portion.shrink(attempt.batch.len());
        self.doubts = attempt.doubts_after(&error);
        if error.blames_content() && attempt.batch.len() > 1 {
            return self.put_first(attempt.batch);
        }
        self.event(|| trouble(&error));
        let refused_for_good = attempt.batch.iter().any(|it| it.refusals > 1);
        if error.blames_content() && !refused_for_good {
            let plainer = attempt.batch.into_iter().map(|it| it.made_plainer(&error)).collect();
            return self.put_first(plainer);
        }
        self.settle_failures += 1;
        let may_end = self.phase > Phase::Working || self.context.options.mode == Mode::Drain;
        let patience = if error.is_transient() { 2 * PATIENCE } else { PATIENCE };
        let too_late = self.give_up_at.is_some_and(|at| Instant::now() >= at);
        if may_end && (self.settle_failures >= patience || too_late) {
            return self.abandon(error);
        }
        self.settle_after = Some(Instant::now() + backoff(self.settle_failures));
        if refused_for_good {
            // It holds nothing up that came after it.
            self.unsettled.append(&mut attempt.batch);
        } else {
            self.put_first(attempt.batch);
        }
    }

    /// Given up: the lease will run out, and what is in hand goes to living workers.
    pub(super) fn abandon(&mut self, error: Error) {
        self.abort("force");
        self.hand.give_all();
        self.unsettled.clear();
        self.doubts.clear();
        self.stopped_by.get_or_insert(StoppedBy::Stopped);
        self.error.get_or_insert(error);
    }

    pub(super) fn on_outcome(&mut self, it: &Pending, lost: bool) {
        let mut event = "lost";
        self.context.mailbox.count(|stats| {
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
            Outcome::Release { .. } => self.put_back = Some(Instant::now()),
            _ => {}
        }
        if self.context.observes_messages() {
            let told = self.describe(it, event);
            self.events.push(told);
        }
    }
}
