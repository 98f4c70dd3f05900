//! One settlement: made, and understood if its answer was lost.
//!
//! A settlement is done as a whole or not at all, together with its counts. So one without an answer was done if its
//! counts are stored, and was not if any of its fences still holds; it can be done late, but never beside another one
//! that shares a message with it. Nothing is asked until a fence does not hold: without a failure this costs nothing.

use super::pending::Pending;
use crate::base::targets::WORKER;
use crate::counts::rollup::Rollup;
use crate::error::{Error, Result};
use crate::transport::{Drain, Fence, Settlement};
use std::collections::HashSet;
use std::sync::Arc;
use tracing::field::Empty;
use tracing::{Instrument, debug_span};
use uuid::Uuid;

/// Outcomes of one road, and the counts as they will be with them.
pub(in crate::worker::run) struct Attempt {
    pub(super) feed: usize,
    pub(super) batch: Vec<Pending>,
    pub(super) rollups: Vec<Rollup>,
    /// Earlier attempts at these messages, of which one may have been done.
    pub(super) doubts: Vec<Doubt>,
}

/// An attempt that may or may not have been done.
pub(in crate::worker::run) struct Doubt {
    pub(super) claims: HashSet<Fence>,
    pub(super) rollups: Vec<Rollup>,
}

/// What happened to an attempt.
pub(in crate::worker::run) enum Answer {
    /// It was done.
    Done,
    /// Nothing was done, because these claims are not valid any more.
    Lost(HashSet<Fence>),
    /// Nothing was done, because this earlier attempt had been.
    DoneBefore(Doubt),
}

impl Attempt {
    /// Settles, and if a fence does not hold, finds out whether an earlier attempt has already settled.
    pub(super) async fn make(mut self, worker: Uuid, transport: Arc<dyn Drain>) -> (Self, Result<Answer>) {
        let settlements: Vec<Settlement> = self.batch.iter().map(|it| it.settlement.clone()).collect();
        let span = debug_span!(
            target: WORKER, "settle", transport = &**transport.name(), outcomes = settlements.len(), lost = Empty,
            error = Empty
        );
        let settled = transport.settle_counted(worker, &settlements, &self.rollups).instrument(span.clone()).await;
        match &settled {
            Ok(lost) => span.record("lost", lost.len()),
            Err(error) => span.record("error", error.code()),
        };
        drop(span);
        let answer = match settled {
            Ok(lost) if lost.is_empty() => Ok(Answer::Done),
            Ok(lost) => self.explain(lost.into_iter().collect(), &*transport).await,
            Err(error) => Err(error),
        };
        (self, answer)
    }

    async fn explain(&mut self, lost: HashSet<Fence>, transport: &dyn Drain) -> Result<Answer> {
        for index in 0..self.doubts.len() {
            if has_counted(transport, &self.doubts[index].rollups).await? {
                return Ok(Answer::DoneBefore(self.doubts.swap_remove(index)));
            }
        }
        Ok(Answer::Lost(lost))
    }

    /// What is still in doubt where these claims no longer stand: the attempts that had none of them may yet be done.
    pub(super) fn doubts_without(doubts: Vec<Doubt>, lost: &HashSet<Fence>) -> Vec<Doubt> {
        doubts.into_iter().filter(|it| it.claims.is_disjoint(lost)).collect()
    }

    /// What is in doubt after it has failed.
    pub(super) fn doubts_after(&mut self, error: &Error) -> Vec<Doubt> {
        let mut doubts = std::mem::take(&mut self.doubts);
        if error.is_uncertain() && doubts.iter().all(|it| it.rollups != self.rollups) {
            let claims = self.batch.iter().map(|it| it.settlement.fence()).collect();
            doubts.push(Doubt { claims, rollups: self.rollups.clone() });
        }
        doubts
    }
}

/// Whether these counts stand. Where nothing is kept, nobody can tell: then the attempt was not done.
async fn has_counted(transport: &dyn Drain, rollups: &[Rollup]) -> Result<bool> {
    match transport.store() {
        Some(store) => store.has_counted(transport.name(), rollups).await,
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_attempt_that_had_none_of_the_lost_messages_may_still_be_done() {
        let fence = |n: u128| (Uuid::from_u128(n), Uuid::nil());
        let doubt = |claims: &[u128]| Doubt { claims: claims.iter().map(|n| fence(*n)).collect(), rollups: Vec::new() };
        let left = Attempt::doubts_without(vec![doubt(&[1, 2]), doubt(&[1, 2, 3])], &HashSet::from([fence(3)]));
        assert_eq!(left.iter().map(|it| it.claims.len()).collect::<Vec<_>>(), [2]);
    }
}
