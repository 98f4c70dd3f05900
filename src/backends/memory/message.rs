//! A message as this transport keeps it.

use super::clock::later;
use crate::message::carried::{Carried, FailedRun, STACKS};
use crate::message::claimed::Claimed;
use crate::message::envelope::{Available, Envelope};
use crate::message::outcome::Failure;
use crate::search::Facts;
use crate::store::contents::Contents;
use crate::store::messages::{KeptMessage, MessageStatus};
use chrono::{DateTime, Utc};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use uuid::Uuid;

/// How many failed runs a message remembers.
const HISTORY: usize = 20;

/// A message, in any state.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: Uuid,
    pub message_type: Arc<str>,
    pub queue: Arc<str>,
    pub priority: u8,
    pub body: Arc<str>,
    pub headers: Arc<str>,
    pub metadata: Arc<str>,
    pub created_at: DateTime<Utc>,
    pub available_at: DateTime<Utc>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub retry_count: u32,
    pub max_retries: Option<u32>,
    pub crash_count: i16,
    /// The worker whose death raised the count last, while the message waits.
    pub accuser: Option<Uuid>,
    pub idempotency_key: Option<String>,
    pub handled: Vec<String>,
    pub history: Vec<FailedRun>,
    /// Why it was discarded, if it was.
    pub discarded: Option<String>,
    /// When it was claimed for its last run, and by whom, unless it waits.
    pub claimed: Option<(DateTime<Utc>, Uuid)>,
}

impl Message {
    /// A message that has just been sent.
    pub fn of(envelope: &Envelope, now: DateTime<Utc>) -> Self {
        let object = |json: &Option<Arc<str>>| json.clone().unwrap_or_else(|| "{}".into());
        Self {
            id: envelope.id,
            message_type: envelope.message_type.clone(),
            queue: envelope.queue.clone(),
            priority: envelope.priority,
            body: envelope.body.clone(),
            headers: object(&envelope.headers),
            metadata: object(&envelope.metadata),
            created_at: now,
            available_at: match envelope.available {
                Available::Now => now,
                Available::At(at) => at,
                Available::After(delay) => later(now, delay),
            },
            scheduled_at: if let Available::At(at) = envelope.available { Some(at) } else { None },
            retry_count: 0,
            max_retries: envelope.max_retries,
            crash_count: 0,
            accuser: None,
            idempotency_key: envelope.key.as_ref().map(|it| it.key.clone()),
            handled: Vec::new(),
            history: Vec::new(),
            discarded: None,
            claimed: None,
        }
    }

    /// One that a broker has carried.
    pub fn of_carried(it: &Carried) -> Self {
        let it = it.clone();
        Self {
            id: it.id,
            message_type: it.message_type.into(),
            queue: it.queue.into(),
            priority: it.priority,
            body: it.body.into(),
            headers: it.headers.into(),
            metadata: it.metadata.into(),
            created_at: it.created_at,
            available_at: it.available_at,
            scheduled_at: it.scheduled_at,
            retry_count: it.retry_count,
            max_retries: it.max_retries,
            crash_count: 0,
            accuser: None,
            idempotency_key: it.idempotency_key,
            handled: it.handled,
            history: it.history,
            discarded: None,
            claimed: None,
        }
    }

    /// For a broker to carry.
    pub fn carried(&self) -> Carried {
        let it = self.clone();
        Carried {
            id: it.id,
            message_type: it.message_type.to_string(),
            queue: it.queue.to_string(),
            priority: it.priority,
            body: it.body.to_string(),
            headers: it.headers.to_string(),
            metadata: it.metadata.to_string(),
            created_at: it.created_at,
            available_at: it.available_at,
            scheduled_at: it.scheduled_at,
            retry_count: it.retry_count,
            max_retries: it.max_retries,
            idempotency_key: it.idempotency_key,
            handled: it.handled,
            history: it.history,
        }
    }

    /// As a worker receives it.
    pub fn claimed(&self, token: Uuid, now: DateTime<Utc>) -> Claimed {
        Claimed {
            id: self.id,
            token,
            message_type: self.message_type.to_string(),
            queue: self.queue.to_string(),
            priority: self.priority,
            body: self.body.to_string(),
            headers: self.headers.to_string(),
            metadata: self.metadata.to_string(),
            created_at: self.created_at,
            available_at: self.available_at,
            scheduled_at: self.scheduled_at,
            retry_count: self.retry_count,
            max_retries: self.max_retries,
            crash_count: self.crash_count,
            idempotency_key: self.idempotency_key.clone(),
            handled: self.handled.clone(),
            claimed_at: now,
            unreadable: None,
        }
    }

    /// Records a failed run, and the handlers that have succeeded so far.
    pub fn note(&mut self, failure: &Failure, handled: &[String], at: DateTime<Utc>) {
        if self.history.len() >= HISTORY {
            self.history.remove(0);
        }
        self.history.push(FailedRun { at, failure: failure.clone() });
        let older = self.history.len().saturating_sub(STACKS);
        self.history[..older].iter_mut().for_each(|it| it.failure.stack = None);
        self.remember(handled);
    }

    /// Remembers which handlers have succeeded; none: as before.
    pub fn remember(&mut self, handled: &[String]) {
        if !handled.is_empty() {
            self.handled = handled.to_vec();
        }
    }

    /// Why it was discarded, or what the last failed run said.
    pub fn last_error(&self) -> Option<&str> {
        self.discarded.as_deref().or_else(|| self.history.last().map(|it| &*it.failure.message))
    }

    /// What it holds: all of it, or an outline.
    pub fn contents(&self, full: bool) -> Contents {
        if !full {
            return Contents::outline(&self.body);
        }
        let error_history = to_raw_value(&self.history).unwrap_or_else(|_| raw("[]"));
        Contents::Whole { payload_text: raw(&self.body), error_history }
    }

    /// The size of its texts.
    pub fn text_bytes(&self) -> usize {
        self.body.len() + self.headers.len() + self.metadata.len()
    }

    /// Whether its type is among these; `None`: all.
    pub fn is_one_of(&self, types: Option<&[String]>) -> bool {
        types.is_none_or(|types| types.iter().any(|it| **it == *self.message_type))
    }
}

/// What a query asks of a message; of one that is over, its end comes on top.
pub fn facts<'a>(message: &'a Message, transport: &'a str, status: MessageStatus, now: DateTime<Utc>) -> Facts<'a> {
    let waits = status == MessageStatus::Pending && message.available_at <= now;
    Facts {
        id: message.id,
        letter: None,
        message_type: &message.message_type,
        transport,
        queue: &message.queue,
        status: status.name(),
        priority: message.priority,
        attempts: message.retry_count,
        crashes: message.crash_count,
        key: message.idempotency_key.as_deref(),
        class: message.history.last().map(|it| &*it.failure.class),
        error: message.last_error(),
        created: message.created_at,
        finished: None,
        due_since: waits.then_some(message.available_at),
        payload: &message.body,
        headers: &message.headers,
        metadata: &message.metadata,
        now,
    }
}

/// A message as operators see it.
pub fn kept(
    message: &Message,
    transport: &str,
    status: MessageStatus,
    finished_at: Option<DateTime<Utc>>,
    failed_message_id: Option<Uuid>,
) -> KeptMessage {
    KeptMessage {
        id: message.id,
        r#type: message.message_type.to_string(),
        transport: transport.to_owned(),
        queue: message.queue.to_string(),
        priority: message.priority,
        status,
        contents: message.contents(true),
        headers: raw(&message.headers),
        metadata: raw(&message.metadata),
        created_at: Some(message.created_at),
        available_at: Some(message.available_at),
        scheduled_at: message.scheduled_at,
        started_at: message.claimed.map(|it| it.0),
        worker_id: message.claimed.map(|it| it.1),
        finished_at,
        retry_count: message.retry_count,
        max_retries: message.max_retries,
        crashes: message.crash_count,
        last_error: message.last_error().map(str::to_owned),
        idempotency_key: message.idempotency_key.clone(),
        failed_message_id,
    }
}

/// JSON as it was dispatched; text that is not JSON shows as null.
pub fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
