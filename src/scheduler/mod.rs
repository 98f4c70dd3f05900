//! Recurring messages: once at an instant, by a cron expression, at an interval.
//!
//! | module | what it knows |
//! |---|---|
//! | [`cron`] | cron expressions: reading them, and finding the next run; pure |
//! | [`zone`] | time zones, and local times that are skipped or come twice; pure |
//! | [`timing`] | when a schedule of any kind runs next; pure |
//! | [`missed`] | what becomes of runs that are due, in time or not; pure |
//! | [`definition`], [`record`] | a schedule as it comes in, and as it is stored |
//! | [`manage`] | schedules made, changed, looked at and taken away |
//! | [`run`] | due schedules to messages |

pub mod cron;
pub mod definition;
pub mod manage;
pub mod missed;
pub mod record;
pub mod run;
pub mod timing;
pub mod zone;

mod preview;

use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::schedules::Schedules;

pub use preview::{Question, Valid, next_runs, validate_cron};

/// The table of schedules in a store.
///
/// # Errors
/// [`Error::NotCapable`] of a store without one.
fn table(store: &dyn Store) -> Result<&dyn Schedules> {
    store.schedules().ok_or_else(|| Error::NotCapable { name: store.identity(), what: "keep schedules" })
}
