//! What was ever counted: counters that never fall, whatever is merged and deleted meanwhile.

use super::histogram::Histogram;
use super::rollup::Tally;
use serde::{Deserialize, Serialize};

/// The totals of one type in one transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalRow {
    /// The transport.
    pub transport: String,
    /// The type.
    pub message_type: String,
    /// Its totals.
    pub total: Total,
}

/// How messages ever ended. Time is in whole microseconds of each rollup: a sum of fractions depends on its order, and
/// might fall by the last digit when rollups are merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// How often in which way.
    pub outcomes: Outcomes,
    /// Microseconds that handlers ran, over all of `durations`.
    pub duration_us: u64,
    /// Microseconds from when the messages were due to when they were claimed, over all of `durations`.
    pub waited_us: u64,
    /// How long the handlers ran.
    pub durations: Histogram,
}

/// How often messages were settled in which way, under the names that the tables and Prometheus have for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Messages handled.
    pub succeeded: u64,
    /// Failed runs that were retried.
    pub retried: u64,
    /// Messages that failed for good.
    pub dead_lettered: u64,
    /// Messages that their handler discarded.
    pub discarded: u64,
    /// Messages postponed by their handler.
    pub snoozed: u64,
    /// Messages put back unhandled.
    pub released: u64,
}

impl Total {
    /// Adds the counts of a rollup, which must not change any more.
    pub fn add(&mut self, tally: &Tally) {
        self.merge(&Self {
            outcomes: Outcomes::of(tally),
            duration_us: micros(tally.duration_ms),
            waited_us: micros(tally.waited_ms),
            durations: tally.durations.clone(),
        });
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes.add(other.outcomes);
        self.duration_us += other.duration_us;
        self.waited_us += other.waited_us;
        self.durations.merge(&other.durations);
    }
}

impl Outcomes {
    fn of(tally: &Tally) -> Self {
        Self {
            succeeded: tally.succeeded,
            retried: tally.retried,
            dead_lettered: tally.dead_lettered,
            discarded: tally.discarded,
            snoozed: tally.snoozed,
            released: tally.released,
        }
    }

    fn add(&mut self, other: Self) {
        self.succeeded += other.succeeded;
        self.retried += other.retried;
        self.dead_lettered += other.dead_lettered;
        self.discarded += other.discarded;
        self.snoozed += other.snoozed;
        self.released += other.released;
    }
}

fn micros(millis: f64) -> u64 {
    (millis * 1e3).round() as u64
}
