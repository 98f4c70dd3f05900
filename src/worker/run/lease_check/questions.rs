//! The two questions to the places of a worker: what it holds there without its knowing, and what it has lost.

use crate::error::{Error, Result};
use crate::transport::{Drain, Fence, Known, Portion, WorkerId};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The answers to both questions; neither needs the other's.
pub(in crate::worker::run) struct Checked {
    /// How many messages each place has put back.
    pub(super) put_back: Vec<Result<usize>>,
    pub(super) took: Duration,
    pub(super) losses: Losses,
}

/// What a worker that was declared dead has lost.
#[derive(Default)]
pub(in crate::worker::run) struct Losses {
    /// Whether any of it was cleared of a crash.
    pub(super) absolved: bool,
    /// The claims that no longer stand.
    pub(super) lost: HashSet<Fence>,
    /// Why it is not certain that those are all.
    pub(super) unanswered: Option<Error>,
}

/// Puts back what each place says that the worker holds and it does not know of.
pub(super) async fn reconcile(
    places: Vec<Arc<dyn Drain>>,
    worker: WorkerId,
    known: Known,
    portions: Vec<Portion>,
) -> Vec<Result<usize>> {
    let each = places.iter().zip(portions);
    join_all(each.map(|(place, portion)| place.reconcile(&worker, &known, portion))).await
}

/// Each place by itself: one that is down says nothing about the others.
pub(super) async fn ask_for_lost(
    places: Vec<Arc<dyn Drain>>,
    worker: Uuid,
    claims: Vec<(Arc<dyn Drain>, Vec<Fence>)>,
) -> Losses {
    // It is alive: what was counted as a crash was not one.
    let answers = join_all(places.iter().map(|place| place.absolve(worker))).await;
    let absolved = answers.iter().flatten().any(|count| *count > 0);
    let mut unanswered = answers.into_iter().find_map(Result::err);
    let answers = claims.into_iter().map(|(transport, held)| async move {
        let lost: HashSet<Uuid> = transport.lost(worker, &held).await?.into_iter().collect();
        Ok(held.into_iter().filter(|it| lost.contains(&it.0)).collect::<Vec<_>>())
    });
    let mut lost = HashSet::new();
    for answer in join_all(answers).await {
        match answer {
            Ok(claims) => lost.extend(claims),
            Err(failed) => unanswered = unanswered.or(Some(failed)),
        }
    }
    Losses { absolved, lost, unanswered }
}
