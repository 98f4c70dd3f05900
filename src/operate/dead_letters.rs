//! Dead letters across all stores: one list over all stores.

use super::messages::renamed;
use crate::engine::Engine;
use crate::error::Result;
use crate::search::List;
use crate::store::dead_letters::{FailedFilter, FailedMessage, FailedPage};

use std::sync::Arc;
use uuid::Uuid;

/// One page, newest first.
///
/// # Errors
/// Those of the transports; [`crate::Error::Serialization`] for an invalid cursor; what is wrong with the filter.
pub async fn list(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<FailedPage> {
    let filter = &fitting(engine, filter).await?;
    let mut pages = Vec::new();
    for store in engine.stores().await? {
        pages.push(store.list_failed(filter).await?);
    }
    // What lies beyond the nearest end of a page comes with the next one, when all stores have been looked at so far.
    let ends = pages.iter().filter_map(|page| Some((page.next_cursor?, page.searched_to)));
    let (reached, searched_to) = ends.max_by_key(|it| it.0).unzip();
    let mut messages: Vec<FailedMessage> = pages.into_iter().flat_map(|page| page.messages).collect();
    messages.retain(|it| reached.is_none_or(|reached| it.cursor >= reached));
    messages.sort_by_key(|it| std::cmp::Reverse(it.cursor));
    let page = FailedPage::of(messages, filter.page_size(), false, reached);
    let searched_to = searched_to.flatten().filter(|_| page.next_cursor == reached);
    Ok(FailedPage { searched_to, ..page })
}

/// How many match, among the newest of each store, and whether one holds more than these.
///
/// # Errors
/// Those of the transports.
pub async fn count(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<(u64, bool)> {
    let filter = &fitting(engine, filter).await?;
    let (mut total, mut capped) = (0, false);
    for store in engine.stores().await? {
        let (matching, more) = store.count_failed(filter).await?;
        total += matching;
        capped |= more;
    }
    Ok((total, capped))
}

/// One dead letter.
///
/// # Errors
/// Those of the transports.
pub async fn get(engine: &Arc<Engine>, id: Uuid) -> Result<Option<FailedMessage>> {
    for store in engine.stores().await? {
        if let Some(message) = store.get_failed(id).await? {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

/// The filter with its transport under that one's own name; one that matches nothing by mistake is refused.
async fn fitting(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<FailedFilter> {
    filter.check()?;
    let mut filter = filter.clone();
    filter.query = renamed(engine, filter.query.as_deref(), List::DeadLetters).await?;
    if let Some(transport) = &mut filter.transport {
        *transport = engine.must_know(transport).await?;
    }
    Ok(filter)
}
