//! Outcomes on their way into one place, one batch at a time.

use super::Settled;
use super::attempt::{Attempt, Doubt};
use super::portion::Portion;
use crate::transport::Drain;
use crate::worker::run::failures::Failures;
use crate::worker::run::side_task::SideTask;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// Writes outcomes into one place. One that fails or does not answer holds up nothing in the others.
pub(super) struct Writer {
    pub(super) settling: SideTask<Settled>,
    /// Of the last batch that was on its way.
    tokens: Vec<Uuid>,
    /// How many outcomes go at once.
    pub(super) portion: Portion,
    /// Settlements that may or may not have been done; what waits first for this place is in each of them.
    pub(super) doubts: Vec<Doubt>,
    pub(super) failures: Failures,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            settling: SideTask::none(),
            tokens: Vec::new(),
            portion: Portion::WHOLE,
            doubts: Vec::new(),
            failures: Failures::default(),
        }
    }

    /// Whether it may take a batch.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        !self.settling.is_busy() && !self.failures.pauses(now)
    }

    /// Takes a batch.
    pub(super) fn start(&mut self, mut attempt: Attempt, worker: Uuid, transport: Arc<dyn Drain>) {
        self.failures.end_pause();
        self.tokens = attempt.batch.iter().map(|it| it.settlement.token).collect();
        attempt.doubts = std::mem::take(&mut self.doubts);
        self.settling.start(attempt.make(worker, transport));
    }

    /// The tokens of the batch that is on its way, once for each message.
    pub(super) fn under_way(&self) -> &[Uuid] {
        if self.settling.is_busy() { &self.tokens } else { &[] }
    }
}
