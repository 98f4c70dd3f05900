//! Dead letters across all stores: one list over all stores.

use super::messages::renamed;
use crate::engine::Engine;
use crate::error::{Error, QueryProblem, Result};
use crate::search::List;
use crate::store::Store;
use crate::store::dead_letters::{FailedFilter, FailedMessage, FailedPage, FailedPlaces, MAX_PAGE, Redriven};

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

/// Puts all matching letters back into their queues. Those that fail again meanwhile are not taken twice.
///
/// # Errors
/// Those of the transports; what was redriven before stays so.
pub async fn redrive(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<Vec<Redriven>> {
    let filter = &selection(engine, filter).await?;
    let mut redriven = Vec::new();
    for store in engine.stores().await? {
        let mut pages = Pages::of(filter);
        while let Some(ids) = pages.next(&*store).await? {
            redriven.extend(store.redrive(&ids).await?);
            engine.note_sent();
        }
    }
    Ok(redriven)
}

/// Deletes all that match, and returns how many there were.
///
/// # Errors
/// As [`redrive`].
pub async fn remove(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<u64> {
    let filter = &selection(engine, filter).await?;
    let mut removed = 0;
    for store in engine.stores().await? {
        let mut pages = Pages::of(filter);
        while let Some(ids) = pages.next(&*store).await? {
            removed += store.remove_failed(&ids).await?;
        }
    }
    Ok(removed)
}

/// As [`fitting`], of what is put back or deleted: a query that has lost its terms would match more than was meant.
async fn selection(engine: &Arc<Engine>, filter: &FailedFilter) -> Result<FailedFilter> {
    if filter.query.is_some() && filter.search()?.terms.is_empty() {
        let wants = "a term; leave the query out if you mean all of them".to_owned();
        return Err(Error::InvalidQuery(Box::new(QueryProblem {
            character: 1,
            length: 0,
            found: String::new(),
            wants,
        })));
    }
    fitting(engine, filter).await
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

/// The matching ids, page by page, from the newest to the oldest: what is buried meanwhile is newer and not included.
struct Pages {
    filter: FailedFilter,
    done: bool,
}

impl Pages {
    fn of(filter: &FailedFilter) -> Self {
        Self { filter: FailedFilter { limit: MAX_PAGE, ..filter.clone() }, done: false }
    }

    async fn next(&mut self, store: &dyn Store) -> Result<Option<Vec<Uuid>>> {
        if self.done {
            return Ok(None);
        }
        let FailedPlaces { places, next } = store.failed_places(&self.filter).await?;
        self.done = next.is_none();
        self.filter.cursor = next.as_ref().map(ToString::to_string);
        Ok(Some(places.into_iter().map(|it| it.id).collect()))
    }
}
