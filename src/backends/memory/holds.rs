//! Which parked messages are being published, and by whom.

use super::clock::later;
use crate::store::parked::Hold;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// Who publishes which parked message, and until when.
#[derive(Debug, Default)]
pub struct Holds(HashMap<Uuid, (Uuid, DateTime<Utc>)>);

impl Holds {
    pub fn hold(&mut self, id: Uuid, hold: Hold, now: DateTime<Utc>) {
        self.0.insert(id, (hold.token, later(now, hold.lease)));
    }

    /// Whether somebody does at this time.
    pub fn is_held(&self, id: Uuid, now: DateTime<Utc>) -> bool {
        self.0.get(&id).is_some_and(|(_, until)| *until > now)
    }

    /// Whether somebody has begun to, and has not ended.
    pub fn is_begun(&self, id: Uuid) -> bool {
        self.0.contains_key(&id)
    }

    /// Ends one that has this token; whether there was one.
    pub fn end(&mut self, id: Uuid, token: Uuid) -> bool {
        self.0.get(&id).is_some_and(|(holder, _)| *holder == token) && self.0.remove(&id).is_some()
    }

    /// Ends one under any token.
    pub fn forget(&mut self, id: Uuid) {
        self.0.remove(&id);
    }
}
