//! The pauses that there are.

use crate::store::controls::{Pause, Scope};
use chrono::{DateTime, Utc};

/// All pauses, since longest first.
#[derive(Debug, Default)]
pub struct Pauses(pub Vec<Pause>);

impl Pauses {
    /// Those that are not over.
    pub fn at(&self, now: DateTime<Utc>) -> Vec<Pause> {
        self.0.iter().filter(|it| it.until.is_none_or(|until| until > now)).cloned().collect()
    }

    /// Takes out the pause of a scope. One that is over counts for nothing.
    pub fn take(&mut self, scope: &Scope, now: DateTime<Utc>) -> Option<Pause> {
        let place = self.0.iter().position(|it| it.scope == *scope)?;
        Some(self.0.remove(place)).filter(|it| it.until.is_none_or(|until| until > now))
    }
}
