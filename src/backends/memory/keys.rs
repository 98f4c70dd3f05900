//! Idempotency keys inside their window.

use super::clock::later;
use crate::message::envelope::IdempotencyKey;
use crate::store::insights::RefusedKey;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// All keys of a transport.
#[derive(Debug, Default)]
pub struct Keys {
    /// By key and message type.
    held: HashMap<(String, Arc<str>), Holder>,
}

#[derive(Debug)]
struct Holder {
    message: Uuid,
    since: DateTime<Utc>,
    /// `None`: never.
    expires_at: Option<DateTime<Utc>>,
    duplicate_attempts: u64,
}

impl Holder {
    fn holds(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

impl Keys {
    /// Gives the key to the message unless another of its type holds it; returns the message that has it now.
    pub fn admit(&mut self, key: &IdempotencyKey, of: &Arc<str>, message: Uuid, now: DateTime<Utc>) -> Uuid {
        let repeats = u64::from(key.repeats);
        let place = (key.key.clone(), of.clone());
        match self.held.get_mut(&place) {
            Some(holder) if holder.holds(now) => {
                holder.duplicate_attempts += 1 + repeats;
                holder.message
            }
            _ => {
                let expires_at = key.window.map(|window| later(now, window));
                self.held.insert(place, Holder { message, since: now, expires_at, duplicate_attempts: repeats });
                message
            }
        }
    }

    /// Frees the key of a message, if it holds one.
    pub fn free(&mut self, key: &str, of: &Arc<str>, message: Uuid) {
        let place = (key.to_owned(), of.clone());
        if self.held.get(&place).is_some_and(|it| it.message == message) {
            self.held.remove(&place);
        }
    }

    /// How often the key was refused inside its window, for all types.
    pub fn duplicate_attempts(&self, key: &str, now: DateTime<Utc>) -> u64 {
        let held = self.held.iter().filter(|((it, _), holder)| it == key && holder.holds(now));
        held.map(|(_, holder)| holder.duplicate_attempts).sum()
    }

    /// Those that have refused something, taken before an instant, the latest first.
    pub fn refused(&self, transport: &str, before: Option<DateTime<Utc>>, limit: usize) -> Vec<RefusedKey> {
        let refusing = self.held.iter().filter(|(_, it)| it.duplicate_attempts > 0);
        let mut all: Vec<RefusedKey> = refusing
            .filter(|(_, it)| before.is_none_or(|before| it.since < before))
            .map(|((key, message_type), it)| RefusedKey {
                idempotency_key: key.clone(),
                transport: transport.to_owned(),
                r#type: Some(message_type.to_string()),
                message_id: it.message,
                first_seen_at: Some(it.since),
                expires_at: it.expires_at,
                refused: it.duplicate_attempts,
            })
            .collect();
        all.sort_by(|one, other| {
            (other.first_seen_at, &other.idempotency_key).cmp(&(one.first_seen_at, &one.idempotency_key))
        });
        all.truncate(limit);
        all
    }

    /// Forgets keys whose window has passed, at most `limit` of them.
    pub fn forget_expired(&mut self, now: DateTime<Utc>, limit: usize) -> u64 {
        let expired =
            self.held.iter().filter(|(_, it)| it.expires_at.is_some_and(|at| at < now)).map(|(key, _)| key.clone());
        let expired: Vec<_> = expired.take(limit).collect();
        for key in &expired {
            self.held.remove(key);
        }
        expired.len() as u64
    }
}
