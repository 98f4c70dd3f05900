//! What happens when the worker was declared dead: which of its messages are with others, and who must hear of it.
//!
//! The fence refuses their outcomes in any case. This is so that no more work is done on them.

use super::beside::Beside;
use super::{Loop, backoff, trouble};
use crate::error::Result;
use crate::worker::delivery;
use futures_util::future::try_join_all;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Instant;
use uuid::Uuid;

/// The claims that no longer stand.
pub(super) type Lost = HashSet<(Uuid, Uuid)>;

impl Loop {
    /// Asks which claims still stand, once a heartbeat has raised the question.
    pub(super) fn start_checking(&mut self) {
        self.in_doubt |= self.consumer.in_doubt.swap(false, Ordering::Relaxed);
        let later = self.check_after.is_some_and(|at| self.now < at);
        if !self.in_doubt || self.checking.is_some() || later {
            return;
        }
        (self.in_doubt, self.check_after) = (false, None);
        // Who was declared dead is not marked as waiting any more.
        self.said_waiting = false;
        let asked = self.hand.claims().into_iter().filter_map(|(feed, claims)| {
            let transport = self.transports.get(feed)?.clone();
            Some(async move {
                let lost: HashSet<Uuid> = transport.lost(&claims).await?.into_iter().collect();
                Ok(claims.into_iter().filter(|it| lost.contains(&it.0)).collect::<Vec<_>>())
            })
        });
        let answers = try_join_all(asked.collect::<Vec<_>>());
        self.checking = Some(Beside::start(async move { Ok(answers.await?.into_iter().flatten().collect()) }));
    }

    pub(super) fn on_checked(&mut self, answer: Result<Lost>) {
        match answer {
            Ok(lost) => {
                self.check_failures = 0;
                self.lose(&lost);
            }
            Err(error) => {
                self.check_failures += 1;
                self.event(|| trouble(&error));
                self.in_doubt = true;
                self.check_after = Some(Instant::now() + backoff(self.check_failures));
            }
        }
    }

    /// What has been reported in the meantime is left to the fence.
    fn lose(&mut self, claims: &Lost) {
        let lost = self.hand.lose(claims);
        if lost.is_empty() {
            return;
        }
        self.consumer.count(|stats| stats.lost += lost.len() as u64);
        if self.consumer.observes_messages() {
            let told: Vec<_> = lost.iter().map(|(_, held)| self.about(held, "lost")).collect();
            self.events.extend(told);
        }
        self.tell_of_lost(lost.len());
        let places: Vec<_> = lost.into_iter().map(|(place, _)| place).collect();
        self.consumer.handlers.command(delivery::abort_some("leaseLost", &places));
    }
}
