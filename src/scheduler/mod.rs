//! Messages that come again: once at an instant, by a cron expression, at an interval.
//!
//! | module | what it knows |
//! |---|---|
//! | [`cron`] | cron expressions: reading them, and finding the next run; pure |
//! | [`zone`] | time zones, and local times that are skipped or come twice; pure |
//! | [`timing`] | when a schedule of any kind runs next; pure |

pub mod cron;
pub mod timing;
pub mod zone;

mod preview;

pub use preview::{Question, Valid, next_runs, validate_cron};
