//! Due schedules to messages: read what is due, decide, store messages and new state in one statement.

use super::definition::late;
use super::manage::{contended, storable};
use super::missed::{Decision, Due};
use super::record::Record;
use super::table;
use crate::base::targets::SCHEDULER;
use crate::dispatcher;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::store::Store;
use crate::store::controls::Because;
use crate::store::schedules::{Deed, DueRow, Found, Move, Schedules, Settled};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument, debug_span, info};
use uuid::Uuid;

/// Schedules that are read at once.
const PAGE: usize = 500;
/// Messages that are stored at once, unless one schedule alone has more.
const MESSAGES: usize = 2_000;
/// When a schedule that could not run is tried again.
const AGAIN: TimeDelta = TimeDelta::seconds(60);
/// How often a run by hand is tried that others come before.
const TRIES: usize = 20;

/// How much to do.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options {
    /// Schedules at most; all without it.
    pub limit: Option<usize>,
    /// No page is begun after so many milliseconds.
    pub time_limit: Option<u64>,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DueReport {
    /// Schedules that were due and that this call has dealt with.
    pub due: usize,
    /// Messages stored.
    pub dispatched: usize,
    /// Runs left out.
    pub skipped: usize,
    /// Schedules that could not run.
    pub failed: usize,
    /// Milliseconds that it took.
    pub duration: u64,
    /// When the next schedule is due.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub next_run_at: Option<DateTime<Utc>>,
    /// Milliseconds until then, by the database's clock.
    pub next_run_in: Option<i64>,
    /// The messages.
    pub messages: Vec<Dispatched>,
    /// What went wrong, one entry per schedule.
    pub errors: Vec<Failed>,
}

/// A message of a schedule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispatched {
    schedule: String,
    message_id: Uuid,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    nominal_at: DateTime<Utc>,
    transport: Arc<str>,
}

/// A schedule that could not run.
#[derive(Debug, Serialize)]
pub struct Failed {
    schedule: String,
    code: &'static str,
    message: String,
}

/// Runs what is due.
///
/// # Errors
/// Those of a statement. What is wrong with single schedules stands in the report.
pub async fn run_due(engine: &Arc<Engine>, options: &Options) -> Result<DueReport> {
    let span = debug_span!(
        target: SCHEDULER, "schedules", due = Empty, dispatched = Empty, skipped = Empty, failed = Empty, error = Empty
    );
    let report = run_pages(engine, options).instrument(span.clone()).await;
    match &report {
        Ok(it) => span
            .record("due", it.due)
            .record("dispatched", it.dispatched)
            .record("skipped", it.skipped)
            .record("failed", it.failed),
        Err(error) => span.record("error", error.code()),
    };
    report
}

async fn run_pages(engine: &Arc<Engine>, options: &Options) -> Result<DueReport> {
    let started = Instant::now();
    let store = engine.store()?;
    let table = table(&*store)?;
    let mut report = DueReport::default();
    let mut left = options.limit.unwrap_or(usize::MAX);
    let time_limit = options.time_limit.map_or(Duration::MAX, Duration::from_millis);
    loop {
        let page = table.due(left.min(PAGE)).await?;
        let (now, count) = (page.now, page.rows.len());
        report.next_run_at = if count == 0 { page.later } else { Some(now) };
        report.next_run_in = report.next_run_at.map(|next| (next - now).num_milliseconds());
        if count == 0 {
            break;
        }
        let moved = run_page(engine, &*store, page.rows, now, &mut report).await?;
        left -= count.min(left);
        // Where nothing moved, others are at it this very moment; there is nothing to wait for.
        if left == 0 || moved == 0 || started.elapsed() >= time_limit {
            break;
        }
    }
    report.duration = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// One schedule with what is to be done about it.
struct Work {
    name: String,
    go_on: Move,
    messages: Vec<(DateTime<Utc>, Envelope)>,
    failure: Option<Failed>,
}

async fn run_page(
    engine: &Arc<Engine>,
    store: &dyn Store,
    rows: Vec<DueRow>,
    now: DateTime<Utc>,
    report: &mut DueReport,
) -> Result<usize> {
    let table = table(store)?;
    let mut works = prepare(engine, &store.identity(), rows, now).await?;
    let mut moved = 0;
    while !works.is_empty() {
        let mut messages = 0;
        let fits = |work: &&Work| {
            messages += work.messages.len();
            messages <= MESSAGES
        };
        let rest = works.split_off(works.iter().take_while(fits).count().max(1));
        moved += settle(table, works, now, report).await?;
        engine.note_sent();
        works = rest;
    }
    Ok(moved)
}

/// Decides about a page, and finds the way of all its messages at once.
async fn prepare(engine: &Arc<Engine>, place: &str, rows: Vec<DueRow>, now: DateTime<Utc>) -> Result<Vec<Work>> {
    let mut works = Vec::with_capacity(rows.len());
    let mut requests: Vec<Value> = Vec::new();
    let mut runs: Vec<(usize, DateTime<Utc>)> = Vec::new();
    for row in rows {
        match decide(&row, now) {
            Ok((record, decision)) => {
                for (index, &run) in decision.runs.iter().enumerate() {
                    let left_out = if index == 0 { decision.skipped } else { 0 };
                    requests.push(record.request(run, left_out, false));
                    runs.push((works.len(), run));
                }
                works.push(Work::going_on(row, &record, &decision, now));
            }
            Err(error) => works.push(Work::failing(row, &error, now)),
        }
    }
    let addressed = dispatcher::address(engine, &Value::Array(requests).to_string(), place).await?;
    for ((index, run), envelopes) in runs.into_iter().zip(addressed) {
        let work = &mut works[index];
        match envelopes {
            Ok(envelopes) => work.messages.extend(envelopes.into_iter().map(|it| (run, it))),
            // The configuration cannot be had: nothing is wrong with the schedule.
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => work.fail(&error, now),
        }
    }
    Ok(works)
}

fn decide(row: &DueRow, now: DateTime<Utc>) -> Result<(Record, Decision)> {
    let record = Record::read(&row.record)?;
    let plan = record.plan()?;
    let due = Due {
        plan: &plan,
        nominal: record.planned().unwrap_or(now),
        now,
        missed: record.missed,
        max_missed: record.max_missed,
        missed_after: TimeDelta::milliseconds(record.missed_after_ms),
        runs_left: record.runs_left(),
        blocked: row.unfinished,
    };
    let decision = due.decide();
    Ok((record, decision))
}

impl Work {
    fn going_on(row: DueRow, record: &Record, decision: &Decision, now: DateTime<Utc>) -> Self {
        let go_on = Move {
            id: row.id,
            version: row.version,
            next_run_at: decision.next.map(|next| late(next, record.jitter_ms, fastrand::f64())),
            nominal_run_at: decision.next,
            last_run_at: (!decision.runs.is_empty()).then_some(now),
            runs: i32::try_from(decision.runs.len()).unwrap_or(i32::MAX),
            skipped: i64::try_from(decision.skipped).unwrap_or(i64::MAX),
            finished: decision.next.is_none(),
            error: None,
        };
        Self { name: row.name, go_on, messages: Vec::new(), failure: None }
    }

    fn failing(row: DueRow, error: &Error, now: DateTime<Utc>) -> Self {
        let go_on = Move {
            id: row.id,
            version: row.version,
            next_run_at: None,
            nominal_run_at: None,
            last_run_at: None,
            runs: 0,
            skipped: 0,
            finished: false,
            error: None,
        };
        let mut work = Self { name: row.name, go_on, messages: Vec::new(), failure: None };
        work.fail(error, now);
        work
    }

    /// Keeps its planned time, to be tried again: its run is late, not lost.
    fn fail(&mut self, error: &Error, now: DateTime<Utc>) {
        let message = error.to_string();
        self.messages.clear();
        self.go_on = Move {
            next_run_at: Some(now + AGAIN),
            nominal_run_at: None,
            last_run_at: None,
            runs: 0,
            skipped: 0,
            finished: false,
            error: Some(format!("{}: {message}", error.code())),
            ..self.go_on.clone()
        };
        self.failure = Some(Failed { schedule: self.name.clone(), code: error.code(), message });
    }
}

/// Stores a part of a page. Where the database refuses it for what is in it, halves it until the culprit stands alone.
async fn settle(
    table: &dyn Schedules,
    mut works: Vec<Work>,
    now: DateTime<Utc>,
    report: &mut DueReport,
) -> Result<usize> {
    let moves: Vec<Move> = works.iter().map(|it| it.go_on.clone()).collect();
    let envelopes = |work: &Work| {
        let id = work.go_on.id;
        work.messages.iter().map(move |(_, envelope)| (id, envelope.clone())).collect::<Vec<_>>()
    };
    let messages: Vec<(Uuid, Envelope)> = works.iter().flat_map(envelopes).collect();
    match table.settle(&moves, &messages, None).await {
        Ok(settled) => Ok(count(works, &settled, report)),
        Err(error) if error.blames_content() && works.len() > 1 => {
            let rest = works.split_off(works.len() / 2);
            let moved = Box::pin(settle(table, works, now, report)).await?;
            Ok(moved + Box::pin(settle(table, rest, now, report)).await?)
        }
        Err(error) if error.blames_content() && works.iter().all(|it| it.failure.is_none()) => {
            works.iter_mut().for_each(|work| work.fail(&error, now));
            Box::pin(settle(table, works, now, report)).await
        }
        Err(error) => Err(error),
    }
}

/// Adds to the report what was really done.
fn count(works: Vec<Work>, settled: &Settled, report: &mut DueReport) -> usize {
    for work in works.into_iter().filter(|it| settled.moved.contains(&it.go_on.id)) {
        report.due += 1;
        report.skipped += usize::try_from(work.go_on.skipped).unwrap_or(0);
        let failure = work.failure.or_else(|| refusal(&work.name, &work.messages, settled));
        let (schedule, skipped) = (&*work.name, work.go_on.skipped);
        if skipped > 0 {
            info!(target: SCHEDULER, schedule, skipped, "runs of a schedule were left out");
        }
        report.failed += usize::from(failure.is_some());
        report.errors.extend(failure);
        for (nominal_at, envelope) in work.messages {
            if settled.stored.contains(&envelope.id) {
                let (message_id, transport) = (envelope.id, envelope.transport);
                report.messages.push(Dispatched { schedule: work.name.clone(), message_id, nominal_at, transport });
            }
        }
    }
    report.dispatched = report.messages.len();
    settled.moved.len()
}

/// Runs whose key was taken. The statement has written the same into the schedule.
fn refusal(schedule: &str, messages: &[(DateTime<Utc>, Envelope)], settled: &Settled) -> Option<Failed> {
    let refused = messages.iter().filter(|(_, envelope)| !settled.stored.contains(&envelope.id));
    let keys: BTreeSet<&str> = refused.filter_map(|(_, it)| it.key.as_ref().map(|key| key.key.as_str())).collect();
    let error = Error::RunRefused { keys: keys.iter().copied().collect::<Vec<_>>().join(", ") };
    let (code, message) = (error.code(), error.to_string());
    (!keys.is_empty()).then(|| Failed { schedule: schedule.to_owned(), code, message })
}

/// Dispatches the message of a schedule now, whatever its plan says; the plan stays as it is.
///
/// # Errors
/// [`Error::UnknownSchedule`], what is wrong with the message or its way, or those of a statement.
pub async fn run_now(engine: &Arc<Engine>, name: &str, because: &Because) -> Result<Vec<Dispatched>> {
    storable("name", name)?;
    because.check()?;
    let store = engine.store()?;
    let table = table(&*store)?;
    for _ in 0..TRIES {
        let Found { now, row } = table.get(name).await?;
        let (id, version, text) = row.ok_or_else(|| Error::UnknownSchedule { name: name.to_owned() })?;
        let record = Record::read(&text)?;
        let requests = Value::Array(vec![record.request(now, 0, true)]).to_string();
        let addressed = dispatcher::address(engine, &requests, &store.identity()).await?;
        let envelopes: Vec<Envelope> = addressed.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let unchanged = Move {
            id,
            version,
            next_run_at: record.next_run_at,
            nominal_run_at: record.nominal_run_at,
            last_run_at: Some(now),
            runs: 0,
            skipped: 0,
            finished: record.finished_at.is_some(),
            error: None,
        };
        let messages: Vec<(Uuid, Envelope)> = envelopes.iter().map(|it| (id, it.clone())).collect();
        let deed = Deed { action: "runSchedule", schedule: name, because };
        if table.settle(&[unchanged], &messages, Some(deed)).await?.moved.contains(&id) {
            engine.note_sent();
            let dispatched = |it: Envelope| {
                let schedule = name.to_owned();
                Dispatched { schedule, message_id: it.id, nominal_at: now, transport: it.transport }
            };
            return Ok(envelopes.into_iter().map(dispatched).collect());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(contended())
}
