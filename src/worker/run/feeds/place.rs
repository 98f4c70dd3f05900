//! Transports that are asked together.

use super::feed::Feed;
use super::sweep::Sweep;
use super::wanted::Wanted;
use crate::base::targets::WORKER;
use crate::error::{Error, Result};
use crate::transport::{Claimable, Drain, Look, Portion, RescueStep, Rescued};
use crate::worker::run::failures::Failures;
use crate::worker::run::side_task::SideTask;
use crate::worker::run::steps::Steps;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tracing::info;
use uuid::Uuid;

/// How many messages the first step of a rescue takes, and how many a step takes at most.
const FIRST_STEP: usize = 100;
const LONGEST_STEP: usize = 1_000;

/// How long the others wait for the answer of a place, and how soon they see whether it has come meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(250);

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
    /// Goes on beside the claims where it takes longer than the others wait.
    looking: SideTask<Looked>,
    /// Whether it was looked at for this claim.
    is_fresh: bool,
    /// It is left alone after these, while others go on.
    failures: Failures,
}

/// How a place does in one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It answers, as far as is known.
    There,
    /// It has failed before: nothing is claimed until it has been looked at.
    InDoubt,
    /// It is being looked at, and the others go on.
    Late,
    /// It has failed.
    Failed,
    /// It has failed a moment ago, and is not asked.
    Paused,
}

/// A look that was made.
pub(super) struct Looked {
    /// At these feeds.
    pub(super) feeds: Vec<usize>,
    pub(super) look: Result<Look>,
    /// Whether it began with a rescue.
    pub(super) rescues: bool,
    pub(super) took: Duration,
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
            looking: SideTask::none(),
            is_fresh: false,
            failures: Failures::default(),
        }
    }

    /// A claim begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.is_fresh = false;
        self.state = match () {
            () if self.looking.is_busy() => State::Late,
            () if self.failures.pauses(now) => State::Paused,
            () if self.failures.any() => State::InDoubt,
            () => State::There,
        };
        if self.state == State::InDoubt {
            self.failures.end_pause();
        }
    }

    /// Whether it is still being looked at.
    pub(super) fn is_late(&self) -> bool {
        self.state == State::Late
    }

    /// Whether nothing is claimed until it has been looked at.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.state == State::InDoubt && !self.feeds.is_empty()
    }

    /// Whether it was looked at for this claim.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Whether it may be looked at.
    pub(super) fn may_be_looked_at(&self) -> bool {
        (self.is_there() || self.is_in_doubt()) && !self.is_fresh
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
        self.is_fresh = false;
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
            State::Failed | State::InDoubt | State::Late | State::Paused => false,
        }
    }

    /// Whether it has not answered the last time it was asked.
    pub(super) fn is_failing(&self) -> bool {
        self.failures.any()
    }

    /// Whether nothing is asked of it for a while, or its answer is still to come.
    pub(super) fn pauses(&self) -> bool {
        self.failures.until().is_some() || self.looking.is_busy()
    }

    /// When a consumer that rests has to look here.
    pub(super) fn wakes(&self, now: Instant) -> Option<Instant> {
        let wakes = match self.failures.until() {
            _ if self.looking.is_busy() => now + AGAIN,
            Some(until) => until,
            None => self.sweep.wakes(),
        };
        (!self.feeds.is_empty()).then_some(wakes)
    }

    /// Begins to look at what there is.
    pub(super) fn start_looking(&mut self, queues: Option<&[String]>, wanted: &Wanted, by: Uuid, now: Instant) {
        let rescues = self.sweep.begin(now);
        let portion = Portion { limit: self.steps.limit(), skip: self.steps.skip() };
        let step = rescues.then_some(RescueStep { by, portion });
        let (transport, names, feeds) = (self.transport.clone(), self.names.clone(), self.feeds.clone());
        let (queues, types) = (queues.map(<[String]>::to_vec), wanted.suspect_types.clone());
        self.looking.start(async move {
            let claimable = Claimable { queues: queues.as_deref(), types: types.as_deref() };
            let look = transport.survey(&names, claimable, step).await;
            Looked { feeds, look, rescues, took: now.elapsed() }
        });
    }

    /// The look that has begun, unless it takes longer than the others wait. Nobody waits for a place that has failed.
    pub(super) async fn looked(&mut self, alone: bool) -> Option<Looked> {
        let patience = match self.state {
            _ if alone => Duration::MAX,
            State::There => PATIENCE,
            _ => Duration::ZERO,
        };
        let looked = timeout(patience, self.looking.done()).await.ok();
        self.state = if looked.is_some() { State::There } else { State::Late };
        self.is_fresh = looked.is_some();
        looked
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
