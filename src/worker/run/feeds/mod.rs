//! Where a consumer's messages come from: its transports in order, what they hold, and what they owe.

mod feed;
mod place;
mod sweep;
pub(super) mod switches;
mod turns;
mod wanted;

use self::sweep::Sweep;
use self::switches::Switches;
use crate::base::targets::WORKER;
use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::transport::{Claimable, Drain, Reach, Rescued, WorkerId};
use feed::{Feed, SURVEY_HOLDS};
use futures_util::future::try_join_all;
use place::Place;
use std::sync::Arc;
use std::time::Instant;
use tracing::{Instrument, debug_span};
pub use wanted::{Caught, Wanted};

/// All transports of a consumer.
pub struct Feeds {
    feeds: Vec<Feed>,
    places: Vec<Place>,
    worker: WorkerId,
    /// The only queues to read; `None`: all that hold anything.
    queues: Option<Vec<String>>,
    sweep: Sweep,
    /// How the rescues of this claim went, one for each place.
    rescued: Vec<Result<Rescued>>,
    /// Whether the surveys were made within this claim.
    fresh: bool,
    /// The feed that filled the last claim on its own or with those before it: those behind it are not looked at
    /// before their turn comes. A survey before every claim would cost a deep drain one round trip of three.
    filled_by: Option<usize>,
    /// Since when no claim has looked beyond what it was woken for, while that found something.
    hurried_since: Option<Instant>,
    /// Notices transports that are switched on or off; a bounded drain, and a consumer of named ones, does not.
    following: Option<Switches>,
}

impl Feeds {
    /// The feeds of a consumer.
    pub fn new(
        transports: Vec<Arc<dyn Drain>>,
        worker: WorkerId,
        queues: Option<Vec<String>>,
        following: Option<Switches>,
    ) -> Self {
        let feeds: Vec<Feed> = transports.into_iter().map(Feed::new).collect();
        let places = Place::behind(&feeds);
        let sweep = Sweep::new(worker.lease, Instant::now());
        Self {
            feeds,
            places,
            worker,
            queues,
            sweep,
            rescued: Vec::new(),
            fresh: false,
            filled_by: None,
            hurried_since: None,
            following,
        }
    }

    /// Whether a suspect waits that this consumer would claim.
    pub fn suspects(&self) -> bool {
        self.feeds.iter().any(Feed::has_suspect)
    }

    /// Whether nothing at all waits, due or not, as far as the last survey tells.
    pub fn are_empty(&self) -> bool {
        self.feeds.iter().all(Feed::was_empty)
    }

    /// How the rescues of the last claim went.
    pub fn take_rescued(&mut self) -> Vec<Result<Rescued>> {
        std::mem::take(&mut self.rescued)
    }

    /// When to look again for what the last claim was woken for, if it could not look everywhere.
    pub fn owed_at(&self) -> Option<Instant> {
        self.feeds.iter().filter_map(Feed::owed_at).min()
    }

    /// Whether the worker may be registered in a place.
    pub fn may_be_registered(&self) -> bool {
        self.feeds.iter().any(Feed::has_claimed)
    }

    /// Claims from the first transport, and what is then missing from the next. What was claimed before something went
    /// wrong is returned along with the error.
    pub async fn claim(mut self, wanted: Wanted) -> (Self, Vec<Caught>, Option<Error>) {
        let (mut caught, began) = (Vec::new(), Instant::now());
        let outcome = self.claim_into(&wanted, &mut caught).await;
        if began.elapsed() >= self.worker.lease / 3 {
            self.confirm(&wanted, &mut caught).await;
        }
        if matches!(outcome, Err(Error::Connection { .. })) {
            // While the database was away, no worker could send heartbeats: living ones get a lease's time to do so.
            self.sweep.put_off(Instant::now());
        }
        (self, caught, outcome.err())
    }

    /// Until it has committed, a claim keeps the row of its worker from the heartbeat. So one that took as long as a beat
    /// comes with a lease that may run out at once, or has: nothing of it may start before the next beat, and only if it
    /// still stands then.
    async fn confirm(&self, wanted: &Wanted, caught: &mut [Caught]) {
        for it in caught {
            // Without an answer, nobody knows.
            it.stands = self.still_holds(wanted, it).await.unwrap_or(false);
        }
    }

    async fn still_holds(&self, wanted: &Wanted, caught: &Caught) -> Result<bool> {
        let Some(transport) = self.feeds.get(caught.feed).map(Feed::transport) else { return Ok(false) };
        let claims: Vec<_> = caught.messages.iter().map(|it| (it.id, it.token)).collect();
        let is_registered = transport.extend(&self.worker, wanted.in_hand + claims.len()).await?.is_some();
        // A claim for the next transport may have registered the worker again.
        Ok(is_registered && transport.lost(&claims).await?.is_empty())
    }

    async fn claim_into(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        if wanted.suspect {
            return self.claim_suspect(wanted, caught).await;
        }
        self.fresh = false;
        // One that is woken again and again comes to the rest in between.
        let hurried = wanted.woken && self.hurried_since.is_none_or(|at| at.elapsed() < SURVEY_HOLDS);
        if hurried && !self.rescue_is_due() && self.claim_where_known(wanted, caught).await? {
            self.hurried_since.get_or_insert_with(Instant::now);
            return Ok(());
        }
        self.follow().await?;
        let at_once = self.filled_by.take().map_or(self.feeds.len(), |last| last + 1);
        if self.rescue_is_due() || self.feeds.iter().take(at_once).any(|feed| feed.wants_survey(wanted)) {
            self.look(wanted).await?;
        }
        let mut missing = wanted.limit;
        for index in 0..self.feeds.len() {
            if !self.feed(index)?.is_on() {
                continue;
            }
            let messages = self.claim_from(index, wanted, missing).await?;
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
        if caught.is_empty() && !self.fresh && (wanted.woken || wanted.waiting) {
            self.feeds.iter_mut().for_each(Feed::owe_survey);
        }
        Ok(())
    }

    /// Claims one suspect, if the last survey saw any.
    async fn claim_suspect(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        if self.feeds.iter().any(Feed::is_unknown) {
            self.look(wanted).await?;
        }
        for (index, feed) in self.feeds.iter_mut().enumerate().filter(|(_, it)| it.has_suspect()) {
            let suspect = feed.claim_suspect(&self.worker, self.queues.as_deref(), wanted).await?;
            if let Some(suspect) = suspect {
                caught.push(Caught::new(index, vec![suspect]));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Claims from the queues where messages have been before: a worker that is woken need not ask where to look. Says
    /// whether it found anything.
    async fn claim_where_known(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<bool> {
        for (index, feed) in self.feeds.iter_mut().enumerate().filter(|(_, it)| it.knows_queues()) {
            let messages = feed.claim(&self.worker, self.queues.as_deref(), wanted, wanted.limit, Reach::Quick).await?;
            if !messages.is_empty() {
                caught.push(Caught::new(index, messages));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Claims; if nothing is found and that is doubtful, surveys the queues and claims again.
    async fn claim_from(&mut self, index: usize, wanted: &Wanted, limit: usize) -> Result<Vec<Claimed>> {
        if !self.fresh && self.feed(index)?.wants_survey(wanted) {
            self.look(wanted).await?;
        }
        let (fresh, worker, queues) = (self.fresh, self.worker.clone(), self.queues.clone());
        let feed = self.feed(index)?;
        if fresh && !feed.is_worth_a_claim(wanted) {
            return Ok(Vec::new());
        }
        let messages = feed.claim(&worker, queues.as_deref(), wanted, limit, wanted.reach(fresh)).await?;
        if !messages.is_empty() || fresh || !wanted.exhaustive {
            return Ok(messages);
        }
        self.look(wanted).await?;
        let feed = self.feed(index)?;
        if feed.was_empty() {
            return Ok(Vec::new());
        }
        feed.claim(&worker, queues.as_deref(), wanted, limit, Reach::Exhaustive).await
    }

    /// Picks up transports that were switched on, after the others, and drops those that were switched off. One in
    /// a place of its own waits for the next consumer: this one has no heartbeat there.
    async fn follow(&mut self) -> Result<()> {
        let Some(following) = &mut self.following else { return Ok(()) };
        let Some(transports) = following.changed().await? else { return Ok(()) };
        for feed in &mut self.feeds {
            let is_on = transports.iter().any(|it| it.name() == feed.transport().name());
            feed.switch(is_on);
        }
        let is_new = |it: &Arc<dyn Drain>| self.feeds.iter().all(|feed| feed.transport().name() != it.name());
        let is_at_home = |it: &Arc<dyn Drain>| self.feeds.iter().any(|feed| feed.transport().place() == it.place());
        let new: Vec<_> = transports.into_iter().filter(|it| is_new(it) && is_at_home(it)).map(Feed::new).collect();
        self.feeds.extend(new);
        self.places = Place::behind(&self.feeds);
        Ok(())
    }

    /// The transports in the order of their feeds: those taken up since the beginning come last.
    pub fn transports(&self) -> impl Iterator<Item = &Arc<dyn Drain>> {
        self.feeds.iter().map(Feed::transport)
    }

    fn feed(&mut self, index: usize) -> Result<&mut Feed> {
        self.feeds.get_mut(index).ok_or(Error::Internal { what: "a claim names a transport that is not consumed" })
    }

    /// Surveys all transports, and takes the messages that no worker holds first where that is due.
    async fn look(&mut self, wanted: &Wanted) -> Result<()> {
        let began = Instant::now();
        let rescues = self.sweep.begin(began);
        let claimable = Claimable { queues: self.queues.as_deref(), types: wanted.suspect_types.as_deref() };
        let by = rescues.then_some(self.worker.id);
        let span = debug_span!(target: WORKER, "survey", places = self.places.len(), rescues);
        let looks = try_join_all(self.places.iter().map(|it| it.look(claimable, by))).instrument(span).await?;
        let took = began.elapsed();
        // What a rescue adds says nothing about surveys.
        let survey_took = (!rescues).then_some(took);
        let mut left_some = false;
        for (place, look) in self.places.iter_mut().zip(looks) {
            if let Some(rescued) = look.rescued {
                left_some |= place.learn(&rescued);
                self.rescued.push(rescued);
            }
            for (&index, survey) in place.feeds().iter().zip(look.surveys) {
                if let Some(feed) = self.feeds.get_mut(index) {
                    feed.learn(survey, survey_took);
                }
            }
        }
        if rescues {
            self.sweep.learn(left_some, took, Instant::now());
        }
        self.fresh = true;
        Ok(())
    }

    /// Any claim may take the messages that no worker holds; from time to time is enough.
    fn rescue_is_due(&self) -> bool {
        self.sweep.is_due(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::memory::MemoryTransport;
    use crate::message::envelope::{Available, Envelope};
    use crate::transport::Transport;
    use std::time::Duration;
    use uuid::Uuid;

    const WOKEN: Wanted = Wanted {
        types: None,
        suspect_types: None,
        limit: 10,
        exhaustive: false,
        suspect: false,
        listening: true,
        woken: true,
        waiting: false,
        in_hand: 0,
    };

    async fn send(transport: &MemoryTransport) {
        let envelope = Envelope {
            id: Uuid::now_v7(),
            message_type: "Email".into(),
            transport: transport.name().clone(),
            queue: "default".into(),
            priority: 5,
            body: "{}".into(),
            headers: None,
            metadata: None,
            available: Available::Now,
            key: None,
            max_retries: None,
        };
        transport.send(&[envelope]).await.unwrap();
    }

    #[tokio::test]
    async fn a_worker_that_is_woken_again_and_again_comes_to_the_other_transports_too() {
        let [busy, other] = ["busy", "other"].map(|name| Arc::new(MemoryTransport::new(name.into())));
        let worker = WorkerId { id: Uuid::now_v7(), host: String::new(), pid: 1, lease: Duration::from_secs(3600) };
        let mut feeds = Feeds::new(vec![busy.clone(), other.clone()], worker, None, None);
        let start = Instant::now();
        loop {
            send(&busy).await;
            let (back, caught, error) = feeds.claim(WOKEN).await;
            assert!(error.is_none() && !caught.is_empty());
            if caught.iter().any(|it| it.feed == 1) {
                break;
            }
            if other.list().is_empty() {
                send(&other).await;
            }
            assert!(start.elapsed() < 10 * SURVEY_HOLDS, "not found in 10 s");
            tokio::time::sleep(Duration::from_millis(5)).await;
            feeds = back;
        }
    }
}
