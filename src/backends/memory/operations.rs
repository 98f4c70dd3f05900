//! Operations in steps, and the audit.

use super::clock::later;
use super::state::State;
use super::store::MemoryStore;
use super::test_view::Status;
use crate::error::{Error, Result};
use crate::store::controls::{Because, Scope};
use crate::store::dead_letters::Cursor;
use crate::store::messages::{MessageFilter, MessageStatus};
use crate::store::operations::{
    Action, AuditFilter, AuditPage, Begin, Entry, Operations, Target, Touched, Turn, Waiting,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::to_raw_value;
use std::time::Duration;
use uuid::Uuid;

fn begun(id: Uuid, action: &str, target: &impl Serialize, because: &Because, at: DateTime<Utc>) -> Result<Entry> {
    let what = "operation";
    let target = to_raw_value(target).map_err(|error| Error::Serialization { what, reason: error.to_string() })?;
    let Because { actor, reason, role } = because.clone();
    Ok(Entry {
        id,
        at: Some(at),
        actor,
        role,
        action: action.to_owned(),
        target,
        reason,
        matched: None,
        done: 0,
        skipped: 0,
        failed: 0,
        steps: 0,
        cursor: None,
        error: None,
        updated_at: Some(at),
        ended_at: None,
        ended: None,
    })
}

impl State {
    /// Writes down what was done to all messages of a scope. One without a transport is told to all stores, of which the
    /// database writes it down.
    pub fn note_scope(&mut self, action: &str, scope: &Scope, because: &Because, now: DateTime<Utc>) {
        if scope.transport.is_some() {
            self.note(action, scope, because, now);
        }
    }

    /// Writes down what was done to one thing.
    pub fn note(&mut self, action: &str, target: &impl Serialize, because: &Because, now: DateTime<Utc>) {
        if let Ok(entry) = begun(Uuid::now_v7(), action, target, because, now) {
            let (matched, ended) = (Some(1), Some("completed".to_owned()));
            self.audit.add(Entry { matched, done: 1, ended_at: Some(now), ended, ..entry });
        }
    }

    /// Moves an operation on, if it is the turn of this step; says whether it was.
    fn take_turn(&mut self, Turn { operation, step, cursor, is_last }: &Turn) -> bool {
        let now = self.clock.now();
        let Some(entry) = self.audit.find(*operation).filter(|it| it.steps == *step && it.is_open()) else {
            return false;
        };
        (entry.steps, entry.cursor, entry.updated_at) = (step + 1, cursor.clone(), Some(now));
        if *is_last {
            (entry.ended_at, entry.ended) = (Some(now), Some("completed".to_owned()));
        }
        true
    }

    fn act_on(&mut self, action: &Action, id: Uuid) -> Option<Touched> {
        let (now, transport) = (self.clock.now(), self.name.to_string());
        let mut message_id = id;
        match action {
            Action::Retry => message_id = self.redrive(&[id]).pop()?.message_id,
            Action::Remove => drop(Some(self.letters.remove(&[id])).filter(|it| *it > 0)?),
            Action::Cancel => {
                let message = self.take_waiting(id)?;
                self.free_key(&message);
                self.finished.add(message, Status::Cancelled, now);
            }
            Action::Snooze { delay } => {
                let mut message = self.take_waiting(id)?;
                message.available_at = later(now, Duration::from_millis(*delay));
                self.put_back(message);
            }
            Action::Move { queue, priority, .. } => {
                let mut message = self.take_waiting(id)?;
                if let Some(queue) = queue {
                    message.queue = queue.as_str().into();
                }
                message.priority = priority.and_then(|it| u8::try_from(it).ok()).unwrap_or(message.priority);
                self.put_back(message);
            }
        }
        Some(Touched { id, message_id, transport })
    }
}

#[async_trait]
impl Operations for MemoryStore {
    async fn clock(&self) -> Result<DateTime<Utc>> {
        Ok(self.state().clock.now())
    }

    async fn begin(&self, Begin { id, target, because, matched }: &Begin<'_>) -> Result<Option<Entry>> {
        let mut state = self.state();
        if state.audit.find(*id).is_some() {
            return Ok(None);
        }
        let now = state.clock.now();
        let entry = begun(*id, target.operation.name(), target as &Target, because, now)?;
        let entry = Entry { matched: *matched, ..entry };
        state.audit.add(entry.clone());
        Ok(Some(entry))
    }

    async fn entry(&self, id: Uuid) -> Result<Option<Entry>> {
        Ok(self.state().audit.find(id).cloned())
    }

    async fn audit(&self, filter: &AuditFilter) -> Result<AuditPage> {
        let cursor = filter.after_cursor()?;
        let state = self.state();
        let is = |wanted: &Option<String>, value: Option<&str>| wanted.is_none() || wanted.as_deref() == value;
        let place = |it: &Entry| Cursor { failed_at: it.at.unwrap_or_default().into(), id: it.id };
        let fits = |it: &&Entry| {
            is(&filter.actor, it.actor.as_deref())
                && is(&filter.action, Some(&it.action))
                && filter.after.is_none_or(|from| it.at >= Some(from))
                && filter.before.is_none_or(|to| it.at <= Some(to))
                && cursor.is_none_or(|cursor| place(it) < cursor)
        };
        let mut entries: Vec<Entry> = state.audit.0.iter().filter(fits).cloned().collect();
        entries.sort_by_key(|it| std::cmp::Reverse(place(it)));
        let size = filter.page_size() as usize;
        let more = entries.len() > size;
        entries.truncate(size);
        let next_cursor = entries.last().filter(|_| more).map(|it| place(it).to_string());
        Ok(AuditPage { entries, next_cursor })
    }

    async fn waiting(&self, filter: &MessageFilter, limit: usize) -> Result<Waiting> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (status, mut filter, mut ids) = (Some(MessageStatus::Pending), filter.clone(), Vec::new());
        if filter.status.is_some() && filter.status != status {
            return Ok(Waiting::default());
        }
        loop {
            (filter.status, filter.limit) = (status, limit - u32::try_from(ids.len()).unwrap_or(u32::MAX));
            let page = self.state().page_of_messages(&filter)?;
            ids.extend(page.messages.into_iter().map(|it| it.id));
            if page.next_cursor.is_none() || ids.len() >= limit as usize {
                return Ok(Waiting { ids, reached: page.next_cursor });
            }
            filter.cursor = page.next_cursor.map(|it| it.to_string());
        }
    }

    async fn may_have(&self, ids: &[Uuid]) -> Result<bool> {
        Ok(self.state().waiting_messages().any(|it| ids.contains(&it.id)))
    }

    async fn act(&self, action: &Action, ids: &[Uuid], turn: &Turn) -> Result<Vec<Touched>> {
        let mut state = self.state();
        if !state.take_turn(turn) {
            return Ok(Vec::new());
        }
        let touched: Vec<Touched> = ids.iter().filter_map(|id| state.act_on(action, *id)).collect();
        if let Some(entry) = state.audit.find(turn.operation) {
            entry.done += touched.len() as u64;
            entry.skipped += (ids.len() - touched.len()) as u64;
        }
        Ok(touched)
    }

    async fn pass(&self, ids: &[Uuid], turn: &Turn, error: Option<&str>) -> Result<()> {
        let mut state = self.state();
        if state.take_turn(turn)
            && let Some(entry) = state.audit.find(turn.operation)
        {
            entry.failed += ids.len() as u64;
            entry.error = error.map(str::to_owned).or(entry.error.take());
        }
        Ok(())
    }

    async fn abort(&self, id: Uuid) -> Result<Option<Entry>> {
        let mut state = self.state();
        let now = state.clock.now();
        let Some(entry) = state.audit.find(id).filter(|it| it.is_open()) else { return Ok(None) };
        (entry.updated_at, entry.ended_at, entry.ended) = (Some(now), Some(now), Some("aborted".to_owned()));
        Ok(Some(entry.clone()))
    }
}
