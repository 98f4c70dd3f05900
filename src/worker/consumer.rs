//! The loop: claim, deliver, settle, all at once and each in batches.
//!
//! One task owns everything. It never waits on the database and the handlers at the same time: the next claim and
//! the settling of earlier outcomes run as futures beside it on connections of their own (10 to 25 % faster than one
//! after the other, and one statement for both deadlocks between four workers).

use super::budget::{Budget, GRACE};
use super::feed::{Caught, Feeds, Wanted};
use super::hand::{Hand, Held};
use super::report::{Report, Said};
use super::stats::{Stats, StoppedBy, Summary};
use super::{Handlers, Mode, Observer, Options, delivery, heart, verdict};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::transport::{Outcome, Settlement, Transport, WorkerId};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use uuid::Uuid;

/// Failures in a row after which a bounded drain gives up.
const PATIENCE: u32 = 5;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// At most so many outcomes a settling, which bounds the size of its statements.
const SETTLE_AT_ONCE: usize = 1000;

/// One bounded drain, or one long-lived worker.
pub struct Consumer {
    engine: Arc<Engine>,
    options: Options,
    handlers: Arc<dyn Handlers>,
    observer: Option<Arc<dyn Observer>>,
    /// Outcomes that the handlers have reported and the loop has not taken yet.
    reports: Mutex<Vec<Report>>,
    types: Mutex<Option<Arc<[String]>>>,
    stop: Mutex<Option<Stop>>,
    declared_dead: AtomicBool,
    /// Wakes the loop for any of the above.
    wake: Notify,
    stats: Mutex<Stats>,
    in_flight: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    by: StoppedBy,
    force: bool,
}

impl Consumer {
    /// A consumer; nothing happens until it runs.
    pub fn new(
        engine: Arc<Engine>,
        options: Options,
        handlers: Arc<dyn Handlers>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Arc<Self> {
        let observer = observer.filter(|_| options.observe);
        Arc::new(Self {
            types: Mutex::new(options.types.clone().map(Arc::from)),
            engine,
            options,
            handlers,
            observer,
            reports: Mutex::default(),
            stop: Mutex::default(),
            declared_dead: AtomicBool::new(false),
            wake: Notify::new(),
            stats: Mutex::default(),
            in_flight: Arc::default(),
        })
    }

    /// Takes outcomes from the handlers.
    pub fn report(&self, reports: Vec<Report>) {
        lock(&self.reports).extend(reports);
        self.wake.notify_one();
    }

    /// Changes which types have a handler; `None`: all.
    pub fn set_types(&self, types: Option<Vec<String>>) {
        *lock(&self.types) = types.map(Arc::from);
        self.wake.notify_one();
    }

    /// Asks it to stop: running handlers end first, unless forced. Forcing may follow asking.
    pub fn stop(&self, by: StoppedBy, force: bool) {
        let mut stop = lock(&self.stop);
        let by = stop.map_or(by, |it| it.by);
        *stop = Some(Stop { by, force: force || stop.is_some_and(|it| it.force) });
        self.wake.notify_one();
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        Stats { in_flight: self.in_flight.load(Ordering::Relaxed) as u64, ..*lock(&self.stats) }
    }

    /// Runs until there is nothing left to do or to wait for.
    ///
    /// # Errors
    /// A transport that can not be had; in a bounded drain also a database that does not answer.
    pub async fn run(self: Arc<Self>) -> Result<Summary> {
        let start = Instant::now();
        let names = self.options.transports.clone().unwrap_or_else(|| self.engine.usable_names());
        let mut transports = Vec::with_capacity(names.len());
        for name in &names {
            transports.push(self.engine.transport(name).await?);
        }
        transports.retain(|it| it.capabilities().stores);
        let worker = signature(self.engine.config().worker.lease);
        let heart = self.clone().start_heart(&transports, &worker);
        let outcome = Loop::new(self.clone(), transports.clone(), worker.clone(), start).run().await;
        heart.abort();
        for store in distinct_stores(&transports) {
            // The lease runs out by itself if this fails.
            let _ = store.sign_off(&worker).await;
        }
        let stopped_by = outcome?;
        Ok(Summary {
            stats: self.stats(),
            duration: start.elapsed(),
            queue_depth: due(&transports).await,
            drained: stopped_by == StoppedBy::Empty,
            stopped_by,
        })
    }

    fn start_heart(
        self: Arc<Self>,
        transports: &[Arc<dyn Transport>],
        worker: &WorkerId,
    ) -> tokio::task::JoinHandle<()> {
        let (stores, in_flight) = (distinct_stores(transports), self.in_flight.clone());
        let declared_dead = move || {
            self.declared_dead.store(true, Ordering::Relaxed);
            self.wake.notify_one();
        };
        tokio::spawn(heart::beat(stores, worker.clone(), in_flight, declared_dead))
    }

    fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }
}

type Claiming = Pin<Box<dyn Future<Output = (Feeds, Vec<Caught>, Option<Error>)> + Send>>;
type Settling = Pin<Box<dyn Future<Output = (Vec<Settling1>, Result<HashSet<Uuid>>)> + Send>>;

/// One outcome on its way into its transport.
struct Settling1 {
    held: Held,
    settlement: Settlement,
    /// Whether an earlier try may have been applied without an answer.
    retried: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Working,
    Draining,
    Aborting,
}

/// The state of a run.
struct Loop {
    consumer: Arc<Consumer>,
    transports: Vec<Arc<dyn Transport>>,
    /// At home while no claim is under way.
    feeds: Option<Feeds>,
    claiming: Option<Claiming>,
    settling: Option<Settling>,
    hand: Hand,
    unsettled: Vec<Settling1>,
    budget: Budget,
    phase: Phase,
    stopped_by: Option<StoppedBy>,
    error: Option<Error>,
    /// No claim before this instant: the queue was empty, or the database did not answer.
    rest_until: Option<Instant>,
    /// Whether the last claim found nothing.
    found_nothing: bool,
    settle_after: Option<Instant>,
    claim_failures: u32,
    settle_failures: u32,
    /// When the next phase begins, whatever still runs.
    phase_ends: Option<Instant>,
    events: Vec<Value>,
}

impl Loop {
    fn new(consumer: Arc<Consumer>, transports: Vec<Arc<dyn Transport>>, worker: WorkerId, start: Instant) -> Self {
        let options = &consumer.options;
        let feeds = Feeds::new(transports.clone(), worker, options.queues.clone());
        let budget = Budget::new(start, options.time_limit);
        Self {
            consumer,
            transports,
            feeds: Some(feeds),
            claiming: None,
            settling: None,
            hand: Hand::default(),
            unsettled: Vec::new(),
            budget,
            phase: Phase::Working,
            stopped_by: None,
            error: None,
            rest_until: None,
            found_nothing: false,
            settle_after: None,
            claim_failures: 0,
            settle_failures: 0,
            phase_ends: None,
            events: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<StoppedBy> {
        loop {
            self.take_reports();
            self.obey();
            self.watch_limits();
            self.start_settling();
            self.start_claiming();
            self.emit();
            self.consumer.in_flight.store(self.hand.len() + self.unsettled.len(), Ordering::Relaxed);
            if self.is_over() {
                break;
            }
            self.wait().await;
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.stopped_by.unwrap_or(StoppedBy::Empty)),
        }
    }

    /// Waits for whatever happens next.
    async fn wait(&mut self) {
        let until = self.next_instant().unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
        let consumer = self.consumer.clone();
        tokio::select! {
            (feeds, caught, error) = pending_or(&mut self.claiming) => {
                self.claiming = None;
                self.on_claimed(feeds, caught, error);
            }
            (settlements, answer) = pending_or(&mut self.settling) => {
                self.settling = None;
                self.on_settled(settlements, answer);
            }
            () = consumer.wake.notified() => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }

    /// The next instant at which something changes by itself.
    fn next_instant(&self) -> Option<Instant> {
        let working = (self.phase == Phase::Working).then_some([self.rest_until, self.budget.soft()]);
        let rest = [self.phase_ends, self.settle_after];
        let now = Instant::now();
        let soonest = working.into_iter().flatten().chain(rest).flatten().min();
        soonest.map(|it| it.max(now + Duration::from_millis(1)))
    }

    fn is_over(&self) -> bool {
        let idle =
            self.claiming.is_none() && self.settling.is_none() && self.hand.is_empty() && self.unsettled.is_empty();
        idle && (self.phase > Phase::Working || self.is_drained())
    }

    fn is_drained(&self) -> bool {
        self.consumer.options.mode == Mode::Drain && self.found_nothing
    }

    // ---- stopping ----------------------------------------------------------------------------------------------

    /// Does what was asked from outside, and what the clock says.
    fn obey(&mut self) {
        let stop = *lock(&self.consumer.stop);
        if let Some(stop) = stop {
            self.drain(stop.by, Instant::now() + self.consumer.options.shutdown_timeout);
            if stop.force {
                self.abort("force");
            }
        }
        if self.consumer.declared_dead.swap(false, Ordering::Relaxed) {
            // The outcomes will be refused by the fence; abort so that no more work is wasted on them.
            self.consumer.handlers.command(delivery::RETURN.to_owned());
            self.consumer.handlers.command(delivery::abort("leaseLost"));
        }
        let now = Instant::now();
        if self.phase == Phase::Working && self.budget.soft().is_some_and(|soft| now >= soft) {
            self.drain(StoppedBy::TimeLimit, self.budget.hard().unwrap_or(now));
        }
        if self.phase_ends.is_some_and(|end| now >= end) {
            match self.phase {
                Phase::Working => {}
                Phase::Draining => {
                    self.abort(if self.stopped_by == Some(StoppedBy::TimeLimit) { "timeLimit" } else { "signal" })
                }
                Phase::Aborting => self.release_all(),
            }
        }
    }

    /// Ends the claiming: what has not started goes back, what runs may end until `latest`.
    fn drain(&mut self, by: StoppedBy, latest: Instant) {
        if self.phase == Phase::Working {
            self.phase = Phase::Draining;
            self.stopped_by = Some(by);
            let latest = self.budget.hard().map_or(latest, |hard| hard.min(latest));
            self.phase_ends = Some(latest);
            self.consumer.handlers.command(delivery::RETURN.to_owned());
        }
    }

    fn abort(&mut self, reason: &str) {
        if self.phase < Phase::Aborting {
            self.phase = Phase::Aborting;
            self.phase_ends = Some(Instant::now() + GRACE);
            self.consumer.handlers.command(delivery::abort(reason));
        }
    }

    /// Gives up waiting for the handlers: their messages go back, and their late outcomes will find the fence shut.
    fn release_all(&mut self) {
        self.phase_ends = None;
        for held in self.hand.give_all() {
            self.conclude(held, Outcome::Release { delay: None });
        }
    }

    fn watch_limits(&mut self) {
        let options = &self.consumer.options;
        let stats = *lock(&self.consumer.stats);
        let pending_failures = self.unsettled.iter().filter(|it| failed(&it.settlement.outcome)).count() as u64;
        let far = Instant::now() + options.shutdown_timeout;
        if options.failure_limit.is_some_and(|limit| stats.failures() + pending_failures >= limit) {
            self.drain(StoppedBy::FailureLimit, far);
        } else if self.wanted() == 0 && self.hand.is_empty() && self.unsettled.is_empty() && self.settling.is_none() {
            self.drain(StoppedBy::MessageLimit, far);
        }
    }

    // ---- claiming ----------------------------------------------------------------------------------------------

    /// How many messages the next claim may ask for.
    fn wanted(&self) -> usize {
        let options = &self.consumer.options;
        let claimed = lock(&self.consumer.stats).claimed;
        let left = options.message_limit.map_or(u64::MAX, |limit| limit.saturating_sub(claimed));
        options.batch_size.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Claims as soon as nothing waits for a slot: then the next batch travels while this one runs, and no message
    /// is held here that another worker could already run.
    fn start_claiming(&mut self) {
        let limit = self.wanted();
        let ready = self.phase == Phase::Working
            && limit > 0
            && self.hand.len() <= self.consumer.options.max_concurrency
            && self.unsettled.len() < 10 * SETTLE_AT_ONCE
            && self.rest_until.is_none_or(|until| Instant::now() >= until)
            && !self.is_drained_for_now();
        let Some(feeds) = self.feeds.take_if(|_| ready) else { return };
        let suspect = feeds.suspects();
        let alone = self.hand.is_empty() && self.unsettled.is_empty() && self.settling.is_none();
        if suspect && !alone {
            // A suspect is handled with nothing else in the process: wait until the hand is empty.
            self.feeds = Some(feeds);
            return;
        }
        let types = lock(&self.consumer.types).clone();
        self.rest_until = None;
        self.claiming = Some(Box::pin(feeds.claim(Wanted { types, limit, suspect })));
    }

    /// In a bounded drain an empty claim is final once the hand is empty; until then there may be more to come.
    fn is_drained_for_now(&self) -> bool {
        self.is_drained() && self.hand.is_empty() && self.unsettled.is_empty() && self.settling.is_none()
    }

    fn on_claimed(&mut self, feeds: Feeds, caught: Vec<Caught>, error: Option<Error>) {
        let suspects = feeds.suspects();
        self.feeds = Some(feeds);
        let count: usize = caught.iter().map(|it| it.messages.len()).sum();
        self.found_nothing = count == 0 && error.is_none() && !suspects;
        self.consumer.count(|stats| stats.claimed += count as u64);
        for batch in caught {
            self.deliver(batch);
        }
        match error {
            Some(error) => self.on_claim_error(error),
            None => self.claim_failures = 0,
        }
        if count > 0 {
            self.event(|| json!({ "event": "claimed", "count": count }));
        } else if self.found_nothing {
            self.rest();
        }
    }

    /// Nothing to do: look again after the poll interval.
    fn rest(&mut self) {
        if self.hand.is_empty() && self.consumer.options.mode == Mode::Run {
            self.event(|| json!({ "event": "idle" }));
        }
        self.rest_until = Some(Instant::now() + self.consumer.options.poll_interval);
    }

    fn on_claim_error(&mut self, error: Error) {
        self.claim_failures += 1;
        self.event(|| json!({ "event": "error", "code": error.code(), "message": error.to_string() }));
        self.rest_until = Some(Instant::now() + backoff(self.claim_failures));
        let hopeless = !error.is_transient() || self.claim_failures >= PATIENCE;
        if self.consumer.options.mode == Mode::Drain && hopeless && self.error.is_none() {
            self.error = Some(error);
            self.drain(StoppedBy::Stopped, Instant::now() + self.consumer.options.shutdown_timeout);
        }
    }

    fn deliver(&mut self, caught: Caught) {
        let Some(transport) = self.transports.get(caught.feed) else { return };
        let config = self.consumer.engine.config();
        let number = self.hand.take(caught.feed, &caught.messages);
        let retries = |it: &crate::transport::Claimed| config.retry_for(&it.message_type).max_retries;
        let command = delivery::deliver(number, transport.name(), &caught.messages, retries);
        if !self.consumer.handlers.command(command) {
            // Nobody is there to handle them: the environment has ended.
            self.drain(StoppedBy::Stopped, Instant::now());
            self.release_all();
        } else if self.phase > Phase::Working {
            // The claim was under way when the end came.
            self.consumer.handlers.command(delivery::RETURN.to_owned());
        }
    }

    // ---- settling ----------------------------------------------------------------------------------------------

    fn take_reports(&mut self) {
        let reports = std::mem::take(&mut *lock(&self.consumer.reports));
        let config = self.consumer.engine.config();
        for report in reports {
            let Some(held) = self.hand.give(&report) else { continue };
            self.note_time(&report);
            let strategy = config.retry_for(&held.message_type);
            let outcome = verdict::outcome(report.said, held.run, strategy, fastrand::f64());
            self.conclude(held, outcome);
        }
    }

    fn note_time(&mut self, report: &Report) {
        if matches!(report.said, Said::Released { .. }) {
            return;
        }
        let millis = report.millis.clamp(0.0, 1e12);
        self.budget.observe(Duration::from_secs_f64(millis / 1000.0));
        self.consumer.count(|stats| {
            stats.runs += 1;
            stats.handler_millis += millis;
        });
    }

    fn conclude(&mut self, held: Held, outcome: Outcome) {
        let settlement = Settlement { id: held.id, token: held.token, outcome };
        self.unsettled.push(Settling1 { held, settlement, retried: false });
    }

    /// Writes all outcomes that wait, of one transport at a time; what comes meanwhile goes with the next.
    fn start_settling(&mut self) {
        let later = self.settle_after.is_some_and(|at| Instant::now() < at);
        let Some(feed) = self.unsettled.first().map(|it| it.held.feed).filter(|_| self.settling.is_none() && !later)
        else {
            return;
        };
        self.settle_after = None;
        let mut batch = Vec::new();
        let mut others = Vec::new();
        for it in std::mem::take(&mut self.unsettled) {
            if it.held.feed == feed && batch.len() < SETTLE_AT_ONCE { batch.push(it) } else { others.push(it) }
        }
        self.unsettled = others;
        let Some(transport) = self.transports.get(feed).cloned() else { return };
        self.settling = Some(Box::pin(async move {
            let settlements: Vec<_> = batch.iter().map(|it| it.settlement.clone()).collect();
            let lost = transport.settle(&settlements).await.map(HashSet::from_iter);
            (batch, lost)
        }));
    }

    fn on_settled(&mut self, batch: Vec<Settling1>, answer: Result<HashSet<Uuid>>) {
        match answer {
            Ok(lost) => {
                self.settle_failures = 0;
                for it in batch {
                    self.on_outcome(&it, lost.contains(&it.settlement.id) && !it.retried);
                }
            }
            Err(error) => self.on_settle_error(batch, &error),
        }
    }

    /// Outcomes are kept and tried again: losing one would run its message twice.
    fn on_settle_error(&mut self, batch: Vec<Settling1>, error: &Error) {
        self.settle_failures += 1;
        self.event(|| json!({ "event": "error", "code": error.code(), "message": error.to_string() }));
        let ending = self.phase > Phase::Working || self.consumer.options.mode == Mode::Drain;
        if ending && (self.settle_failures >= PATIENCE * 2 || !error.is_transient() && self.settle_failures >= PATIENCE)
        {
            // Past help: the lease runs out, and the messages come back to whoever is alive.
            self.unsettled.clear();
            self.stopped_by.get_or_insert(StoppedBy::Stopped);
            self.phase = Phase::Aborting;
            self.release_all();
            self.unsettled.clear();
            self.error.get_or_insert(Error::Query {
                operation: "settle",
                reason: error.to_string(),
                transient: error.is_transient(),
            });
            return;
        }
        self.settle_after = Some(Instant::now() + backoff(self.settle_failures));
        self.unsettled.splice(0..0, batch.into_iter().map(|it| Settling1 { retried: true, ..it }));
    }

    fn on_outcome(&mut self, it: &Settling1, lost: bool) {
        let mut event = "lost";
        self.consumer.count(|stats| {
            let (name, counter) = match it.settlement.outcome {
                _ if lost => ("lost", &mut stats.lost),
                Outcome::Completed => ("completed", &mut stats.succeeded),
                Outcome::Discarded { .. } => ("discarded", &mut stats.discarded),
                Outcome::Retry { .. } => ("retried", &mut stats.retried),
                Outcome::Bury { .. } => ("deadLettered", &mut stats.dead_lettered),
                Outcome::Release { delay: Some(_) } => ("snoozed", &mut stats.snoozed),
                Outcome::Release { delay: None } => ("released", &mut stats.released),
            };
            *counter += 1;
            event = name;
        });
        if self.consumer.observer.is_some() {
            let told = self.describe(it, event);
            self.events.push(told);
        }
    }

    // ---- telling -----------------------------------------------------------------------------------------------

    fn describe(&self, it: &Settling1, event: &str) -> Value {
        let transport = self.transports.get(it.held.feed).map(|it| it.name().to_string());
        let mut told = json!({
            "event": event, "id": it.held.id, "type": it.held.message_type,
            "transport": transport, "retryCount": it.held.run.retry_count,
        });
        match &it.settlement.outcome {
            Outcome::Retry { delay, failure, .. } => {
                told["delay"] = json!(delay.as_millis() as u64);
                told["error"] = json!({ "class": failure.class, "message": failure.message });
            }
            Outcome::Bury { failure, .. } => {
                told["error"] = json!({ "class": failure.class, "message": failure.message });
            }
            Outcome::Release { delay: Some(delay) } => told["delay"] = json!(delay.as_millis() as u64),
            Outcome::Discarded { reason } => told["reason"] = json!(reason),
            _ => {}
        }
        told
    }

    fn event(&mut self, event: impl FnOnce() -> Value) {
        if self.consumer.observer.is_some() {
            self.events.push(event());
        }
    }

    fn emit(&mut self) {
        if let Some(observer) = self.consumer.observer.as_ref().filter(|_| !self.events.is_empty()) {
            observer.observe(Value::Array(std::mem::take(&mut self.events)).to_string());
        }
    }
}

/// The future in a slot; an empty slot never resolves.
async fn pending_or<T>(slot: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match slot {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Retry { .. } | Outcome::Bury { .. })
}

fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_BACKOFF * 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_BACKOFF).mul_f64(0.75 + fastrand::f64() / 2.0)
}

fn signature(lease: Duration) -> WorkerId {
    let host = std::env::var("HOSTNAME").ok().filter(|it| !it.is_empty());
    WorkerId {
        id: Uuid::now_v7(),
        host: host.unwrap_or_else(|| "unknown".to_owned()),
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        lease,
    }
}

/// One transport for each store.
fn distinct_stores(transports: &[Arc<dyn Transport>]) -> Vec<Arc<dyn Transport>> {
    let mut seen = HashSet::new();
    transports.iter().filter(|it| seen.insert(it.store())).cloned().collect()
}

/// Due messages in all transports; what can not be counted is left out, the work is done already.
async fn due(transports: &[Arc<dyn Transport>]) -> u64 {
    let mut sum = 0;
    for transport in transports {
        sum += transport.depth().await.map_or(0, |all| all.iter().map(|it| it.pending).sum());
    }
    sum
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
