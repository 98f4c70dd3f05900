//! Where a consumer's messages come from: its transports in order, what they hold, and what they owe.

mod claims;
mod feed;
mod looks;
mod place;
mod sweep;
pub(super) mod switches;
mod turns;
mod wanted;

use self::switches::Switches;
use crate::error::{Error, Result};
use crate::transport::{Drain, Rescued, WorkerId};
use feed::Feed;
use place::Place;
use std::sync::Arc;
use std::time::Instant;
pub use wanted::{Caught, Wanted};

/// All transports of a consumer.
pub struct Feeds {
    feeds: Vec<Feed>,
    places: Vec<Place>,
    worker: WorkerId,
    /// The only queues to read; `None`: all that hold anything.
    queues: Option<Vec<String>>,
    /// Why a place has not answered within this claim.
    error: Option<Error>,
    failed_in_part: bool,
    /// Whether transports were taken up, or a place has come back, where nobody knows yet that this consumer waits.
    is_new: bool,
    /// How the rescues of this claim went, one for each place.
    rescued: Vec<Result<Rescued>>,
    /// The feed that filled the last claim on its own or with those before it: those behind it are not looked at
    /// before their turn comes. A survey before every claim would cost a deep drain one round trip of three.
    filled_by: Option<usize>,
    /// Since when no claim has looked beyond what it was woken for, while that found something.
    hurried_since: Option<Instant>,
    /// Notices transports that are switched on or off.
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
        let mut places = Vec::new();
        place::arrange(&mut places, &feeds, worker.lease);
        Self {
            feeds,
            places,
            worker,
            queues,
            error: None,
            failed_in_part: false,
            is_new: false,
            rescued: Vec::new(),
            filled_by: None,
            hurried_since: None,
            following,
        }
    }

    /// Whether a suspect waits that this consumer would claim.
    pub fn suspects(&self) -> bool {
        self.feeds_asked().any(Feed::has_suspect)
    }

    /// Whether nothing at all waits, due or not, as far as the last survey tells.
    pub fn are_empty(&self) -> bool {
        self.feeds.iter().all(Feed::was_empty)
    }

    /// How the rescues of the last claim went.
    pub fn take_rescued(&mut self) -> Vec<Result<Rescued>> {
        std::mem::take(&mut self.rescued)
    }

    /// When to look again, whatever the poll interval: for what the last claim was woken for, if it could not look
    /// everywhere; for suspects that another consumer had; for messages that no worker holds; in a place that was away.
    pub fn owed_at(&self, now: Instant) -> Option<Instant> {
        let feeds = self.feeds_asked().map(|it| it.owed_at(now));
        feeds.chain(self.places.iter().map(|it| it.wakes(now))).flatten().min()
    }

    /// The feeds of the places that are not left alone.
    fn feeds_asked(&self) -> impl Iterator<Item = &Feed> {
        let places = self.places.iter().filter(|it| !it.pauses());
        places.flat_map(Place::feeds).filter_map(|index| self.feeds.get(*index))
    }

    /// Whether something came since the last time of which nobody knows yet that this consumer waits for it.
    pub fn take_new(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }

    /// Whether the last claim has failed only in places that it tries again by themselves, while others go on.
    pub fn failed_in_part(&self) -> bool {
        self.failed_in_part
    }

    /// Whether a place has not answered the last time it was asked.
    pub fn are_failing(&self) -> bool {
        self.places.iter().any(Place::is_failing)
    }

    /// Whether the worker may be registered in a place.
    pub fn may_be_registered(&self) -> bool {
        self.feeds.iter().any(Feed::has_claimed)
    }

    /// Claims from the first transport, and what is then missing from the next. What was claimed before something went
    /// wrong is returned along with the error.
    pub async fn claim(mut self, wanted: Wanted) -> (Self, Vec<Caught>, Option<Error>) {
        let (mut caught, began) = (Vec::new(), Instant::now());
        self.places.iter_mut().for_each(|it| it.begin(began));
        self.take_late_looks().await;
        let outcome = self.claim_into(&wanted, &mut caught).await;
        if began.elapsed() >= self.worker.lease / 3 {
            self.confirm(&wanted, &mut caught).await;
        }
        self.end_places(&wanted);
        self.failed_in_part &= outcome.is_ok();
        let error = outcome.err().or(self.error.take());
        (self, caught, error)
    }

    /// A place that has failed is left alone for a while, so that it holds nothing up in the others. Where none has
    /// answered, or everything must, that is left to the one who claims.
    fn end_places(&mut self, wanted: &Wanted) {
        let others_go_on = !wanted.exhaustive && self.places.iter().any(Place::is_there);
        let now = Instant::now();
        self.failed_in_part = others_go_on && self.error.is_some();
        for place in &mut self.places {
            self.is_new |= place.end(others_go_on, now);
        }
    }

    /// Goes on without a place, where there may be others.
    fn leave(&mut self, index: usize, error: Error) {
        if let Some(place) = self.places.iter_mut().find(|it| it.has(index)) {
            place.fail(&error, Instant::now());
        }
        self.error.get_or_insert(error);
    }

    /// Whether a feed is on, and its place answers as far as is known.
    fn is_there(&self, index: usize) -> bool {
        self.places.iter().any(|it| it.has(index) && it.is_there())
    }

    /// Whether the place of a feed was looked at for this claim.
    fn is_fresh(&self, index: usize) -> bool {
        self.places.iter().any(|it| it.has(index) && it.is_fresh())
    }

    /// Whether a claim marks this consumer as waiting, if it is the last one of its place and none has found anything:
    /// the mark stands for the whole place, and a claim before it would set it while messages wait for those behind.
    fn is_last(&self, index: usize) -> bool {
        self.places.iter().any(|it| it.is_last(index))
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
        Ok(is_registered && transport.lost(self.worker.id, &claims).await?.is_empty())
    }

    /// Picks up transports that were switched on, after the others, and drops those that were switched off. One in
    /// a place of its own waits for the next consumer: this one has no heartbeat there. Says whether anything changed.
    async fn follow(&mut self) -> Result<bool> {
        let Some(following) = &mut self.following else { return Ok(false) };
        let Some(transports) = following.changed().await? else { return Ok(false) };
        for feed in &mut self.feeds {
            feed.switch(transports.iter().any(|it| it.name() == feed.transport().name()));
        }
        let is_new = |it: &Arc<dyn Drain>| self.feeds.iter().all(|feed| feed.transport().name() != it.name());
        let is_at_home = |it: &Arc<dyn Drain>| self.feeds.iter().any(|feed| feed.transport().place() == it.place());
        let new: Vec<_> = transports.into_iter().filter(|it| is_new(it) && is_at_home(it)).map(Feed::new).collect();
        self.is_new |= !new.is_empty();
        self.feeds.extend(new);
        place::arrange(&mut self.places, &self.feeds, self.worker.lease);
        Ok(true)
    }

    /// The transports in the order of their feeds: those taken up since the beginning come last.
    pub fn transports(&self) -> impl Iterator<Item = &Arc<dyn Drain>> {
        self.feeds.iter().map(Feed::transport)
    }

    /// A feed, who asks it, and for which queues only.
    fn asking(&mut self, index: usize) -> Result<(&mut Feed, &WorkerId, Option<&[String]>)> {
        let unknown = Error::Internal { what: "a claim names a transport that is not consumed" };
        Ok((self.feeds.get_mut(index).ok_or(unknown)?, &self.worker, self.queues.as_deref()))
    }

    /// Any claim may take the messages that no worker holds; from time to time is enough.
    fn rescue_is_due(&self) -> bool {
        let now = Instant::now();
        self.places.iter().any(|it| it.rescue_is_due(now))
    }

    fn wants_survey(&self, index: usize, wanted: &Wanted) -> bool {
        self.asks(index, |it| it.wants_survey(wanted))
    }

    /// Whether this holds for a feed that is asked in this claim.
    fn asks(&self, index: usize, holds: impl Fn(&Feed) -> bool) -> bool {
        self.is_there(index) && self.feeds.get(index).is_some_and(holds)
    }

    fn asks_any(&self, holds: impl Fn(&Feed) -> bool) -> bool {
        (0..self.feeds.len()).any(|it| self.asks(it, &holds))
    }
}

#[cfg(test)]
mod tests {
    use super::feed::{SURVEY_HOLDS, SUSPECT_PAUSE};
    use super::*;
    use crate::backends::memory::MemoryTransport;
    use crate::message::envelope::{Available, Envelope};
    use crate::transport::{Claim, Claims, Leases, Reach, RescueStep, Transport};
    use std::time::Duration;
    use uuid::Uuid;

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
    async fn the_rest_ends_with_the_pause_between_suspects() {
        let place = Arc::new(MemoryTransport::new("main".into()));
        let worker = |lease| WorkerId { id: Uuid::now_v7(), host: String::new(), pid: 1, lease, about: Arc::default() };
        let (lease, other) = (Duration::from_secs(24 * 3600), worker(Duration::from_secs(30)));
        let queues = ["default".to_owned()];
        let claim = |token| {
            let reach = Reach::Quick;
            Claim { worker: &other, token, queues: &queues, types: None, limit: 1, reach, listening: false }
        };
        let die = async || {
            place.advance(Duration::from_secs(60));
            assert_eq!(place.rescue_step(RescueStep::WIDE).await.unwrap().returned, 1);
            place.advance(Duration::from_secs(60));
        };
        send(&place).await;
        assert_eq!(place.claim(&claim(Uuid::now_v7())).await.unwrap().len(), 1);
        die().await;
        let (feeds, ..) = Feeds::new(vec![place.clone()], worker(lease), None, None).claim(Wanted::WOKEN).await;
        assert!(feeds.suspects());
        assert!(place.claim_suspect(&claim(Uuid::now_v7())).await.unwrap().is_some());
        let (feeds, caught, _) = feeds.claim(Wanted { suspect: true, ..Wanted::WOKEN }).await;
        let before = Instant::now();
        assert!(caught.is_empty(), "the other one has it");
        die().await;
        let (feeds, ..) = feeds.claim(Wanted::WOKEN).await;
        assert!(!feeds.suspects(), "it pauses");
        assert!(feeds.owed_at(before).is_some_and(|at| at <= before + SUSPECT_PAUSE));
    }

    #[tokio::test]
    async fn a_worker_that_is_woken_again_and_again_comes_to_the_other_transports_too() {
        let [busy, other] = ["busy", "other"].map(|name| Arc::new(MemoryTransport::new(name.into())));
        let worker = WorkerId {
            id: Uuid::now_v7(),
            host: String::new(),
            pid: 1,
            lease: Duration::from_secs(3600),
            about: Arc::default(),
        };
        let mut feeds = Feeds::new(vec![busy.clone(), other.clone()], worker, None, None);
        let start = Instant::now();
        loop {
            send(&busy).await;
            let (back, caught, error) = feeds.claim(Wanted::WOKEN).await;
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
