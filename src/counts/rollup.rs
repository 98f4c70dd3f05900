//! What happened in one minute to the messages of one type in one transport, as one consumer saw it.
//!
//! A consumer writes the whole row with every settling, in the same statement, which is done as a whole or not at all:
//! what is settled is counted, and nothing else. Each consumer has rows of its own, so that no two of them ever wait for
//! the same row, and so that the row tells whether a settling was done whose answer was lost; housekeeping merges them
//! later.

use super::histogram::Histogram;
use crate::message::outcome::Outcome;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Error classes that one row names; further ones count as [`OTHER`]. A class comes from outside.
const CLASSES: usize = 20;
const OTHER: &str = "other";
/// Characters of a class name that are kept.
const CLASS_LENGTH: usize = 100;

/// One row of `messenger_metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// The beginning of the minute, by the clock of the transport.
    pub minute: DateTime<Utc>,
    /// Who counted, one for each queue of a consumer.
    pub source: Uuid,
    /// The type.
    pub message_type: String,
    /// The queue; empty for those that have no row of their own.
    pub queue: String,
    /// The counts.
    pub tally: Tally,
}

/// Counts of some messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Messages handled.
    pub succeeded: u64,
    /// Failed runs that will be retried.
    pub retried: u64,
    /// Messages that failed for good.
    pub dead_lettered: u64,
    /// Messages that their handler discarded.
    pub discarded: u64,
    /// Messages postponed by their handler.
    pub snoozed: u64,
    /// Messages put back unhandled.
    pub released: u64,
    /// Milliseconds that handlers ran, over all of `durations`.
    pub duration_ms: f64,
    /// Milliseconds from when the messages were due to when they were claimed, over all of `durations`.
    pub waited_ms: f64,
    /// How long the handlers ran; messages put back unhandled are not among them.
    pub durations: Histogram,
    /// How long the messages of these runs had waited, from due to claimed. Those of builds that did not note it are
    /// missing.
    pub waits: Histogram,
    /// Failed runs by the class of their error.
    pub errors: BTreeMap<String, Errors>,
}

/// Failed runs of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How many.
    pub count: u64,
    /// When it last happened, in milliseconds since the epoch.
    pub last: f64,
}

/// One run of a message, as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// Milliseconds in its handlers.
    pub millis: f64,
    /// Milliseconds from when it was due to when it was claimed.
    pub waited: f64,
}

impl Tally {
    /// Counts one run.
    pub fn record(&mut self, run: Measured<'_>, at: DateTime<Utc>) {
        *self.counter(run.outcome) += 1;
        if is_run(run.outcome) {
            self.duration_ms += run.millis;
            self.waited_ms += run.waited;
            self.durations.record(run.millis);
            self.waits.record(run.waited);
        }
        if let Some(class) = class_of(run.outcome) {
            let errors = self.errors_of(class);
            errors.count += 1;
            errors.last = errors.last.max(at.timestamp_millis() as f64);
        }
    }

    /// Whether both count the same runs. Sums of milliseconds are left out: they follow from the runs.
    pub fn counts_the_same(&self, other: &Self) -> bool {
        self.counts() == other.counts()
    }

    fn counts(&self) -> [u64; 6] {
        [self.succeeded, self.retried, self.dead_lettered, self.discarded, self.snoozed, self.released]
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.retried += other.retried;
        self.dead_lettered += other.dead_lettered;
        self.discarded += other.discarded;
        self.snoozed += other.snoozed;
        self.released += other.released;
        self.duration_ms += other.duration_ms;
        self.waited_ms += other.waited_ms;
        self.durations.merge(&other.durations);
        self.waits.merge(&other.waits);
        for (class, errors) in &other.errors {
            let mine = self.errors.entry(class.clone()).or_default();
            mine.count += errors.count;
            mine.last = mine.last.max(errors.last);
        }
    }

    fn counter(&mut self, outcome: &Outcome) -> &mut u64 {
        match outcome {
            Outcome::Completed => &mut self.succeeded,
            Outcome::Discarded { .. } => &mut self.discarded,
            Outcome::Retry { .. } => &mut self.retried,
            Outcome::Bury { .. } => &mut self.dead_lettered,
            Outcome::Snooze { .. } => &mut self.snoozed,
            Outcome::Release { .. } => &mut self.released,
        }
    }

    fn errors_of(&mut self, class: &str) -> &mut Errors {
        let name: String = class.chars().filter(|it| *it != '\0').take(CLASS_LENGTH).collect();
        let full = self.errors.len() >= CLASSES && !self.errors.contains_key(&name);
        self.errors.entry(if full { OTHER.to_owned() } else { name }).or_default()
    }
}

/// Whether handlers ran.
fn is_run(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Release { .. })
}

fn class_of(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Retry { failure, .. } | Outcome::Bury { failure, .. } => Some(&failure.class),
        _ => None,
    }
}

/// The beginning of the minute.
pub fn minute_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::outcome::Failure;
    use std::time::Duration;

    fn failed(class: &str) -> Outcome {
        let failure = Failure::new(class, "no".to_owned());
        Outcome::Retry { delay: Duration::ZERO, failure, handled: Vec::new() }
    }

    fn run(outcome: &Outcome) -> Measured<'_> {
        Measured { outcome, millis: 12.5, waited: 3.0 }
    }

    #[test]
    fn each_outcome_has_its_counter() {
        let mut tally = Tally::default();
        let failure = Failure::new("E", "no".to_owned());
        for outcome in [
            Outcome::Completed,
            Outcome::Discarded { reason: "old".to_owned() },
            failed("E"),
            Outcome::Bury { failure, handled: Vec::new() },
            Outcome::Snooze { delay: Duration::ZERO, handled: Vec::new() },
            Outcome::UNTOUCHED,
        ] {
            tally.record(run(&outcome), DateTime::UNIX_EPOCH);
        }
        let counts = [tally.succeeded, tally.discarded, tally.retried, tally.dead_lettered, tally.snoozed];
        assert_eq!((counts, tally.released), ([1; 5], 1));
        assert_eq!((tally.durations.count(), tally.duration_ms, tally.waited_ms), (5, 62.5, 15.0));
        assert_eq!((tally.waits.count(), tally.waits.up_to(2.9), tally.waits.up_to(3.1)), (5, 0, 5));
        assert_eq!(tally.errors["E"].count, 2);
    }

    #[test]
    fn a_flood_of_classes_stays_small() {
        let mut tally = Tally::default();
        for number in 0..1_000 {
            tally.record(run(&failed(&format!("E{number}\0{}", "x".repeat(500)))), DateTime::UNIX_EPOCH);
        }
        assert_eq!(tally.errors.len(), CLASSES + 1);
        assert_eq!(tally.errors[OTHER].count, 1_000 - CLASSES as u64);
        assert!(tally.errors.keys().all(|it| it.chars().count() <= CLASS_LENGTH && !it.contains('\0')));
    }

    #[test]
    fn a_minute_begins_at_its_zeroth_second() {
        let at = DateTime::from_timestamp_millis(1_700_000_059_999).unwrap();
        assert_eq!(minute_of(at).timestamp(), 1_700_000_040);
    }
}
