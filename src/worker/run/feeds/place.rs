//! Transports that are asked together.

use super::feed::Feed;
use super::sweep::Sweep;
use crate::base::targets::WORKER;
use crate::error::{Error, Result};
use crate::transport::{Claimable, Drain, Look, Portion, RescueStep, Rescued};
use crate::worker::run::failures::Failures;
use crate::worker::run::steps::Steps;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::info;
use uuid::Uuid;

/// How many messages the first step of a rescue takes, and how many a step takes at most.
const FIRST_STEP: usize = 100;
const LONGEST_STEP: usize = 1_000;

/// Feeds that are surveyed together: one statement for all of them, on one connection.
pub(super) struct Place {
    transport: Arc<dyn Drain>,
    /// Those that are on.
    feeds: Vec<usize>,
    names: Vec<Arc<str>>,
    sweep: Sweep,
    /// Those of its rescues.
    steps: Steps,
    state: State,
    /// It is left alone after these, while others go on.
    failures: Failures,
}

/// How a place does in one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It answers, as far as is known.
    There,
    /// It has failed.
    Failed,
    /// It has failed a moment ago, and is not asked.
    Paused,
}

/// Sorts the feeds that are on into their places.
pub(super) fn arrange(places: &mut Vec<Place>, feeds: &[Feed], lease: Duration) {
    for place in &mut *places {
        place.feeds.clear();
        place.names.clear();
    }
    for (index, feed) in feeds.iter().enumerate().filter(|(_, feed)| feed.is_on()) {
        let transport = feed.transport();
        let known = places.iter().position(|it| it.transport.place() == transport.place());
        let at = known.unwrap_or_else(|| {
            places.push(Place::new(transport.clone(), lease));
            places.len() - 1
        });
        if let Some(place) = places.get_mut(at) {
            place.feeds.push(index);
            place.names.push(transport.name().clone());
        }
    }
}

impl Place {
    fn new(transport: Arc<dyn Drain>, lease: Duration) -> Self {
        Self {
            transport,
            feeds: Vec::new(),
            names: Vec::new(),
            sweep: Sweep::new(lease, Instant::now()),
            steps: Steps::new(FIRST_STEP, LONGEST_STEP),
            state: State::There,
            failures: Failures::default(),
        }
    }

    /// A claim begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.state = if self.failures.pauses(now) { State::Paused } else { State::There };
        if self.state == State::There {
            self.failures.end_pause();
        }
    }

    /// The places of its feeds among all, in the order of its surveys.
    pub(super) fn feeds(&self) -> &[usize] {
        &self.feeds
    }

    /// Whether it may take the messages that no worker holds.
    pub(super) fn rescue_is_due(&self, now: Instant) -> bool {
        self.is_there() && self.sweep.is_due(now)
    }

    /// Whether a feed is one of its, and on.
    pub(super) fn has(&self, feed: usize) -> bool {
        self.feeds.contains(&feed)
    }

    /// Whether no feed of its comes after this one.
    pub(super) fn is_last(&self, feed: usize) -> bool {
        self.feeds.last() == Some(&feed)
    }

    /// Whether anything is asked of it, in this claim.
    pub(super) fn is_there(&self) -> bool {
        self.state == State::There && !self.feeds.is_empty()
    }

    /// It has failed in this claim.
    pub(super) fn fail(&mut self, error: &Error, now: Instant) {
        self.state = State::Failed;
        if matches!(error, Error::Connection { .. }) {
            // While the database was away, no worker could send heartbeats: living ones get a lease's time to do so.
            self.sweep.put_off(now);
        }
    }

    /// A claim has ended; where it has failed here, and others go on, nothing is asked for a while. Says whether it has
    /// answered for the first time since.
    pub(super) fn end(&mut self, others_go_on: bool, now: Instant) -> bool {
        match self.state {
            State::Failed if others_go_on => {
                self.failures.add(now);
                false
            }
            State::There => {
                let is_back = self.failures.any();
                self.failures.end();
                is_back
            }
            State::Failed | State::Paused => false,
        }
    }

    /// Whether it has not answered the last time it was asked.
    pub(super) fn is_failing(&self) -> bool {
        self.failures.any()
    }

    /// Whether nothing is asked of it for a while.
    pub(super) fn pauses(&self) -> bool {
        self.failures.until().is_some()
    }

    /// When a consumer that rests has to look here.
    pub(super) fn wakes(&self) -> Option<Instant> {
        let wakes = self.failures.until().unwrap_or_else(|| self.sweep.wakes());
        (!self.feeds.is_empty()).then_some(wakes)
    }

    /// Looks at what there is, and says whether that began with a rescue.
    pub(super) async fn look(&mut self, claimable: Claimable<'_>, by: Uuid, now: Instant) -> (Result<Look>, bool) {
        let rescues = self.sweep.begin(now);
        let portion = Portion { limit: self.steps.limit(), skip: self.steps.skip() };
        let step = rescues.then_some(RescueStep { by, portion });
        (self.transport.survey(&self.names, claimable, step).await, rescues)
    }

    /// Learns how a rescue went, and how long the look took that began with it.
    pub(super) fn learn(&mut self, rescued: &Result<Rescued>, took: Duration) {
        let left_some = match rescued {
            Ok(rescued) => {
                tell_of_rescued(&*self.transport, rescued);
                self.steps.taken(rescued.count())
            }
            Err(_) => {
                self.steps.failed();
                false
            }
        };
        self.sweep.learn(left_some, took, Instant::now());
    }
}

/// Tells what a rescue found.
fn tell_of_rescued(place: &dyn Drain, rescued: &Rescued) {
    let Rescued { workers, returned, buried } = rescued;
    let (place, buried) = (place.place(), buried.len());
    if rescued.count() > 0 {
        info!(target: WORKER, place, workers, returned, buried, "put back what dead workers held");
    }
}
