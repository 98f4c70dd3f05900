//! What operators have paused, and who did.

use super::dead_letters::storable_texts;
use crate::error::{Error, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which messages: of this transport, this queue, this type; what is not named, of any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// The transport.
    pub transport: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// The message type.
    pub r#type: Option<String>,
}

impl Scope {
    /// Refuses one that names nothing, which would be all of them, or what no database can hold.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the field.
    pub fn check(&self) -> Result<()> {
        let Self { transport, queue, r#type } = self;
        let fields = [("transport", transport), ("queue", queue), ("type", r#type)];
        storable_texts(&fields)?;
        if let Some((field, _)) = fields.iter().find(|(_, name)| name.as_deref() == Some("")) {
            return Err(Error::configuration(*field, "an empty text", "a name"));
        }
        if fields.iter().all(|(_, name)| name.is_none()) {
            return Err(Error::configuration("scope", "no name", "a transport, a queue or a type"));
        }
        Ok(())
    }

    /// Whether a message is one of them.
    pub fn covers(&self, transport: &str, queue: &str, message_type: &str) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|it| it == name);
        is(&self.transport, transport) && is(&self.queue, queue) && is(&self.r#type, message_type)
    }

    /// Whether all messages of a queue are among them.
    pub fn covers_queue(&self, transport: &str, queue: &str) -> bool {
        self.r#type.is_none() && self.covers(transport, queue, "")
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { transport, queue, r#type } = self;
        let named = [("type", r#type), ("queue", queue), ("transport", transport)];
        let named: Vec<String> =
            named.into_iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?))).collect();
        f.write_str(&named.join(" in "))
    }
}

/// Who does something, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Because {
    /// Who, as the caller names them.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// In which role, as the caller says.
    #[serde(skip_serializing)]
    pub role: Option<String>,
}

impl Because {
    /// Refuses what no database can hold.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the field.
    pub fn check(&self) -> Result<()> {
        storable_texts(&[("actor", &self.actor), ("reason", &self.reason), ("role", &self.role)])
    }
}

/// When a pause is over by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When somebody resumes it.
    Resumed,
    /// At this instant.
    At(DateTime<Utc>),
    /// After so long.
    For(Duration),
}

/// What is paused. An instant that no calendar has is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Of which nothing is claimed.
    #[serde(flatten)]
    pub scope: Scope,
    /// Who, and why.
    #[serde(flatten)]
    pub because: Because,
    /// Since when.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub since: Option<DateTime<Utc>>,
    /// When it is over by itself; `None`: never.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub until: Option<DateTime<Utc>>,
}

/// Pauses of messages, over all transports of a store. A claim reads them in the statement that claims.
#[async_trait]
pub trait Controls: Send + Sync {
    /// Pauses these messages: from now on none is claimed, by no process. One that is paused gets another reason and end.
    async fn pause(&self, scope: &Scope, because: &Because, until: Until) -> Result<Pause>;

    /// Ends a pause of exactly this scope, and wakes workers that wait; `None`: there was none.
    async fn resume(&self, scope: &Scope, because: &Because) -> Result<Option<Pause>>;

    /// What is paused, since longest first.
    async fn pauses(&self) -> Result<Vec<Pause>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(transport: Option<&str>, queue: Option<&str>, message_type: Option<&str>) -> Scope {
        let [transport, queue, r#type] = [transport, queue, message_type].map(|it| it.map(str::to_owned));
        Scope { transport, queue, r#type }
    }

    #[test]
    fn a_scope_covers_what_has_all_that_it_names() {
        assert!(scope(Some("t"), None, None).covers("t", "q", "A"));
        assert!(!scope(Some("t"), Some("q"), None).covers("t", "r", "A"));
        assert!(scope(None, Some("q"), Some("A")).covers("t", "q", "A"));
        assert!(scope(None, Some("q"), None).covers_queue("t", "q"));
        assert!(!scope(None, Some("q"), Some("A")).covers_queue("t", "q"), "others of the queue go on");
    }

    #[test]
    fn a_scope_names_something_that_can_be_stored() {
        assert!(scope(None, None, None).check().is_err());
        assert!(scope(Some(""), None, None).check().is_err());
        assert!(scope(None, Some("a\0"), None).check().is_err());
        assert!(scope(None, None, Some("A")).check().is_ok());
        assert_eq!(scope(Some("t"), Some("q"), Some("A")).to_string(), "type A in queue q in transport t");
    }
}
