//! What a look at the health needs.

use super::circuits::Circuit;
use super::controls::Pause;
use serde::{Deserialize, Serialize};

/// What a health check of a store needs in addition to depth and counts. Counts stop at [`DEPTH_CAP`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vitals {
    /// Dead letters.
    pub dead_letters: u64,
    /// Dead letters of the last hour.
    pub recent_dead_letters: u64,
    /// Workers and invocations at work.
    pub workers: u64,
    /// Workers that have been overdue for a minute without a rescue.
    pub stale_workers: u64,
    /// Claimed messages whose worker is not registered: they come back with the next rescue.
    pub held_by_nobody: u64,
    /// Messages of living workers that do not know of them.
    pub unknown_to_workers: u64,
    /// Schedules that have been due for five minutes or more: nothing runs what is due.
    pub overdue_schedules: u64,
    /// Parked messages that have been due for five minutes or more: nothing relays them to their broker.
    pub overdue_parked: u64,
    /// Circuit breakers that are not closed.
    pub circuits: Vec<Circuit>,
    /// What operators have paused.
    pub pauses: Vec<Pause>,
}
