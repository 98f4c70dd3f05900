//! Circuit breakers in the loop: reports to other consumers, and types that are left alone. See `breaker.rs`.

mod breaker;

use super::events::Events;
use super::feeds::Caught;
use super::side_task::SideTask;
use super::sources::Sources;
use crate::base::targets::WORKER;
use crate::config::CircuitBreakerConfig;
use crate::error::Result;
use crate::message::claimed::Claimed;
use crate::store::circuits::{CircuitReport, CircuitState};
use crate::transport::Drain;
use crate::worker::context::Context;
use crate::worker::protocol::report::Said;
use breaker::{Breaker, Change};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::info;
use uuid::Uuid;

/// The circuits as this consumer sees them, and its report on the way to the others.
pub(super) struct Circuits {
    context: Arc<Context>,
    worker: Uuid,
    breaker: Breaker,
    reporting: SideTask<Result<Vec<CircuitState>>>,
    /// The last report has failed.
    failing: bool,
}

/// What a claim may take.
pub(super) struct Allowed {
    pub(super) types: Option<Arc<[String]>>,
    /// Types of which suspects may be claimed.
    pub(super) suspect_types: Option<Arc<[String]>>,
    /// Whether it is for one message of a paused type, to try it.
    pub(super) probe: bool,
}

impl Circuits {
    pub(super) fn new(context: Arc<Context>, worker: Uuid) -> Self {
        let breaker = Breaker::new(&context.engine.config().circuit_breaker);
        Self { context, worker, breaker, reporting: SideTask::none(), failing: false }
    }

    /// Reports, and asks how the circuits are, when it is time to.
    pub(super) fn start_reporting(&mut self, now: Instant, sources: &Sources) {
        if self.reporting.is_busy() {
            return;
        }
        let config = self.context.engine.config();
        let types = self.context.mailbox.types();
        let reports = self.breaker.reports(now, false, &config.circuit_breaker, types.as_deref());
        let Some(reports) = reports else { return };
        self.reporting.start(exchange(sources.all().to_vec(), self.worker, reports));
    }

    /// The answer to a report; without one on its way, never.
    pub(super) async fn answer(&mut self) -> Result<Vec<CircuitState>> {
        self.reporting.done().await
    }

    /// Whether the last report has failed.
    pub(super) fn are_failing(&self) -> bool {
        self.failing
    }

    /// When the next report is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.breaker.due().filter(|_| !self.reporting.is_busy())
    }

    /// Learns how the circuits are. Says whether claims may take something that they had to leave alone until now.
    pub(super) fn learn(&mut self, answer: Result<Vec<CircuitState>>, events: &mut Events) -> bool {
        let before = self.breaker.bars();
        self.failing = answer.is_err();
        match answer {
            Ok(circuits) => {
                let types = self.context.mailbox.types();
                for change in self.breaker.learn(circuits, Instant::now(), types.as_deref()) {
                    log(&change);
                    events.tell(|| told(change));
                }
            }
            // Without the database nothing can be claimed either; with an older schema there are no breakers.
            Err(error) => {
                self.breaker.learn_nothing();
                events.tell_of_trouble(&error);
            }
        }
        self.breaker.bars().let_more_pass_than(&before)
    }

    /// What was noted since the last report, and a try that was not made. Bounded by the time of the run.
    pub(super) async fn report_rest(&mut self, sources: &Sources, events: &mut Events) {
        if self.reporting.is_busy() {
            let answer = self.answer().await;
            self.learn(answer, events);
        }
        let config = self.context.engine.config();
        let Some(reports) = self.breaker.reports(Instant::now(), true, &config.circuit_breaker, None) else { return };
        if !reports.is_empty() {
            let answer = exchange(sources.all().to_vec(), self.worker, reports).await;
            self.learn(answer, events);
            events.emit();
        }
    }

    /// Whether claims may be made: not before it is known what is paused.
    pub(super) fn are_known(&self) -> bool {
        self.breaker.is_ready()
    }

    /// What the next claim may take.
    pub(super) fn allowed(&self) -> Allowed {
        let types = self.context.mailbox.types();
        let suspect_types = self.breaker.narrow_suspects(types.clone());
        let (types, probe) = self.breaker.narrow(types);
        Allowed { types, suspect_types, probe }
    }

    /// Learns what a claim has brought that was for one message to try.
    pub(super) fn probed(&mut self, caught: &[Caught]) {
        self.breaker.probing(caught.iter().flat_map(|it| &it.messages).map(|it| it.id).next());
    }

    /// Learns what a claim for a suspect has brought.
    pub(super) fn caught_suspect(&mut self, caught: &[Caught]) {
        for it in caught.iter().flat_map(|it| &it.messages) {
            self.breaker.claimed_suspect(it.id, &it.message_type);
        }
    }

    /// Notes how a message ended.
    pub(super) fn note(&mut self, id: Uuid, message_type: &str, said: &Said, config: &CircuitBreakerConfig) {
        self.breaker.note(id, message_type, said, config);
    }

    /// Notes that messages go back unhandled.
    pub(super) fn note_returned(&mut self, messages: &[Claimed]) {
        let config = self.context.engine.config();
        let said = Said::Released { delay: None, handled: Vec::new() };
        for it in messages {
            self.note(it.id, &it.message_type, &said, &config.circuit_breaker);
        }
    }

    /// For how long a message must not run: claims for all types cannot leave it out.
    pub(super) fn put_off(&self, message: &Claimed, now: Instant) -> Option<Duration> {
        self.breaker.put_off(message.id, &message.message_type, now)
    }
}

fn log(change: &Change) {
    match change {
        Change::Opened(it) => {
            let (message_type, failures, runs) = (&*it.message_type, it.failures, it.runs);
            info!(target: WORKER, message_type, failures, runs, "a message type is paused: too many of its runs fail");
        }
        Change::Closed(message_type) => info!(target: WORKER, message_type, "a message type runs again"),
    }
}

fn told(change: Change) -> Value {
    match change {
        Change::Opened(it) => json!({
            "event": "circuitOpened", "type": it.message_type, "runs": it.runs, "failures": it.failures,
            "reason": it.reason, "delay": it.wait,
        }),
        Change::Closed(message_type) => json!({ "event": "circuitClosed", "type": message_type }),
    }
}

/// The circuits are kept by the first store that can.
async fn exchange(
    transports: Vec<Arc<dyn Drain>>,
    worker: Uuid,
    reports: Vec<CircuitReport>,
) -> Result<Vec<CircuitState>> {
    for transport in transports {
        let Some(store) = transport.store() else { continue };
        if let Some(circuits) = store.circuits() {
            return circuits.exchange(worker, &reports).await;
        }
    }
    Ok(Vec::new())
}
