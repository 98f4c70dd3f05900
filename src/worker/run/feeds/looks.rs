//! What the feeds are known to hold: the places are looked at, and what they answer is learned.

use super::place::Looked;
use super::{Feeds, Wanted};
use crate::base::targets::WORKER;
use futures_util::future::join_all;
use std::time::Instant;
use tracing::{Instrument, debug_span};

impl Feeds {
    /// Surveys all transports, and takes the messages that no worker holds first where that is due. A place that takes
    /// long holds up nothing in the others: what it answers is for the next claim.
    pub(super) async fn look(&mut self, wanted: &Wanted) {
        let alone = self.places.len() == 1 || wanted.exhaustive;
        let span = debug_span!(target: WORKER, "survey", places = self.places.len(), rescues = self.rescue_is_due());
        let (queues, by, now) = (self.queues.as_deref(), self.worker.id, Instant::now());
        let asked = self.places.iter_mut().enumerate().filter(|(_, it)| it.may_be_looked_at());
        let looks = asked.map(|(at, place)| {
            span.in_scope(|| place.start_looking(queues, wanted, by, now));
            async move { Some((at, place.looked(alone).await?)) }
        });
        let looks = join_all(looks).instrument(span.clone()).await;
        looks.into_iter().flatten().for_each(|(at, looked)| self.learn_look(at, looked));
    }

    /// What was not answered in time for the claim before.
    pub(super) async fn take_late_looks(&mut self) {
        for at in 0..self.places.len() {
            let Some(place) = self.places.get_mut(at).filter(|it| it.is_late()) else { continue };
            if let Some(looked) = place.looked(false).await {
                self.learn_look(at, looked);
            }
        }
    }

    fn learn_look(&mut self, at: usize, Looked { feeds, look, rescues, took }: Looked) {
        let Some(place) = self.places.get_mut(at) else { return };
        let look = match look {
            Ok(look) => look,
            Err(error) => {
                place.fail(&error, Instant::now());
                self.error.get_or_insert(error);
                return;
            }
        };
        if let Some(rescued) = look.rescued {
            place.learn(&rescued, took);
            self.rescued.push(rescued);
        }
        // What a rescue adds says nothing about surveys.
        let survey_took = (!rescues).then_some(took);
        for (index, survey) in feeds.into_iter().zip(look.surveys) {
            if let Some(feed) = self.feeds.get_mut(index) {
                feed.learn(survey, survey_took);
            }
        }
    }
}
