//! The loop: claim, deliver, settle, all at once and each in batches.
//!
//! One task owns everything. It never waits on the database and the handlers at the same time: the next claim and
//! the settling of earlier outcomes run as futures beside it on connections of their own (10 to 25 % faster than one
//! after the other, and one statement for both deadlocks between four workers).

mod circuits;
mod claims;
mod events;
mod feeds;
mod in_flight;
mod lease_check;
mod pace;
mod settlements;
mod shutdown;
mod side_task;
mod steps;
mod verdict;

use super::Mode;
use super::budget::Budget;
use super::context::Context;
use super::stats::StoppedBy;
use crate::base::listening::Listening;
use crate::counts::counter::Counter;
use crate::error::{Error, Result};
use crate::store::circuits::CircuitState;
use crate::transport::{Drain, WorkerId};
use circuits::breaker::Breaker;
use claims::idle::Idle;
use claims::look::Look;
use claims::solitude::Solitude;
use feeds::switches::Switches;
use feeds::{Caught, Feeds};
use in_flight::InFlight;
use lease_check::Checked;
use lease_check::reconciliation::Reconciliation;
use serde_json::Value;
use settlements::attempt::{Answer, Attempt, Doubt};
use settlements::pending::Pending;
use settlements::portion::Portion;
use side_task::SideTask;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Consecutive failures after which a bounded drain gives up.
const PATIENCE: u32 = 5;
/// The same if the last one was a statement that ran into its time limit.
const SLOW_PATIENCE: u32 = 2;
/// How long the loop sleeps if nothing is due: until something wakes it.
const A_LONG_TIME: Duration = Duration::from_secs(3600);

type Claiming = SideTask<(Feeds, Vec<Caught>, Option<Error>)>;
type Checking = SideTask<Checked>;
type Reporting = SideTask<Result<Vec<CircuitState>>>;
type Settling = SideTask<(Attempt, Result<Answer>)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Working,
    Draining,
    Aborting,
}

/// How a run ended.
pub(super) struct End {
    pub(super) by: StoppedBy,
    /// Whether the last look has shown that nothing waits in any transport, due or not.
    pub(super) nothing_waits: bool,
    /// Whether any place may know the worker.
    pub(super) registered: bool,
    /// Whether it is certain that the worker holds nothing.
    pub(super) clear: bool,
}

/// The state of a run.
pub(super) struct Loop {
    context: Arc<Context>,
    transports: Vec<Arc<dyn Drain>>,
    /// One transport for each place.
    places: Vec<Arc<dyn Drain>>,
    /// Present while no claim is under way.
    feeds: Option<Feeds>,
    claiming: Option<Claiming>,
    /// Older than the token of any claim under way.
    claiming_since: Uuid,
    settling: Option<Settling>,
    /// Of the last batch that was on its way.
    settling_tokens: Vec<Uuid>,
    checking: Option<Checking>,
    hand: InFlight,
    /// Claimed and in hand, not yet on the way to the handlers; with the number of the batch.
    caught: Vec<(u32, Caught)>,
    unsettled: Vec<Pending>,
    /// How many of them go at once.
    portion: Portion,
    /// Settlements that may or may not have been done; what waits first is in each of them.
    doubts: Vec<Doubt>,
    /// How many messages ended how, for the metrics.
    counter: Counter,
    breaker: Breaker,
    /// The worker's identity.
    worker: WorkerId,
    /// A report on circuits under way.
    reporting: Option<Reporting>,
    /// Whether the last claim was for one message of a paused type, to try it.
    sought_probe: bool,
    budget: Budget,
    phase: Phase,
    stopped_by: Option<StoppedBy>,
    error: Option<Error>,
    /// The queue was empty: no claim before this instant, unless the hand becomes empty in a bounded drain.
    rest_until: Option<Instant>,
    /// When the next of the messages that this consumer has put back is due.
    due_again: Option<Instant>,
    /// The database did not answer: no claim before this instant.
    claim_after: Option<Instant>,
    /// The database did not answer: no settling before this instant.
    settle_after: Option<Instant>,
    /// What the claim under way proves if it finds nothing.
    look: Look,
    /// Whether the claim under way marks this worker as waiting when it finds nothing.
    began_listening: bool,
    /// The last claim, if it found nothing.
    found_nothing: Option<Look>,
    /// When a message was last put back by this consumer, or by others because its lease was lost.
    put_back: Option<Instant>,
    /// Whether nothing is left to claim in a bounded drain, as of this turn.
    exhausted: bool,
    /// Wake-ups by the transports.
    listening: Vec<Box<dyn Listening>>,
    /// Whether the last claim found nothing and said so: the next one is made at once, for what was sent before
    /// anybody could know that this worker waits.
    idle: Idle,
    /// Whether the last claim was for a suspect only.
    sought_suspect: bool,
    solitude: Solitude,
    /// Whether to look for a suspect before anything else, and nobody has yet.
    suspect_first: bool,
    /// When a suspect or fresh work has its turn.
    turn_at: Option<Instant>,
    /// A heartbeat found that the worker had been declared dead, and nobody has asked yet what it lost.
    in_doubt: bool,
    /// Something may be assigned to this worker without its knowing, and nobody has checked yet.
    unsure: bool,
    reconciliation: Reconciliation,
    /// The database did not answer: no query before this instant.
    check_after: Option<Instant>,
    check_failures: u32,
    claim_failures: u32,
    /// Whether a claim has ever failed, and may have taken messages that this worker does not know of.
    has_failed_to_claim: bool,
    settle_failures: u32,
    /// When outcomes that cannot be written are left to the lease.
    give_up_at: Option<Instant>,
    /// When the next phase begins, whatever is still running.
    phase_ends: Option<Instant>,
    events: Vec<Value>,
    /// The instant of this turn. Every comparison of a turn uses it, so that nothing becomes due unnoticed between the
    /// check and the sleep.
    now: Instant,
}

impl Loop {
    pub(super) fn new(
        context: Arc<Context>,
        transports: Vec<Arc<dyn Drain>>,
        places: Vec<Arc<dyn Drain>>,
        worker: WorkerId,
        listening: Vec<Box<dyn Listening>>,
        start: Instant,
    ) -> Self {
        let options = &context.options;
        let counter = Counter::new(worker.id, start);
        let breaker = Breaker::new(&context.engine.config().circuit_breaker);
        let following = (options.mode == Mode::Run && options.transports.is_none()).then(|| {
            let names = transports.iter().map(|it| it.name().to_string()).collect();
            Switches::new(context.engine.clone(), options.poll_interval, names)
        });
        let feeds = Feeds::new(transports.clone(), worker.clone(), options.queues.clone(), following);
        let budget = Budget::new(start, options.time_limit);
        // If the first claim may be the last, each kind comes first from time to time.
        let suspect_first = options.message_limit.is_some() && fastrand::bool();
        let solitude = Solitude::new(start, options.time_limit, suspect_first);
        let reconciliation = Reconciliation::new(places.len(), worker.lease, start);
        Self {
            context,
            transports,
            places,
            feeds: Some(feeds),
            claiming: None,
            claiming_since: Uuid::nil(),
            settling: None,
            settling_tokens: Vec::new(),
            checking: None,
            hand: InFlight::default(),
            caught: Vec::new(),
            unsettled: Vec::new(),
            portion: Portion::WHOLE,
            doubts: Vec::new(),
            counter,
            breaker,
            worker,
            reporting: None,
            sought_probe: false,
            budget,
            phase: Phase::Working,
            stopped_by: None,
            error: None,
            rest_until: None,
            due_again: None,
            claim_after: None,
            settle_after: None,
            look: Look { began: start, clear: false, sent: 0 },
            began_listening: false,
            found_nothing: None,
            put_back: None,
            exhausted: false,
            listening,
            idle: Idle::default(),
            sought_suspect: false,
            solitude,
            suspect_first,
            turn_at: None,
            in_doubt: false,
            unsure: false,
            reconciliation,
            check_after: None,
            check_failures: 0,
            claim_failures: 0,
            has_failed_to_claim: false,
            settle_failures: 0,
            give_up_at: None,
            phase_ends: None,
            events: Vec::new(),
            now: start,
        }
    }

    pub(super) async fn run(mut self) -> Result<End> {
        loop {
            self.now = Instant::now();
            self.take_reports();
            self.exhausted = self.is_exhausted();
            self.obey();
            self.watch_limits();
            self.start_checking();
            self.start_reporting();
            // The next claim travels while this batch is written out for the handlers.
            self.start_claiming();
            self.deliver();
            self.start_settling();
            self.emit();
            self.context
                .mailbox
                .in_flight
                .store(self.hand.len() + self.unsettled.len() + self.being_settled().count(), Ordering::Relaxed);
            if self.is_over() {
                break;
            }
            self.wait().await;
        }
        self.report_rest().await;
        match self.error {
            Some(error) => Err(error),
            None => {
                let nothing_waits = self.exhausted && self.feeds.as_ref().is_some_and(Feeds::are_empty);
                let registered = self.feeds.as_ref().is_none_or(Feeds::may_be_registered);
                let stats = self.context.mailbox.stats();
                let clear = !self.has_failed_to_claim && stats.settled() == stats.claimed;
                Ok(End { by: self.stopped_by.unwrap_or(StoppedBy::Empty), nothing_waits, registered, clear })
            }
        }
    }

    /// Waits for the next thing to happen.
    async fn wait(&mut self) {
        let until = self.next_instant().unwrap_or(self.now + A_LONG_TIME);
        let context = self.context.clone();
        tokio::select! {
            (feeds, caught, error) = pending_or(&mut self.claiming) => {
                self.claiming = None;
                self.on_claimed(feeds, caught, error);
            }
            (attempt, answer) = pending_or(&mut self.settling) => {
                self.settling = None;
                self.on_settled(attempt, answer);
            }
            answer = pending_or(&mut self.reporting) => {
                self.reporting = None;
                self.on_reported(answer);
            }
            checked = pending_or(&mut self.checking) => {
                self.checking = None;
                self.on_checked(checked);
            }
            () = context.mailbox.wake.notified() => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }

    /// The next instant at which something changes by itself. What was due at this turn has been done.
    fn next_instant(&self) -> Option<Instant> {
        let working = (self.phase == Phase::Working).then_some([
            self.rest_until,
            self.claim_after,
            self.turn_at,
            self.budget.soft(),
        ]);
        let report = self.breaker.due().filter(|_| self.reporting.is_none());
        let always = [self.phase_ends, self.settle_after, self.check_after, report];
        working.into_iter().flatten().chain(always).flatten().filter(|it| *it > self.now).min()
    }

    fn is_over(&self) -> bool {
        let finished = self.phase > Phase::Working || self.exhausted;
        self.claiming.is_none() && self.is_clear() && finished
    }

    /// Whether nothing is in hand and nothing on its way back.
    fn is_clear(&self) -> bool {
        self.hand.is_empty() && self.unsettled.is_empty() && self.settling.is_none()
    }
}

/// The future in a slot; an empty slot never resolves.
async fn pending_or<F: Future + Unpin>(slot: &mut Option<F>) -> F::Output {
    match slot {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
