//! Whether the worker holds what the database says it holds.
//!
//! It stops working on what it holds and others now have; the fence refuses those outcomes in any case. What is
//! assigned to it without its knowing goes back: no lease would ever run out for that while the worker lives.

mod questions;
mod reconciliation;

use super::failures::Failures;
use super::side_task::SideTask;
use crate::error::Error;
use crate::transport::{Drain, Fence, Known, WorkerId};
use crate::worker::Mode;
use crate::worker::context::Context;
pub(super) use questions::Checked;
use questions::{Losses, ask_for_lost, reconcile};
use reconciliation::{Reconciled, Reconciliation};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The comparisons of one worker with its places.
pub(super) struct LeaseCheck {
    context: Arc<Context>,
    worker: WorkerId,
    /// One transport for each place.
    places: Vec<Arc<dyn Drain>>,
    checking: SideTask<Checked>,
    /// A heartbeat found that the worker had been declared dead, and nobody has asked yet what it lost.
    in_doubt: bool,
    /// Something may be assigned to this worker without its knowing, and nobody has checked yet.
    unsure: bool,
    reconciliation: Reconciliation,
    failures: Failures,
}

/// What the answers mean for the rest of the loop.
pub(super) struct Learned {
    /// The claims that no longer stand.
    pub(super) lost: HashSet<Fence>,
    /// Whether anything was put back, or is free of suspicion, and there to be claimed.
    pub(super) put_back: bool,
    /// Why a place has not answered.
    pub(super) error: Option<Error>,
}

impl LeaseCheck {
    pub(super) fn new(context: Arc<Context>, worker: WorkerId, places: Vec<Arc<dyn Drain>>, start: Instant) -> Self {
        Self {
            context,
            reconciliation: Reconciliation::new(places.len(), worker.lease, start),
            worker,
            places,
            checking: SideTask::none(),
            in_doubt: false,
            unsure: false,
            failures: Failures::default(),
        }
    }

    /// Whether to compare: with each heartbeat, and at once if the answer to a claim was lost. `waits`: whether the
    /// worker has said that it waits, so that it was registered everywhere.
    pub(super) fn is_due(&mut self, now: Instant, waits: bool) -> bool {
        let mailbox = &self.context.mailbox;
        self.in_doubt |= mailbox.in_doubt.swap(false, Ordering::Relaxed);
        self.in_doubt |= mailbox.missing.swap(false, Ordering::Relaxed) && waits;
        let beaten = mailbox.beaten.swap(false, Ordering::Relaxed);
        self.unsure |= beaten && self.reconciliation.is_due(now);
        (self.in_doubt || self.unsure) && !self.checking.is_busy() && !self.failures.pauses(now)
    }

    /// Whether the worker had been declared dead.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Compares. Which `claims` are still valid is asked only if a heartbeat has raised the question.
    pub(super) fn start<C>(&mut self, now: Instant, known: Known, claims: impl FnOnce() -> C)
    where
        C: Iterator<Item = (Arc<dyn Drain>, Vec<Fence>)>,
    {
        let in_doubt = std::mem::take(&mut self.in_doubt);
        self.unsure = false;
        self.failures.end_pause();
        let portions = self.reconciliation.portions();
        let reconciling = reconcile(self.places.clone(), self.worker.clone(), known, portions);
        let losing = in_doubt.then(|| ask_for_lost(self.places.clone(), self.worker.id, claims().collect()));
        self.checking.start(async move {
            let put_back = reconciling.await;
            let took = now.elapsed();
            let losses = if let Some(losing) = losing { losing.await } else { Losses::default() };
            Checked { put_back, took, losses }
        });
    }

    /// The answers; without a question on its way, never.
    pub(super) async fn answer(&mut self) -> Checked {
        self.checking.done().await
    }

    /// Whether the last question was not answered.
    pub(super) fn is_failing(&self) -> bool {
        self.failures.any()
    }

    /// When it is asked again what was not answered.
    pub(super) fn next(&self) -> Option<Instant> {
        self.failures.until()
    }

    /// The answer to a claim was lost: it may have been done all the same.
    pub(super) fn doubt_claims(&mut self) {
        self.unsure = true;
    }

    /// Whether the worker knows of all that is assigned to it.
    pub(super) fn is_sure(&self) -> bool {
        !self.unsure && !self.checking.is_busy()
    }

    pub(super) fn learn(&mut self, checked: Checked, now: Instant) -> Learned {
        let Checked { put_back, took, losses: Losses { absolved, lost, unanswered } } = checked;
        let Reconciled { any, error } = self.reconciliation.learn(put_back, took, now);
        // There may be more of it.
        let unsure = any || error.is_some();
        let in_doubt = unanswered.is_some();
        let error = error.or(unanswered);
        match error {
            Some(_) => self.failures.add(now),
            None => self.failures.end(),
        }
        // A drain ends anyway, and leaves its row to the lease.
        if error.is_none() || self.context.options.mode != Mode::Drain || !self.failures.are_many() {
            self.unsure |= unsure;
            self.in_doubt |= in_doubt;
        }
        Learned { lost, put_back: any || absolved, error }
    }
}
