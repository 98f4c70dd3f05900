//! Where a consumer's messages come from: its transports in order, what they hold, and what they owe.

mod sweep;
pub(super) mod switches;
mod turns;

use self::sweep::Sweep;
use self::switches::Switches;
use self::turns::Turns;
use super::steps::Steps;
use crate::base::targets::WORKER;
use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::transport::{Claim, Claimable, Drain, Portion, Reach, RescueStep, Rescued, Survey, WorkerId};
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span, info};
use uuid::Uuid;

/// How long suspects are left alone after a claim that got none: another consumer has them.
const SUSPECT_PAUSE: Duration = Duration::from_secs(1);

/// How long a survey is valid.
const SURVEY_HOLDS: Duration = Duration::from_secs(1);
/// A survey that took longer is made less often, so that it costs one part in [`SHARE`] of the time: while some session
/// keeps an old snapshot it walks over all that was ever taken from a queue that is empty.
const SLOW: Duration = Duration::from_millis(25);
const SHARE: u32 = 20;
/// How many messages the first step of a rescue takes, and how many a step takes at most.
const FIRST_STEP: usize = 100;
const LONGEST_STEP: usize = 1_000;
/// The most queues that are remembered as not empty.
const REMEMBERED: usize = 10;

/// Messages claimed from one transport.
pub struct Caught {
    /// Its place among the feeds.
    pub feed: usize,
    /// In the order in which they are to be started.
    pub messages: Vec<Claimed>,
    /// Whether the claim is certainly valid. If not, its lease may have run out before its answer came.
    pub stands: bool,
}

impl Caught {
    fn new(feed: usize, messages: Vec<Claimed>) -> Self {
        Self { feed, messages, stands: true }
    }
}

/// What a claim asks for.
pub struct Wanted {
    /// Types with a handler; `None`: all.
    pub types: Option<Arc<[String]>>,
    /// Types of which suspects may be claimed; `None`: all.
    pub suspect_types: Option<Arc<[String]>>,
    /// At most this many.
    pub limit: usize,
    /// Whether finding nothing must mean that there is nothing.
    pub exhaustive: bool,
    /// One suspect, and nothing else.
    pub suspect: bool,
    /// Whether the consumer wants to be woken when it finds nothing.
    pub listening: bool,
    /// Whether it was: then a message waits, most likely in a queue that is known.
    pub woken: bool,
    /// Whether it is marked as waiting already: then what was sent before that is looked for in all queues.
    pub waiting: bool,
    /// How many messages the consumer has in hand.
    pub in_hand: usize,
}

impl Wanted {
    /// How far to look. Whether really nothing is left is a question for a claim that knows all queues; a consumer that
    /// was woken and found nothing so far, or that is about to sleep until it is, looks everywhere before it does.
    fn reach(&self, knows_all_queues: bool) -> Reach {
        match (self.exhaustive, self.woken || self.waiting) {
            (true, _) if knows_all_queues => Reach::Exhaustive,
            (false, true) => Reach::Thorough,
            _ => Reach::Quick,
        }
    }
}

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

/// Feeds that are surveyed together: one statement for all of them, on one connection.
struct Place {
    transport: Arc<dyn Drain>,
    feeds: Vec<usize>,
    names: Vec<Arc<str>>,
    /// Those of its rescues.
    steps: Steps,
}

struct Feed {
    transport: Arc<dyn Drain>,
    /// Switched off while the consumer runs. It keeps its place: messages in hand, and claims without an answer, name it.
    is_off: bool,
    survey: Survey,
    /// The queues that a claim reads: those of the last survey that found any. An idle queue is where the next message
    /// will be, and a worker that is woken for it need not ask.
    queues: Vec<String>,
    turns: Turns,
    surveyed_at: Option<Instant>,
    survey_took: Duration,
    /// Whether a claim would have surveyed the queues, if the last survey had not taken so long.
    owes_survey: bool,
    suspect_pause: Option<Instant>,
    /// Whether anything was asked for, which registers the worker.
    has_claimed: bool,
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
        self.feeds.iter().all(|it| it.survey.queues.is_empty())
    }

    /// How the rescues of the last claim went.
    pub fn take_rescued(&mut self) -> Vec<Result<Rescued>> {
        std::mem::take(&mut self.rescued)
    }

    /// When to look again for what the last claim was woken for, if it could not look everywhere.
    pub fn owed_at(&self) -> Option<Instant> {
        self.feeds.iter().filter(|it| it.owes_survey).filter_map(Feed::next_survey).min()
    }

    /// Whether the worker may be registered in a place.
    pub fn may_be_registered(&self) -> bool {
        self.feeds.iter().any(|it| it.has_claimed)
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
        let Some(Feed { transport, .. }) = self.feeds.get(caught.feed) else { return Ok(false) };
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
            if self.feed(index)?.is_off {
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
            self.feeds.iter_mut().for_each(|it| it.owes_survey = !it.is_off);
        }
        Ok(())
    }

    /// Claims one suspect, if the last survey saw any.
    async fn claim_suspect(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        if self.feeds.iter().any(|feed| !feed.is_off && feed.surveyed_at.is_none()) {
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
        for (index, feed) in self.feeds.iter_mut().enumerate().filter(|(_, it)| !it.queues.is_empty()) {
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
        if feed.survey.queues.is_empty() {
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
            let is_off = !transports.iter().any(|it| it.name() == feed.transport.name());
            if is_off && !feed.is_off {
                (feed.survey, feed.owes_survey) = (Survey::default(), false);
                feed.queues.clear();
            }
            feed.is_off = is_off;
        }
        let is_new = |it: &Arc<dyn Drain>| self.feeds.iter().all(|feed| feed.transport.name() != it.name());
        let is_at_home = |it: &Arc<dyn Drain>| self.feeds.iter().any(|feed| feed.transport.place() == it.place());
        let new: Vec<_> = transports.into_iter().filter(|it| is_new(it) && is_at_home(it)).map(Feed::new).collect();
        self.feeds.extend(new);
        self.places = Place::behind(&self.feeds);
        Ok(())
    }

    /// The transports in the order of their feeds: those taken up since the beginning come last.
    pub fn transports(&self) -> impl Iterator<Item = &Arc<dyn Drain>> {
        self.feeds.iter().map(|it| &it.transport)
    }

    fn feed(&mut self, index: usize) -> Result<&mut Feed> {
        self.feeds.get_mut(index).ok_or(Error::Internal { what: "a claim names a transport that is not consumed" })
    }

    /// Surveys all transports, and takes the messages that no worker holds first where that is due.
    async fn look(&mut self, wanted: &Wanted) -> Result<()> {
        let began = Instant::now();
        let rescues = self.sweep.begin(began);
        let claimable = Claimable { queues: self.queues.as_deref(), types: wanted.suspect_types.as_deref() };
        let looks = self.places.iter().map(|it| {
            let portion = Portion { limit: it.steps.limit(), skip: it.steps.skip() };
            let step = rescues.then_some(RescueStep { by: self.worker.id, portion });
            it.transport.survey(&it.names, claimable, step)
        });
        let span = debug_span!(target: WORKER, "survey", places = self.places.len(), rescues);
        let looks = try_join_all(looks).instrument(span).await?;
        let took = began.elapsed();
        // What a rescue adds says nothing about surveys.
        let survey_took = (!rescues).then_some(took);
        let mut left_some = false;
        for (place, look) in self.places.iter_mut().zip(looks) {
            if let Some(rescued) = look.rescued {
                left_some |= place.learn(&rescued);
                self.rescued.push(rescued);
            }
            for (&index, survey) in place.feeds.iter().zip(look.surveys) {
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

impl Place {
    /// The places behind the feeds that are on, with their places.
    fn behind(feeds: &[Feed]) -> Vec<Self> {
        let mut places: Vec<Self> = Vec::new();
        for (index, Feed { transport, .. }) in feeds.iter().enumerate().filter(|(_, feed)| !feed.is_off) {
            let name = transport.name().clone();
            match places.iter_mut().find(|it| it.transport.place() == transport.place()) {
                Some(place) => {
                    place.feeds.push(index);
                    place.names.push(name);
                }
                None => places.push(Self {
                    transport: transport.clone(),
                    feeds: vec![index],
                    names: vec![name],
                    steps: Steps::new(FIRST_STEP, LONGEST_STEP),
                }),
            }
        }
        places
    }

    /// Learns how a rescue went. Says whether it may have left some.
    fn learn(&mut self, rescued: &Result<Rescued>) -> bool {
        match rescued {
            Ok(rescued) => {
                tell_of_rescued(&*self.transport, rescued);
                self.steps.taken(rescued.count())
            }
            Err(_) => {
                self.steps.failed();
                false
            }
        }
    }
}

impl Feed {
    fn new(transport: Arc<dyn Drain>) -> Self {
        Self {
            transport,
            is_off: false,
            survey: Survey::default(),
            queues: Vec::new(),
            turns: Turns::new(fastrand::u64(..)),
            surveyed_at: None,
            survey_took: Duration::ZERO,
            owes_survey: false,
            suspect_pause: None,
            has_claimed: false,
        }
    }

    fn has_suspect(&self) -> bool {
        self.survey.suspects && self.suspect_pause.is_none_or(|until| Instant::now() >= until)
    }

    fn learn(&mut self, survey: Survey, took: Option<Duration>) {
        if !survey.queues.is_empty() || self.queues.len() > REMEMBERED {
            self.queues.clone_from(&survey.queues);
            self.turns.arrange(&mut self.queues);
        }
        self.survey_took = took.unwrap_or(self.survey_took);
        (self.survey, self.surveyed_at) = (survey, Some(Instant::now()));
        self.owes_survey = false;
    }

    /// From when on a look at the queues stays within its share of the time.
    fn next_survey(&self) -> Option<Instant> {
        let pause = if self.survey_took < SLOW { Duration::ZERO } else { self.survey_took * SHARE };
        self.surveyed_at.map(|at| at + pause)
    }

    /// Whether to look before a claim.
    fn wants_survey(&self, wanted: &Wanted) -> bool {
        let (Some(at), Some(next)) = (self.surveyed_at, self.next_survey()) else { return !self.is_off };
        let in_doubt = self.queues.is_empty() || wanted.woken || wanted.waiting || self.owes_survey;
        !self.is_off && Instant::now() >= next && (in_doubt || at.elapsed() >= SURVEY_HOLDS)
    }

    /// Whether to claim after a survey: if it found anything, or to say that this worker waits.
    fn is_worth_a_claim(&self, wanted: &Wanted) -> bool {
        !self.survey.queues.is_empty() || (wanted.listening && !wanted.waiting)
    }

    async fn claim(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
        limit: usize,
        reach: Reach,
    ) -> Result<Vec<Claimed>> {
        let named = queues.is_some();
        let queues = queues.unwrap_or(&self.queues).to_vec();
        self.has_claimed = true;
        let token = Uuid::now_v7();
        let (types, listening) = (wanted.types.as_deref(), wanted.listening);
        let claim = Claim { worker, token, queues: &queues, types, limit, reach, listening };
        let span = claiming(&*self.transport, limit, false);
        let messages = self.transport.claim(&claim).instrument(span.clone()).await?;
        span.record("claimed", messages.len());
        // Queues of one priority take turns at the front, so that a deep one cannot starve the others; those that were
        // asked for stay in the order of preference. A claim may be full with fewer messages than it asked for, and where
        // it was not, nobody has waited.
        if let Some(last) = messages.last().filter(|_| !named) {
            self.turns.pass(&mut self.queues, &last.queue);
        }
        Ok(messages)
    }

    async fn claim_suspect(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
    ) -> Result<Option<Claimed>> {
        self.has_claimed = true;
        let token = Uuid::now_v7();
        let (queues, types) = (queues.unwrap_or_default(), wanted.suspect_types.as_deref());
        let reach = Reach::Exhaustive;
        let claim = Claim { worker, token, queues, types, limit: 1, reach, listening: false };
        let span = claiming(&*self.transport, 1, true);
        let suspect = self.transport.claim_suspect(&claim).instrument(span.clone()).await?;
        span.record("claimed", usize::from(suspect.is_some()));
        self.surveyed_at = None;
        self.survey.suspects = false;
        self.suspect_pause = suspect.is_none().then(|| Instant::now() + SUSPECT_PAUSE);
        Ok(suspect)
    }
}

/// Covers a claim.
fn claiming(transport: &dyn Drain, limit: usize, suspect: bool) -> Span {
    debug_span!(target: WORKER, "claim", transport = &**transport.name(), limit, suspect, claimed = Empty)
}

/// Tells what a rescue found.
fn tell_of_rescued(place: &dyn Drain, rescued: &Rescued) {
    let Rescued { workers, returned, buried } = rescued;
    let (place, buried) = (place.place(), buried.len());
    if rescued.count() > 0 {
        info!(target: WORKER, place, workers, returned, buried, "put back what dead workers held");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::memory::MemoryTransport;
    use crate::message::envelope::{Available, Envelope};
    use crate::transport::Transport;

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
