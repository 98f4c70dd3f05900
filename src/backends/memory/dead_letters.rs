//! Dead letters.

use super::message::{Message, facts, kept, raw};
use crate::base::limits::DEPTH_CAP;
use crate::error::Result;
use crate::message::outcome::Failure;
use crate::search::Facts;
use crate::store::contents::PAGE_BYTES;
use crate::store::dead_letters::{Cursor, FailedFilter, FailedMessage, FailedPage, Moment, SCAN};
use crate::store::messages::{KeptMessage, MessageStatus};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// All dead letters of a transport, by when they failed.
#[derive(Debug)]
pub struct Letters {
    transport: Arc<str>,
    letters: BTreeMap<Place, Letter>,
}

/// When it failed, and its id.
type Place = (DateTime<Utc>, Uuid);

/// A full copy of a message that could not be handled.
#[derive(Debug)]
struct Letter {
    message: Message,
    failure: Failure,
}

impl Letters {
    /// None yet.
    pub fn new(transport: Arc<str>) -> Self {
        Self { transport, letters: BTreeMap::new() }
    }

    /// Buries a message whose failed run is already recorded.
    pub fn bury(&mut self, message: Message, failure: Failure, now: DateTime<Utc>) {
        self.letters.insert((now, Uuid::now_v7()), Letter { message, failure });
    }

    /// How many have come since an instant.
    pub fn count_since(&self, at: DateTime<Utc>) -> u64 {
        self.letters.range((at, Uuid::nil())..).count() as u64
    }

    /// One page, newest first.
    pub fn page(&self, filter: &FailedFilter, now: DateTime<Utc>) -> Result<FailedPage> {
        let (after, query) = (filter.after()?, filter.search()?);
        let (size, scan) = (filter.page_size(), usize::try_from(SCAN).unwrap_or(usize::MAX));
        let is_next =
            |place: &Place| after.is_none_or(|cursor| (Moment::from(place.0), place.1) < (cursor.failed_at, cursor.id));
        let seen: Vec<_> = self.seen(filter).filter(|(place, _)| is_next(place)).take(scan).collect();
        let cursor = |(failed_at, id): Place| Cursor { failed_at: failed_at.into(), id };
        let reached = (seen.len() == scan).then(|| seen.last().map(|(place, _)| cursor(**place))).flatten();
        let fitting = seen.into_iter().filter(|((failed_at, id), letter)| {
            matches(filter, &self.transport, letter) && query.matches(&self.facts(*failed_at, *id, letter, now))
        });
        let page: Vec<_> = fitting.take(size as usize + 1).collect();
        let (count, mut bytes) = (page.len(), 0);
        let has_room = |(_, letter): &(&Place, &Letter)| {
            let has_room = bytes < PAGE_BYTES;
            bytes += letter.message.text_bytes();
            has_room
        };
        let shown = |((failed_at, id), letter): (&Place, &Letter)| self.shown(*failed_at, *id, letter, filter.full);
        let rows: Vec<_> = page.into_iter().take_while(has_room).map(shown).collect();
        let cut = rows.len() < count;
        Ok(FailedPage::of(rows, size, cut, reached))
    }

    /// How many of the newest match, and whether there are more than these.
    pub fn count(&self, filter: &FailedFilter, now: DateTime<Utc>) -> Result<(u64, bool)> {
        let query = filter.search()?;
        let cap = usize::try_from(SCAN).unwrap_or(usize::MAX);
        let newest: Vec<_> = self.seen(filter).take(cap).collect();
        let matching = newest.iter().filter(|((failed_at, id), letter)| {
            matches(filter, &self.transport, letter) && query.matches(&self.facts(*failed_at, *id, letter, now))
        });
        Ok((matching.count() as u64, newest.len() >= cap))
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.letters.len().min(usize::try_from(DEPTH_CAP).unwrap_or(usize::MAX)) as u64
    }

    /// The message that a letter was, by the message's id.
    pub fn message(&self, id: Uuid) -> Option<KeptMessage> {
        let ((failed_at, letter_id), letter) = self.letters.iter().rev().find(|(_, it)| it.message.id == id)?;
        Some(kept(&letter.message, &self.transport, MessageStatus::Failed, Some(*failed_at), Some(*letter_id)))
    }

    /// Deletes some; returns how many there were.
    pub fn remove(&mut self, ids: &[Uuid]) -> u64 {
        ids.iter().filter_map(|id| self.take(*id)).count() as u64
    }

    /// Removes one and returns it as a new message, with its lineage in the headers.
    pub fn revive(&mut self, id: Uuid, now: DateTime<Utc>) -> Option<Message> {
        let Letter { message, .. } = self.take(id)?;
        Some(Message {
            id: Uuid::now_v7(),
            created_at: now,
            available_at: now,
            scheduled_at: None,
            retry_count: 0,
            crash_count: 0,
            accuser: None,
            claimed: None,
            headers: lineage(&message, id),
            ..message
        })
    }

    fn take(&mut self, id: Uuid) -> Option<Letter> {
        let place = self.letters.keys().find(|(_, it)| *it == id).copied()?;
        self.letters.remove(&place)
    }

    /// Those that are examined, newest first: of a type, a time and some ids.
    fn seen(&self, filter: &FailedFilter) -> impl Iterator<Item = (&Place, &Letter)> {
        self.letters.iter().rev().filter(|((failed_at, id), letter)| {
            filter.r#type.as_deref().is_none_or(|it| it == &*letter.message.message_type)
                && filter.failed_after.is_none_or(|from| *failed_at >= from)
                && filter.failed_before.is_none_or(|to| *failed_at <= to)
                && filter.ids.as_ref().is_none_or(|ids| ids.contains(id))
        })
    }

    fn facts<'a>(&'a self, failed_at: DateTime<Utc>, id: Uuid, letter: &'a Letter, now: DateTime<Utc>) -> Facts<'a> {
        Facts {
            letter: Some(id),
            finished: Some(failed_at),
            class: Some(&letter.failure.class),
            error: Some(&letter.failure.message),
            ..facts(&letter.message, &self.transport, MessageStatus::Failed, now)
        }
    }

    fn shown(&self, failed_at: DateTime<Utc>, id: Uuid, letter: &Letter, full: bool) -> FailedMessage {
        let Letter { message, failure } = letter;
        FailedMessage {
            id,
            message_id: message.id,
            r#type: message.message_type.to_string(),
            transport: self.transport.to_string(),
            queue: message.queue.to_string(),
            priority: message.priority,
            contents: message.contents(full),
            headers: raw(&message.headers),
            metadata: raw(&message.metadata),
            error: failure.message.clone(),
            error_class: Some(failure.class.clone()),
            failed_at: Some(failed_at),
            retry_count: message.retry_count,
            crashes: message.crash_count,
            created_at: Some(message.created_at),
            idempotency_key: message.idempotency_key.clone(),
            cursor: Cursor { failed_at: failed_at.into(), id },
        }
    }
}

/// Whether one that was examined is one of them.
fn matches(filter: &FailedFilter, transport: &str, Letter { message, failure }: &Letter) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|it| it == value);
    let holds = |text: &str| {
        let text = text.to_lowercase();
        failure.message.to_lowercase().contains(&text) || message.body.to_lowercase().contains(&text)
    };
    is(&filter.transport, transport)
        && is(&filter.queue, &message.queue)
        && is(&filter.error_class, &failure.class)
        && filter.text.as_deref().is_none_or(holds)
}

/// The headers with the letter's id, and the id of the very first message: a letter may be redriven more than once.
fn lineage(message: &Message, letter: Uuid) -> Arc<str> {
    let mut headers: Map<String, Value> = serde_json::from_str(&message.headers).unwrap_or_default();
    headers.insert("redriven-from".to_owned(), letter.to_string().into());
    headers.entry("original-message-id").or_insert_with(|| message.id.to_string().into());
    Value::Object(headers).to_string().into()
}
