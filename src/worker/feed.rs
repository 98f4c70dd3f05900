//! Where a consumer's messages come from: its transports in order, what they hold, and what they owe.

use crate::error::{Error, Result};
use crate::transport::{Claim, Claimed, Survey, Transport, WorkerId};
use futures_util::future::{try_join, try_join_all};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a suspect that could not be claimed is left alone: it is of a type that nobody here handles.
const SUSPECT_PAUSE: Duration = Duration::from_secs(5);

/// Between two rescues by one consumer: a sixth of the lease, within these bounds.
const SOONEST_RESCUE: Duration = Duration::from_millis(200);
const LATEST_RESCUE: Duration = Duration::from_secs(5);
/// How long a survey is good for while claims find something.
const SURVEY_HOLDS: Duration = Duration::from_secs(1);

/// Messages claimed from one transport.
pub struct Caught {
    /// Its place among the feeds.
    pub feed: usize,
    /// In the order in which they are to be started.
    pub messages: Vec<Claimed>,
}

/// What a claim asks for.
pub struct Wanted {
    /// Types with a handler; `None`: all.
    pub types: Option<Arc<[String]>>,
    /// At most so many.
    pub limit: usize,
    /// Whether finding nothing must mean that there is nothing.
    pub exhaustive: bool,
    /// One suspect, and nothing else.
    pub suspect: bool,
    /// Whether the consumer wants to be woken when it finds nothing.
    pub listening: bool,
    /// Whether it was: then a message waits, most likely in a queue that is known.
    pub woken: bool,
}

/// All transports of a consumer.
pub struct Feeds {
    feeds: Vec<Feed>,
    worker: WorkerId,
    /// The only queues to read; `None`: all that hold anything.
    queues: Option<Vec<String>>,
    next_rescue: Instant,
    /// The feed that filled the last claim on its own or with those before it: those behind it are not looked at
    /// before their turn comes. A survey before every claim would cost a deep drain one round trip of three.
    filled_by: Option<usize>,
}

struct Feed {
    transport: Arc<dyn Transport>,
    survey: Survey,
    surveyed_at: Option<Instant>,
    /// Whether the survey was made within this claim.
    fresh: bool,
    suspect_pause: Option<Instant>,
    /// Claims whose answer never came.
    unanswered: Vec<Uuid>,
}

impl Feeds {
    /// The feeds of a consumer.
    pub fn new(transports: Vec<Arc<dyn Transport>>, worker: WorkerId, queues: Option<Vec<String>>) -> Self {
        let feed = |transport| Feed {
            transport,
            survey: Survey::default(),
            surveyed_at: None,
            fresh: false,
            suspect_pause: None,
            unanswered: Vec::new(),
        };
        Self {
            feeds: transports.into_iter().map(feed).collect(),
            worker,
            queues,
            next_rescue: Instant::now(),
            filled_by: None,
        }
    }

    /// Whether a suspect waits that must be handled alone.
    pub fn suspects(&self) -> bool {
        self.feeds.iter().any(Feed::has_suspect)
    }

    /// Claims from the first transport, and what is missing then from the next. What was claimed before something
    /// went wrong is answered along with the error.
    pub async fn claim(mut self, wanted: Wanted) -> (Self, Vec<Caught>, Option<Error>) {
        let mut caught = Vec::new();
        let outcome = self.claim_into(&wanted, &mut caught).await;
        if matches!(outcome, Err(Error::Connection { .. })) {
            // While the database was away no worker could beat: those that live get a lease's time to do it.
            self.next_rescue = Instant::now() + self.worker.lease;
        }
        (self, caught, outcome.err())
    }

    async fn claim_into(&mut self, wanted: &Wanted, caught: &mut Vec<Caught>) -> Result<()> {
        let at_once = self.filled_by.take().map_or(self.feeds.len(), |last| last + 1);
        let rescue = rescue(self.stores_to_rescue());
        let first = self.feeds.iter_mut().take(at_once);
        let prepared = try_join_all(first.map(|feed| feed.prepare(&self.worker, wanted.woken)));
        let (rescued, _) = try_join(rescue, prepared).await?;
        let mut missing = wanted.limit;
        for (index, feed) in self.feeds.iter_mut().enumerate() {
            if index >= at_once {
                feed.prepare(&self.worker, wanted.woken).await?;
            }
            feed.expect_suspects(rescued);
            let queues = self.queues.as_deref();
            let messages = if wanted.suspect {
                feed.claim_suspect(&self.worker, queues, wanted).await?
            } else {
                feed.claim(&self.worker, queues, wanted, missing).await?
            };
            missing -= messages.len();
            if !messages.is_empty() {
                caught.push(Caught { feed: index, messages });
            }
            if missing == 0 {
                self.filled_by = Some(index);
            }
            if missing == 0 || ((wanted.suspect || wanted.woken) && !caught.is_empty()) {
                break;
            }
        }
        Ok(())
    }

    /// Any claim may take the messages of dead workers; now and then is enough.
    fn stores_to_rescue(&mut self) -> Vec<Arc<dyn Transport>> {
        if Instant::now() < self.next_rescue {
            return Vec::new();
        }
        self.next_rescue = Instant::now() + (self.worker.lease / 6).clamp(SOONEST_RESCUE, LATEST_RESCUE);
        let mut seen = HashSet::new();
        let transports = self.feeds.iter().map(|it| &it.transport);
        transports.filter(|it| seen.insert(it.store())).cloned().collect()
    }
}

/// Rescues in each store; whether messages came back.
async fn rescue(stores: Vec<Arc<dyn Transport>>) -> Result<bool> {
    let rescued = try_join_all(stores.iter().map(|store| store.rescue())).await?;
    Ok(rescued.iter().any(|it| it.returned > 0))
}

impl Feed {
    fn has_suspect(&self) -> bool {
        self.survey.suspects && self.suspect_pause.is_none_or(|until| Instant::now() >= until)
    }

    /// What was rescued is suspect, and the survey was made before.
    fn expect_suspects(&mut self, rescued: bool) {
        self.survey.suspects |= rescued;
    }

    async fn prepare(&mut self, worker: &WorkerId, woken: bool) -> Result<()> {
        while let Some(&token) = self.unanswered.last() {
            self.transport.forget(worker, token).await?;
            self.unanswered.pop();
        }
        self.fresh = false;
        let skip = woken && !self.survey.queues.is_empty();
        if self.survey_is_old() && !skip { self.look().await } else { Ok(()) }
    }

    /// An empty one does not hold: it leads a claim nowhere, and a message may have come since.
    fn survey_is_old(&self) -> bool {
        self.survey.queues.is_empty() || self.surveyed_at.is_none_or(|at| at.elapsed() >= SURVEY_HOLDS)
    }

    async fn look(&mut self) -> Result<()> {
        self.survey = self.transport.survey().await?;
        self.surveyed_at = Some(Instant::now());
        self.fresh = true;
        Ok(())
    }

    /// Claims; where nothing is found and that is doubtful, looks which queues there are and claims again.
    async fn claim(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
        limit: usize,
    ) -> Result<Vec<Claimed>> {
        let messages = self.claim_known(worker, queues, wanted, limit).await?;
        let doubtful = wanted.exhaustive || wanted.woken || self.survey_is_old();
        if !messages.is_empty() || self.fresh || !doubtful {
            return Ok(messages);
        }
        self.look().await?;
        self.claim_known(worker, queues, wanted, limit).await
    }

    async fn claim_known(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
        limit: usize,
    ) -> Result<Vec<Claimed>> {
        if self.survey.queues.is_empty() && !wanted.listening {
            return Ok(Vec::new());
        }
        let queues = queues.unwrap_or(&self.survey.queues).to_vec();
        let token = Uuid::now_v7();
        let (types, listening) = (wanted.types.as_deref(), wanted.listening);
        let exhaustive = wanted.exhaustive;
        let claim = Claim { worker, token, queues: &queues, types, limit, exhaustive, listening };
        let messages = self.answered(token, self.transport.claim(&claim).await)?;
        if messages.len() == limit && self.survey.queues.len() > 1 {
            // Queues of one priority take turns at the front, so that a deep one can not starve the others.
            self.survey.queues.rotate_left(1);
        }
        Ok(messages)
    }

    async fn claim_suspect(
        &mut self,
        worker: &WorkerId,
        queues: Option<&[String]>,
        wanted: &Wanted,
    ) -> Result<Vec<Claimed>> {
        if !self.has_suspect() {
            return Ok(Vec::new());
        }
        let token = Uuid::now_v7();
        let queues = queues.unwrap_or_default();
        let claim = Claim {
            worker,
            token,
            queues,
            types: wanted.types.as_deref(),
            limit: 1,
            exhaustive: true,
            listening: false,
        };
        let suspect = self.answered(token, self.transport.claim_suspect(&claim).await)?;
        self.surveyed_at = None;
        self.suspect_pause = suspect.is_none().then(|| Instant::now() + SUSPECT_PAUSE);
        Ok(suspect.into_iter().collect())
    }

    /// Remembers a claim that may have taken messages without saying so.
    fn answered<T>(&mut self, token: Uuid, answer: Result<T>) -> Result<T> {
        if matches!(answer, Err(Error::Connection { .. } | Error::Timeout { .. })) {
            self.unanswered.push(token);
        }
        answer
    }
}
