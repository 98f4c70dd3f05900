//! The effective configuration: complete, checked, typed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::sections::monitoring::{CircuitBreakerConfig, HealthConfig, LoggingConfig};
use super::sections::retention::RetentionConfig;
use super::sections::transport::{TransportConfig, TransportKind};
use super::serialize::{millis, redacted_url, timeout};
use crate::base::pattern;
use crate::base::redaction;
use crate::message::limits::PayloadLimits;
use crate::policy::retry::RetryStrategy;
use crate::policy::routing::{PriorityRoute, Routes};

/// Everything that can be configured.
///
/// Serialized it is the camelCase JSON of the configuration object with durations in milliseconds, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Where a message without a route goes. Default `supabase`. It may exist only in the database.
    pub default_transport: String,
    /// The queue of a message that specifies none, on a transport that specifies none. Default `default`.
    pub default_queue: String,
    /// The priority of a message that specifies none, on a transport that specifies none; 1 to 10. Default 5.
    pub default_priority: u8,
    /// Transports by name. `sync`, `supabase`, `postgres` and `memory` always exist unless removed.
    pub transports: BTreeMap<String, TransportConfig>,
    /// Transports by message type or pattern (`Email*`, `*`); see [`crate::policy::routing::route`].
    pub routing: BTreeMap<String, Vec<String>>,
    /// Rules that come before `routing`; the first that applies decides.
    pub priority_routing: Vec<PriorityRoute>,
    /// Complete strategies by message type or pattern; `default` is always there.
    pub retry: BTreeMap<String, RetryStrategy>,
    /// How messages are consumed.
    pub worker: WorkerConfig,
    /// How long an idempotency key is remembered.
    pub deduplication: DeduplicationConfig,
    /// How long finished messages are kept.
    pub retention: RetentionConfig,
    /// When the queue counts as degraded and as unhealthy.
    pub health: HealthConfig,
    /// When types that fail too often are paused.
    pub circuit_breaker: CircuitBreakerConfig,
    /// The lines that the built-in logger writes.
    pub logging: LoggingConfig,
    /// How large a message may be.
    pub payload: PayloadLimits,
    /// Where the tables are and how they are reached.
    pub database: DatabaseConfig,
    /// Switches for an application that moves to this queue step by step.
    pub features: FeatureFlags,
}

impl Config {
    /// What decides where a message goes.
    pub fn routes(&self) -> Routes<'_> {
        Routes {
            default_transport: &self.default_transport,
            default_priority: self.default_priority,
            by_type: &self.routing,
            by_priority: &self.priority_routing,
        }
    }

    /// The retry strategy of a message type: its own, else that of the longest matching pattern, else `default`.
    pub fn retry_for(&self, message_type: &str) -> &RetryStrategy {
        pattern::most_specific(&self.retry, message_type)
            .or_else(|| self.retry.get("default"))
            .unwrap_or(&RetryStrategy::BUILT_IN)
    }
}

impl Default for Config {
    fn default() -> Self {
        let built_in = |kind: TransportKind| (kind.name().to_owned(), TransportConfig::new(kind));
        Self {
            default_transport: TransportKind::Supabase.name().to_owned(),
            default_queue: "default".to_owned(),
            default_priority: 5,
            transports: TransportKind::BUILT_IN.map(built_in).into(),
            routing: BTreeMap::new(),
            priority_routing: Vec::new(),
            retry: [("default".to_owned(), RetryStrategy::BUILT_IN)].into(),
            worker: WorkerConfig::default(),
            deduplication: DeduplicationConfig::default(),
            retention: RetentionConfig::default(),
            health: HealthConfig::default(),
            circuit_breaker: CircuitBreakerConfig::default(),
            logging: LoggingConfig::default(),
            payload: PayloadLimits::default(),
            database: DatabaseConfig::default(),
            features: FeatureFlags::default(),
        }
    }
}

/// How messages are consumed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerConfig {
    /// Messages claimed at once, 1 to 10000. Default 10.
    pub batch_size: usize,
    /// Handlers that run at the same time, 1 to 10000. Default 5.
    pub max_concurrency: usize,
    /// Pause of an idle worker between two polls, at least 1 ms. Default 1 s.
    #[serde(serialize_with = "millis")]
    pub poll_interval: Duration,
    /// How long a claim is valid without a heartbeat, at least 1 s. Default 30 s.
    #[serde(serialize_with = "millis")]
    pub lease: Duration,
    /// The number of crashes that make a message a dead letter, 2 to 1000. Default 3.
    pub max_crashes: i16,
    /// How long one handler may run; `None` (0 in JSON) = no limit. Default none.
    #[serde(serialize_with = "timeout")]
    pub handler_timeout: Option<Duration>,
    /// How long a stopping worker waits for running handlers before it releases their messages. Default 30 s.
    #[serde(serialize_with = "millis")]
    pub shutdown_timeout: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            batch_size: 10,
            max_concurrency: 5,
            poll_interval: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            max_crashes: 3,
            handler_timeout: None,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// How long an idempotency key is remembered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeduplicationConfig {
    /// Time from the first dispatch during which the same key is a duplicate, at least 1 ms. Default 24 h.
    #[serde(serialize_with = "millis")]
    pub window: Duration,
}

impl Default for DeduplicationConfig {
    fn default() -> Self {
        Self { window: Duration::from_hours(24) }
    }
}

/// Where the tables are and how they are reached. Neither `Debug` nor JSON shows a password.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseConfig {
    /// `postgres://` or `postgresql://` URL, possibly that of a transaction pooler. Default none.
    #[serde(serialize_with = "redacted_url", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// URL that avoids the pooler, for migrations and LISTEN. Default none; see [`DatabaseConfig::direct`].
    #[serde(serialize_with = "redacted_url", skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<String>,
    /// Schema of the tables: letters, digits and underscores, at most 63. Default `symphony`.
    pub schema: String,
    /// The most connections open at once, 1 to 1000. Default 5.
    pub pool_size: usize,
    /// Whether `url` leads to a transaction pooler; `None` = see [`DatabaseConfig::is_pooled`]. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled: Option<bool>,
    /// How long one statement may run, at least 1 ms. Default 15 s.
    #[serde(serialize_with = "millis")]
    pub statement_timeout: Duration,
    /// How long opening a connection may take, at least 1 ms. Default 10 s.
    #[serde(serialize_with = "millis")]
    pub connect_timeout: Duration,
}

impl DatabaseConfig {
    /// The URL for what a transaction pooler cannot do: `direct_url`, else `url`.
    pub fn direct(&self) -> Option<&str> {
        self.direct_url.as_deref().or(self.url.as_deref())
    }

    /// Whether `url` leads to a transaction pooler: as configured, else if the URL has port 6543 or `pgbouncer=true`.
    pub fn is_pooled(&self) -> bool {
        self.pooled.unwrap_or_else(|| self.url.as_deref().is_some_and(looks_pooled))
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            direct_url: None,
            schema: "symphony".to_owned(),
            pool_size: 5,
            pooled: None,
            statement_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseConfig")
            .field("url", &self.url.as_deref().map(redaction::url))
            .field("direct_url", &self.direct_url.as_deref().map(redaction::url))
            .field("schema", &self.schema)
            .field("pool_size", &self.pool_size)
            .field("pooled", &self.pooled)
            .field("statement_timeout", &self.statement_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

/// Supabase tells its transaction pooler by port 6543, Prisma tells any by a parameter.
fn looks_pooled(url: &str) -> bool {
    let (_, place) = url.split_once("://").unwrap_or(("", url));
    let (server, parameters) = place.split_once('?').unwrap_or((place, ""));
    let (login_and_hosts, _) = server.split_once('/').unwrap_or((server, ""));
    let (_, hosts) = login_and_hosts.rsplit_once('@').unwrap_or(("", login_and_hosts));
    hosts.split(',').any(|host| host.ends_with(":6543"))
        || parameters.split(['&', '#']).any(|parameter| matches!(parameter, "pgbouncer=true" | "port=6543"))
}

/// Switches for an application that moves to this queue step by step; the core itself does not read them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureFlags {
    /// Whether the application uses the queue at all. Default false.
    pub enabled: bool,
    /// Whether e-mails go through the queue. Default false.
    pub email_queue: bool,
    /// Whether campaigns are processed by the queue. Default false.
    pub campaign_processing: bool,
    /// Whether SMS drips go through the queue. Default false.
    pub sms_drip: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn database(url: &str) -> DatabaseConfig {
        DatabaseConfig { url: Some(url.to_owned()), ..DatabaseConfig::default() }
    }

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
                    "postgres": { "type": "postgres", "enabled": true, "options": {} },
                    "supabase": { "type": "supabase", "enabled": true, "options": {} },
                    "sync": { "type": "sync", "enabled": true, "options": {} },
                },
                "routing": {},
                "priorityRouting": [],
                "retry": {
                    "default": { "maxRetries": 3, "delay": 1000, "multiplier": 2, "maxDelay": 30000, "jitter": 0.1 },
                },
                "worker": {
                    "batchSize": 10,
                    "maxConcurrency": 5,
                    "pollInterval": 1000,
                    "lease": 30000,
                    "maxCrashes": 3,
                    "handlerTimeout": 0,
                    "shutdownTimeout": 30000,
                },
                "deduplication": { "window": 86_400_000 },
                "retention": { "completed": 86_400_000, "failed": 2_592_000_000_u64, "metrics": 604_800_000 },
                "health": {
                    "window": 300_000,
                    "minimumVolume": 20,
                    "degraded": { "queueDepth": 10_000, "oldestAge": 300_000, "errorRate": 0.1, "deadLetters": 1 },
                    "unhealthy": {
                        "queueDepth": 100_000, "oldestAge": 3_600_000, "errorRate": 0.5, "deadLetters": 1_000,
                    },
                },
                "circuitBreaker": {
                    "enabled": false, "failureRate": 0.5, "minimumVolume": 20, "window": 60_000, "coolDown": 30_000,
                    "types": {},
                },
                "logging": { "level": "warn", "format": "auto" },
                "payload": { "maxBytes": 1_048_576, "maxHeadersBytes": 65_536, "maxMetadataBytes": 65_536 },
                "database": {
                    "schema": "symphony", "poolSize": 5, "statementTimeout": 15000, "connectTimeout": 10000,
                },
                "features": {
                    "enabled": false, "emailQueue": false, "campaignProcessing": false, "smsDrip": false,
                },
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
        let mut config = Config { database: database("postgres://u:hunter2@h/d"), ..Config::default() };
        config.database.direct_url = Some("postgresql://u:hunter2@h:5432/d".to_owned());
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(json["database"]["url"], "postgres://u:***@h/d");
        assert_eq!(json["database"]["directUrl"], "postgresql://u:***@h:5432/d");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(format!("{config:?}").contains("u:***@h:5432/d"));
    }

    #[test]
    fn the_pooler_is_told_by_port_or_parameter() {
        for url in [
            "postgres://u:p@db.example:6543/postgres",
            "postgres://u:p@db.example:6543",
            "postgres://u:p@one:5432,two:6543/postgres?sslmode=require",
            "postgres://u:p@db.example/postgres?sslmode=require&pgbouncer=true",
            "postgresql:///postgres?host=db.example&port=6543",
            "postgres://u:p@db.example:6543/postgres?application_name=a@b",
        ] {
            assert!(database(url).is_pooled(), "{url}");
        }
        for url in [
            "postgres://u:p@db.example:5432/postgres",
            "postgres://u:6543@db.example/postgres",
            "postgres://6543:6543@db.example:5432/6543?pgbouncer=false",
            "postgres://db.example:5432/x:6543",
        ] {
            assert!(!database(url).is_pooled(), "{url}");
        }
        assert!(!DatabaseConfig::default().is_pooled());
    }

    #[test]
    fn what_is_configured_beats_what_the_url_looks_like() {
        assert!(!DatabaseConfig { pooled: Some(false), ..database("postgres://h:6543/d") }.is_pooled());
        assert!(DatabaseConfig { pooled: Some(true), ..database("postgres://h:5432/d") }.is_pooled());
    }

    #[test]
    fn the_direct_url_is_the_url_where_none_is_given() {
        assert_eq!(DatabaseConfig::default().direct(), None);
        assert_eq!(database("postgres://a").direct(), Some("postgres://a"));
        let both = DatabaseConfig { direct_url: Some("postgres://b".to_owned()), ..database("postgres://a") };
        assert_eq!(both.direct(), Some("postgres://b"));
    }
}
