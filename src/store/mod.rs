//! What is kept beside the messages that wait. [`Store`] is the seam: one trait per subject, which all stores have, and
//! facets that some lack.

pub mod admissions;
pub mod circuits;
pub mod contents;
pub mod controls;
pub mod counts;
pub mod dead_letters;
pub mod executions;
pub mod insights;
pub mod keys;
pub mod messages;
pub mod operations;
pub mod parked;
pub mod reasons;
pub mod schedules;
pub mod schema;
pub mod stops;
pub mod transports;
pub mod vitals;

use crate::error::Result;
use admissions::Admissions;
use async_trait::async_trait;
use circuits::Circuits;
use controls::Controls;
use counts::Counts;
use dead_letters::DeadLetters;
use executions::Executions;
use insights::Insights;
use keys::Keys;
use operations::Operations;
use parked::ParkedMessages;
use reasons::Reasons;
use schedules::Schedules;
use schema::Schema;
use stops::Stops;
use transports::Transports;
use vitals::Vitals;

/// What a clean-up deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Finished messages past their retention.
    pub completed: u64,
    /// Dead letters past their retention.
    pub failed: u64,
    /// Idempotency keys past their window.
    pub deduplication: u64,
    /// Finished schedules, past the retention of completed messages.
    pub schedules: u64,
    /// Rows of metrics past their retention.
    pub metrics: u64,
    /// Executions that are not repeated any more.
    pub executions: u64,
    /// What operators did, past its retention.
    pub audit: u64,
}

/// What is kept beside messages. Transports share the one of their engine, unless they have a store of their own kind.
#[async_trait]
pub trait Store:
    DeadLetters + Keys + Executions + Counts + ParkedMessages + Controls + Operations + Reasons + Stops
{
    /// Where it is: two of the same identity are one.
    fn identity(&self) -> String;

    /// What a health check needs in addition to depth and counts.
    async fn vitals(&self) -> Result<Vitals>;

    /// Deletes what its retention no longer covers, at most `limit` rows of each kind.
    async fn cleanup(&self, limit: u32) -> Result<Cleaned>;

    /// As what lets consumers agree on circuit breakers.
    fn circuits(&self) -> Option<&dyn Circuits> {
        None
    }

    /// As what lets processes agree on notifications.
    fn admissions(&self) -> Option<&dyn Admissions> {
        None
    }

    /// As the table of schedules.
    fn schedules(&self) -> Option<&dyn Schedules> {
        None
    }

    /// As the table of transports.
    fn transports(&self) -> Option<&dyn Transports> {
        None
    }

    /// As what operators look at beside messages.
    fn insights(&self) -> Option<&dyn Insights> {
        None
    }

    /// As tables that are migrated and examined.
    fn schema(&self) -> Option<&dyn Schema> {
        None
    }
}
