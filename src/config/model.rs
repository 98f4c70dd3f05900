//! The effective configuration: complete, checked, typed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::keys::{Key, Keys, Nested, section};
use super::section::Section;
use super::sections::circuit_breaker::CircuitBreakerConfig;
use super::sections::database::DatabaseConfig;
use super::sections::deduplication::DeduplicationConfig;
use super::sections::features::{self, Features};
use super::sections::health::HealthConfig;
use super::sections::logging::LoggingConfig;
use super::sections::payload::PayloadLimits;
use super::sections::priority_routing::{PriorityRoute, PriorityRouting};
use super::sections::retention::RetentionConfig;
use super::sections::retry::{RetryStrategy, Strategies};
use super::sections::routing::Routing;
use super::sections::transport::{TransportConfig, TransportKind, Transports};
use super::sections::worker::WorkerConfig;
use super::value::{NAME, whole};
use crate::base::limits::{HIGHEST_PRIORITY, LOWEST_PRIORITY};
use crate::base::pattern;
use crate::error::Result;

section! {
    /// Everything that can be configured.
    ///
    /// Serialized it is the camelCase JSON of the configuration object with durations in milliseconds, without secrets.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Config {
        /// Where a message without a route goes. It may exist only in the database.
        pub default_transport: String = TransportKind::Supabase.name().to_owned(),
        "defaultTransport": NAME, "SYMPHONY_DEFAULT_TRANSPORT";

        /// The queue of a message that specifies none, on a transport that specifies none.
        pub default_queue: String = "default".to_owned(),
        "defaultQueue": NAME, "SYMPHONY_DEFAULT_QUEUE";

        /// The priority of a message that specifies none, on a transport that specifies none.
        pub default_priority: u8 = 5,
        "defaultPriority": whole(LOWEST_PRIORITY, HIGHEST_PRIORITY), "SYMPHONY_DEFAULT_PRIORITY";

        /// Transports by name. `sync`, `supabase` and `memory` always exist unless removed.
        pub transports: BTreeMap<String, TransportConfig> = TransportKind::BUILT_IN
            .map(|kind| (kind.name().to_owned(), TransportConfig::new(kind)))
            .into(),
        "transports": Transports;

        /// Transports by message type or pattern (`Email*`, `*`); see [`crate::policy::routing::route`].
        pub routing: BTreeMap<String, Vec<String>> = BTreeMap::new(),
        "routing": Routing;

        /// Rules that come before `routing`; the first that applies decides.
        pub priority_routing: Vec<PriorityRoute> = Vec::new(),
        "priorityRouting": PriorityRouting;

        /// Complete strategies by message type or pattern; `default` is always there.
        pub retry: BTreeMap<String, RetryStrategy> = [("default".to_owned(), RetryStrategy::BUILT_IN)].into(),
        "retry": Strategies;

        /// How messages are consumed.
        pub worker: WorkerConfig = WorkerConfig::default(),
        "worker": Nested;

        /// How long an idempotency key is remembered.
        pub deduplication: DeduplicationConfig = DeduplicationConfig::default(),
        "deduplication": Nested;

        /// How long finished messages are kept.
        pub retention: RetentionConfig = RetentionConfig::default(),
        "retention": Nested;

        /// At which figures health finds a warning, and at which an error.
        pub health: HealthConfig = HealthConfig::default(),
        "health": Nested;

        /// When types that fail too often are paused.
        pub circuit_breaker: CircuitBreakerConfig = CircuitBreakerConfig::default(),
        "circuitBreaker": Nested;

        /// The lines that the built-in logger writes.
        pub logging: LoggingConfig = LoggingConfig::default(),
        "logging": Nested;

        /// How large a message may be.
        pub payload: PayloadLimits = PayloadLimits::default(),
        "payload": Nested;

        /// Where the tables are and how they are reached.
        pub database: DatabaseConfig = DatabaseConfig::default(),
        "database": Nested;

        /// Switches by name, for an application that moves to this queue step by step. `enabled` is always there.
        pub features: BTreeMap<String, bool> = features::built_in(),
        "features": Features;
    }
}

/// Every key, in the order of the sections.
pub(super) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut table = Vec::new();
    Config::describe("", &mut table);
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    for key in table.iter_mut().filter(|key| key.default.is_null()) {
        let pointer = format!("/{}", key.path.replace('.', "/"));
        key.default = defaults.pointer(&pointer).cloned().unwrap_or_default();
    }
    table
});

/// The configuration that merged settings describe.
pub(super) fn read(settings: &Value) -> Result<Config> {
    // `environments` was taken out before (see `layers`), and is listed for the error message.
    let names = [Config::names(), vec!["environments"]].concat();
    Config::read(&Section::new("", settings, &names)?, Config::default())
}

impl Config {
    /// The retry strategy of a message type: its own, else that of the longest matching pattern, else `default`.
    pub fn retry_for(&self, message_type: &str) -> &RetryStrategy {
        pattern::most_specific(&self.retry, message_type)
            .or_else(|| self.retry.get("default"))
            .unwrap_or(&RetryStrategy::BUILT_IN)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn serialized_it_is_the_configuration_object() {
        assert_eq!(
            serde_json::to_value(Config::default()).unwrap(),
            json!({
                "defaultTransport": "supabase",
                "defaultQueue": "default",
                "defaultPriority": 5,
                "transports": {
                    "memory": { "type": "memory", "enabled": true, "options": {} },
                    "supabase": { "type": "supabase", "enabled": true, "options": {} },
                    "sync": { "type": "sync", "enabled": true, "options": {} },
                },
                "routing": {},
                "priorityRouting": [],
                "retry": {
                    "default": { "maxRetries": 10, "delay": 1000, "multiplier": 2, "maxDelay": 600000, "jitter": 0.1 },
                },
                "worker": {
                    "batchSize": 10,
                    "maxConcurrency": 5,
                    "pollInterval": 1000,
                    "lease": 30000,
                    "maxCrashes": 3,
                    "handlerTimeout": 900_000,
                    "shutdownTimeout": 30000,
                },
                "deduplication": { "window": 86_400_000 },
                "retention": { "completed": 86_400_000, "failed": 2_592_000_000_u64, "metrics": 604_800_000, "audit": 7_776_000_000_u64 },
                "health": {
                    "window": 300_000,
                    "minimumVolume": 20,
                    "warning": { "queueDepth": 10_000, "oldestAge": 300_000, "errorRate": 0.1, "deadLetters": 10 },
                    "error": { "queueDepth": 100_000, "oldestAge": 3_600_000, "errorRate": 0.5, "deadLetters": 1_000 },
                },
                "circuitBreaker": {
                    "enabled": false, "failureRate": 0.5, "minimumVolume": 20, "window": 60_000, "coolDown": 30_000,
                    "types": {},
                },
                "logging": { "level": "warn", "format": "auto", "targets": {} },
                "payload": { "maxBytes": 1_048_576, "maxHeadersBytes": 65_536, "maxMetadataBytes": 65_536 },
                "database": {
                    "schema": "symphony", "poolSize": 5, "statementTimeout": 15000, "connectTimeout": 10000,
                    "idleTimeout": 30000,
                },
                "features": { "enabled": false },
            })
        );
    }

    #[test]
    fn the_strategy_of_a_type_is_the_most_specific() {
        let strategy = |max_retries| RetryStrategy { max_retries, ..RetryStrategy::BUILT_IN };
        let entries = [("default", 1), ("E*", 2), ("Email*", 3), ("EmailMessage", 4)];
        let retry = entries.map(|(key, max_retries)| (key.to_owned(), strategy(max_retries))).into();
        let config = Config { retry, ..Config::default() };
        for (message_type, expected) in [("EmailMessage", 4), ("EmailX", 3), ("Event", 2), ("Sms", 1), ("default", 1)] {
            assert_eq!(config.retry_for(message_type).max_retries, expected, "{message_type}");
        }
        let none = Config { retry: BTreeMap::new(), ..Config::default() };
        assert_eq!(none.retry_for("Sms"), &RetryStrategy::BUILT_IN);
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let mut config = Config::default();
        config.database.url = Some("postgres://u:hunter2@h/d".to_owned());
        config.database.direct_url = Some("postgresql://u:hunter2@h:5432/d".to_owned());
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(json["database"]["url"], "postgres://u:***@h/d");
        assert_eq!(json["database"]["directUrl"], "postgresql://u:***@h:5432/d");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(format!("{config:?}").contains("u:***@h:5432/d"));
    }
}
