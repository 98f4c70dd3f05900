//! The parts of the core, by the names under which their log lines are filtered.

/// From message to transports.
pub const DISPATCH: &str = "symphony::dispatch";
/// Drains and workers: claims, settlements, rescues, heartbeats, circuits, clean-up.
pub const WORKER: &str = "symphony::worker";
/// Schedules that are due.
pub const SCHEDULER: &str = "symphony::scheduler";
/// Connections and statements.
pub const POSTGRES: &str = "symphony::postgres";
/// Migrations.
pub const MIGRATE: &str = "symphony::migrate";
/// The log itself.
pub const LOG: &str = "symphony::log";

/// All of them.
pub const ALL: [&str; 6] = [DISPATCH, WORKER, SCHEDULER, POSTGRES, MIGRATE, LOG];
