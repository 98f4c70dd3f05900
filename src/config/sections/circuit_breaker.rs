//! When types that fail too often are paused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::limits::LONGEST_MS;
use crate::base::pattern;
use crate::config::keys::{Key, Keys, section};
use crate::config::section::Section;
use crate::config::serialize::millis;
use crate::config::value::{FLAG, duration, number, pattern as type_or_pattern, whole};
use crate::error::Result;

/// Circuit breakers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CircuitBreakerConfig {
    /// What applies unless a type says otherwise.
    #[serde(flatten)]
    pub default: CircuitConfig,
    /// Complete settings by message type or pattern.
    pub types: BTreeMap<String, CircuitConfig>,
}

section! {
    /// The circuit breaker of a message type.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct CircuitConfig {
        /// Whether there is one.
        pub enabled: bool = false,
        "enabled": FLAG, "SYMPHONY_CIRCUIT_BREAKER_ENABLED";

        /// Fraction of runs with a retryable failure at which it opens.
        pub failure_rate: f64 = 0.5,
        "failureRate": number(0.01, 1.0);

        /// Runs in the window below which it stays closed.
        pub minimum_volume: u32 = 20,
        "minimumVolume": whole(1, 1_000_000_000);

        /// Time after which counting starts again.
        #[serde(serialize_with = "millis")]
        pub window: Duration = Duration::from_mins(1),
        "window": duration(1_000.0, LONGEST_MS);

        /// How long the type is paused before one message is tried.
        #[serde(serialize_with = "millis")]
        pub cool_down: Duration = Duration::from_secs(30),
        "coolDown": duration(1_000.0, LONGEST_MS);
    }
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

impl Keys for CircuitBreakerConfig {
    fn names() -> Vec<&'static str> {
        [CircuitConfig::names(), vec!["types"]].concat()
    }

    fn read(section: &Section<'_>, default: Self) -> Result<Self> {
        let default = CircuitConfig::read(section, default.default)?;
        let types = section.names("types")?;
        let read = |(key, entry)| {
            let name = types.check_key(key, type_or_pattern)?;
            // Settings for a type are meant to apply.
            let default = CircuitConfig { enabled: true, ..default.clone() };
            let section = Section::new(types.path_of(key), entry, &CircuitConfig::names())?;
            Ok((name, CircuitConfig::read(&section, default)?))
        };
        Ok(Self { types: types.entries().map(read).collect::<Result<_>>()?, default })
    }

    /// Those of `types` are the same.
    fn describe(path: &str, table: &mut Vec<Key>) {
        CircuitConfig::describe(path, table);
    }
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
            (json!({ "health": { "warning": { "errorRate": 2 } } }), "health.warning.errorRate"),
            (json!({ "health": { "error": { "queueDepth": 0 } } }), "health.error.queueDepth"),
            (json!({ "logging": { "level": "loud" } }), "logging.level"),
            (json!({ "logging": { "format": "xml" } }), "logging.format"),
        ] {
            let told = refused(settings);
            assert!(told.starts_with(&format!("{key}: got ")), "{told}");
        }
    }
}
