//! How a claim goes through the feeds: which are asked, in which order, and when a survey comes first.

use super::feed::{Asked, Feed, SURVEY_HOLDS};
use super::place::Place;
use super::{Caught, Feeds, Wanted};
use crate::error::Result;
use crate::message::claimed::Claimed;
use crate::transport::Reach;
use std::time::Instant;

impl Feeds {
    /// Claims as much as is wanted; what was claimed before something went wrong is in `caught`.
    pub(super) async fn claim_into(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        if wanted.suspect {
            return self.claim_suspect(wanted, caught).await;
        }
        // One that is woken again and again comes to the rest in between.
        let is_other = self.follow().await?;
        let hurried = wanted.woken && !is_other && self.hurried_since.is_none_or(|at| at.elapsed() < SURVEY_HOLDS);
        if hurried && !self.rescue_is_due() && self.claim_where_known(wanted, caught).await? {
            self.hurried_since.get_or_insert_with(Instant::now);
            return Ok(());
        }
        let at_once = self.filled_by.take().map_or(self.feeds.len(), |last| last + 1);
        let in_doubt = self.places.iter().any(Place::is_in_doubt);
        let unknown = (0..at_once.min(self.feeds.len())).any(|it| self.wants_survey(it, wanted));
        if in_doubt || unknown || self.rescue_is_due() {
            self.look(wanted).await;
        }
        let mut missing = wanted.limit;
        for index in 0..self.feeds.len() {
            if !self.is_there(index) {
                continue;
            }
            let messages = match self.claim_from(index, wanted, missing, caught.is_empty()).await {
                Ok(messages) => messages,
                Err(error) => {
                    self.leave(index, error);
                    continue;
                }
            };
            missing -= messages.len();
            if !messages.is_empty() {
                caught.push(Caught::new(index, messages));
            }
            if missing == 0 {
                self.filled_by = Some(index);
            }
            if missing == 0 || (hurried && !caught.is_empty()) {
                break;
            }
        }
        self.hurried_since = self.hurried_since.filter(|_| hurried && !caught.is_empty());
        if caught.is_empty() && (wanted.woken || wanted.waiting) {
            let stale = self.places.iter().filter(|it| !it.is_fresh()).flat_map(Place::feeds);
            stale.for_each(|index| self.feeds.get_mut(*index).into_iter().for_each(Feed::owe_survey));
        }
        Ok(())
    }

    /// Claims one suspect, if the last survey saw any.
    async fn claim_suspect(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        if self.asks_any(Feed::is_unknown) {
            self.look(wanted).await;
        }
        for index in 0..self.feeds.len() {
            if !self.asks(index, Feed::has_suspect) {
                continue;
            }
            let (feed, worker, queues) = self.asking(index)?;
            match feed.claim_suspect(worker, queues, wanted).await {
                Ok(Some(suspect)) => {
                    caught.push(Caught::new(index, vec![suspect]));
                    return Ok(());
                }
                Ok(None) => {}
                Err(error) => self.leave(index, error),
            }
        }
        Ok(())
    }

    /// Claims from the queues where messages have been before: a worker that is woken need not ask where to look. Says
    /// whether it found anything.
    async fn claim_where_known(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<bool> {
        let asked = Asked { limit: wanted.limit, reach: Reach::Quick, listening: wanted.listening && wanted.waiting };
        for index in 0..self.feeds.len() {
            if !self.asks(index, Feed::knows_queues) {
                continue;
            }
            let (feed, worker, queues) = self.asking(index)?;
            match feed.claim(worker, queues, wanted, asked).await {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => {
                    caught.push(Caught::new(index, messages));
                    return Ok(true);
                }
                Err(error) => self.leave(index, error),
            }
        }
        Ok(false)
    }

    /// Claims; if nothing is found and that is doubtful, surveys the queues and claims again. `idle`: whether nothing was
    /// found in the transports before this one, so that the consumer may have to say that it waits.
    async fn claim_from(&mut self, index: usize, wanted: &Wanted, limit: usize, idle: bool) -> Result<Vec<Claimed>> {
        if !self.is_fresh(index) && self.wants_survey(index, wanted) {
            self.look(wanted).await;
            if !self.is_there(index) {
                return Ok(Vec::new());
            }
        }
        let fresh = self.is_fresh(index);
        let listening = idle && wanted.listening;
        let is_marked = listening && (wanted.waiting || self.is_last(index));
        let (feed, worker, queues) = self.asking(index)?;
        if fresh && !feed.is_worth_a_claim(listening && !wanted.waiting) {
            return Ok(Vec::new());
        }
        let asked = Asked { limit, reach: wanted.reach(fresh), listening: is_marked };
        let messages = feed.claim(worker, queues, wanted, asked).await?;
        if !messages.is_empty() || fresh || !wanted.exhaustive {
            return Ok(messages);
        }
        self.look(wanted).await;
        if !self.asks(index, |it| !it.was_empty()) {
            return Ok(Vec::new());
        }
        let asked = Asked { reach: Reach::Exhaustive, ..asked };
        let (feed, worker, queues) = self.asking(index)?;
        feed.claim(worker, queues, wanted, asked).await
    }
}
