//! Configuration: one object of settings, laid in layers, checked as a whole, read as [`Config`].
//!
//! Layers, later ones win: built-in defaults < platform URLs (`DATABASE_URL` and the like) < the configuration object <
//! its section in `environments` for `SYMPHONY_ENV` (else `NODE_ENV`) < `SYMPHONY_*` variables < runtime changes.
//! Objects are merged key by key, arrays replaced, and `null` removes what the layers below say.
//!
//! Nothing takes effect unless everything is valid. An unknown key or a bad value in any layer, in any environment's
//! section, is an [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) with the dotted key, or the
//! variable's name.
//!
//! | file | what it knows |
//! |---|---|
//! | `sections` | one file per section: its keys with default, bounds, unit and variable |
//! | `model` | the sections together, and the table of all keys |
//! | `layers`, `environment` | where settings come from and which win |
//! | `bounds`, `keys`, `section`, `value` | how a key is declared and read, what it may hold, and the errors |
//! | `serialize` | the result as JSON, without secrets |

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

mod bounds;
mod environment;
mod keys;
mod layers;
mod model;
mod section;
mod sections;
mod serialize;
mod value;

pub use crate::base::limits::{HIGHEST_PRIORITY, LOWEST_PRIORITY};
pub use bounds::{Bounds, Kind};
pub use keys::Key;
pub use model::Config;
pub use sections::circuit_breaker::{CircuitBreakerConfig, CircuitConfig};
pub use sections::database::DatabaseConfig;
pub use sections::deduplication::DeduplicationConfig;
pub use sections::health::{HealthConfig, Thresholds};
pub use sections::logging::{LogFormat, LogLevel, LoggingConfig};
pub use sections::payload::PayloadLimits;
pub use sections::priority_routing::PriorityRoute;
pub use sections::retention::{Retention, RetentionConfig};
pub use sections::retry::{RetryStrategy, retry_strategy_from_json};
pub use sections::transport::{TransportConfig, TransportKind, transport_from_json, transport_named};
pub use sections::worker::WorkerConfig;

use crate::base::redaction;
use crate::error::Result;
use layers::{Layer, Stack};
use sections::transport::refuse_unkept;

/// Where settings come from. What is missing in JSON is empty.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Layers {
    /// The configuration object, possibly with `environments`.
    pub config: Value,
    /// What was changed while running; the same keys, without `environments`.
    pub runtime: Value,
    /// Environment variables; blank ones count as not set, those that nothing here knows are ignored.
    pub environment: BTreeMap<String, String>,
}

impl fmt::Debug for Layers {
    /// Shows the names of the variables only: their values hold passwords.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Layers")
            .field("config", &redaction::secrets(&self.config))
            .field("runtime", &redaction::secrets(&self.runtime))
            .field("environment", &self.environment.keys())
            .finish()
    }
}

/// The effective configuration.
///
/// # Errors
/// [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) about the first key of the lowest layer that is
/// not valid.
pub fn resolve(layers: &Layers) -> Result<Config> {
    let variables = &layers.environment;
    let (config, sections) = layers::split(&layers.config)?;

    let mut stack = Stack::built_in().with(&config)?;
    for section in sections.values() {
        stack.with(section)?;
    }
    if let Some(section) = environment::name(variables).and_then(|name| sections.get(name)) {
        stack = stack.with(section)?;
    }
    stack = stack.with(&environment::overrides(variables)?)?;
    stack = stack.with(&Layer::new(&layers.runtime, "", "runtime configuration")?)?;
    // Laid last, but only into the gaps that the other layers left.
    stack = stack.with(&environment::fallbacks(variables, &stack.config.database))?;
    refuse_unkept(&stack.config.transports, stack.config.database.url.is_some())?;
    Ok(stack.config)
}

/// Every key with its default, bounds and variable, for documents, typings and tools.
pub fn keys() -> &'static [Key] {
    &model::KEYS
}

#[cfg(test)]
mod rules;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(config: Value) -> Layers {
        Layers { config, ..Layers::default() }
    }

    /// What they write out; without it, retries bridge more than their 7 s.
    const RETRY_OF_THE_SEEDS: RetryStrategy =
        RetryStrategy { max_retries: 3, delay: 1_000.0, multiplier: 2.0, max_delay: 30_000.0, jitter: 0.1 };

    #[test]
    fn no_layers_are_the_defaults() {
        assert_eq!(resolve(&Layers::default()).unwrap(), Config::default());
        assert_eq!(resolve(&serde_json::from_str("{}").unwrap()).unwrap(), Config::default());
    }

    #[test]
    fn the_configuration_of_the_architecture_seed() {
        let config = resolve(&of(json!({
            "transports": {
                "default": "supabase",
                "sync": { "type": "sync" },
                "async": { "type": "supabase", "queue": "async" },
                "email": { "type": "supabase", "queue": "email", "priority": 7 },
            },
            "routing": { "EmailMessage": ["email"], "CampaignMessage": ["async"], "SMSMessage": ["async"] },
            "retry": {
                "default": { "maxRetries": 3, "delay": 1000, "multiplier": 2.0, "maxDelay": 30000 },
                "EmailMessage": { "maxRetries": 5, "delay": 2000, "multiplier": 2.0, "maxDelay": 60000 },
            },
            "worker": { "batchSize": 10, "maxConcurrency": 5, "pollInterval": 1000 },
        })))
        .unwrap();
        assert_eq!(config.default_transport, "supabase");
        assert_eq!(config.transports.len(), 5);
        assert_eq!(config.transports["email"].priority, Some(7));
        assert_eq!(config.routing["CampaignMessage"], ["async"]);
        let email = RetryStrategy { max_retries: 5, delay: 2_000.0, max_delay: 60_000.0, ..RetryStrategy::BUILT_IN };
        assert_eq!(config.retry_for("EmailMessage"), &email);
        assert_eq!(config.retry_for("SMSMessage"), &RETRY_OF_THE_SEEDS);
        assert_eq!(config.worker, WorkerConfig::default());
    }

    #[test]
    fn the_default_configuration_of_the_dispatcher_seed() {
        let config = resolve(&of(json!({
            "defaultTransport": "supabase",
            "defaultQueue": "default",
            "defaultPriority": 5,
            "transports": {
                "sync": { "type": "sync", "queue": "default", "priority": 5 },
                "supabase": { "type": "supabase", "queue": "default", "priority": 5 },
            },
            "routing": {},
            "retry": { "default": { "maxRetries": 3, "delay": 1000, "multiplier": 2.0, "maxDelay": 30000 } },
        })))
        .unwrap();
        assert_eq!(config.transports["supabase"].queue.as_deref(), Some("default"));
        assert_eq!(config.retry_for("Any"), &RETRY_OF_THE_SEEDS);
        let Config { transports, retry, .. } = Config::default();
        assert_eq!(Config { transports, retry, ..config }, Config::default());
    }

    #[test]
    fn the_runtime_changes_of_the_user_guide() {
        let runtime = json!({
            "defaultPriority": 7,
            "transports": { "redis": { "type": "redis", "queue": "default", "priority": 5 } },
        });
        let config = resolve(&Layers { runtime, ..Layers::default() }).unwrap();
        assert_eq!(config.default_priority, 7);
        assert_eq!(config.transports["redis"].kind, TransportKind::Redis);
    }

    #[test]
    fn what_is_shown_is_itself_a_configuration() {
        let config = json!({
            "transports": {
                "email": { "type": "redis", "queue": "email", "priority": 7, "enabled": false, "options": { "a": 1 } },
            },
            "routing": { "Email*": ["email", "sync"] },
            "priorityRouting": [{ "min": 9, "transport": "sync", "types": ["A"] }],
            "retry": { "A": { "jitter": 0.25, "delay": 0.5 } },
            "worker": { "handlerTimeout": "5m" },
            "retention": { "completed": "none", "failed": "forever" },
            "database": { "url": "postgres://h/d", "pooled": true },
        });
        let config = resolve(&of(config)).unwrap();
        assert_eq!(resolve(&of(serde_json::to_value(&config).unwrap())).unwrap(), config);
    }

    #[test]
    fn layers_show_no_secrets() {
        let layers: Layers = serde_json::from_value(json!({
            "config": { "database": { "url": "postgres://u:hunter2@h" } },
            "runtime": { "transports": { "a": { "options": { "password": "hunter2" } } } },
            "environment": { "DATABASE_URL": "postgres://u:hunter2@h" },
        }))
        .unwrap();
        let shown = format!("{layers:?}");
        assert!(!shown.contains("hunter2") && shown.contains("DATABASE_URL"), "{shown}");
    }

    /// JSON that often has the keys of the configuration, so that the deeper rules are reached.
    fn settings() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            "(defaultTransport|transports|routing|priorityRouting|retry|worker|retention|database|environments)",
            "(default|type|queue|priority|min|max|transport|types|maxRetries|delay|lease|completed|url|schema|test)",
            "(sync|supabase|Email\\*|\\*|30s|1\\.5h|none|forever|postgres://u:p@h)",
            "\\PC{0,8}",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2..20_i64).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(word.clone(), inner, 0..6).prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_resolves_or_is_refused(
            config in settings(), runtime in settings(), variable in "\\PC{0,6}",
            name in "SYMPHONY_(ENV|WORKER_LEASE|ENABLED)",
        ) {
            let layers = Layers { config, runtime, environment: [(name, variable)].into() };
            match resolve(&layers) {
                Ok(config) => prop_assert!(config.retry.contains_key("default")),
                Err(error) => prop_assert_eq!(error.code(), "SYMPHONY_INVALID_CONFIGURATION"),
            }
        }

        #[test]
        fn a_valid_configuration_is_read_back(
            priority in 1..=10_u8, batch in 1..=10_000_usize, lease in 1_000..1_000_000_u64, jitter in 0.0..=1.0f64,
            window in 1..1_000_000_000_u64,
            types in prop::collection::btree_map("[A-Z][a-z]{0,9}\\*?", "[a-z]{1,9}", 0..5),
        ) {
            let config = resolve(&of(json!({
                "defaultPriority": priority,
                "worker": { "batchSize": batch, "lease": lease },
                "retry": { "default": { "jitter": jitter } },
                "deduplication": { "window": format!("{window}ms") },
                "routing": types,
            }))).unwrap();
            prop_assert_eq!(config.worker.lease.as_millis(), u128::from(lease));
            prop_assert_eq!(&resolve(&of(serde_json::to_value(&config).unwrap())).unwrap(), &config);
        }
    }
}
