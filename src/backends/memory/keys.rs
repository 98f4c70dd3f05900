//! Idempotency keys inside their window.

use super::clock::later;
use crate::message::envelope::IdempotencyKey;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// All keys of a transport.
#[derive(Debug, Default)]
pub struct Keys {
    held: HashMap<String, Holder>,
}

#[derive(Debug)]
struct Holder {
    message: Uuid,
    expires_at: DateTime<Utc>,
    duplicate_attempts: u64,
}

impl Keys {
    /// Gives the key to the message unless another holds it; returns the message that has it now.
    pub fn admit(&mut self, key: &IdempotencyKey, message: Uuid, now: DateTime<Utc>) -> Uuid {
        let repeats = u64::from(key.repeats);
        match self.held.get_mut(&key.key) {
            Some(holder) if holder.expires_at > now => {
                holder.duplicate_attempts += 1 + repeats;
                holder.message
            }
            _ => {
                let holder = Holder { message, expires_at: later(now, key.window), duplicate_attempts: repeats };
                self.held.insert(key.key.clone(), holder);
                message
            }
        }
    }

    /// How often the key was refused inside its window.
    pub fn duplicate_attempts(&self, key: &str, now: DateTime<Utc>) -> u64 {
        self.held.get(key).filter(|it| it.expires_at > now).map_or(0, |it| it.duplicate_attempts)
    }

    /// Forgets keys whose window has passed, at most `limit` of them.
    pub fn forget_expired(&mut self, now: DateTime<Utc>, limit: usize) -> u64 {
        let expired = self.held.iter().filter(|(_, it)| it.expires_at < now).map(|(key, _)| key.clone());
        let expired: Vec<_> = expired.take(limit).collect();
        for key in &expired {
            self.held.remove(key);
        }
        expired.len() as u64
    }
}
