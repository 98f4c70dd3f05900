//! How the queue is watched: thresholds of health, circuit breakers, log lines.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::limits::LONGEST_MS;
use crate::base::pattern;
use crate::config::section::Section;
use crate::config::serialize::millis;
use crate::config::value::{choice, duration, flag, number, pattern as type_or_pattern, whole};
use crate::error::Result;

/// When the queue counts as degraded and as unhealthy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthConfig {
    /// How far error rate, latency and processing rate look back, at least 1 min. Default 5 min.
    #[serde(serialize_with = "millis")]
    pub window: Duration,
    /// Number of runs below which the error rate is ignored, at least 1. Default 20.
    pub minimum_volume: u64,
    /// At these figures it works, but someone should look.
    pub degraded: Thresholds,
    /// At these figures it does not do its work.
    pub unhealthy: Thresholds,
}

/// Figures at which something is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thresholds {
    /// Due messages, all queues together.
    pub queue_depth: u64,
    /// How long the oldest due message has waited.
    #[serde(serialize_with = "millis")]
    pub oldest_age: Duration,
    /// Failed of processed, 0 to 1.
    pub error_rate: f64,
    /// Dead letters of the last hour.
    pub dead_letters: u64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_mins(5),
            minimum_volume: 20,
            degraded: Thresholds {
                queue_depth: 10_000,
                oldest_age: Duration::from_mins(5),
                error_rate: 0.1,
                dead_letters: 1,
            },
            unhealthy: Thresholds {
                queue_depth: 100_000,
                oldest_age: Duration::from_hours(1),
                error_rate: 0.5,
                dead_letters: 1_000,
            },
        }
    }
}

/// Circuit breakers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreakerConfig {
    /// What applies unless a type says otherwise.
    #[serde(flatten)]
    pub default: CircuitConfig,
    /// Complete settings by message type or pattern.
    pub types: BTreeMap<String, CircuitConfig>,
}

/// The circuit breaker of a message type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitConfig {
    /// Whether there is one. Default false.
    pub enabled: bool,
    /// Fraction of runs with a retryable failure at which it opens, above 0 to 1. Default 0.5.
    pub failure_rate: f64,
    /// Runs in the window below which it stays closed, at least 1. Default 20.
    pub minimum_volume: u32,
    /// Time after which counting starts again, at least 1 s. Default 1 min.
    #[serde(serialize_with = "millis")]
    pub window: Duration,
    /// How long the type is paused before one message is tried, at least 1 s. Default 30 s.
    #[serde(serialize_with = "millis")]
    pub cool_down: Duration,
}

impl CircuitBreakerConfig {
    /// The circuit breaker of a type, if it has one.
    pub fn of(&self, message_type: &str) -> Option<&CircuitConfig> {
        Some(pattern::most_specific(&self.types, message_type).unwrap_or(&self.default)).filter(|it| it.enabled)
    }

    /// Whether any type has one.
    pub fn any(&self) -> bool {
        self.default.enabled || self.types.values().any(|it| it.enabled)
    }
}

impl Default for CircuitConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            failure_rate: 0.5,
            minimum_volume: 20,
            window: Duration::from_mins(1),
            cool_down: Duration::from_secs(30),
        }
    }
}

/// The lines that the built-in logger writes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggingConfig {
    /// The least severe level that is written. Default warn.
    pub level: LogLevel,
    /// How lines look. Default auto.
    pub format: LogFormat,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { level: LogLevel::Warn, format: LogFormat::Auto }
    }
}

/// Severities, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Every message.
    Debug,
    /// What happens in normal operation.
    Info,
    /// What someone should look at.
    Warn,
    /// What went wrong.
    Error,
    /// Nothing.
    Silent,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// JSON in production, text elsewhere.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

pub(in crate::config) fn health(root: &Section<'_>) -> Result<HealthConfig> {
    let section = root.section("health", &["window", "minimumVolume", "degraded", "unhealthy"])?;
    let default = HealthConfig::default();
    Ok(HealthConfig {
        window: section.or("window", default.window, duration(60_000.0, LONGEST_MS))?,
        minimum_volume: section.or("minimumVolume", default.minimum_volume, whole(1, 1_000_000_000))?,
        degraded: thresholds(&section, "degraded", default.degraded)?,
        unhealthy: thresholds(&section, "unhealthy", default.unhealthy)?,
    })
}

fn thresholds(health: &Section<'_>, key: &str, default: Thresholds) -> Result<Thresholds> {
    let section = health.section(key, &["queueDepth", "oldestAge", "errorRate", "deadLetters"])?;
    Ok(Thresholds {
        queue_depth: section.or("queueDepth", default.queue_depth, whole(1, 1_000_000_000))?,
        oldest_age: section.or("oldestAge", default.oldest_age, duration(1.0, LONGEST_MS))?,
        error_rate: section.or("errorRate", default.error_rate, number(0.0, 1.0))?,
        dead_letters: section.or("deadLetters", default.dead_letters, whole(1, 1_000_000_000))?,
    })
}

const CIRCUIT_KEYS: &[&str] = &["enabled", "failureRate", "minimumVolume", "window", "coolDown"];

pub(in crate::config) fn circuit_breaker(root: &Section<'_>) -> Result<CircuitBreakerConfig> {
    let section = root.section("circuitBreaker", &[CIRCUIT_KEYS, &["types"]].concat())?;
    let default = circuit(&section, &CircuitConfig::default())?;
    let types = section.names("types")?;
    let read = |(key, entry)| {
        let name = types.check_key(key, type_or_pattern)?;
        // Settings for a type are meant to apply.
        let default = CircuitConfig { enabled: true, ..default.clone() };
        Ok((name, circuit(&Section::new(types.path_of(key), entry, CIRCUIT_KEYS)?, &default)?))
    };
    Ok(CircuitBreakerConfig { types: types.entries().map(read).collect::<Result<_>>()?, default })
}

fn circuit(section: &Section<'_>, default: &CircuitConfig) -> Result<CircuitConfig> {
    Ok(CircuitConfig {
        enabled: section.or("enabled", default.enabled, flag)?,
        failure_rate: section.or("failureRate", default.failure_rate, number(0.01, 1.0))?,
        minimum_volume: section.or("minimumVolume", default.minimum_volume, whole(1, 1_000_000_000))?,
        window: section.or("window", default.window, duration(1_000.0, LONGEST_MS))?,
        cool_down: section.or("coolDown", default.cool_down, duration(1_000.0, LONGEST_MS))?,
    })
}

pub(in crate::config) fn logging(root: &Section<'_>) -> Result<LoggingConfig> {
    let section = root.section("logging", &["level", "format"])?;
    let default = LoggingConfig::default();
    let levels = choice([
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("warn", LogLevel::Warn),
        ("error", LogLevel::Error),
        ("silent", LogLevel::Silent),
    ]);
    let formats = choice([("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)]);
    Ok(LoggingConfig {
        level: section.or("level", default.level, levels)?,
        format: section.or("format", default.format, formats)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Layers, resolve};
    use serde_json::{Value, json};

    fn config(settings: Value) -> Config {
        resolve(&Layers { config: settings, ..Layers::default() }).unwrap()
    }

    fn refused(settings: Value) -> String {
        resolve(&Layers { config: settings, ..Layers::default() }).unwrap_err().to_string()
    }

    #[test]
    fn the_breaker_of_a_type_is_the_most_specific_and_on_where_it_is_named() {
        let breakers = config(json!({ "circuitBreaker": {
            "failureRate": 0.8,
            "types": { "Email*": { "minimumVolume": 5 }, "EmailDigest": { "enabled": false } },
        }}))
        .circuit_breaker;
        assert!(breakers.any());
        assert_eq!(breakers.of("Sms"), None);
        assert_eq!(breakers.of("EmailDigest"), None);
        let email = breakers.of("EmailMessage").unwrap();
        assert_eq!((email.failure_rate, email.minimum_volume), (0.8, 5));
        assert!(!Config::default().circuit_breaker.any());
        assert!(config(json!({ "circuitBreaker": { "enabled": true } })).circuit_breaker.of("Sms").is_some());
    }

    #[test]
    fn every_value_has_its_bounds() {
        for (settings, key) in [
            (json!({ "circuitBreaker": { "failureRate": 0 } }), "circuitBreaker.failureRate"),
            (json!({ "circuitBreaker": { "types": { "A": { "coolDown": 5 } } } }), "circuitBreaker.types.A.coolDown"),
            (json!({ "circuitBreaker": { "types": { "A": { "types": {} } } } }), "circuitBreaker.types.A.types"),
            (json!({ "circuitBreaker": { "types": { "A*B": {} } } }), "circuitBreaker.types"),
            (json!({ "health": { "window": "1s" } }), "health.window"),
            (json!({ "health": { "degraded": { "errorRate": 2 } } }), "health.degraded.errorRate"),
            (json!({ "health": { "unhealthy": { "queueDepth": 0 } } }), "health.unhealthy.queueDepth"),
            (json!({ "logging": { "level": "loud" } }), "logging.level"),
            (json!({ "logging": { "format": "xml" } }), "logging.format"),
        ] {
            let told = refused(settings);
            assert!(told.starts_with(&format!("{key}: got ")), "{told}");
        }
    }
}
