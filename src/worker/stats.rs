//! What a consumer has done.

use serde::Serialize;
use std::time::Duration;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StoppedBy {
    /// Nothing was left to claim.
    Empty,
    /// `messageLimit`.
    MessageLimit,
    /// `timeLimit` or `deadline`.
    TimeLimit,
    /// `failureLimit`.
    FailureLimit,
    /// `memoryLimit`.
    MemoryLimit,
    /// An abort signal or a signal of the operating system.
    Signal,
    /// `stop()`.
    Stopped,
}

impl StoppedBy {
    /// The reason by the name that the facade uses; anything unknown is [`StoppedBy::Stopped`].
    pub fn named(name: &str) -> Self {
        match name {
            "signal" => Self::Signal,
            "memoryLimit" => Self::MemoryLimit,
            _ => Self::Stopped,
        }
    }
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Messages received.
    pub claimed: u64,
    /// Messages handled.
    pub succeeded: u64,
    /// Failed runs that will be retried.
    pub retried: u64,
    /// Messages buried.
    pub dead_lettered: u64,
    /// Messages put back unhandled.
    pub released: u64,
    /// Messages postponed by their handler.
    pub snoozed: u64,
    /// Messages that their handler discarded.
    pub discarded: u64,
    /// Outcomes refused because the lease was lost.
    pub lost: u64,
    /// Messages in hand now.
    pub in_flight: u64,
    /// Milliseconds spent in handlers, over all runs.
    pub handler_millis: f64,
    /// Runs that ended, well or badly.
    pub runs: u64,
}

impl Stats {
    /// Failed runs, which `failureLimit` counts.
    pub fn failures(&self) -> u64 {
        self.retried + self.dead_lettered
    }

    /// Messages that the consumer does not hold any more, whatever happened to them.
    pub fn settled(&self) -> u64 {
        self.succeeded + self.failures() + self.released + self.snoozed + self.discarded + self.lost
    }
}

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The counts.
    #[serde(flatten)]
    pub stats: Stats,
    /// How long it took, in milliseconds.
    #[serde(serialize_with = "millis")]
    pub duration: Duration,
    /// Due messages left in the transports consumed, counted up to a cap.
    pub queue_depth: u64,
    /// Whether nothing was left to claim.
    pub drained: bool,
    /// Why it ended.
    pub stopped_by: StoppedBy,
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1000.0)
}
