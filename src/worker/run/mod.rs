//! The loop: claim, deliver, settle, all at once and each in batches.
//!
//! One task owns everything. It never waits on the database and the handlers at the same time: the next claim and
//! the settling of earlier outcomes run as futures beside it on connections of their own (10 to 25 % faster than one
//! after the other, and one statement for both deadlocks between four workers).
//!
//! Each concern keeps what it knows to itself. The loop only orders them: `turn.rs` has what each turn does,
//! `answers.rs` what an answer to one of them means for the others.

mod answers;
mod circuits;
mod claims;
mod deliveries;
mod events;
mod failures;
mod feeds;
mod in_flight;
mod lease_check;
mod pace;
mod settlements;
mod shutdown;
mod side_task;
mod sources;
mod steps;
mod turn;
mod verdict;
mod watch;

use super::Mode;
use super::context::Context;
use super::stats::StoppedBy;
use crate::error::Result;
use crate::transport::{Drain, WorkerId};
use circuits::Circuits;
use claims::Claims;
use deliveries::Deliveries;
use events::Events;
use in_flight::InFlight;
use lease_check::LeaseCheck;
use settlements::Settlements;
use shutdown::Shutdown;
use sources::Sources;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::Watch;

/// How long the loop sleeps if nothing is due: until something wakes it.
const A_LONG_TIME: Duration = Duration::from_secs(3600);

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

/// The concerns of a run.
pub(super) struct Loop {
    context: Arc<Context>,
    sources: Sources,
    claims: Claims,
    deliveries: Deliveries,
    hand: InFlight,
    settlements: Settlements,
    lease_check: LeaseCheck,
    circuits: Circuits,
    shutdown: Shutdown,
    events: Events,
    watch: Watch,
    /// The instant of this turn. Every comparison of a turn uses it, so that nothing becomes due unnoticed between the
    /// check and the sleep.
    now: Instant,
}

impl Loop {
    /// Of these transports. `places`: one transport for each place.
    pub(super) fn new(
        context: Arc<Context>,
        transports: Vec<Arc<dyn Drain>>,
        places: Vec<Arc<dyn Drain>>,
        worker: WorkerId,
        start: Instant,
    ) -> Self {
        Self {
            sources: Sources::new(context.clone(), transports.clone()),
            claims: Claims::new(context.clone(), transports, worker.clone(), start),
            deliveries: Deliveries::new(context.clone()),
            hand: InFlight::default(),
            settlements: Settlements::new(context.clone(), worker.id, start),
            circuits: Circuits::new(context.clone(), worker.id),
            lease_check: LeaseCheck::new(context.clone(), worker, places, start),
            shutdown: Shutdown::new(context.clone(), start),
            events: Events::new(context.clone()),
            watch: Watch::new(context.engine.clone(), context.options.mode == Mode::Run),
            context,
            now: start,
        }
    }

    /// Turn after turn, until nothing is left to do.
    pub(super) async fn run(mut self) -> Result<End> {
        loop {
            self.now = Instant::now();
            self.take_reports();
            self.notice_the_end();
            self.obey();
            self.watch_limits();
            self.follow_types();
            self.check_leases();
            self.circuits.start_reporting(self.now, &self.sources);
            // The next claim travels while this batch is written out for the handlers.
            self.claim();
            self.deliver();
            self.settlements.start_settling(self.now, &self.sources);
            self.events.emit();
            self.show_in_flight();
            if self.is_over() {
                break;
            }
            self.wait().await;
        }
        self.circuits.report_rest(&self.sources, &mut self.events).await;
        self.end()
    }

    /// Waits for the next thing to happen.
    async fn wait(&mut self) {
        let until = self.next_instant().unwrap_or(self.now + A_LONG_TIME);
        tokio::select! {
            answer = self.claims.answer() => self.on_claimed(answer),
            answer = self.settlements.answer() => self.on_settled(answer),
            answer = self.circuits.answer() => self.on_circuits(answer),
            answer = self.lease_check.answer() => self.on_checked(answer),
            () = self.watch.changed() => self.claims.look_again(Instant::now()),
            () = self.context.mailbox.wake.notified() => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }

    /// The next instant at which something changes by itself. What was due at this turn has been done.
    fn next_instant(&self) -> Option<Instant> {
        let claims = self.shutdown.is_far().then(|| self.claims.next());
        let others = [self.settlements.next(), self.lease_check.next(), self.circuits.next()];
        let all = claims.into_iter().flatten().chain(self.shutdown.next()).chain(others);
        all.flatten().filter(|it| *it > self.now).min()
    }

    fn is_over(&self) -> bool {
        let finished = !self.shutdown.is_far() || self.claims.are_exhausted();
        finished && !self.claims.are_under_way() && self.is_clear()
    }

    /// Whether nothing is in hand and nothing on its way back.
    fn is_clear(&self) -> bool {
        self.hand.is_empty() && self.settlements.is_empty()
    }

    fn end(self) -> Result<End> {
        let stats = self.context.mailbox.stats();
        Ok(End {
            by: self.shutdown.reason()?,
            nothing_waits: self.claims.nothing_waits(),
            registered: self.claims.may_be_registered(),
            clear: self.claims.are_certain() && stats.settled() == stats.claimed,
        })
    }
}
