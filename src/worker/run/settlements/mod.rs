//! Outcomes on their way to the transports: what waits, what is under way, and what may or may not have been done.

mod attempt;
mod ended;
mod pending;
mod plain;
mod portion;
mod writer;

use super::events::Events;
use super::failures::Patience;
use super::in_flight::Held;
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
use portion::SETTLE_AT_ONCE;
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use uuid::Uuid;
use writer::Writer;

/// An attempt that was made.
pub(super) type Settled = (Attempt, Result<Answer>);

/// The outcomes of a run that are not written yet.
pub(super) struct Settlements {
    context: Arc<Context>,
    worker: Uuid,
    waiting: Vec<Pending>,
    /// One for each place, by its number.
    writers: Vec<Writer>,
    /// How many messages ended how, for the metrics.
    counter: Counter,
}

/// What an answer means for the rest of the loop.
#[derive(Default)]
pub(super) struct Learned {
    /// What is back to be claimed.
    pub(super) returned: Returned,
    /// Why it is given up to write them in a place, and its number.
    pub(super) hopeless: Option<(usize, Error)>,
}

impl Settlements {
    pub(super) fn new(context: Arc<Context>, worker: Uuid, start: Instant) -> Self {
        Self { context, worker, waiting: Vec::new(), writers: Vec::new(), counter: Counter::new(worker, start) }
    }

    /// Accepts an outcome, unless other workers are known to have its message.
    pub(super) fn add(&mut self, held: Held, mut outcome: Outcome, millis: f64) {
        if !held.lost {
            outcome.note_run(millis, self.worker);
            self.waiting.push(Pending::new(held, outcome, millis));
        }
    }

    /// Learns what time it is in the transports.
    pub(super) fn set_clock(&mut self, at: DateTime<Utc>) {
        self.counter.set_clock(at, Instant::now());
    }

    /// Whether every outcome is written.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.writers.iter().any(|it| it.settling.is_busy())
    }

    /// How many outcomes are not written.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.under_way().count()
    }

    /// Whether so much waits that nothing more should come in.
    pub(super) fn are_behind(&self) -> bool {
        self.waiting.len() >= 10 * SETTLE_AT_ONCE
    }

    /// The tokens of all of them, once for each.
    pub(super) fn tokens(&self) -> impl Iterator<Item = Uuid> {
        self.waiting.iter().map(|it| it.settlement.token).chain(self.under_way())
    }

    fn under_way(&self) -> impl Iterator<Item = Uuid> {
        self.writers.iter().flat_map(Writer::under_way).copied()
    }

    /// Failed runs that wait to be settled.
    pub(super) fn failed_runs(&self) -> u64 {
        self.waiting.iter().filter(|it| it.is_failed()).count() as u64
    }

    /// Whether the last attempt has failed.
    pub(super) fn are_failing(&self) -> bool {
        self.writers.iter().any(|it| it.failures.any())
    }

    /// When it is tried again what has failed.
    pub(super) fn next(&self) -> Option<Instant> {
        self.writers.iter().filter_map(|it| it.failures.until()).min()
    }

    /// Writes outcomes that wait, in each place those of one way at a time; what comes meanwhile goes with the next.
    pub(super) fn start_settling(&mut self, now: Instant, sources: &Sources) {
        self.writers.resize_with(sources.places(), Writer::new);
        for (place, writer) in self.writers.iter_mut().enumerate().filter(|(_, it)| it.is_free(now)) {
            let mut ways = self.waiting.iter().map(Pending::way);
            let Some(way) = ways.find(|it| sources.place(it.0) == Some(place)) else { continue };
            let feed = way.0;
            let Some(transport) = sources.get(feed).cloned() else { continue };
            let mut room = writer.portion.room();
            let batch: Vec<_> = self.waiting.extract_if(.., |it| it.way() == way && room.takes(it.bytes())).collect();
            let runs = batch.iter().map(|it| (&*it.held.message_type, &*it.held.queue, it.measured()));
            let rollups = self.counter.with(feed, runs, now);
            writer.start(Attempt { feed, batch, rollups, doubts: Vec::new() }, self.worker, transport);
        }
    }

    /// The answer to what is on its way; without it, never.
    pub(super) async fn answer(&mut self) -> Settled {
        poll_fn(|context| {
            let mut answers = self.writers.iter_mut().map(|it| pin!(it.settling.done()).poll(context));
            answers.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    pub(super) fn learn(
        &mut self,
        (attempt, answer): Settled,
        patience: Patience,
        sources: &Sources,
        events: &mut Events,
    ) -> Learned {
        let Some(place) = sources.place(attempt.feed) else { return Learned::default() };
        let Some(writer) = self.writers.get_mut(place) else { return Learned::default() };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let hopeless = self.learn_failure(place, attempt, error, patience, events).map(|error| (place, error));
                if hopeless.is_some() {
                    self.abandon(place, sources);
                }
                return Learned { hopeless, ..Learned::default() };
            }
        };
        let Attempt { feed, batch, rollups, doubts } = attempt;
        writer.failures.end();
        let mut returned = Returned::default();
        let (ended, lost) = match answer {
            Answer::Done => {
                writer.portion.grow();
                self.counter.written(feed, rollups);
                (batch, false)
            }
            Answer::Lost(lost) => {
                returned.note_lost();
                events.tell_of_lost(lost.len());
                writer.doubts = Attempt::doubts_without(doubts, &lost);
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
        place: usize,
        mut attempt: Attempt,
        error: Error,
        patience: Patience,
        events: &mut Events,
    ) -> Option<Error> {
        let writer = self.writers.get_mut(place)?;
        writer.portion.shrink(attempt.batch.len());
        writer.doubts = attempt.doubts_after(&error);
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
        writer.failures.add(now);
        if writer.failures.end_settling(&error, patience, now) {
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

    /// Leaves to the lease what waits for a place.
    fn abandon(&mut self, place: usize, sources: &Sources) {
        self.waiting.retain(|it| sources.place(it.held.feed) != Some(place));
        if let Some(writer) = self.writers.get_mut(place) {
            writer.doubts.clear();
            writer.failures.end_pause();
        }
    }
}
