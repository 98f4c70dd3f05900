//! What passes between the handle of a consumer, its heartbeat, and its loop.

use super::protocol::report::Report;
use super::stats::{Stats, StoppedBy};
use crate::base::lock::lock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What others have told the loop, and what it tells them.
pub struct Mailbox {
    /// Outcomes that the handlers have reported and the loop has not taken yet.
    reports: Mutex<Vec<Report>>,
    types: Mutex<Option<Arc<[String]>>>,
    stop: Mutex<Option<Stop>>,
    observes_messages: AtomicBool,
    /// A heartbeat found that the worker had been declared dead: others may have some of what it holds.
    pub in_doubt: AtomicBool,
    /// A heartbeat found the worker not registered, as it never has.
    pub missing: AtomicBool,
    /// A heartbeat found the worker registered.
    pub beaten: AtomicBool,
    /// There are handlers for other types than before.
    pub types_changed: AtomicBool,
    /// Something was sent since the last claim.
    pub sent: AtomicBool,
    /// Wakes the loop for any of the above.
    pub wake: Notify,
    stats: Mutex<Stats>,
    pub in_flight: Arc<AtomicUsize>,
}

/// A request to stop.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    pub by: StoppedBy,
    pub force: bool,
}

impl Mailbox {
    /// Empty. `types`: those that have a handler; `None`: all.
    pub fn new(types: Option<Vec<String>>, observes_messages: bool) -> Self {
        Self {
            reports: Mutex::default(),
            types: Mutex::new(types.map(Arc::from)),
            stop: Mutex::default(),
            observes_messages: AtomicBool::new(observes_messages),
            in_doubt: AtomicBool::new(false),
            missing: AtomicBool::new(false),
            beaten: AtomicBool::new(false),
            types_changed: AtomicBool::new(false),
            sent: AtomicBool::new(false),
            wake: Notify::new(),
            stats: Mutex::default(),
            in_flight: Arc::default(),
        }
    }

    /// Takes outcomes from the handlers. Those that `more` will follow at once are settled with them.
    pub fn report(&self, reports: Vec<Report>, more: bool) {
        lock(&self.reports).extend(reports);
        if !more {
            self.wake.notify_one();
        }
    }

    /// What has been reported since the last time.
    pub fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut *lock(&self.reports))
    }

    /// Changes which types have a handler; `None`: all.
    pub fn set_types(&self, types: Option<Vec<String>>) {
        *lock(&self.types) = types.map(Arc::from);
        self.types_changed.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// The types that have a handler; `None`: all.
    pub fn types(&self) -> Option<Arc<[String]>> {
        lock(&self.types).clone()
    }

    /// Whether events about single messages are wanted.
    pub fn observe_messages(&self, wanted: bool) {
        self.observes_messages.store(wanted, Ordering::Relaxed);
    }

    /// See [`Mailbox::observe_messages`].
    pub fn observes_messages(&self) -> bool {
        self.observes_messages.load(Ordering::Relaxed)
    }

    /// Asks to stop: running handlers finish first, unless forced. A forced stop may follow.
    pub fn stop(&self, by: StoppedBy, force: bool) {
        let mut stop = lock(&self.stop);
        let by = stop.map_or(by, |it| it.by);
        *stop = Some(Stop { by, force: force || stop.is_some_and(|it| it.force) });
        self.wake.notify_one();
    }

    /// What it was asked, if anything.
    pub fn stop_asked(&self) -> Option<Stop> {
        *lock(&self.stop)
    }

    /// What has been done so far.
    pub fn stats(&self) -> Stats {
        Stats { in_flight: self.in_flight.load(Ordering::Relaxed) as u64, ..*lock(&self.stats) }
    }

    /// Counts something that was done.
    pub fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }
}
