//! Circuit breakers in the loop: reports to other consumers, and types that are left alone. See `breaker.rs`.

pub(super) mod breaker;

use self::breaker::Change;
use super::Loop;
use super::feeds::Caught;
use super::side_task::SideTask;
use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::message::outcome::Outcome;
use crate::store::circuits::{CircuitReport, CircuitState};
use crate::transport::Drain;
use crate::worker::trouble::trouble;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

impl Loop {
    /// Reports, and asks how the circuits are, when it is time to.
    pub(super) fn start_reporting(&mut self) {
        if self.reporting.is_some() {
            return;
        }
        let config = self.context.engine.config();
        let types = self.context.mailbox.types();
        let reports = self.breaker.reports(self.now, false, &config.circuit_breaker, types.as_deref());
        let Some(reports) = reports else { return };
        self.reporting = Some(SideTask::start(exchange(self.transports.clone(), self.worker.id, reports)));
    }

    pub(super) fn on_reported(&mut self, answer: Result<Vec<CircuitState>>) {
        match answer {
            Ok(circuits) => self.heed(circuits),
            // Without the database nothing can be claimed either; with an older schema there are no breakers.
            Err(error) => {
                self.breaker.learn_nothing();
                self.event(|| trouble(&error));
            }
        }
    }

    fn heed(&mut self, circuits: Vec<CircuitState>) {
        let types = self.context.mailbox.types();
        for change in self.breaker.learn(circuits, Instant::now(), types.as_deref()) {
            self.event(|| match change {
                Change::Opened(it) => json!({
                    "event": "circuitOpened", "type": it.message_type, "runs": it.runs, "failures": it.failures,
                    "reason": it.reason, "delay": it.wait,
                }),
                Change::Closed(message_type) => json!({ "event": "circuitClosed", "type": message_type }),
            });
        }
    }

    /// What was noted since the last report, and a try that was not made. Bounded by the time of the run.
    pub(super) async fn report_rest(&mut self) {
        if let Some(reporting) = self.reporting.take() {
            let answer = reporting.await;
            self.on_reported(answer);
        }
        let config = self.context.engine.config();
        let Some(reports) = self.breaker.reports(Instant::now(), true, &config.circuit_breaker, None) else { return };
        if !reports.is_empty() {
            let answer = exchange(self.transports.clone(), self.worker.id, reports).await;
            self.on_reported(answer);
            self.emit();
        }
    }

    /// Takes out of a batch what must not run now: claims for all types cannot leave it out. It goes back for as long
    /// as its type is paused.
    pub(super) fn put_off_paused(&mut self, mut caught: Caught) -> Caught {
        let now = Instant::now();
        let delay = |it: &Claimed| self.breaker.put_off(it.id, &it.message_type, now);
        let paused: Vec<_> = caught.messages.extract_if(.., |it| delay(it).is_some()).collect();
        for message in paused {
            let delay = self.breaker.put_off(message.id, &message.message_type, now);
            let held = crate::worker::run::in_flight::Held::of(caught.feed, &message);
            self.conclude(held, Outcome::Release { delay, handled: Vec::new(), ran: false }, 0.0);
        }
        caught
    }
}

/// The circuits are kept by the first store that can.
async fn exchange(
    transports: Vec<Arc<dyn Drain>>,
    worker: Uuid,
    reports: Vec<CircuitReport>,
) -> Result<Vec<CircuitState>, Error> {
    for transport in transports {
        let Some(store) = transport.store() else { continue };
        if let Some(circuits) = store.circuits() {
            return circuits.exchange(worker, &reports).await;
        }
    }
    Ok(Vec::new())
}
