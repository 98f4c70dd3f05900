//! How often and after which delays a failed message is retried.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::base::json_number;
use crate::base::limits::LONGEST_MS;
use crate::config::keys::{Key, Keys, Rule, section};
use crate::config::section::{Section, below};
use crate::config::value::{milliseconds, number, pattern, whole};
use crate::error::Result;

/// The most retries that the database's column counts.
const MAX_RETRIES: u32 = i32::MAX as u32;

section! {
    const BUILT_IN;

    /// How often and after which delays a failed message is retried.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct RetryStrategy {
        /// Runs after the first one; 0 = none.
        pub max_retries: u32 = 10,
        "maxRetries": whole(0, MAX_RETRIES), "SYMPHONY_RETRY_MAX_RETRIES";

        /// Milliseconds before the first retry.
        #[serde(serialize_with = "json_number::serialize")]
        pub delay: f64 = 1_000.0,
        "delay": milliseconds(0.0, LONGEST_MS), "SYMPHONY_RETRY_DELAY";

        /// Factor from one delay to the next.
        #[serde(serialize_with = "json_number::serialize")]
        pub multiplier: f64 = 2.0,
        "multiplier": number(1.0, f64::INFINITY), "SYMPHONY_RETRY_MULTIPLIER";

        /// The cap of a delay in milliseconds; 0 = only the longest one that a configuration may hold.
        #[serde(serialize_with = "json_number::serialize")]
        pub max_delay: f64 = 600_000.0,
        "maxDelay": milliseconds(0.0, LONGEST_MS), "SYMPHONY_RETRY_MAX_DELAY";

        /// Fraction of the delay by which it is spread in both directions before the cap.
        #[serde(serialize_with = "json_number::serialize")]
        pub jitter: f64 = 0.1,
        "jitter": number(0.0, 1.0), "SYMPHONY_RETRY_JITTER";
    }
}

/// Complete strategies by message type or pattern. `default` is always there, and fills the gaps of the others.
pub(in crate::config) struct Strategies;

impl Rule<BTreeMap<String, RetryStrategy>> for Strategies {
    fn read(
        &self,
        root: &Section<'_>,
        key: &str,
        _: BTreeMap<String, RetryStrategy>,
    ) -> Result<BTreeMap<String, RetryStrategy>> {
        let section = root.names(key)?;
        let default = section.get("default").unwrap_or(&Value::Null);
        let default = strategy(&section.path_of("default"), default, &RetryStrategy::BUILT_IN)?;
        let read = |(key, entry)| {
            let types = section.check_key(key, pattern)?;
            Ok((types, strategy(&section.path_of(key), entry, &default)?))
        };
        let own = section.entries().filter(|(key, _)| *key != "default").map(read);
        own.chain([Ok(("default".to_owned(), default.clone()))]).collect()
    }

    fn describe(&self, path: &str, _: Option<&'static str>, table: &mut Vec<Key>) {
        RetryStrategy::describe(&below(path, "default"), table);
    }
}

/// A strategy as `retryDelay()` gets it: the keys of a `retry` entry, partial over [`RetryStrategy::BUILT_IN`].
///
/// # Errors
/// [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) about `strategy.<key>`.
pub fn retry_strategy_from_json(json: &Value) -> Result<RetryStrategy> {
    strategy("strategy", json, &RetryStrategy::BUILT_IN)
}

fn strategy(path: &str, json: &Value, default: &RetryStrategy) -> Result<RetryStrategy> {
    RetryStrategy::read(&Section::new(path, json, &RetryStrategy::names())?, default.clone())
}
