//! Operations on many messages over all stores: looked at first, then done in steps, each bounded in rows and time.
//!
//! How far an operation has come stands in the store that it works on, in the row of the audit that says who began it.
//! So anybody may make the next step, in any process: a browser, a function that ends after a second, a command that was
//! interrupted. What a step does and what it writes down are one statement, whose fence is the number of steps before it.
//! One whose answer was lost is not done twice, and its counts are not lost either.

use super::messages::renamed;
use super::{dead_letters, messages};
use crate::base::limits::DEPTH_CAP;
use crate::engine::Engine;
use crate::error::{Error, QueryProblem, Result};
use crate::search::{self, List};
use crate::store::Store;
use crate::store::controls::Because;
use crate::store::dead_letters::{FailedFilter, FailedPlaces};
use crate::store::messages::MessageFilter;
use crate::store::operations::{Action, AuditFilter, AuditPage, Begin, Entry, Selection, Target, Touched, Turn};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many messages a step takes at most, and unless the caller says otherwise.
pub const MAX_STEP: u32 = 1_000;
/// How long a step goes on to take more; what it has begun is done within a statement's time.
const STEP_TIME: Duration = Duration::from_secs(1);
/// How many messages one statement takes, at first: large ones take their time.
const FIRST_PORTION: usize = 100;
/// A portion that took no longer lets the next one be twice as large.
const QUICK: Duration = Duration::from_millis(100);
/// How many samples a preview has.
const SAMPLES: usize = 5;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// What is to be done.
    pub operation: Action,
    /// To which: the filter of dead letters, or that of messages.
    pub filter: Option<Box<RawValue>>,
    /// Or to these.
    pub ids: Option<Vec<Uuid>>,
    /// Nothing that came later; `None`: than now.
    #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
    pub before: Option<DateTime<Utc>>,
    /// Its id, which begins once; `None`: a new one.
    pub id: Option<Uuid>,
    /// How many match, as a preview has counted them.
    pub matched: Option<u64>,
    /// Who, and why.
    #[serde(default)]
    pub because: Because,
}

impl Asked {
    /// One to all that there is.
    pub fn all(operation: Action) -> Self {
        let because = Because::default();
        Self { operation, filter: None, ids: None, before: None, id: None, matched: None, because }
    }
}

/// What an operation would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// How many match, as far as they were counted.
    pub matched: u64,
    /// Whether counting stopped at its bound.
    pub capped: bool,
    /// Some of them, newest first.
    pub samples: Vec<Sample>,
    /// Until when messages may have come to be among them.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub before: DateTime<Utc>,
}

/// One of the messages that match, without its payload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// The message, or the dead letter.
    pub id: Uuid,
    /// Its type.
    pub r#type: String,
    /// Its transport.
    pub transport: String,
    /// Its queue.
    pub queue: String,
    /// 1 to 10.
    pub priority: u8,
    /// When it was dispatched, or failed.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub at: Option<DateTime<Utc>>,
    /// What its last run said.
    pub error: Option<String>,
}

/// What a step has done.
#[derive(Debug)]
pub struct Stepped {
    /// How far the operation has come.
    pub entry: Entry,
    /// What was acted on by this step.
    pub touched: Vec<Touched>,
}

/// Counts what an operation would be about, and shows some of it. Nothing is done.
///
/// # Errors
/// What is wrong with the selection; those of the stores.
pub async fn preview(engine: &Arc<Engine>, asked: &Asked) -> Result<Preview> {
    let before = match asked.before {
        Some(before) => before,
        None => now(&engine.stores().await?).await?,
    };
    let target = target(engine, asked, before).await?;
    let Selection { letters, messages: waiting, ids } = &target.selection;
    if let Some(filter) = letters {
        let (matched, capped) = dead_letters::count(engine, filter).await?;
        let page = FailedFilter { limit: SAMPLES as u32, ..filter.clone() };
        let samples = dead_letters::list(engine, &page).await?.messages.into_iter().map(Sample::from).collect();
        return Ok(Preview { matched, capped, samples, before });
    }
    let (mut found, mut capped, mut samples) = (ids.clone().unwrap_or_default(), false, Vec::new());
    for store in stores(engine, &target.operation).await? {
        let Some(filter) = waiting else { break };
        let waiting = store.waiting(filter, usize::try_from(DEPTH_CAP).unwrap_or(usize::MAX)).await?;
        capped |= waiting.reached.is_some();
        found.extend(waiting.ids);
    }
    found.sort_by(|a, b| b.cmp(a));
    let matched = found.len() as u64;
    for id in found.into_iter().take(SAMPLES) {
        samples.extend(messages::get(engine, id).await?.map(Sample::from));
    }
    Ok(Preview { matched, capped, samples, before })
}

/// Begins an operation; nothing is done before its first step.
///
/// # Errors
/// As [`preview`].
pub async fn start(engine: &Arc<Engine>, asked: &Asked) -> Result<Entry> {
    asked.because.check()?;
    let id = asked.id.unwrap_or_else(Uuid::now_v7);
    for (place, store) in stores(engine, &asked.operation).await?.into_iter().enumerate() {
        let before = match asked.before {
            Some(before) => before,
            None => now(std::slice::from_ref(&store)).await?,
        };
        let target = target(engine, asked, before).await?;
        // The first one always knows of it; of the others those that have something to do.
        if place > 0 {
            let found = Portion::next(&*store, target.clone(), None, 1).await?.ids;
            let named = target.selection.ids.as_deref();
            if found.is_empty() || !store.may_have(named.unwrap_or(&found)).await? {
                continue;
            }
        }
        store.begin(&Begin { id, target: &target, because: &asked.because, matched: asked.matched }).await?;
    }
    get(engine, id)
        .await?
        .ok_or(Error::NotCapable { name: "operation".to_owned(), what: "begin: nothing waits anywhere" })
}

/// How far an operation has come, or what else an entry of the audit says; `None`: there is none of this id.
///
/// # Errors
/// Those of the stores.
pub async fn get(engine: &Arc<Engine>, id: Uuid) -> Result<Option<Entry>> {
    let mut sum: Option<Entry> = None;
    for store in engine.stores().await? {
        add(&mut sum, store.entry(id).await?);
    }
    Ok(sum)
}

/// Makes a step: acts on no more than so many messages, and for little more than a second. `None`: none has this id.
/// One that is over does nothing.
///
/// # Errors
/// Those of the stores; what was done before stays so, and the next step goes on behind it.
pub async fn step(engine: &Arc<Engine>, id: Uuid, limit: u32) -> Result<Option<Stepped>> {
    let (mut sum, mut touched, began) = (None, Vec::new(), Instant::now());
    let mut left = limit.clamp(1, MAX_STEP) as usize;
    for store in engine.stores().await? {
        let mut portion = FIRST_PORTION;
        loop {
            let Some(entry) = store.entry(id).await? else { break };
            if !entry.is_open() || left == 0 || began.elapsed() > STEP_TIME {
                add(&mut sum, Some(entry));
                break;
            }
            let portion_began = Instant::now();
            let found = Portion::next(&*store, entry.operation()?, entry.cursor.clone(), portion.min(left)).await?;
            let (count, some) = found.act(&*store, &entry).await?;
            left -= count;
            touched.extend(some);
            portion = if portion_began.elapsed() < QUICK { portion * 2 } else { FIRST_PORTION };
        }
    }
    if !touched.is_empty() {
        engine.note_sent();
    }
    Ok(sum.map(|entry| Stepped { entry, touched }))
}

/// Ends an operation where it stands; what was done stays so. `None`: none has this id.
///
/// # Errors
/// Those of the stores.
pub async fn abort(engine: &Arc<Engine>, id: Uuid) -> Result<Option<Entry>> {
    for store in engine.stores().await? {
        store.abort(id).await?;
    }
    get(engine, id).await
}

/// Does all of it, and returns what was acted on.
///
/// # Errors
/// As [`start`] and [`step`].
pub async fn run(engine: &Arc<Engine>, asked: &Asked) -> Result<Vec<Touched>> {
    let mut all = Vec::new();
    let mut entry = start(engine, asked).await?;
    while entry.is_open() {
        let Some(Stepped { entry: next, touched }) = step(engine, entry.id, MAX_STEP).await? else { break };
        all.extend(touched);
        entry = next;
    }
    Ok(all)
}

/// One page of the audit, newest first, over all stores.
///
/// # Errors
/// Those of the stores; [`Error::Serialization`] for an invalid cursor; what is wrong with the filter.
pub async fn audit(engine: &Arc<Engine>, filter: &AuditFilter) -> Result<AuditPage> {
    filter.check()?;
    let mut pages = Vec::new();
    for store in engine.stores().await? {
        pages.push(store.audit(filter).await?);
    }
    if pages.len() == 1 {
        return pages.pop().ok_or(Error::Internal { what: "a page is gone" });
    }
    let more = pages.iter().any(|it| it.next_cursor.is_some());
    let mut entries: Vec<Entry> = Vec::new();
    for entry in pages.into_iter().flat_map(|it| it.entries) {
        // An operation has a row in each store that it works on.
        match entries.iter_mut().find(|it| it.id == entry.id) {
            Some(known) => known.add(&entry),
            None => entries.push(entry),
        }
    }
    entries.sort_by_key(|it| std::cmp::Reverse((it.at, it.id)));
    let size = filter.page_size() as usize;
    let cut = more || entries.len() > size;
    entries.truncate(size);
    let last = entries.last().filter(|_| cut);
    let next_cursor = last.map(|it| format!("{}.{}", micros(it.at.unwrap_or_default()), it.id));
    Ok(AuditPage { entries, next_cursor })
}

/// As cursors have instants.
fn micros(at: DateTime<Utc>) -> i64 {
    crate::store::dead_letters::Moment::from(at).0
}

/// What is acted on by one statement.
struct Portion {
    target: Target,
    ids: Vec<Uuid>,
    cursor: Option<String>,
    is_last: bool,
    /// Where each of them ends, where a portion has to be divided.
    cursors: Vec<String>,
}

impl Portion {
    /// The next one of an operation.
    async fn next(store: &dyn Store, target: Target, after: Option<String>, limit: usize) -> Result<Self> {
        let Selection { letters, messages, ids } = &target.selection;
        let (ids, cursors, cursor, is_last): (Vec<Uuid>, Vec<String>, _, _) = if let Some(filter) = letters {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            let cursor = after;
            let filter = FailedFilter { limit, cursor: cursor.clone(), ..filter.clone() };
            let FailedPlaces { places, next } = store.failed_places(&filter).await?;
            let cursors: Vec<String> = places.iter().map(ToString::to_string).collect();
            let last = next.map(|it| it.to_string()).or(cursors.last().cloned()).or(cursor);
            (places.into_iter().map(|it| it.id).collect(), cursors, last, next.is_none())
        } else if let Some(filter) = messages {
            let cursor = after;
            let filter = MessageFilter { cursor: cursor.clone(), ..filter.clone() };
            let found = store.waiting(&filter, limit).await?;
            let cursors: Vec<String> = found.ids.iter().map(ToString::to_string).collect();
            let last = found.reached.map(|it| it.to_string()).or(cursor);
            (found.ids, cursors, last, found.reached.is_none())
        } else {
            let at: usize = after.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0);
            let all = ids.as_deref().unwrap_or_default();
            let some: Vec<Uuid> = all.iter().skip(at).take(limit).copied().collect();
            let cursors: Vec<String> = (1..=some.len()).map(|it| (at + it).to_string()).collect();
            let is_last = at + some.len() >= all.len();
            (some, cursors.clone(), cursors.last().cloned().or(after), is_last)
        };
        Ok(Self { target, ids, cursor, is_last, cursors })
    }

    /// Acts on all of it. Where the database refuses one of the messages, on the first half, and so on down to that one,
    /// which is passed over: the others go on by themselves. Says how many of them are done with.
    async fn act(self, store: &dyn Store, entry: &Entry) -> Result<(usize, Vec<Touched>)> {
        let mut count = self.ids.len();
        loop {
            let is_whole = count == self.ids.len();
            let place = || self.cursors.get(count.saturating_sub(1)).cloned();
            let cursor = if is_whole { self.cursor.clone() } else { place() };
            let is_last = self.is_last && is_whole;
            let turn = Turn { operation: entry.id, step: entry.steps, cursor, is_last };
            let ids = self.ids.get(..count).unwrap_or_default();
            if ids.is_empty() {
                store.pass(&[], &turn, None).await?;
                return Ok((0, Vec::new()));
            }
            match store.act(&self.target.operation, ids, &turn).await {
                Ok(touched) => return Ok((count, touched)),
                Err(error) if error.blames_content() && count > 1 => count /= 2,
                Err(error) if error.blames_content() => {
                    store.pass(ids, &turn, Some(&error.to_string())).await?;
                    return Ok((1, Vec::new()));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn add(sum: &mut Option<Entry>, entry: Option<Entry>) {
    match (sum, entry) {
        (Some(sum), Some(entry)) => sum.add(&entry),
        (sum, Some(entry)) => *sum = Some(entry),
        (_, None) => {}
    }
}

/// The clock of the stores, the latest of them, in whole milliseconds, of which none is cut off.
async fn now(stores: &[Arc<dyn Store>]) -> Result<DateTime<Utc>> {
    let mut latest = DateTime::<Utc>::MIN_UTC;
    for store in stores {
        latest = latest.max(store.clock().await?);
    }
    let millisecond = TimeDelta::milliseconds(1);
    let cut = latest.duration_trunc(millisecond).unwrap_or(latest);
    Ok(if cut == latest { cut } else { cut + millisecond })
}

/// Those that an operation works on. What is moved to another transport stays in its store.
async fn stores(engine: &Arc<Engine>, action: &Action) -> Result<Vec<Arc<dyn Store>>> {
    let Action::Move { transport: Some(name), .. } = action else { return engine.stores().await };
    let transport = engine.transport(name).await?;
    let refused = || Error::NotCapable { name: name.clone(), what: "take messages that are moved" };
    let store = transport.store().filter(|_| transport.inspects().is_some()).ok_or_else(refused)?;
    Ok(vec![store])
}

/// The operation, with its selection checked, under the names of the transports, and frozen.
async fn target(engine: &Arc<Engine>, asked: &Asked, before: DateTime<Utc>) -> Result<Target> {
    let mut operation = asked.operation.clone();
    if let Action::Move { transport, queue, priority } = &mut operation {
        if transport.is_none() && queue.is_none() && priority.is_none() {
            return Err(Error::configuration("move", "nothing", "a transport, a queue or a priority"));
        }
        if let Some(name) = transport {
            *name = engine.must_know(name).await?;
        }
    }
    let (list, text) = (operation.list(), asked.filter.as_ref().map_or("{}", |it| it.get()));
    let wrong = |error: serde_json::Error| Error::Serialization { what: "filter", reason: error.to_string() };
    let ids = asked.ids.clone().map(unique);
    let selection = match list {
        List::DeadLetters => {
            let mut filter: FailedFilter = serde_json::from_str(text).map_err(wrong)?;
            filter.ids = ids.or(filter.ids);
            filter.query = frozen(engine, filter.query.as_deref(), list, before).await?;
            filter.check()?;
            if let Some(name) = &mut filter.transport {
                *name = engine.must_know(name).await?;
            }
            // Those that are named are those that are meant, also one that is dated in a year to come.
            if filter.ids.is_none() {
                filter.failed_before = Some(filter.failed_before.map_or(before, |it| it.min(before)));
            }
            Selection { letters: Some(filter), ..Selection::default() }
        }
        List::Messages if ids.is_some() => {
            if asked.filter.is_some() {
                return Err(Error::configuration("ids", "a filter beside them", "one of the two"));
            }
            Selection { ids, ..Selection::default() }
        }
        List::Messages => {
            let mut filter: MessageFilter = serde_json::from_str(text).map_err(wrong)?;
            filter.query = frozen(engine, filter.query.as_deref(), list, before).await?;
            filter.check()?;
            if let Some(name) = &mut filter.transport {
                *name = engine.must_know(name).await?;
            }
            filter.created_before = Some(filter.created_before.map_or(before, |it| it.min(before)));
            Selection { messages: Some(filter), ..Selection::default() }
        }
    };
    Ok(Target { operation, selection })
}

/// A query for an operation: one that has lost its terms would match more than was meant.
async fn frozen(engine: &Arc<Engine>, query: Option<&str>, list: List, now: DateTime<Utc>) -> Result<Option<String>> {
    let Some(query) = renamed(engine, query, list).await? else { return Ok(None) };
    let query = search::parse(&query, list)?;
    if query.terms.is_empty() {
        let wants = "a term; leave the query out if you mean all of them".to_owned();
        let (character, length, found) = (1, 0, String::new());
        return Err(Error::InvalidQuery(Box::new(QueryProblem { character, length, found, wants })));
    }
    Ok(Some(query.frozen(now).to_string()))
}

/// Each once, in their order.
fn unique(ids: Vec<Uuid>) -> Vec<Uuid> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|it| seen.insert(*it)).collect()
}

impl From<crate::store::dead_letters::FailedMessage> for Sample {
    fn from(it: crate::store::dead_letters::FailedMessage) -> Self {
        Self {
            id: it.id,
            r#type: it.r#type,
            transport: it.transport,
            queue: it.queue,
            priority: it.priority,
            at: it.failed_at,
            error: Some(it.error),
        }
    }
}

impl From<crate::store::messages::KeptMessage> for Sample {
    fn from(it: crate::store::messages::KeptMessage) -> Self {
        Self {
            id: it.id,
            r#type: it.r#type,
            transport: it.transport,
            queue: it.queue,
            priority: it.priority,
            at: it.created_at,
            error: it.last_error,
        }
    }
}
