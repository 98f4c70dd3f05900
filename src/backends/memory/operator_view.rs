//! Messages as operators ask for them.

use super::clock::later;
use super::message::{Message, facts, kept};
use super::state::State;
use super::test_view::Status;
use crate::base::limits::DEPTH_CAP;
use crate::error::Result;
use crate::message::edit::{Changes, Due};
use crate::search::Facts;
use crate::store::contents::PAGE_BYTES;
use crate::store::controls::Because;
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, SCAN, Totals};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A message, and where it is.
type Found<'a> = (&'a Message, MessageStatus, Option<DateTime<Utc>>);

impl State {
    pub fn page_of_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        let query = filter.search()?;
        let (least, before) = filter.ids(&query)?;
        let (statuses, now) = (filter.statuses(&query), self.clock.now());
        let all: BTreeMap<Uuid, Found<'_>> = self.found().map(|it| (it.0.id, it)).collect();
        let scan = usize::try_from(SCAN).unwrap_or(usize::MAX);
        let parts: Vec<u8> = statuses.iter().map(|it| part(MessageStatus::of(it))).collect();
        let wanted = |status: MessageStatus| parts.contains(&part(status));
        let seen: Vec<Found<'_>> =
            all.range(least..before).rev().map(|(_, it)| *it).filter(|it| wanted(it.1)).take(scan).collect();
        let reached = (seen.len() == scan).then(|| seen.last().map(|it| it.0.id)).flatten();
        let fitting = seen.into_iter().filter(|it| self.fits(filter, it) && query.matches(&self.facts(it, now)));
        let mut bytes = 0;
        let has_room = |it: &Found<'_>| {
            let has_room = bytes < PAGE_BYTES;
            bytes += it.0.text_bytes();
            has_room
        };
        let page: Vec<Found<'_>> = fitting.take(filter.page_size() as usize + 1).collect();
        let count = page.len();
        let rows: Vec<_> = page.into_iter().take_while(has_room).map(|it| self.kept(it, filter.full)).collect();
        let cut = rows.len() < count;
        Ok(MessagePage::of(rows, filter.page_size(), cut, reached))
    }

    pub fn one_message(&self, id: Uuid) -> Option<KeptMessage> {
        self.found().find(|it| it.0.id == id).map(|it| self.kept(it, true)).or_else(|| self.letters.message(id))
    }

    pub fn cancel(&mut self, id: Uuid, because: &Because) -> Option<(bool, MessageStatus)> {
        if let Some(message) = self.take_waiting(id) {
            let now = self.clock.now();
            let target = json!({ "operation": { "action": "cancel" }, "selection": { "ids": [id] } });
            self.note("cancel", &target, because, now);
            self.free_key(&message);
            self.finished.add(message, Status::Cancelled, now);
            return Some((true, MessageStatus::Cancelled));
        }
        Some((false, self.one_message(id)?.status))
    }

    pub fn edit(&mut self, id: Uuid, changes: &Changes, because: &Because) -> Option<(bool, MessageStatus)> {
        let Some(mut message) = self.take_waiting(id) else { return Some((false, self.one_message(id)?.status)) };
        let now = self.clock.now();
        let Changes { payload, headers, metadata, queue, priority, max_retries, due } = changes;
        let replace = |text: &mut Arc<str>, other: &Option<String>| {
            if let Some(other) = other {
                *text = other.as_str().into();
            }
        };
        replace(&mut message.body, payload);
        replace(&mut message.headers, headers);
        replace(&mut message.metadata, metadata);
        replace(&mut message.queue, queue);
        message.priority = priority.unwrap_or(message.priority);
        message.max_retries = max_retries.or(message.max_retries);
        match due {
            Some(Due::At(at)) => (message.available_at, message.scheduled_at) = (*at, Some(*at)),
            Some(Due::After(delay)) => message.available_at = later(now, *delay),
            None => {}
        }
        self.put_back(message);
        let operation = json!({ "action": "edit", "changed": changes.names() });
        self.note("edit", &json!({ "operation": operation, "selection": { "ids": [id] } }), because, now);
        Some((true, MessageStatus::Pending))
    }

    pub fn totals(&self, transport: Option<&str>) -> Totals {
        if transport.is_some_and(|it| *it != *self.name) {
            return Totals::default();
        }
        let mut totals = Totals { failed: self.letters.len(), ..Totals::default() };
        totals.capped = totals.failed >= DEPTH_CAP as u64;
        for (_, status, _) in self.finished.messages() {
            match status {
                Status::Cancelled => totals.cancelled += 1,
                Status::Discarded => totals.discarded += 1,
                _ => totals.completed += 1,
            }
        }
        totals
    }

    /// All messages other than dead letters.
    fn found(&self) -> impl Iterator<Item = Found<'_>> {
        let waiting = self.waiting_messages().map(|it| (it, MessageStatus::Pending, None));
        let held = self.held_messages().map(|it| (it, MessageStatus::Processing, None));
        let finished = self.finished.messages().map(|(message, status, at)| (message, status.into(), Some(at)));
        waiting.chain(held).chain(finished)
    }

    fn fits(&self, filter: &MessageFilter, (message, status, _): &Found<'_>) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|it| it == value);
        let holds = |text: &str| {
            let text = text.to_lowercase();
            let error = message.last_error().map(str::to_lowercase);
            message.body.to_lowercase().contains(&text) || error.is_some_and(|it| it.contains(&text))
        };
        filter.status.is_none_or(|it| it == *status)
            && is(&filter.r#type, &message.message_type)
            && is(&filter.transport, &self.name)
            && is(&filter.queue, &message.queue)
            && filter.priority.is_none_or(|it| it == i16::from(message.priority))
            && filter.text.as_deref().is_none_or(holds)
            && filter.created_after.is_none_or(|from| message.created_at >= from)
            && filter.created_before.is_none_or(|to| message.created_at <= to)
    }

    fn facts<'a>(&'a self, (message, status, finished): &Found<'a>, now: DateTime<Utc>) -> Facts<'a> {
        Facts { finished: *finished, ..facts(message, &self.name, *status, now) }
    }

    fn kept(&self, (message, status, finished_at): Found<'_>, full: bool) -> KeptMessage {
        KeptMessage { contents: message.contents(full), ..kept(message, &self.name, status, finished_at, None) }
    }
}

/// Which partition holds messages of a status, if there are partitions.
fn part(status: MessageStatus) -> u8 {
    match status {
        MessageStatus::Pending => 0,
        MessageStatus::Processing => 1,
        MessageStatus::Completed | MessageStatus::Discarded | MessageStatus::Cancelled => 2,
        MessageStatus::Failed => 3,
    }
}
