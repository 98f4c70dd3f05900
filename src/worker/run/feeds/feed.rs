//! One transport of a consumer: what it holds, as far as is known, and whose turn it is there.

use super::turns::Turns;
use super::wanted::Wanted;
use crate::base::targets::WORKER;
use crate::error::Result;
use crate::message::claimed::Claimed;
use crate::transport::{Claim, Drain, Reach, Survey, WorkerId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};
use uuid::Uuid;

/// How long suspects are left alone after a claim that got none: another consumer has them.
pub(super) const SUSPECT_PAUSE: Duration = Duration::from_secs(1);

/// How long a survey is valid.
pub(super) const SURVEY_HOLDS: Duration = Duration::from_secs(1);
/// A survey that took longer is made less often, so that it costs one part in [`SHARE`] of the time: while some session
/// keeps an old snapshot it walks over all that was ever taken from a queue that is empty. The lesser of the last two
/// counts, and for no more than [`LONGEST`]: a database that stood still says nothing about the next survey.
const SLOW: Duration = Duration::from_millis(25);
const SHARE: u32 = 20;
const LONGEST: Duration = Duration::from_secs(10);
/// The most queues that are remembered as not empty.
const REMEMBERED: usize = 10;

/// What is asked of one transport.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) limit: usize,
    pub(super) reach: Reach,
    /// Whether the consumer is marked as waiting if nothing is found.
    pub(super) listening: bool,
}

/// One transport.
pub(super) struct Feed {
    transport: Arc<dyn Drain>,
    /// Switched off while the consumer runs. It keeps its place: messages in hand, and claims without an answer, name it.
    is_off: bool,
    survey: Survey,
    /// The queues that a claim reads: those of the last survey that found any. An idle queue is where the next message
    /// will be, and a worker that is woken for it need not ask.
    queues: Vec<String>,
    turns: Turns,
    surveyed_at: Option<Instant>,
    /// The last two.
    surveys_took: [Duration; 2],
    /// Whether a claim would have surveyed the queues, if the last survey had not taken so long.
    owes_survey: bool,
    suspect_pause: Option<Instant>,
    /// Whether anything was asked for, which registers the worker.
    has_claimed: bool,
}

impl Feed {
    pub(super) fn new(transport: Arc<dyn Drain>) -> Self {
        Self {
            transport,
            is_off: false,
            survey: Survey::default(),
            queues: Vec::new(),
            turns: Turns::new(fastrand::u64(..)),
            surveyed_at: None,
            surveys_took: [Duration::ZERO; 2],
            owes_survey: false,
            suspect_pause: None,
            has_claimed: false,
        }
    }

    pub(super) fn transport(&self) -> &Arc<dyn Drain> {
        &self.transport
    }

    pub(super) fn is_on(&self) -> bool {
        !self.is_off
    }

    /// Notes whether it is switched on.
    pub(super) fn switch(&mut self, on: bool) {
        if !on && !self.is_off {
            (self.survey, self.owes_survey) = (Survey::default(), false);
            self.queues.clear();
        }
        self.is_off = !on;
    }

    /// Whether nobody has looked yet.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_on() && self.surveyed_at.is_none()
    }

    /// Whether nothing waited when it was surveyed, due or not.
    pub(super) fn was_empty(&self) -> bool {
        self.survey.queues.is_empty()
    }

    /// Whether any queue is known where messages have been before.
    pub(super) fn knows_queues(&self) -> bool {
        !self.queues.is_empty()
    }

    /// It could not look everywhere.
    pub(super) fn owe_survey(&mut self) {
        self.owes_survey = self.is_on();
    }

    /// When to look again: if it could not look everywhere, or another consumer had its suspects.
    pub(super) fn owed_at(&self, now: Instant) -> Option<Instant> {
        let survey = self.next_survey().filter(|_| self.owes_survey);
        let suspect = self.suspect_pause.filter(|until| self.survey.suspects && *until > now);
        survey.into_iter().chain(suspect).min()
    }

    /// Whether anything was asked for, which registers the worker.
    pub(super) fn has_claimed(&self) -> bool {
        self.has_claimed
    }

    /// Whether a suspect waits that may be claimed.
    pub(super) fn has_suspect(&self) -> bool {
        self.survey.suspects && self.suspect_pause.is_none_or(|until| Instant::now() >= until)
    }

    /// Learns what a survey has found; `took` says how long it took, if that says anything.
    pub(super) fn learn(&mut self, survey: Survey, took: Option<Duration>) {
        if !survey.queues.is_empty() || self.queues.len() > REMEMBERED {
            self.queues.clone_from(&survey.queues);
            self.turns.arrange(&mut self.queues);
        }
        if let Some(took) = took {
            self.surveys_took = [took, self.surveys_took[0]];
        }
        (self.survey, self.surveyed_at) = (survey, Some(Instant::now()));
        self.owes_survey = false;
    }

    /// From when on a look at the queues stays within its share of the time.
    fn next_survey(&self) -> Option<Instant> {
        let took = self.surveys_took[0].min(self.surveys_took[1]);
        let pause = if took < SLOW { Duration::ZERO } else { (took * SHARE).min(LONGEST) };
        self.surveyed_at.map(|at| at + pause)
    }

    /// Whether to look before a claim.
    pub(super) fn wants_survey(&self, wanted: &Wanted) -> bool {
        let (Some(at), Some(next)) = (self.surveyed_at, self.next_survey()) else { return !self.is_off };
        let in_doubt = self.queues.is_empty() || wanted.woken || wanted.waiting || self.owes_survey;
        !self.is_off && Instant::now() >= next && (in_doubt || at.elapsed() >= SURVEY_HOLDS)
    }

    /// Whether to claim after a survey: if it found anything, or to say that this worker waits.
    pub(super) fn is_worth_a_claim(&self, to_say_so: bool) -> bool {
        !self.survey.queues.is_empty() || to_say_so
    }

    /// Claims messages from its queues, or those that are named.
    pub(super) async fn claim(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
        Asked { limit, reach, listening }: Asked,
    ) -> Result<Vec<Claimed>> {
        let named = queues.is_some();
        let queues = queues.unwrap_or(&self.queues).to_vec();
        self.has_claimed = true;
        let token = Uuid::now_v7();
        let types = wanted.types.as_deref();
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

    /// Claims one suspect.
    pub(super) async fn claim_suspect(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::memory::MemoryTransport;

    fn surveyed(took: &[Duration]) -> Feed {
        let mut feed = Feed::new(Arc::new(MemoryTransport::new("main".into())));
        took.iter().for_each(|it| feed.learn(Survey::default(), Some(*it)));
        feed
    }

    #[test]
    fn surveys_that_take_long_are_made_less_often_for_seconds_at_most() {
        let slow = Duration::from_secs(60);
        assert!(surveyed(&[slow]).wants_survey(&Wanted::WOKEN), "it may just have stood still");
        let feed = surveyed(&[slow, slow]);
        assert!(!feed.wants_survey(&Wanted::WOKEN));
        assert!(feed.next_survey().is_some_and(|at| at <= Instant::now() + LONGEST));
        assert!(surveyed(&[slow, slow, Duration::ZERO]).wants_survey(&Wanted::WOKEN));
    }
}
