//! Named executions.

use super::clock::later;
use crate::store::executions::{Begun, Execution};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// How long an ended one is remembered.
const KEPT: TimeDelta = TimeDelta::days(1);

/// All executions of a transport.
#[derive(Debug, Default)]
pub struct Executions {
    known: HashMap<(String, String), Known>,
    /// The token of the last run.
    runs: i64,
}

#[derive(Debug)]
struct Known {
    token: i64,
    started_at: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    done: bool,
}

impl Executions {
    /// Starts it, unless it has ended or is running.
    pub fn begin(&mut self, execution: &Execution, now: DateTime<Utc>) -> Begun {
        let key = key(execution);
        match self.known.get(&key) {
            Some(known) if known.done => return Begun::Done,
            Some(known) if known.lease_until >= now => {
                return Begun::Busy((known.lease_until - now).to_std().unwrap_or_default());
            }
            _ => {}
        }
        self.runs += 1;
        let lease_until = later(now, execution.lease);
        self.known.insert(key, Known { token: self.runs, started_at: now, lease_until, done: false });
        Begun::Runs(self.runs)
    }

    /// The run with this token has ended, or has failed and may be retried; whether it still counted.
    pub fn end(&mut self, execution: &Execution, token: i64, done: bool) -> bool {
        let running = self.known.get_mut(&key(execution)).filter(|it| it.token == token && !it.done);
        let Some(known) = running else { return false };
        match done {
            true => known.done = true,
            false => known.lease_until = DateTime::<Utc>::MIN_UTC,
        }
        true
    }

    /// Forgets those that are not repeated any more, at most `limit` of them.
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
