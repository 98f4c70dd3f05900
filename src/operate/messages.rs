//! Messages across all stores, for operators: listed, found, cancelled.

use crate::engine::Engine;
use crate::error::Result;
use crate::message::edit::Edit;
use crate::search::{self, List, Pattern};
use crate::store::controls::Because;
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use std::sync::Arc;
use uuid::Uuid;

/// One page, newest first.
///
/// # Errors
/// Those of the transports; [`crate::Error::Serialization`] for an invalid cursor.
pub async fn list(engine: &Arc<Engine>, filter: &MessageFilter) -> Result<MessagePage> {
    filter.check()?;
    let mut filter = filter.clone();
    filter.query = renamed(engine, filter.query.as_deref(), List::Messages).await?;
    if let Some(transport) = &mut filter.transport {
        *transport = engine.must_know(transport).await?;
    }
    let mut pages = Vec::new();
    for place in engine.places().await? {
        if let Some(place) = place.inspects() {
            pages.push(place.list_messages(&filter).await?);
        }
    }
    // What lies beyond the nearest end of a page comes with the next one, when all stores have been looked at so far.
    let ends = pages.iter().filter_map(|page| Some((page.next_cursor?, page.searched_to)));
    let (reached, searched_to) = ends.max_by_key(|it| it.0).unzip();
    let mut messages: Vec<KeptMessage> = pages.into_iter().flat_map(|page| page.messages).collect();
    messages.retain(|it| reached.is_none_or(|reached| it.id >= reached));
    messages.sort_by_key(|it| std::cmp::Reverse(it.id));
    let page = MessagePage::of(messages, filter.page_size(), false, reached);
    let searched_to = searched_to.flatten().filter(|_| page.next_cursor == reached);
    Ok(MessagePage { searched_to, ..page })
}

/// A query with its transports under their own names; one that does not exist is refused.
pub(super) async fn renamed(engine: &Arc<Engine>, query: Option<&str>, list: List) -> Result<Option<String>> {
    let Some(query) = query else { return Ok(None) };
    let mut query = search::parse(query, list)?;
    for name in query.transports() {
        *name = Pattern::exactly(engine.must_know(name.exact().unwrap_or_default()).await?);
    }
    Ok(Some(query.to_string()))
}

/// One message, in any state.
///
/// # Errors
/// Those of the transports.
pub async fn get(engine: &Arc<Engine>, id: Uuid) -> Result<Option<KeptMessage>> {
    for place in engine.places().await? {
        let Some(place) = place.inspects() else { continue };
        if let Some(message) = place.get_message(id).await? {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

/// Cancels a message that waits; returns its state afterwards, `None` if nobody knows it.
///
/// # Errors
/// Those of the transports.
pub async fn cancel(engine: &Arc<Engine>, id: Uuid, because: &Because) -> Result<Option<(bool, MessageStatus)>> {
    because.check()?;
    for place in engine.places().await? {
        let Some(place) = place.inspects() else { continue };
        if let Some(answer) = place.cancel(id, because).await? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// Changes a message that waits; returns whether it did, and its state, `None` if nobody knows it.
///
/// # Errors
/// What is wrong with the changes; those of the transports.
pub async fn edit(
    engine: &Arc<Engine>,
    id: Uuid,
    edit: Edit<'_>,
    because: &Because,
) -> Result<Option<(bool, MessageStatus)>> {
    let changes = edit.check(&engine.config().payload)?;
    because.check()?;
    for place in engine.places().await? {
        let Some(place) = place.inspects() else { continue };
        if let Some(answer) = place.edit(id, &changes, because).await? {
            engine.note_sent();
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// How many finished messages, dead letters and schedules there are, of one transport or of all.
///
/// # Errors
/// Those of the transports.
pub async fn totals(engine: &Arc<Engine>, transport: Option<&str>) -> Result<Totals> {
    let transport = match transport {
        Some(transport) => Some(engine.must_know(transport).await?),
        None => None,
    };
    let mut sum = Totals::default();
    for place in engine.places().await? {
        let Some(place) = place.inspects() else { continue };
        let totals = place.totals(transport.as_deref()).await?;
        sum.completed += totals.completed;
        sum.discarded += totals.discarded;
        sum.cancelled += totals.cancelled;
        sum.failed += totals.failed;
        sum.schedules += totals.schedules;
        sum.capped |= totals.capped;
    }
    Ok(sum)
}
