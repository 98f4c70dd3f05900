//! Environment variables as layers of the configuration. The variables are passed in; nothing here reads the process.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bounds::Kind;
use super::layers::Layer;
use super::model;
use super::sections::database::DatabaseConfig;
use super::sections::features;
use super::value::{Fit, Misfit};
use crate::error::Result;

/// Variables of hosting platforms, first one wins, for what nothing else sets.
const FALLBACK_URLS: &[&str] = &["DATABASE_URL", "POSTGRES_URL"];
const FALLBACK_DIRECT_URLS: &[&str] = &["POSTGRES_URL_NON_POOLING"];

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The environment whose section applies: `SYMPHONY_ENV`, else `NODE_ENV`.
pub(super) fn name(variables: &Variables) -> Option<&str> {
    first(variables, &["SYMPHONY_ENV", "NODE_ENV"]).map(|(_, name)| name)
}

/// What the `SYMPHONY_*` variables set. Blank ones count as not set, unknown ones belong to someone else.
pub(super) fn overrides(variables: &Variables) -> Result<Layer> {
    let mut layer = Layer::default();
    for variable in variables.keys() {
        if let (Some(text), Some((path, kind))) = (given(variables, variable), target(variable)) {
            layer.set(&path, read(text, kind).map_err(|misfit| misfit.at(variable))?, variable);
        }
    }
    Ok(layer)
}

/// The key that a variable sets, and what that holds: a key of its own, else a switch by name.
fn target(variable: &str) -> Option<(String, Kind)> {
    let own = model::KEYS.iter().find(|key| key.variable == Some(variable) && !key.path.contains('*'));
    let switch = || Some((format!("features.{}", features::named_by(variable)?), Kind::Flag));
    own.map(|key| (key.path.clone(), key.bounds.kind)).or_else(switch)
}

/// The URLs of the hosting platform, where `database` has none.
pub(super) fn fallbacks(variables: &Variables, database: &DatabaseConfig) -> Layer {
    let mut layer = Layer::default();
    let url = first(variables, FALLBACK_URLS).filter(|_| database.url.is_none());
    let direct_url = first(variables, FALLBACK_DIRECT_URLS).filter(|_| database.direct_url.is_none());
    for (key, found) in [("database.url", url), ("database.directUrl", direct_url)] {
        if let Some((variable, url)) = found {
            layer.set(key, json!(url), variable);
        }
    }
    layer
}

fn first<'a>(variables: &'a Variables, names: &[&'static str]) -> Option<(&'static str, &'a str)> {
    names.iter().find_map(|name| Some((*name, given(variables, name)?)))
}

/// The variable's text without blanks around it, unless nothing is left.
fn given<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn read(text: &str, kind: Kind) -> Fit<Value> {
    match kind {
        Kind::Whole | Kind::Number => number(text).ok_or_else(|| Misfit::new(&json!(text), "a number")),
        Kind::Duration => Ok(number(text).unwrap_or_else(|| json!(text))),
        Kind::Flag => flag(text),
        Kind::Text | Kind::Choice | Kind::List | Kind::Object => Ok(json!(text)),
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from))
}

fn flag(text: &str) -> Fit<Value> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(json!(true)),
        "false" | "0" | "no" | "off" => Ok(json!(false)),
        _ => Err(Misfit::new(&json!(text), "one of true, false, 1, 0, yes, no, on, off")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Config, Layers, Retention, resolve};
    use crate::error::Error;

    fn resolved(variables: &[(&str, &str)]) -> Result<Config> {
        let environment = variables.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        resolve(&Layers { environment, ..Layers::default() })
    }

    /// Every variable that sets a key of its own, and the key.
    fn overriding() -> Vec<(&'static str, &'static str)> {
        let fixed = model::KEYS.iter().filter(|key| !key.path.contains('*'));
        fixed.filter_map(|key| Some((key.variable?, key.path.as_str()))).collect()
    }

    fn config(variables: &[(&str, &str)]) -> Config {
        resolved(variables).unwrap()
    }

    /// Key and text of the error.
    fn error(variables: &[(&str, &str)]) -> (String, String) {
        match resolved(variables).unwrap_err() {
            Error::InvalidConfiguration { key, got, wants } => (key, format!("got {got}, wants {wants}")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_variable_sets_its_key() {
        let samples = [
            ("SYMPHONY_DEFAULT_TRANSPORT", "/defaultTransport", "sync", json!("sync")),
            ("SYMPHONY_DEFAULT_QUEUE", "/defaultQueue", "mail", json!("mail")),
            ("SYMPHONY_DEFAULT_PRIORITY", "/defaultPriority", "7", json!(7)),
            ("SYMPHONY_RETRY_MAX_RETRIES", "/retry/default/maxRetries", "5", json!(5)),
            ("SYMPHONY_RETRY_DELAY", "/retry/default/delay", "2000", json!(2000)),
            ("SYMPHONY_RETRY_MULTIPLIER", "/retry/default/multiplier", "2.5", json!(2.5)),
            ("SYMPHONY_RETRY_MAX_DELAY", "/retry/default/maxDelay", "1m", json!(60_000)),
            ("SYMPHONY_RETRY_JITTER", "/retry/default/jitter", "0", json!(0)),
            ("SYMPHONY_WORKER_BATCH_SIZE", "/worker/batchSize", "100", json!(100)),
            ("SYMPHONY_WORKER_MAX_CONCURRENCY", "/worker/maxConcurrency", "50", json!(50)),
            ("SYMPHONY_WORKER_POLL_INTERVAL", "/worker/pollInterval", "250ms", json!(250)),
            ("SYMPHONY_WORKER_LEASE", "/worker/lease", "1m", json!(60_000)),
            ("SYMPHONY_WORKER_MAX_CRASHES", "/worker/maxCrashes", "5", json!(5)),
            ("SYMPHONY_WORKER_HANDLER_TIMEOUT", "/worker/handlerTimeout", "20s", json!(20_000)),
            ("SYMPHONY_WORKER_SHUTDOWN_TIMEOUT", "/worker/shutdownTimeout", "0", json!(0)),
            ("SYMPHONY_DEDUPLICATION_WINDOW", "/deduplication/window", "1h", json!(3_600_000)),
            ("SYMPHONY_RETENTION_COMPLETED", "/retention/completed", "none", json!("none")),
            ("SYMPHONY_RETENTION_FAILED", "/retention/failed", "forever", json!("forever")),
            ("SYMPHONY_RETENTION_METRICS", "/retention/metrics", "1d", json!(86_400_000)),
            ("SYMPHONY_RETENTION_AUDIT", "/retention/audit", "30d", json!(2_592_000_000_u64)),
            ("SYMPHONY_CIRCUIT_BREAKER_ENABLED", "/circuitBreaker/enabled", "on", json!(true)),
            ("SYMPHONY_LOG_LEVEL", "/logging/level", "debug", json!("debug")),
            ("SYMPHONY_LOG_FORMAT", "/logging/format", "json", json!("json")),
            ("SYMPHONY_PAYLOAD_MAX_BYTES", "/payload/maxBytes", "1000", json!(1000)),
            ("SYMPHONY_PAYLOAD_MAX_HEADERS_BYTES", "/payload/maxHeadersBytes", "1000", json!(1000)),
            ("SYMPHONY_PAYLOAD_MAX_METADATA_BYTES", "/payload/maxMetadataBytes", "1000", json!(1000)),
            ("SYMPHONY_DATABASE_URL", "/database/url", "postgres://h/d", json!("postgres://h/d")),
            ("SYMPHONY_DIRECT_URL", "/database/directUrl", "postgresql://h/d", json!("postgresql://h/d")),
            ("SYMPHONY_DATABASE_SCHEMA", "/database/schema", "queue", json!("queue")),
            ("SYMPHONY_DATABASE_POOL_SIZE", "/database/poolSize", "20", json!(20)),
            ("SYMPHONY_DATABASE_POOLED", "/database/pooled", "no", json!(false)),
            ("SYMPHONY_STATEMENT_TIMEOUT", "/database/statementTimeout", "5s", json!(5_000)),
            ("SYMPHONY_CONNECT_TIMEOUT", "/database/connectTimeout", "3000", json!(3_000)),
            ("SYMPHONY_IDLE_TIMEOUT", "/database/idleTimeout", "45s", json!(45_000)),
            ("SYMPHONY_ENABLED", "/features/enabled", "true", json!(true)),
        ];
        assert_eq!(samples.len(), overriding().len());
        let default = serde_json::to_value(Config::default()).unwrap();
        for (variable, key, text, expected) in samples {
            let mut only_this_changed = serde_json::to_value(config(&[(variable, text)])).unwrap();
            assert_eq!(only_this_changed.pointer(key), Some(&expected), "{variable}");
            assert_ne!(default.pointer(key), Some(&expected), "{variable}: the sample must differ from the default");
            match default.pointer(key) {
                Some(value) => *only_this_changed.pointer_mut(key).unwrap() = value.clone(),
                None => drop(only_this_changed["database"].as_object_mut().unwrap().remove(&key["/database/".len()..])),
            }
            assert_eq!(only_this_changed, default, "{variable}");
        }
    }

    #[test]
    fn the_variables_of_the_user_guide() {
        let config = config(&[
            ("SYMPHONY_ENABLED", "true"),
            ("SYMPHONY_EMAIL_QUEUE_ENABLED", "true"),
            ("SYMPHONY_CAMPAIGN_PROCESSING_ENABLED", "true"),
            ("SYMPHONY_DEFAULT_TRANSPORT", "supabase"),
            ("SYMPHONY_DEFAULT_QUEUE", "default"),
            ("SYMPHONY_DEFAULT_PRIORITY", "5"),
            ("SYMPHONY_RETRY_MAX_RETRIES", "5"),
            ("SYMPHONY_RETRY_DELAY", "2000"),
            ("SYMPHONY_RETRY_MULTIPLIER", "2.0"),
            ("SYMPHONY_RETRY_MAX_DELAY", "60000"),
            ("SYMPHONY_WORKER_BATCH_SIZE", "10"),
            ("SYMPHONY_WORKER_MAX_CONCURRENCY", "5"),
            ("SYMPHONY_WORKER_POLL_INTERVAL", "1000"),
        ]);
        let on = ["campaignProcessing", "emailQueue", "enabled"].map(|name| (name.to_owned(), true));
        assert_eq!(config.features, on.into());
        let strategy = config.retry_for("Any");
        assert_eq!((strategy.max_retries, strategy.delay, strategy.max_delay), (5, 2_000.0, 60_000.0));
        assert_eq!(config.worker.poll_interval, Duration::from_secs(1));
    }

    #[test]
    fn flags_take_the_usual_words() {
        for (text, expected) in [
            ("true", true),
            ("1", true),
            ("yes", true),
            ("on", true),
            ("TRUE", true),
            (" On ", true),
            ("false", false),
            ("0", false),
            ("no", false),
            ("off", false),
            ("False", false),
        ] {
            assert_eq!(config(&[("SYMPHONY_ENABLED", text)]).features["enabled"], expected, "{text}");
        }
        let (key, problem) = error(&[("SYMPHONY_ENABLED", "maybe")]);
        assert_eq!(key, "SYMPHONY_ENABLED");
        assert_eq!(problem, "got \"maybe\", wants one of true, false, 1, 0, yes, no, on, off");
    }

    #[test]
    fn errors_name_the_variable() {
        for (variable, text, problem) in [
            ("SYMPHONY_DEFAULT_PRIORITY", "high", "got \"high\", wants a number"),
            ("SYMPHONY_DEFAULT_PRIORITY", "11", "got 11, wants a whole number from 1 to 10"),
            ("SYMPHONY_DEFAULT_TRANSPORT", "a\tb", "got \"a\\tb\", wants a name"),
            ("SYMPHONY_RETRY_MAX_RETRIES", "3.5", "got 3.5, wants a whole number from 0"),
            ("SYMPHONY_RETRY_MAX_RETRIES", "-1", "got -1, wants a whole number from 0"),
            ("SYMPHONY_RETRY_MULTIPLIER", "0.5", "got 0.5, wants a number of 1 or more"),
            ("SYMPHONY_RETRY_JITTER", "NaN", "got \"NaN\", wants a number"),
            ("SYMPHONY_RETRY_JITTER", "inf", "got \"inf\", wants a number"),
            ("SYMPHONY_WORKER_LEASE", "soon", "got \"soon\", wants a duration from 1s"),
            ("SYMPHONY_WORKER_LEASE", "500", "got 500, wants a duration from 1s"),
            ("SYMPHONY_RETENTION_FAILED", "none", "got \"none\", wants a duration"),
            ("SYMPHONY_DATABASE_SCHEMA", "pg_x", "got \"pg_x\", wants a schema name"),
            ("SYMPHONY_DATABASE_POOL_SIZE", "0", "got 0, wants a whole number from 1"),
            (
                "SYMPHONY_DATABASE_URL",
                "mysql://u:hunter2@h",
                "got \"mysql://…\", wants a URL that starts with postgres://",
            ),
            ("SYMPHONY_DIRECT_URL", "hunter2", "got a text that is not shown here, wants a URL"),
            ("DATABASE_URL", "file:./dev.db", "got a text that is not shown here, wants a URL"),
            ("POSTGRES_URL", "http://h", "got \"http://…\", wants a URL"),
            ("POSTGRES_URL_NON_POOLING", "http://h", "got \"http://…\", wants a URL"),
        ] {
            let (key, text) = error(&[(variable, text)]);
            assert_eq!(key, variable);
            assert!(text.starts_with(problem), "{variable}: {text}");
        }
    }

    #[test]
    fn blank_variables_are_not_set_and_unknown_ones_not_read() {
        let variables = overriding().into_iter().map(|(variable, _)| (variable, " "));
        let others =
            [("SYMPHONY_ENV", ""), ("DATABASE_URL", ""), ("SYMPHONY_UNKNOWN", "x"), ("symphony_enabled", "true")];
        assert_eq!(config(&variables.chain(others).collect::<Vec<_>>()), Config::default());
    }

    #[test]
    fn text_is_trimmed() {
        assert_eq!(config(&[("SYMPHONY_DEFAULT_QUEUE", " mail\n")]).default_queue, "mail");
        assert_eq!(
            config(&[("SYMPHONY_RETENTION_COMPLETED", " 1h ")]).retention.completed,
            Retention::For(Duration::from_hours(1))
        );
    }

    #[test]
    fn the_database_url_has_an_order() {
        let url = |variables: &[(&str, &str)]| config(variables).database.url.unwrap();
        let (own, common, platform) = (
            ("SYMPHONY_DATABASE_URL", "postgres://own"),
            ("DATABASE_URL", "postgres://common"),
            ("POSTGRES_URL", "postgres://platform"),
        );
        assert_eq!(url(&[own, common, platform]), "postgres://own");
        assert_eq!(url(&[common, platform]), "postgres://common");
        assert_eq!(url(&[platform]), "postgres://platform");
        assert_eq!(url(&[platform, ("DATABASE_URL", " ")]), "postgres://platform");
        assert_eq!(config(&[]).database.url, None);
    }

    #[test]
    fn the_direct_url_has_an_order() {
        let direct = |variables: &[(&str, &str)]| config(variables).database.direct().map(str::to_owned);
        let (own, platform, url) = (
            ("SYMPHONY_DIRECT_URL", "postgres://own"),
            ("POSTGRES_URL_NON_POOLING", "postgres://platform"),
            ("SYMPHONY_DATABASE_URL", "postgres://url"),
        );
        assert_eq!(direct(&[own, platform, url]).unwrap(), "postgres://own");
        assert_eq!(direct(&[platform, url]).unwrap(), "postgres://platform");
        assert_eq!(direct(&[url]).unwrap(), "postgres://url");
        assert_eq!(direct(&[]), None);
    }

    #[test]
    fn a_url_that_is_not_needed_is_not_checked() {
        let variables = [("SYMPHONY_DATABASE_URL", "postgres://own"), ("DATABASE_URL", "mysql://shop")];
        assert_eq!(config(&variables).database.url.unwrap(), "postgres://own");
    }

    #[test]
    fn the_environments_name_has_an_order() {
        let named = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
            name(&variables).map(str::to_owned)
        };
        assert_eq!(named(&[("SYMPHONY_ENV", "staging"), ("NODE_ENV", "production")]).unwrap(), "staging");
        assert_eq!(named(&[("SYMPHONY_ENV", ""), ("NODE_ENV", "production")]).unwrap(), "production");
        assert_eq!(named(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_variables_say_it_is_a_configuration_or_names_one_of_them(
            index in 0_usize..overriding().len(), text in "\\PC{0,30}|-?[0-9.]{1,20}|[0-9]{1,9}(ms|s|m|h|d)|true|no",
        ) {
            let (variable, key) = overriding()[index];
            match resolved(&[(variable, &text)]) {
                Ok(_) => {}
                Err(Error::InvalidConfiguration { key: named, .. }) => {
                    let about = named.contains(variable) || named.contains(key.split('.').next().unwrap_or(key));
                    proptest::prop_assert!(about, "{named} for {variable}={text}");
                }
                Err(other) => proptest::prop_assert!(false, "{other:?}"),
            }
        }
    }
}
