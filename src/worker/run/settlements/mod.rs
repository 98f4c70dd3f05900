//! Outcomes on their way to the transports: what waits, what is under way, and what may or may not have been done.

mod attempt;
mod ended;
mod pending;
mod plain;
mod portion;

use super::events::Events;
use super::failures::{Failures, Patience};
use super::in_flight::Held;
use super::side_task::SideTask;
use super::sources::Sources;
use crate::counts::counter::Counter;
use crate::error::{Error, Result};
use crate::message::outcome::Outcome;
use crate::transport::Fence;
use crate::worker::context::Context;
use attempt::{Answer, Attempt, Doubt};
use chrono::{DateTime, Utc};
pub(super) use ended::Returned;
use pending::Pending;
use portion::{Portion, SETTLE_AT_ONCE};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// An attempt that was made.
pub(super) type Settled = (Attempt, Result<Answer>);

/// The outcomes of a run that are not written yet.
pub(super) struct Settlements {
    context: Arc<Context>,
    worker: Uuid,
    waiting: Vec<Pending>,
    settling: SideTask<Settled>,
    /// Of the last batch that was on its way.
    tokens: Vec<Uuid>,
    /// How many outcomes go at once.
    portion: Portion,
    /// Settlements that may or may not have been done; what waits first is in each of them.
    doubts: Vec<Doubt>,
    /// How many messages ended how, for the metrics.
    counter: Counter,
    failures: Failures,
}

/// What an answer means for the rest of the loop.
#[derive(Default)]
pub(super) struct Learned {
    /// What is back to be claimed.
    pub(super) returned: Returned,
    /// Why it is given up to write them.
    pub(super) hopeless: Option<Error>,
}

impl Settlements {
    pub(super) fn new(context: Arc<Context>, worker: Uuid, start: Instant) -> Self {
        Self {
            context,
            worker,
            waiting: Vec::new(),
            settling: SideTask::none(),
            tokens: Vec::new(),
            portion: Portion::WHOLE,
            doubts: Vec::new(),
            counter: Counter::new(worker, start),
            failures: Failures::default(),
        }
    }

    /// Accepts an outcome, unless other workers are known to have its message.
    pub(super) fn add(&mut self, held: Held, outcome: Outcome, millis: f64) {
        if !held.lost {
            self.waiting.push(Pending::new(held, outcome, millis));
        }
    }

    /// Learns what time it is in the transports.
    pub(super) fn set_clock(&mut self, at: DateTime<Utc>) {
        self.counter.set_clock(at, Instant::now());
    }

    /// Whether every outcome is written.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.settling.is_busy()
    }

    /// How many outcomes are not written.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.under_way().len()
    }

    /// Whether so much waits that nothing more should come in.
    pub(super) fn are_behind(&self) -> bool {
        self.waiting.len() >= 10 * SETTLE_AT_ONCE
    }

    /// The tokens of all of them, once for each.
    pub(super) fn tokens(&self) -> impl Iterator<Item = Uuid> {
        self.waiting.iter().map(|it| it.settlement.token).chain(self.under_way().iter().copied())
    }

    fn under_way(&self) -> &[Uuid] {
        if self.settling.is_busy() { &self.tokens } else { &[] }
    }

    /// Failed runs that wait to be settled.
    pub(super) fn failed_runs(&self) -> u64 {
        self.waiting.iter().filter(|it| it.is_failed()).count() as u64
    }

    /// Whether the last attempt has failed.
    pub(super) fn are_failing(&self) -> bool {
        self.failures.any()
    }

    /// When it is tried again what has failed.
    pub(super) fn next(&self) -> Option<Instant> {
        self.failures.until()
    }

    /// Writes outcomes that wait, of one way at a time; what comes meanwhile goes with the next.
    pub(super) fn start_settling(&mut self, now: Instant, sources: &Sources) {
        if self.settling.is_busy() || self.failures.pauses(now) {
            return;
        }
        let Some(way) = self.waiting.first().map(Pending::way) else { return };
        self.failures.end_pause();
        let mut room = self.portion.room();
        let batch: Vec<_> = self.waiting.extract_if(.., |it| it.way() == way && room.takes(it.bytes())).collect();
        let feed = way.0;
        let Some(transport) = sources.get(feed).cloned() else { return };
        let rollups = self.counter.with(feed, batch.iter().map(|it| (&*it.held.message_type, it.measured())), now);
        self.tokens = batch.iter().map(|it| it.settlement.token).collect();
        let attempt = Attempt { feed, batch, rollups, doubts: std::mem::take(&mut self.doubts) };
        self.settling.start(attempt.make(self.worker, transport));
    }

    /// The answer to what is on its way; without it, never.
    pub(super) async fn answer(&mut self) -> Settled {
        self.settling.done().await
    }

    pub(super) fn learn(
        &mut self,
        (attempt, answer): Settled,
        patience: Patience,
        sources: &Sources,
        events: &mut Events,
    ) -> Learned {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let hopeless = self.learn_failure(attempt, error, patience, events);
                return Learned { hopeless, ..Learned::default() };
            }
        };
        let Attempt { feed, batch, rollups, doubts } = attempt;
        self.failures.end();
        let mut returned = Returned::default();
        let (ended, lost) = match answer {
            Answer::Done => {
                self.portion.grow();
                self.counter.written(feed, rollups);
                (batch, false)
            }
            Answer::Lost(lost) => {
                returned.note_lost();
                events.tell_of_lost(lost.len());
                self.doubts = Attempt::doubts_without(doubts, &lost);
                self.put_first(batch);
                (self.take_of(&lost), true)
            }
            Answer::DoneBefore(Doubt { claims, rollups }) => {
                self.counter.written(feed, rollups);
                self.put_first(batch);
                (self.take_of(&claims), false)
            }
        };
        for it in &ended {
            self.end(it, lost, sources, events);
            returned.note(&it.settlement.outcome, lost);
        }
        Learned { returned, hopeless: None }
    }

    /// What was not done comes first: an attempt that is in doubt excludes whatever else has one of its messages, and
    /// until then nothing may be counted that it could take back.
    fn put_first(&mut self, batch: Vec<Pending>) {
        self.waiting.splice(0..0, batch);
    }

    /// Takes what waits of these claims.
    fn take_of(&mut self, claims: &HashSet<Fence>) -> Vec<Pending> {
        self.waiting.extract_if(.., |it| claims.contains(&it.settlement.fence())).collect()
    }

    /// One is settled, or lost.
    fn end(&self, it: &Pending, lost: bool, sources: &Sources, events: &mut Events) {
        let mut name = "lost";
        self.context.mailbox.count(|stats| name = ended::count(stats, &it.settlement.outcome, lost));
        events.tell_of_messages(|| [it.described(name, sources.name(it.held.feed))]);
    }

    /// Outcomes are kept and retried, fewer at once: losing one would run its message twice. Returns the error if they are
    /// given up for it.
    fn learn_failure(
        &mut self,
        mut attempt: Attempt,
        error: Error,
        patience: Patience,
        events: &mut Events,
    ) -> Option<Error> {
        self.portion.shrink(attempt.batch.len());
        self.doubts = attempt.doubts_after(&error);
        if error.blames_content() && attempt.batch.len() > 1 {
            self.put_first(attempt.batch);
            return None;
        }
        events.tell_of_trouble(&error);
        let refused_for_good = attempt.batch.iter().any(Pending::is_refused_for_good);
        if error.blames_content() && !refused_for_good {
            let plainer = attempt.batch.into_iter().map(|it| it.made_plainer(&error)).collect();
            self.put_first(plainer);
            return None;
        }
        let now = Instant::now();
        self.failures.add(now);
        if self.failures.end_settling(&error, patience, now) {
            return Some(error);
        }
        if refused_for_good {
            // It holds nothing up that came after it.
            self.waiting.append(&mut attempt.batch);
        } else {
            self.put_first(attempt.batch);
        }
        None
    }

    /// Leaves what waits to the lease.
    pub(super) fn abandon(&mut self) {
        self.waiting.clear();
        self.doubts.clear();
        self.failures.end_pause();
    }
}
