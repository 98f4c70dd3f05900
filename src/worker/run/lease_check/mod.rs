//! Whether the worker holds what the database says it holds.
//!
//! It stops working on what it holds and others now have; the fence refuses those outcomes in any case. What is
//! assigned to it without its knowing goes back: no lease would ever run out for that while the worker lives.

pub(super) mod reconciliation;

use self::reconciliation::Reconciled;
use super::side_task::SideTask;
use super::{Loop, PATIENCE};
use crate::error::{Error, Result};
use crate::transport::Known;
use crate::worker::Mode;
use crate::worker::protocol::delivery;
use crate::worker::trouble::{backoff, trouble};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The claims that no longer stand.
type Lost = HashSet<(Uuid, Uuid)>;

/// The answers to both questions; neither needs the other's.
pub(super) struct Checked {
    /// How many messages each place has put back.
    put_back: Vec<Result<usize>>,
    took: Duration,
    lost: Lost,
    /// Why it is not certain that those are all.
    unanswered: Option<Error>,
}

impl Loop {
    /// Compares with each heartbeat, and at once if the answer to a claim was lost. Which claims are still valid is
    /// asked only if a heartbeat has raised the question.
    pub(super) fn start_checking(&mut self) {
        self.in_doubt |= self.context.mailbox.in_doubt.swap(false, Ordering::Relaxed);
        let beaten = self.context.mailbox.beaten.swap(false, Ordering::Relaxed);
        self.unsure |= beaten && self.reconciliation.is_due(self.now);
        let later = self.check_after.is_some_and(|at| self.now < at);
        if !(self.in_doubt || self.unsure) || self.checking.is_some() || later {
            return;
        }
        let in_doubt = std::mem::take(&mut self.in_doubt);
        (self.unsure, self.check_after) = (false, None);
        // A worker that was declared dead is not marked as waiting any more.
        if in_doubt {
            self.idle.end();
        }
        let reconciling = self.reconcile();
        let losing = in_doubt.then(|| self.ask_for_lost());
        let began = self.now;
        let asking = async move {
            let put_back = reconciling.await;
            let took = began.elapsed();
            let (lost, unanswered) = if let Some(losing) = losing { losing.await } else { (Lost::new(), None) };
            Checked { put_back, took, lost, unanswered }
        };
        self.checking = Some(SideTask::start(asking));
    }

    fn reconcile(&self) -> impl Future<Output = Vec<Result<usize>>> + use<> {
        let (places, worker, known) = (self.places.clone(), self.worker.clone(), self.known());
        let portions = self.reconciliation.portions();
        async move {
            let each = places.iter().zip(portions);
            join_all(each.map(|(place, portion)| place.reconcile(&worker, &known, portion))).await
        }
    }

    /// What this worker knows of its claims, now.
    fn known(&self) -> Known {
        let unsettled = self.unsettled.iter().map(|it| it.settlement.token);
        let mut tokens: Vec<Uuid> = self.hand.tokens().chain(unsettled).chain(self.being_settled()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let before = self.claiming.as_ref().map_or_else(Uuid::now_v7, |_| self.claiming_since);
        Known { tokens, before }
    }

    /// Each place by itself: one that is down says nothing about the others. With why one of them has not answered.
    fn ask_for_lost(&self) -> impl Future<Output = (Lost, Option<Error>)> + use<> {
        let claims = self.hand.claims().into_iter();
        let asked: Vec<_> =
            claims.filter_map(|(feed, held)| Some((self.transports.get(feed)?.clone(), held))).collect();
        let (places, worker) = (self.places.clone(), self.worker.id);
        async move {
            // It is alive: what was counted as a crash was not one.
            let absolved = join_all(places.iter().map(|place| place.absolve(worker))).await;
            let mut error = absolved.into_iter().find_map(Result::err);
            let answers = asked.into_iter().map(|(transport, held)| async move {
                let lost: HashSet<Uuid> = transport.lost(&held).await?.into_iter().collect();
                Ok(held.into_iter().filter(|it| lost.contains(&it.0)).collect::<Vec<_>>())
            });
            let mut lost = Lost::new();
            for answer in join_all(answers).await {
                match answer {
                    Ok(claims) => lost.extend(claims),
                    Err(failed) => error = error.or(Some(failed)),
                }
            }
            (lost, error)
        }
    }

    pub(super) fn on_checked(&mut self, checked: Checked) {
        let Checked { put_back, took, lost, unanswered } = checked;
        let Reconciled { any, error } = self.reconciliation.learn(put_back, took, Instant::now());
        self.lose(&lost);
        // There may be more of it.
        let unsure = any || error.is_some();
        if any {
            // What is back is there to be claimed.
            (self.found_nothing, self.rest_until) = (None, None);
            self.put_back = Some(Instant::now());
        }
        let in_doubt = unanswered.is_some();
        let Some(error) = error.or(unanswered) else {
            self.check_failures = 0;
            self.unsure |= unsure;
            return;
        };
        self.check_failures += 1;
        self.event(|| trouble(&error));
        self.check_after = Some(Instant::now() + backoff(self.check_failures));
        // A drain ends anyway, and leaves its row to the lease.
        if self.context.options.mode != Mode::Drain || self.check_failures < PATIENCE {
            self.unsure |= unsure;
            self.in_doubt |= in_doubt;
        }
    }

    /// What has been reported in the meantime is left to the fence.
    fn lose(&mut self, claims: &Lost) {
        let lost = self.hand.lose(claims);
        if lost.is_empty() {
            return;
        }
        self.context.mailbox.count(|stats| stats.lost += lost.len() as u64);
        if self.context.observes_messages() {
            let told: Vec<_> = lost.iter().map(|(_, held)| self.about(held, "lost")).collect();
            self.events.extend(told);
        }
        self.tell_of_lost(lost.len());
        let places: Vec<_> = lost.into_iter().map(|(place, _)| place).collect();
        self.context.handlers.command(delivery::abort_some("leaseLost", &places));
    }
}
