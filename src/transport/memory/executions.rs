//! Executions that named themselves.

use super::clock::later;
use crate::transport::execution::Execution;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// How long an ended one is remembered.
const KEPT: TimeDelta = TimeDelta::days(1);

/// All executions of a transport.
#[derive(Debug, Default)]
pub struct Executions {
    known: HashMap<(String, String), Known>,
}

#[derive(Debug)]
struct Known {
    started_at: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    done: bool,
}

impl Executions {
    /// Whether it may run.
    pub fn begin(&mut self, execution: &Execution, now: DateTime<Utc>) -> bool {
        let key = key(execution);
        if self.known.get(&key).is_some_and(|it| it.done || it.lease_until >= now) {
            return false;
        }
        self.known.insert(key, Known { started_at: now, lease_until: later(now, execution.lease), done: false });
        true
    }

    /// It has ended, or has failed and may be tried again.
    pub fn end(&mut self, execution: &Execution, done: bool) {
        match self.known.get_mut(&key(execution)) {
            Some(known) if done => known.done = true,
            Some(known) => known.lease_until = DateTime::<Utc>::MIN_UTC,
            None => {}
        }
    }

    /// Forgets those that nobody repeats any more, at most `limit` of them.
    pub fn forget_old(&mut self, now: DateTime<Utc>, limit: usize) -> u64 {
        let old = self.known.iter().filter(|(_, it)| it.started_at < now - KEPT).map(|(key, _)| key.clone());
        let old: Vec<_> = old.take(limit).collect();
        for key in &old {
            self.known.remove(key);
        }
        old.len() as u64
    }
}

fn key(execution: &Execution) -> (String, String) {
    (execution.route.clone(), execution.id.clone())
}
