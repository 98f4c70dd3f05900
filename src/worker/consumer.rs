//! The handle on one bounded drain or one long-lived worker: what others may ask of it while it runs.

use super::budget::Budget;
use super::heartbeat::Beat;
use super::protocol::report::Report;
use super::run::{End, Loop, backoff, trouble};
use super::stats::{Stats, StoppedBy, Summary};
use super::{Handlers, Mode, Observer, Options, cleanup, heartbeat};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::transport::{Listening, Transport, WorkerId};
use futures_util::future::{join, join_all, try_join_all};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use uuid::Uuid;

/// How long a run with a time limit takes at most to say goodbye.
const FAREWELL: Duration = Duration::from_millis(500);

/// One bounded drain, or one long-lived worker.
pub struct Consumer {
    pub(super) engine: Arc<Engine>,
    pub(super) options: Options,
    pub(super) handlers: Arc<dyn Handlers>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    observes_messages: AtomicBool,
    /// Outcomes that the handlers have reported and the loop has not taken yet.
    pub(super) reports: Mutex<Vec<Report>>,
    pub(super) types: Mutex<Option<Arc<[String]>>>,
    pub(super) stop: Mutex<Option<Stop>>,
    /// A heartbeat found that the worker had been declared dead: some of what it holds may be with others.
    pub(super) in_doubt: AtomicBool,
    /// A heartbeat found the worker registered.
    pub(super) beaten: AtomicBool,
    /// Something was sent since the last claim.
    pub(super) sent: AtomicBool,
    /// Wakes the loop for any of the above.
    pub(super) wake: Notify,
    pub(super) stats: Mutex<Stats>,
    pub(super) in_flight: Arc<AtomicUsize>,
    /// Held while it runs.
    running: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) by: StoppedBy,
    pub(super) force: bool,
}

impl Consumer {
    /// A consumer; nothing happens until it runs.
    pub fn new(
        engine: Arc<Engine>,
        options: Options,
        handlers: Arc<dyn Handlers>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Arc<Self> {
        let observes_messages = AtomicBool::new(options.observe);
        Arc::new(Self {
            types: Mutex::new(options.types.clone().map(Arc::from)),
            engine,
            options,
            handlers,
            observer,
            observes_messages,
            reports: Mutex::default(),
            stop: Mutex::default(),
            in_doubt: AtomicBool::new(false),
            beaten: AtomicBool::new(false),
            sent: AtomicBool::new(false),
            wake: Notify::new(),
            stats: Mutex::default(),
            in_flight: Arc::default(),
            running: tokio::sync::Mutex::default(),
        })
    }

    /// Takes outcomes from the handlers. Those that `more` will follow at once are settled with them.
    pub fn report(&self, reports: Vec<Report>, more: bool) {
        lock(&self.reports).extend(reports);
        if !more {
            self.wake.notify_one();
        }
    }

    /// Changes which types have a handler; `None`: all.
    pub fn set_types(&self, types: Option<Vec<String>>) {
        *lock(&self.types) = types.map(Arc::from);
        self.wake.notify_one();
    }

    /// Whether events about single messages are wanted; those about the consumer itself always are.
    pub fn observe_messages(&self, wanted: bool) {
        self.observes_messages.store(wanted, Ordering::Relaxed);
    }

    pub(super) fn observes_messages(&self) -> bool {
        self.observer.is_some() && self.observes_messages.load(Ordering::Relaxed)
    }

    /// Asks it to stop: running handlers end first, unless forced. Forcing may follow asking.
    pub fn stop(&self, by: StoppedBy, force: bool) {
        let mut stop = lock(&self.stop);
        let by = stop.map_or(by, |it| it.by);
        *stop = Some(Stop { by, force: force || stop.is_some_and(|it| it.force) });
        self.wake.notify_one();
    }

    /// Waits until it does not run (any more).
    pub async fn ended(&self) {
        drop(self.running.lock().await);
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        Stats { in_flight: self.in_flight.load(Ordering::Relaxed) as u64, ..*lock(&self.stats) }
    }

    /// Runs until there is nothing left to do or to wait for.
    ///
    /// # Errors
    /// A transport that cannot be had; in a bounded drain also a database that does not answer.
    pub async fn run(self: Arc<Self>) -> Result<Summary> {
        let _running = self.running.lock().await;
        let start = Instant::now();
        let names = self.options.transports.clone().unwrap_or_else(|| self.engine.usable_names());
        let Some(transports) = self.transports(&names).await? else {
            return Ok(self.summary(start, 0, lock(&self.stop).map_or(StoppedBy::Stopped, |it| it.by)));
        };
        let worker = signature(self.engine.config().worker.lease);
        let listening = self.listen(&transports);
        let stores = distinct_stores(&transports);
        let side_tasks = self.clone().start_side_tasks(&stores, &worker);
        let run = Loop::new(self.clone(), transports.clone(), stores.clone(), worker.clone(), listening, start).run();
        let outcome = self.in_time(start, run).await;
        side_tasks.iter().for_each(AbortHandle::abort);
        let (queue_depth, untidy) = self.leave(&worker, &stores, &transports, outcome.as_ref().ok()).await;
        if outcome.is_ok() && self.options.mode == Mode::Drain {
            self.catch_up(start, untidy).await;
        }
        Ok(self.summary(start, queue_depth, outcome?.by))
    }

    /// A run with a time limit ends soon after it, even if the database does not answer: its caller may be gone.
    async fn in_time(&self, start: Instant, run: impl Future<Output = Result<End>>) -> Result<End> {
        let (Some(limit), Some(last)) = (self.options.time_limit, Budget::new(start, self.options.time_limit).last())
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
    async fn catch_up(&self, start: Instant, untidy: Vec<&Arc<dyn Transport>>) {
        let finished = lock(&self.stats).settled();
        let last = Budget::new(start, self.options.time_limit).hard();
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
        stores: &'a [Arc<dyn Transport>],
        transports: &[Arc<dyn Transport>],
        end: Option<&End>,
    ) -> (u64, Vec<&'a Arc<dyn Transport>>) {
        // Who may still hold something stays registered until the lease has run out.
        let leaves = end.is_some_and(|it| it.registered && it.clear);
        let registered = if leaves { stores } else { &[] };
        let uncounted = if end.is_some_and(|it| it.nothing_waits) { &[] } else { transports };
        let tidying = join_all(stores.iter().map(|store| cleanup::tidy(&**store)));
        let leaving = join_all(registered.iter().map(|store| store.sign_off(worker)));
        let all = async {
            let (untidy, _) = join(tidying, leaving).await;
            let mut due = 0;
            for transport in uncounted {
                // What cannot be counted is left out.
                due += transport.depth().await.unwrap_or_default().iter().map(|it| it.pending).sum::<u64>();
            }
            (due, stores.iter().zip(untidy).filter_map(|(store, untidy)| untidy.then_some(store)).collect())
        };
        let patience = self.options.time_limit.map_or(Duration::MAX, |_| FAREWELL);
        tokio::time::timeout(patience, all).await.unwrap_or_default()
    }

    fn summary(&self, start: Instant, queue_depth: u64, stopped_by: StoppedBy) -> Summary {
        let (stats, drained) = (self.stats(), stopped_by == StoppedBy::Empty);
        Summary { stats, duration: start.elapsed(), queue_depth, drained, stopped_by }
    }

    /// The transports to consume. A long-lived worker waits for a database that is not there yet; `None`: it was
    /// stopped meanwhile.
    async fn transports(&self, names: &[String]) -> Result<Option<Vec<Arc<dyn Transport>>>> {
        let mut failures = 0;
        loop {
            let looked_up = try_join_all(names.iter().map(|name| self.engine.transport(name))).await;
            let error = match looked_up {
                Ok(transports) => {
                    return Ok(Some(transports.into_iter().filter(|it| it.capabilities().stores).collect()));
                }
                Err(error) if self.options.mode == Mode::Drain || !error.is_transient() => return Err(error),
                Err(error) => error,
            };
            failures += 1;
            if let Some(observer) = &self.observer {
                observer.observe(format!("[{}]", trouble(&error)));
            }
            tokio::select! {
                () = tokio::time::sleep(backoff(failures)) => {}
                () = self.wake.notified() => {}
            }
            if lock(&self.stop).is_some() {
                return Ok(None);
            }
        }
    }

    fn start_side_tasks(self: Arc<Self>, stores: &[Arc<dyn Transport>], worker: &WorkerId) -> Vec<AbortHandle> {
        let in_flight = self.in_flight.clone();
        let tidying = tokio::spawn(cleanup::keep_tidy(stores.to_vec(), self.options.mode));
        let tell = move |beat| {
            let told = if beat == Beat::InDoubt { &self.in_doubt } else { &self.beaten };
            told.store(true, Ordering::Relaxed);
            self.wake.notify_one();
        };
        let heart = tokio::spawn(heartbeat::beat(stores.to_vec(), worker.clone(), in_flight, tell));
        vec![heart.abort_handle(), tidying.abort_handle()]
    }

    pub(super) fn listen(self: &Arc<Self>, transports: &[Arc<dyn Transport>]) -> Vec<Box<dyn Listening>> {
        if !self.options.listen {
            return Vec::new();
        }
        let consumer = Arc::downgrade(self);
        let wake = Arc::new(move || {
            if let Some(consumer) = consumer.upgrade() {
                consumer.sent.store(true, Ordering::Relaxed);
                consumer.wake.notify_one();
            }
        });
        transports.iter().filter_map(|it| it.listen(wake.clone())).collect()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }
}

fn signature(lease: Duration) -> WorkerId {
    WorkerId {
        id: Uuid::now_v7(),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        lease,
    }
}

/// One transport for each store.
fn distinct_stores(transports: &[Arc<dyn Transport>]) -> Vec<Arc<dyn Transport>> {
    let mut seen = HashSet::new();
    transports.iter().filter(|it| seen.insert(it.store())).cloned().collect()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
