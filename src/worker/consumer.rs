//! The handle of one bounded drain or one long-lived worker: what others may ask of it while it runs.

use super::budget::Budget;
use super::context::Context;
use super::heartbeat::Beat;
use super::mailbox::Mailbox;
use super::protocol::report::Report;
use super::run::{End, Loop};
use super::stats::{Stats, StoppedBy, Summary};
use super::trouble::{backoff, recovery, trouble};
use super::{Handlers, Mode, Observer, Options, cleanup, heartbeat};
use crate::base::targets::WORKER;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::transport::{About, Drain, WorkerId};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span, info_span};
use uuid::Uuid;

/// The most time that a run with a time limit takes to sign off.
const FAREWELL: Duration = Duration::from_millis(500);

/// One bounded drain, or one long-lived worker.
pub struct Consumer {
    context: Arc<Context>,
    /// Held while it runs.
    running: tokio::sync::Mutex<()>,
}

impl Consumer {
    /// A consumer; nothing happens until it runs.
    pub fn new(
        engine: Arc<Engine>,
        options: Options,
        handlers: Arc<dyn Handlers>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Arc<Self> {
        let mailbox = Mailbox::new(options.types.clone(), options.observe);
        let context = Arc::new(Context { engine, options, handlers, observer, mailbox });
        Arc::new(Self { context, running: tokio::sync::Mutex::default() })
    }

    /// Takes outcomes from the handlers. Those that `more` will follow at once are settled with them.
    pub fn report(&self, reports: Vec<Report>, more: bool) {
        self.context.mailbox.report(reports, more);
    }

    /// Changes which types have a handler; `None`: all.
    pub fn set_types(&self, types: Option<Vec<String>>) {
        self.context.mailbox.set_types(types);
    }

    /// Whether events about single messages are wanted; those about the consumer itself always are.
    pub fn observe_messages(&self, wanted: bool) {
        self.context.mailbox.observe_messages(wanted);
    }

    /// Asks it to stop: running handlers finish first, unless forced. A forced stop may follow.
    pub fn stop(&self, by: StoppedBy, force: bool) {
        self.context.mailbox.stop(by, force);
    }

    /// Waits until it does not run (any more).
    pub async fn ended(&self) {
        drop(self.running.lock().await);
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.context.mailbox.stats()
    }

    /// Runs until there is nothing left to do or to wait for.
    ///
    /// # Errors
    /// A transport that cannot be opened; in a bounded drain also a database that does not answer.
    pub async fn run(self: Arc<Self>) -> Result<Summary> {
        let log = self.context.engine.log().span();
        let span = log.in_scope(|| span(self.context.options.mode));
        let summary = self.run_here().instrument(span.clone()).instrument(log).await;
        match &summary {
            Ok(Summary { stats, stopped_by, .. }) => span
                .record("claimed", stats.claimed)
                .record("succeeded", stats.succeeded)
                .record("retried", stats.retried)
                .record("dead_lettered", stats.dead_lettered)
                .record("released", stats.released)
                .record("snoozed", stats.snoozed)
                .record("discarded", stats.discarded)
                .record("lost", stats.lost)
                .record("stopped_by", json!(stopped_by).as_str()),
            Err(error) => span.record("error", error.code()),
        };
        summary
    }

    async fn run_here(&self) -> Result<Summary> {
        let _running = self.running.lock().await;
        let start = Instant::now();
        let names = self.context.options.transports.clone().unwrap_or_else(|| self.context.engine.usable_names());
        let Some(transports) = self.transports(&names).await? else {
            return Ok(self.summary(
                start,
                0,
                self.context.mailbox.stop_asked().map_or(StoppedBy::Stopped, |it| it.by),
            ));
        };
        let worker = signature(self.context.engine.config().worker.lease, &self.context.options);
        Span::current().record("worker", display(worker.id));
        let places = distinct_places(&transports);
        let stores = distinct_stores(&transports);
        let side_tasks = self.start_side_tasks(&places, &stores, &worker);
        let run = Loop::new(self.context.clone(), transports.clone(), places.clone(), worker.clone(), start).run();
        let outcome = self.in_time(start, run).await;
        side_tasks.iter().for_each(AbortHandle::abort);
        let (queue_depth, untidy) = self.leave(&worker, &places, &stores, &transports, outcome.as_ref().ok()).await;
        if outcome.is_ok() && self.context.options.mode == Mode::Drain {
            self.catch_up(start, untidy).await;
        }
        Ok(self.summary(start, queue_depth, outcome?.by))
    }

    /// A run with a time limit ends soon after it, even if the database does not answer: its caller may be gone.
    async fn in_time(&self, start: Instant, run: impl Future<Output = Result<End>>) -> Result<End> {
        let (Some(limit), Some(last)) =
            (self.context.options.time_limit, Budget::new(start, self.context.options.time_limit).last())
        else {
            return run.await;
        };
        let late = |_| {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            Err(Error::Timeout { operation: "consuming", limit_ms })
        };
        tokio::time::timeout_at(last.into(), run).await.unwrap_or_else(late)
    }

    /// Deletes what this run owes, in the time that it has left.
    async fn catch_up(&self, start: Instant, untidy: Vec<&Arc<dyn Store>>) {
        let finished = self.stats().settled();
        let last = Budget::new(start, self.context.options.time_limit).hard();
        let all = join_all(untidy.into_iter().map(|store| cleanup::catch_up(&**store, finished, last)));
        match last {
            Some(last) => drop(tokio::time::timeout_at(last.into(), all).await),
            None => drop(all.await),
        }
    }

    /// Signs off, tidies up and counts what is left; answers with that and the stores in which a batch was not enough.
    /// None of this changes what was done, so none of it may fail the run. On no more connections than the run has opened: one for this alone would take longer than it saves.
    async fn leave<'a>(
        &self,
        worker: &WorkerId,
        places: &[Arc<dyn Drain>],
        stores: &'a [Arc<dyn Store>],
        transports: &[Arc<dyn Drain>],
        end: Option<&End>,
    ) -> (u64, Vec<&'a Arc<dyn Store>>) {
        // A worker that may still hold something stays registered until the lease has run out.
        let leaves = end.is_some_and(|it| it.registered && it.clear);
        let registered = if leaves { places } else { &[] };
        let uncounted = if end.is_some_and(|it| it.nothing_waits) { &[] } else { transports };
        let tidying = join_all(stores.iter().map(|store| cleanup::tidy(&**store)));
        let leaving = async {
            join_all(registered.iter().map(|place| place.sign_off(worker))).await;
            let mut due = 0;
            for transport in uncounted {
                // What cannot be counted is left out.
                due += transport.depth().await.unwrap_or_default().iter().map(|it| it.pending).sum::<u64>();
            }
            due
        };
        // Chores that wait for a lock must not keep what is left from being counted.
        let patience = self.context.options.time_limit.map_or(Duration::MAX, |_| FAREWELL);
        let (untidy, due) = join(timeout(patience, tidying), timeout(patience, leaving)).await;
        let untidy =
            stores.iter().zip(untidy.unwrap_or_default()).filter_map(|(store, untidy)| untidy.then_some(store));
        (due.unwrap_or_default(), untidy.collect())
    }

    fn summary(&self, start: Instant, queue_depth: u64, stopped_by: StoppedBy) -> Summary {
        let (stats, drained) = (self.stats(), stopped_by == StoppedBy::Empty);
        Summary { stats, duration: start.elapsed(), queue_depth, drained, stopped_by }
    }

    /// The transports to consume. A long-lived worker waits for a database that is not there yet; `None`: it was
    /// stopped meanwhile.
    async fn transports(&self, names: &[String]) -> Result<Option<Vec<Arc<dyn Drain>>>> {
        let mut failures = 0;
        loop {
            let error = match self.context.engine.transports(names).await {
                Ok(transports) => {
                    if let Some(observer) = self.context.observer.as_ref().filter(|_| failures > 0) {
                        observer.observe(format!("[{}]", recovery()));
                    }
                    return Ok(Some(transports.into_iter().filter_map(|it| it.drain()).collect()));
                }
                Err(error) if self.context.options.mode == Mode::Drain || !error.is_transient() => return Err(error),
                Err(error) => error,
            };
            failures += 1;
            if let Some(observer) = &self.context.observer {
                observer.observe(format!("[{}]", trouble(&error)));
            }
            tokio::select! {
                () = tokio::time::sleep(backoff(failures)) => {}
                () = self.context.mailbox.wake.notified() => {}
            }
            if self.context.mailbox.stop_asked().is_some() {
                return Ok(None);
            }
        }
    }

    fn start_side_tasks(
        &self,
        places: &[Arc<dyn Drain>],
        stores: &[Arc<dyn Store>],
        worker: &WorkerId,
    ) -> Vec<AbortHandle> {
        let context = self.context.clone();
        let in_flight = context.mailbox.in_flight.clone();
        let tidying = tokio::spawn(cleanup::keep_tidy(stores.to_vec(), context.options.mode).in_current_span());
        let tell = move |beat| {
            let mailbox = &context.mailbox;
            let told = match beat {
                Beat::Stop => return mailbox.stop(StoppedBy::Stopped, false),
                Beat::Kept => &mailbox.beaten,
                Beat::Missing => &mailbox.missing,
                Beat::InDoubt => &mailbox.in_doubt,
            };
            told.store(true, Ordering::Relaxed);
            mailbox.wake.notify_one();
        };
        let beating = heartbeat::beat(places.to_vec(), worker.clone(), in_flight, tell);
        let heart = tokio::spawn(beating.in_current_span());
        vec![heart.abort_handle(), tidying.abort_handle()]
    }
}

/// Covers a run.
fn span(mode: Mode) -> Span {
    macro_rules! span {
        ($name:literal) => {
            info_span!(
                target: WORKER, $name, worker = Empty, claimed = Empty, succeeded = Empty, retried = Empty,
                dead_lettered = Empty, released = Empty, snoozed = Empty, discarded = Empty, lost = Empty, stopped_by = Empty, error = Empty,
            )
        };
    }
    match mode {
        Mode::Drain => span!("drain"),
        Mode::Run => span!("worker"),
    }
}

fn signature(lease: Duration, options: &Options) -> WorkerId {
    let about = About {
        kind: Some(if options.mode == Mode::Run { "worker" } else { "drain" }),
        concurrency: i32::try_from(options.max_concurrency).ok(),
        release: options.release.clone(),
    };
    WorkerId {
        id: Uuid::now_v7(),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        lease,
        about: Arc::new(about),
    }
}

/// One transport for each place.
fn distinct_places(transports: &[Arc<dyn Drain>]) -> Vec<Arc<dyn Drain>> {
    let mut seen = HashSet::new();
    transports.iter().filter(|it| seen.insert(it.place())).cloned().collect()
}

/// Their stores, each once.
fn distinct_stores(transports: &[Arc<dyn Drain>]) -> Vec<Arc<dyn Store>> {
    let mut seen = HashSet::new();
    transports.iter().filter_map(|it| it.store()).filter(|it| seen.insert(it.identity())).collect()
}
