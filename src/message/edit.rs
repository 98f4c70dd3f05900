//! What is to change of a message that waits: read, and checked as a message is when it is dispatched.

use super::envelope::Available;
use super::request::{Instant, Options, payload};
use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;

/// What the caller wants to change, as JSON describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Edit<'a> {
    /// A JSON object, instead of the payload.
    #[serde(borrow)]
    pub payload: Option<&'a RawValue>,
    /// A JSON object of texts, instead of all headers.
    #[serde(borrow)]
    pub headers: Option<&'a RawValue>,
    /// A JSON object, instead of all metadata.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// Another queue.
    #[serde(borrow)]
    pub queue: Option<Cow<'a, str>>,
    /// Another priority.
    pub priority: Option<u8>,
    /// How many retries are allowed.
    pub max_retries: Option<u32>,
    /// Due at this instant.
    pub scheduled_at: Option<Instant>,
    /// Due after so many milliseconds.
    pub delay: Option<f64>,
}

/// What changes, checked; `None`: it stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The payload, JSON text.
    pub payload: Option<String>,
    /// The headers, JSON text.
    pub headers: Option<String>,
    /// The metadata, JSON text.
    pub metadata: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// 1 to 10.
    pub priority: Option<u8>,
    /// Retries allowed.
    pub max_retries: Option<u32>,
    /// When it is due.
    pub due: Option<Due>,
}

/// When a message is due from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At this instant.
    At(DateTime<Utc>),
    /// After so long.
    After(Duration),
}

impl Edit<'_> {
    /// Checks it as a dispatch is checked.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] naming the field, what it holds and what is allowed; [`Error::InvalidConfiguration`] if
    /// nothing changes.
    pub fn check(self, limits: &PayloadLimits) -> Result<Changes> {
        let Self { payload: body, headers, metadata, queue, priority, max_retries, scheduled_at, delay } = self;
        if let Some(body) = body {
            payload(body, limits)?;
        }
        let options =
            Options { queue, priority, scheduled_at, delay, headers, metadata, max_retries, ..Options::default() };
        options.check(limits).map_err(beside_no_options)?;
        let due = match options.available().map_err(beside_no_options)? {
            Available::Now => None,
            Available::At(at) => Some(Due::At(at)),
            Available::After(delay) => Some(Due::After(delay)),
        };
        let text = |raw: Option<&RawValue>| raw.map(|it| it.get().to_owned());
        let changes = Changes {
            payload: text(body),
            headers: text(options.headers),
            metadata: text(options.metadata),
            queue: options.queue.map(Cow::into_owned),
            priority,
            max_retries,
            due,
        };
        if changes == Changes::default() {
            let allowed = "one of payload, headers, metadata, queue, priority, maxRetries, scheduledAt, delay";
            return Err(Error::configuration("changes", "nothing", allowed));
        }
        Ok(changes)
    }
}

impl Changes {
    /// The names of what changes, for the audit.
    pub fn names(&self) -> Vec<&'static str> {
        let Self { payload, headers, metadata, queue, priority, max_retries, due } = self;
        let all = [
            ("payload", payload.is_some()),
            ("headers", headers.is_some()),
            ("metadata", metadata.is_some()),
            ("queue", queue.is_some()),
            ("priority", priority.is_some()),
            ("maxRetries", max_retries.is_some()),
            ("due", due.is_some()),
        ];
        all.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name).collect()
    }
}

/// There are no options here: what a dispatch calls `options.queue` is `queue`.
fn beside_no_options(error: Error) -> Error {
    match error {
        Error::InvalidMessage { rule, path, problem } => {
            let path = path.strip_prefix("options.").unwrap_or(&path).to_owned();
            Error::InvalidMessage { rule, path, problem }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Changes> {
        serde_json::from_str::<Edit<'_>>(text).unwrap().check(&PayloadLimits::default())
    }

    #[test]
    fn what_is_given_changes_with_every_digit() {
        let changes = check(r#"{"payload":{"n":9007199254740993},"queue":"q","delay":0}"#).unwrap();
        assert_eq!(changes.payload.as_deref(), Some(r#"{"n":9007199254740993}"#));
        assert_eq!(changes.due, Some(Due::After(Duration::ZERO)));
        assert_eq!(changes.names(), ["payload", "queue", "due"]);
    }

    #[test]
    fn what_a_dispatch_refuses_is_refused_by_its_name() {
        for (text, named) in [
            ("{}", "changes"),
            (r#"{"payload":[]}"#, "payload"),
            (r#"{"payload":{"n":1e999}}"#, "payload"),
            (r#"{"headers":{"a":1}}"#, "headers.a"),
            (r#"{"queue":" q"}"#, "queue"),
            (r#"{"priority":11}"#, "priority"),
            (r#"{"delay":-1}"#, "delay"),
            (r#"{"delay":1,"scheduledAt":1}"#, "delay"),
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("options."), "{text}: {error}");
        }
    }
}
