//! How single values of the configuration look in JSON.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::base::redaction;

/// A duration in milliseconds.
pub(super) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_millis(*duration))
}

/// A time limit in milliseconds, 0 where there is none.
pub(super) fn timeout<S: Serializer>(limit: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(limit.map_or(0, whole_millis))
}

/// A URL without its password.
pub(super) fn redacted_url<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().map(redaction::url).serialize(serializer)
}

/// Options of a transport without passwords.
pub(super) fn redacted_options<S: Serializer>(options: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    redaction::secrets(options).serialize(serializer)
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
