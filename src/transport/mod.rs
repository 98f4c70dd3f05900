//! Where messages wait. [`Transport`] is the seam: the dispatcher sends through it, the worker claims and settles
//! through it, and neither knows which one it has.
//!
//! ```text
//!            send                    claim                     settle
//! (caller) --------> [ pending ] ------------> [ processing ] --------> [ finished ]
//!                        ^                        |   |   `-----------> [ dead letters ]
//!                        |  retry, snooze,        |   |
//!                        |  release, rescue       |   `- the lease ran out
//!                        `------------------------'
//! ```
//!
//! A transport never decides what an outcome means: whether a failure is retried, and when, comes in with the
//! [`Settlement`].

use crate::config::CircuitConfig;
use crate::counts::rollup::Rollup;
use crate::counts::totals::TotalRow;
use crate::counts::window::{Counted, Window};
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::message::outcome::{Failure, Outcome, Road};
use crate::store::dead_letters::{Cursor, FailedFilter, FailedMessage, FailedPage, Redriven};
use crate::store::executions::{Begun, Execution};
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What a transport can do. Asking for more is an [`Error::NotCapable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Messages wait in it until they are claimed; without this, `send` handles them.
    pub stores: bool,
    /// It keeps dead letters that can be listed and redriven.
    pub dead_letters: bool,
}

/// What a worker knows of its claims. It makes their tokens itself, in order, so whatever is held under another one
/// that is older than `before` is unknown to it: the answer to a claim was lost, or a settlement has been undone.
#[derive(Debug, Clone)]
pub struct Known {
    /// The tokens of all that it holds or has not settled yet.
    pub tokens: Vec<Uuid>,
    /// Older than the token of any claim that may be under way.
    pub before: Uuid,
}

/// What happened to one envelope that was sent.
#[derive(Debug)]
pub enum Sent {
    /// Stored; to be handled from this instant on, by the transport's clock.
    Queued {
        /// When it can be claimed at the earliest.
        available_at: DateTime<Utc>,
    },
    /// Refused: within the window, its key belongs to another message.
    Duplicate {
        /// The message that holds the key.
        of: Uuid,
    },
    /// Handled immediately (transport `sync`).
    Handled,
    /// Only this one failed.
    Failed(Error),
}

/// The claimant: one worker, or one invocation of `consumeBatch()`.
#[derive(Debug, Clone)]
pub struct WorkerId {
    /// Unique to the worker or invocation.
    pub id: Uuid,
    /// The machine's name, for people.
    pub host: String,
    /// The process id, for people.
    pub pid: i32,
    /// How long its claims are valid without a heartbeat.
    pub lease: Duration,
}

/// What a claim asks for.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The claimant.
    pub worker: &'a WorkerId,
    /// The fence: unique to this claim.
    pub token: Uuid,
    /// The queues to read, in order of preference within one priority.
    pub queues: &'a [String],
    /// The types that have a handler; `None`: all.
    pub types: Option<&'a [String]>,
    /// How many messages at most.
    pub limit: usize,
    /// How far it searches places that earlier claims have read.
    pub reach: Reach,
    /// Whether the worker is woken by [`Transport::listen`], and wants to be once it finds nothing.
    pub listening: bool,
}

/// How far a claim searches for messages that have arrived before those that earlier claims have found: put back to
/// their old place, committed late, dated back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As far as is due: everything within a second or so, a part with each claim.
    Quick,
    /// Everything, unless that takes long: for a worker that is about to sleep.
    Thorough,
    /// Everything, whatever it takes: finding nothing means that there is nothing.
    Exhaustive,
}

/// A claimed message, with everything a handler may want to know.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The message.
    pub id: Uuid,
    /// The fence: named when it is settled.
    pub token: Uuid,
    /// Selects the handlers.
    pub message_type: String,
    /// The queue it waited in.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// The payload, JSON text.
    pub body: String,
    /// The caller's headers, JSON text.
    pub headers: String,
    /// The metadata, JSON text.
    pub metadata: String,
    /// When it was dispatched.
    pub created_at: DateTime<Utc>,
    /// When it could be claimed at the earliest.
    pub available_at: DateTime<Utc>,
    /// The time the caller asked for, if any.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Failed runs before this one.
    pub retry_count: u32,
    /// Retries allowed; `None`: as its type is configured.
    pub max_retries: Option<u32>,
    /// How often a process died while it held it, since its last run that ended. More than 0: it is a suspect.
    pub crash_count: i16,
    /// The caller's idempotency key, if any.
    pub idempotency_key: Option<String>,
    /// Handlers that succeeded in an earlier run.
    pub handled: Vec<String>,
    /// When it was claimed, by the transport's clock.
    pub claimed_at: DateTime<Utc>,
    /// Why it cannot be handled: a part of it cannot be read, and has no value here. It is held anyway.
    pub unreadable: Option<String>,
}

impl Claimed {
    /// The size of its texts.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.headers.len() + self.metadata.len()
    }
}

/// A message, and the token of the claim that it was received with.
pub type Fence = (Uuid, Uuid);

/// An outcome with the fence of its claim.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The message.
    pub id: Uuid,
    /// The token of the claim that it was received with.
    pub token: Uuid,
    /// What happened to it.
    pub outcome: Outcome,
}

/// The road of all of these; if there are none, only counts are written.
///
/// # Errors
/// [`Error::Serialization`] if they take several: they cannot be one change.
pub(crate) fn one_road<'a>(settlements: impl IntoIterator<Item = &'a Settlement>) -> Result<Road> {
    let mut roads = settlements.into_iter().map(|it| it.outcome.road());
    let road = roads.next().unwrap_or(Road::Ended);
    if roads.all(|it| it == road) {
        return Ok(road);
    }
    let reason = "outcomes settled together must all end, all return, or all be buried".to_owned();
    Err(Error::Serialization { what: "outcomes", reason })
}

impl Settlement {
    /// Its fence.
    pub fn fence(&self) -> Fence {
        (self.id, self.token)
    }
}

/// What is in a transport right now, as far as a consumer needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The queues that are not empty, due or not.
    pub queues: Vec<String>,
    /// Whether a suspect is due that the consumer would claim.
    pub suspects: bool,
}

/// What a consumer sees of a store in one survey.
#[derive(Debug)]
pub struct Look {
    /// What its transports hold, in the order of the question.
    pub surveys: Vec<Survey>,
    /// The result of the preceding rescue, if one was requested. A claim goes on if it fails.
    pub rescued: Option<Result<Rescued>>,
}

/// One step of a rescue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescueStep {
    /// The asking worker. It is alive, whatever its row says, so it is not declared dead.
    pub by: Uuid,
    /// Of how many messages.
    pub portion: Portion,
}

/// How many messages a statement puts back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// At most so many; what is left is for the next one.
    pub limit: usize,
    /// How many are passed over first: earlier statements have found that they cannot be put back.
    pub skip: usize,
}

impl Portion {
    /// Enough for what a few workers hold.
    pub const WIDE: Self = Self { limit: 10_000, skip: 0 };
}

impl RescueStep {
    /// Wide, and asked by no worker.
    pub const WIDE: Self = Self { by: Uuid::nil(), portion: Portion::WIDE };
}

/// Which suspects a consumer would claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimable<'a> {
    /// The queues that it reads; `None`: all.
    pub queues: Option<&'a [String]>,
    /// The types that it handles; `None`: all.
    pub types: Option<&'a [String]>,
}

/// What a rescue did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Workers declared dead.
    pub workers: u64,
    /// Messages put back.
    pub returned: u64,
    /// Messages buried as `WorkerCrash`.
    pub buried: Vec<Buried>,
}

impl Rescued {
    /// How many messages no longer are where they were held.
    pub fn count(&self) -> usize {
        usize::try_from(self.returned).unwrap_or(usize::MAX).saturating_add(self.buried.len())
    }
}

/// A message that was buried because its process died too often while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buried {
    /// The message.
    pub id: Uuid,
    /// Its type.
    pub r#type: String,
    /// Its transport, which may be one of the store that is not consumed here.
    pub transport: String,
    /// Its queue.
    pub queue: String,
    /// Its failed runs; crashes are not among them.
    pub retry_count: u32,
    /// How often its process died.
    pub crashes: i16,
    /// The error of its dead letter.
    pub error: Failure,
}

/// How much is in one queue. Counts stop at [`DEPTH_CAP`].
#[derive(Debug, Clone, PartialEq)]
pub struct Depth {
    /// The queue.
    pub queue: String,
    /// Due now.
    pub pending: u64,
    /// Waiting for their time.
    pub delayed: u64,
    /// Claimed and not settled.
    pub processing: u64,
    /// How long the oldest due message has waited, in milliseconds.
    pub oldest_age_ms: Option<f64>,
}

/// How far messages are counted for people, per priority.
pub const DEPTH_CAP: i64 = 10_000;

/// Waiting messages without a handler here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhandled {
    /// Their type.
    pub message_type: String,
    /// Their queue.
    pub queue: String,
    /// How many, among the first [`DEPTH_CAP`] due messages.
    pub count: u64,
}

/// What a clean-up deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Finished messages past their retention.
    pub completed: u64,
    /// Dead letters past their retention.
    pub failed: u64,
    /// Idempotency keys past their window.
    pub deduplication: u64,
    /// Finished schedules, past the retention of completed messages.
    pub schedules: u64,
    /// Rows of metrics past their retention.
    pub metrics: u64,
    /// Executions that are not repeated any more.
    pub executions: u64,
}

/// What a health check of a store needs in addition to depth and counts. Counts stop at [`DEPTH_CAP`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vitals {
    /// Dead letters.
    pub dead_letters: u64,
    /// Dead letters of the last hour.
    pub recent_dead_letters: u64,
    /// Workers and invocations at work.
    pub workers: u64,
    /// Workers that have been overdue for a minute without a rescue.
    pub stale_workers: u64,
    /// Claimed messages whose worker is not registered: they come back with the next rescue.
    pub held_by_nobody: u64,
    /// Messages of living workers that do not know of them.
    pub unknown_to_workers: u64,
    /// Schedules that have been due for five minutes or more: nothing runs what is due.
    pub overdue_schedules: u64,
    /// Circuit breakers that are not closed.
    pub circuits: Vec<Circuit>,
}

/// A circuit breaker as people see it. Instants in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Circuit {
    /// The type.
    pub message_type: String,
    /// `closed`, `open` or `halfOpen`.
    pub state: String,
    /// Runs in the window.
    pub runs: u64,
    /// Those of them whose failure another run may fix.
    pub failures: u64,
    /// The class of the last error before it opened.
    pub reason: Option<String>,
    /// When it opened.
    pub opened_at: Option<f64>,
    /// When one message may be tried.
    pub probe_at: Option<f64>,
}

/// How runs of a type with a circuit breaker ended since the last report, and the settings of the breaker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CircuitReport {
    /// The type.
    pub message_type: String,
    /// Runs that count for the breaker.
    pub runs: u32,
    /// Those of them whose failure another run may fix.
    pub failures: u32,
    /// The class of the last error.
    pub reason: Option<String>,
    /// The result of the granted try.
    pub probed: Option<Probed>,
    /// Whether a try is requested, if the pause is over.
    pub wants_probe: bool,
    failure_rate: f64,
    minimum_volume: u32,
    window_ms: f64,
    cool_down_ms: f64,
}

impl CircuitReport {
    /// An empty report.
    pub fn new(message_type: &str, settings: &CircuitConfig) -> Self {
        Self {
            message_type: message_type.to_owned(),
            runs: 0,
            failures: 0,
            reason: None,
            probed: None,
            wants_probe: false,
            failure_rate: settings.failure_rate,
            minimum_volume: settings.minimum_volume,
            window_ms: settings.window.as_secs_f64() * 1000.0,
            cool_down_ms: settings.cool_down.as_secs_f64() * 1000.0,
        }
    }
}

/// How a try of one message of a paused type ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Probed {
    /// It was handled.
    Succeeded,
    /// Its failure is one that another run may fix.
    Failed,
    /// No result: nothing was there, or it said nothing about the other side.
    Released,
}

/// A circuit breaker as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitState {
    /// The type.
    pub message_type: String,
    /// `closed`, `open` or `halfOpen`.
    pub state: String,
    /// Runs in the window.
    pub runs: u64,
    /// Failures among them.
    pub failures: u64,
    /// The class of the last error.
    pub reason: Option<String>,
    /// Whether this consumer may try one message.
    pub mine: bool,
    /// Whether this report opened it.
    pub opened: bool,
    /// Milliseconds until a message may be tried.
    #[serde(default, deserialize_with = "or_zero")]
    pub wait: f64,
}

fn or_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or_default())
}

/// Asks whether a notification about an error may be sent. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admission {
    /// What it is about.
    pub key: String,
    /// How often it happened since the last question.
    pub occurrences: i32,
    /// The number of occurrences that causes a notification.
    pub threshold: i32,
    /// Within which time.
    pub window: f64,
    /// The pause before the next notification.
    pub throttle: f64,
}

/// The answer to an [`Admission`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Admitted {
    /// Whether the caller should notify.
    pub admitted: bool,
    /// How often it happened in the window, everywhere.
    pub occurrences: i32,
    /// How many since the last notification were not reported.
    pub suppressed: i32,
}

/// A subscription to what is sent; it ends when it is dropped.
pub trait Listening: Send + Sync {
    /// Whether notifications arrive right now.
    fn is_connected(&self) -> bool;
}

/// A place where messages wait.
///
/// Every implementation passes the same suite, `tests/conformance/`.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &Arc<str>;

    /// Where it keeps its messages. Transports of the same store accept each other's envelopes in one `send`, and
    /// share their dead letters.
    fn store(&self) -> String;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Stores a batch, as far as storing goes all or nothing; returns an answer for each envelope, in order.
    ///
    /// A key appears at most once in a batch (see [`crate::policy::idempotency`]).
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>>;

    /// Calls `wake` whenever something is sent; `None` if the transport cannot tell.
    fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Option<Box<dyn Listening>> {
        drop(wake);
        None
    }

    /// What is in these transports of its store, in their order; of suspects, whether one is due that is `claimable`. With
    /// `rescue`, that of [`Transport::rescue_step`] comes first, and what it puts back is included. Fails if the store
    /// lacks what outcomes are written to, so that nothing is claimed whose outcome would be lost: a consumer surveys
    /// before its first claim.
    async fn survey(&self, names: &[Arc<str>], claimable: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look>;

    /// Claims due messages, highest priority first, oldest first within one, without suspects.
    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>>;

    /// Claims one suspect, to be handled alone: of those that crashed least, one of the highest priority, the oldest of
    /// them. `queues` empty: any queue.
    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>>;

    /// Applies outcomes whose fence still holds, without counting them; returns the messages whose lease was lost,
    /// which were left alone.
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Uuid>> {
        let mut lost: HashSet<Fence> = HashSet::new();
        for road in [Road::Ended, Road::Returned, Road::Buried] {
            let mut rest: Vec<_> = settlements.iter().filter(|it| it.outcome.road() == road).cloned().collect();
            while !rest.is_empty() {
                let refused = self.settle_counted(&rest, &[]).await?;
                if refused.is_empty() {
                    break;
                }
                rest.retain(|it| !refused.contains(&it.fence()));
                lost.extend(refused);
            }
        }
        Ok(settlements.iter().filter(|it| lost.contains(&it.fence())).map(|it| it.id).collect())
    }

    /// Applies outcomes of one [`Road`] and writes how many messages ended how, as one change: all of it, or nothing.
    /// Returns the claims that are not valid any more; if there are any, nothing was done. A rollup replaces the one of
    /// the same source, minute and type.
    async fn settle_counted(&self, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>>;

    /// Whether the counts are exactly these. A settlement whose answer was lost was done if its rollups are stored, as
    /// long as their source has written nothing since; after an hour nobody can tell.
    async fn has_counted(&self, rollups: &[Rollup]) -> Result<bool>;

    /// What was counted in its store, over all its transports.
    async fn counted(&self, window: &Window) -> Result<Counted> {
        let _ = window;
        Ok(Counted::default())
    }

    /// What its store has ever counted, over all its transports. No figure ever falls.
    async fn ever_counted(&self) -> Result<Vec<TotalRow>> {
        Ok(Vec::new())
    }

    /// Reports how runs of types with circuit breakers ended, and returns the circuits that are not closed; `None` if
    /// it keeps none.
    async fn circuits(&self, worker: Uuid, reports: &[CircuitReport]) -> Result<Option<Vec<CircuitState>>> {
        let _ = (worker, reports);
        Ok(None)
    }

    /// Whether a notification about an error may be sent; `None` if it cannot say.
    async fn admit(&self, asked: &Admission) -> Result<Option<Admitted>> {
        let _ = asked;
        Ok(None)
    }

    /// What a health check of its store needs in addition to depth and counts.
    async fn vitals(&self) -> Result<Vitals> {
        Ok(Vitals::default())
    }

    /// Puts back, without using up an attempt, what is held under this worker and is unknown to it; answers how many that
    /// were. All of the portion or nothing; where there is more, ask again.
    async fn reconcile(&self, worker: &WorkerId, known: &Known, portion: Portion) -> Result<usize>;

    /// One heartbeat for all that the worker holds. Returns since when it is registered; `None`: it is not, so it was
    /// declared dead. Another instant than before: it was, and a claim has registered it again.
    async fn extend(&self, worker: &WorkerId, in_flight: usize) -> Result<Option<DateTime<Utc>>>;

    /// Which of these messages are no longer held under these tokens.
    async fn lost(&self, held: &[(Uuid, Uuid)]) -> Result<Vec<Uuid>>;

    /// A worker that was declared dead, but is alive, takes back the crashes that were counted for it; returns on how
    /// many messages.
    async fn absolve(&self, worker: Uuid) -> Result<u64> {
        let _ = worker;
        Ok(0)
    }

    /// Takes messages that no worker holds: those of workers whose lease has run out, and those whose worker is not
    /// registered. Cheap when there are none, and safe to call from everywhere.
    async fn rescue_step(&self, step: RescueStep) -> Result<Rescued>;

    /// The worker signs off. It must be sure that it holds nothing and that no claim of its own is on its way;
    /// otherwise it lets its lease run out.
    async fn sign_off(&self, worker: &WorkerId) -> Result<()>;

    /// How much is in each queue.
    async fn depth(&self) -> Result<Vec<Depth>>;

    /// Due messages of other types than these.
    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>>;

    /// Dispatches refused for a key inside its window.
    async fn duplicate_attempts(&self, key: &str) -> Result<u64>;

    /// Dead letters, newest first.
    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage>;

    /// The places of the dead letters of a page, newest first: what is needed to put them back or delete them.
    async fn failed_places(&self, filter: &FailedFilter) -> Result<Vec<Cursor>> {
        Ok(self.list_failed(filter).await?.messages.into_iter().map(|it| it.cursor).collect())
    }

    /// How many dead letters match, among the newest [`DEPTH_CAP`], and whether there are more than these. Page size
    /// and cursor do not count.
    async fn count_failed(&self, _: &FailedFilter) -> Result<(u64, bool)> {
        not_capable(self.name(), "keep dead letters")
    }

    /// Puts dead letters back as new messages, with their lineage in the headers; missing ones are skipped.
    async fn redrive(&self, failed: &[Uuid]) -> Result<Vec<Redriven>>;

    /// Deletes dead letters; returns how many there were.
    async fn remove_failed(&self, failed: &[Uuid]) -> Result<u64>;

    /// One dead letter.
    async fn get_failed(&self, id: Uuid) -> Result<Option<FailedMessage>> {
        let page = self.list_failed(&FailedFilter { ids: Some(vec![id]), limit: 1, ..FailedFilter::default() }).await?;
        Ok(page.messages.into_iter().next())
    }

    /// Messages other than dead letters, newest first.
    async fn list_messages(&self, _: &MessageFilter) -> Result<MessagePage> {
        not_capable(self.name(), "keep messages")
    }

    /// One message, or the dead letter that it has become.
    async fn get_message(&self, _: Uuid) -> Result<Option<KeptMessage>> {
        not_capable(self.name(), "keep messages")
    }

    /// Cancels a message before it has run; returns whether it did, and the state of the message afterwards.
    async fn cancel(&self, _: Uuid) -> Result<Option<(bool, MessageStatus)>> {
        not_capable(self.name(), "keep messages")
    }

    /// How much is finished and buried, of one transport of the store or of all.
    async fn totals(&self, _: Option<&str>) -> Result<Totals> {
        not_capable(self.name(), "keep messages")
    }

    /// Starts an execution, unless it has ended or is already running.
    async fn begin_execution(&self, _: &Execution) -> Result<Begun> {
        not_capable(self.name(), "note executions")
    }

    /// The run with this token has ended, or has failed and may be tried again. Whether it still counted: one whose
    /// lease ran out may have been replaced by another, which reports its own end.
    async fn end_execution(&self, _: &Execution, _token: i64, _done: bool) -> Result<bool> {
        not_capable(self.name(), "note executions")
    }

    /// Deletes what its retention no longer covers, at most `limit` rows of each kind.
    async fn cleanup(&self, limit: u32) -> Result<Cleaned>;
}

/// The refusal of a transport that cannot do something.
pub(crate) fn not_capable<T>(name: &str, what: &'static str) -> Result<T> {
    Err(Error::NotCapable { name: name.to_owned(), what })
}
