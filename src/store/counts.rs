//! How messages ended.

use crate::counts::rollup::Rollup;
use crate::counts::totals::TotalRow;
use crate::counts::window::{Counted, Window};
use crate::error::Result;
use async_trait::async_trait;

/// Keeps what consumers have counted.
#[async_trait]
pub trait Counts: Send + Sync {
    /// Whether the counts of this transport are exactly these. A settlement whose answer was lost was done if its
    /// rollups are stored, as long as their source has written nothing since; after an hour nobody can tell.
    async fn has_counted(&self, transport: &str, rollups: &[Rollup]) -> Result<bool>;

    /// What was counted over all transports of the store.
    async fn counted(&self, window: &Window) -> Result<Counted>;

    /// What its store has ever counted, over all its transports. No figure ever falls.
    async fn ever_counted(&self) -> Result<Vec<TotalRow>>;
}
