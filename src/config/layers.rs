//! Layers of settings laid over each other, each checked as it is laid: an error can only come from the top one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::model::{self, Config};
use super::sections::transport::TransportKind;
use super::value::Misfit;
use crate::error::{Error, Result};

/// Settings of one origin, and what errors call its keys.
#[derive(Clone, Default)]
pub(super) struct Layer {
    settings: Value,
    prefix: String,
    renamed: BTreeMap<String, String>,
}

impl Layer {
    /// The settings in `value`; errors show `prefix` before its keys, and call the whole thing `origin`.
    pub fn new(value: &Value, prefix: &str, origin: &str) -> Result<Self> {
        let mut layer = Self { settings: value.clone(), prefix: prefix.to_owned(), renamed: BTreeMap::new() };
        match &mut layer.settings {
            Value::Null => {}
            Value::Object(settings) => {
                layer.renamed = name_default_transport(settings);
                refuse_environments(settings, prefix)?;
            }
            other => return Err(Misfit::new(other, "an object").at(origin)),
        }
        Ok(layer)
    }

    /// Sets the dotted `key`, which errors call `name`.
    pub fn set(&mut self, key: &str, value: Value, name: &str) {
        let nested = key.rsplit('.').fold(value, |inner, part| json!({ part: inner }));
        merge(&mut self.settings, &nested);
        self.renamed.insert(key.to_owned(), name.to_owned());
    }

    /// The same error, but with the key as the user knows it.
    fn renamed(&self, error: Error) -> Error {
        match error {
            Error::InvalidConfiguration { key, got, wants } => {
                let name = self.renamed.get(&key).cloned().unwrap_or(key);
                Error::InvalidConfiguration { key: format!("{}{name}", self.prefix), got, wants }
            }
            other => other,
        }
    }
}

/// The layers so far, merged, and the configuration that they describe.
#[derive(Clone)]
pub(super) struct Stack {
    settings: Value,
    /// What the layers so far describe.
    pub config: Config,
}

impl Stack {
    /// The lowest layer: the transports that exist without any configuration. Other defaults fill gaps at the end.
    pub fn built_in() -> Self {
        let transports = TransportKind::BUILT_IN.map(|kind| (kind.name().to_owned(), json!({ "type": kind.name() })));
        let settings = json!({ "transports": Map::from_iter(transports) });
        Self { settings, config: Config::default() }
    }

    /// The stack with `layer` on top.
    pub fn with(&self, layer: &Layer) -> Result<Self> {
        let mut settings = self.settings.clone();
        forget_other_options(&mut settings, &layer.settings);
        merge(&mut settings, &layer.settings);
        let config = model::read(&settings).map_err(|error| layer.renamed(error))?;
        Ok(Self { settings, config })
    }
}

/// The configuration object without its `environments`, and those by name.
pub(super) fn split(config: &Value) -> Result<(Layer, BTreeMap<String, Layer>)> {
    let mut config = config.clone();
    let environments = config.as_object_mut().and_then(|config| config.remove("environments"));
    Ok((Layer::new(&config, "", "configuration")?, sections(environments.unwrap_or_default())?))
}

fn sections(environments: Value) -> Result<BTreeMap<String, Layer>> {
    let read = |(name, section): (&String, &Value)| {
        let origin = format!("environments.{name}");
        Ok((name.clone(), Layer::new(section, &format!("{origin}."), &origin)?))
    };
    match &environments {
        Value::Null => Ok(BTreeMap::new()),
        Value::Object(sections) => sections.iter().map(read).collect(),
        other => Err(Misfit::new(other, "an object with a section for each environment").at("environments")),
    }
}

/// Lays `over` over `settings`: objects are merged, `null` removes what is below, everything else replaces it.
fn merge(settings: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        if !over.is_null() {
            *settings = over.clone();
        }
        return;
    };
    if !settings.is_object() {
        *settings = Value::Object(Map::new());
    }
    if let Value::Object(settings) = settings {
        for (key, value) in over {
            match value {
                Value::Null => drop(settings.remove(key)),
                value => merge(settings.entry(key.as_str()).or_insert(Value::Null), value),
            }
        }
    }
}

/// A transport that becomes one of another type has none of the options of the one below.
fn forget_other_options(settings: &mut Value, over: &Value) {
    let Some(below) = settings.get_mut("transports").and_then(Value::as_object_mut) else { return };
    let Some(over) = over.get("transports").and_then(Value::as_object) else { return };
    for (name, entry) in over {
        let Some(below) = below.get_mut(name).and_then(Value::as_object_mut) else { continue };
        if entry.get("type").is_some_and(|kind| Some(kind) != below.get("type")) {
            below.remove("options");
        }
    }
}

/// `transports: { default: 'supabase' }` is another way to write `defaultTransport`, which takes precedence.
fn name_default_transport(settings: &mut Map<String, Value>) -> BTreeMap<String, String> {
    let transports = settings.get_mut("transports").and_then(Value::as_object_mut);
    let Some(transports) = transports.filter(|transports| transports.get("default").is_some_and(Value::is_string))
    else {
        return BTreeMap::new();
    };
    let default = transports.remove("default");
    if settings.get("defaultTransport").is_some_and(|given| !given.is_null()) {
        return BTreeMap::new();
    }
    settings.insert("defaultTransport".to_owned(), default.unwrap_or_default());
    [("defaultTransport".to_owned(), "transports.default".to_owned())].into()
}

fn refuse_environments(settings: &Map<String, Value>, prefix: &str) -> Result<()> {
    match settings.get("environments") {
        None | Some(Value::Null) => Ok(()),
        Some(value) => {
            let wants = "nothing here: sections belong at the top level of the configuration object";
            Err(Misfit::new(value, wants).at(format!("{prefix}environments")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, resolve};

    fn layers(config: Value, environment: &[(&str, &str)], runtime: Value) -> Layers {
        let environment = environment.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        Layers { config, runtime, environment }
    }

    fn error(config: Value, environment: &[(&str, &str)], runtime: Value) -> String {
        resolve(&layers(config, environment, runtime)).unwrap_err().to_string()
    }

    #[test]
    fn each_layer_wins_over_those_below() {
        let given =
            json!({ "defaultQueue": "config", "environments": { "production": { "defaultQueue": "section" } } });
        let production = ("NODE_ENV", "production");
        let variable = ("SYMPHONY_DEFAULT_QUEUE", "variable");
        let queue =
            |config, environment: &[_], runtime| resolve(&layers(config, environment, runtime)).unwrap().default_queue;
        let runtime = || json!({ "defaultQueue": "runtime" });
        assert_eq!(queue(json!({}), &[], json!({})), "default");
        assert_eq!(queue(given.clone(), &[], json!({})), "config");
        assert_eq!(queue(given.clone(), &[("NODE_ENV", "test")], json!({})), "config");
        assert_eq!(queue(given.clone(), &[production], json!({})), "section");
        assert_eq!(queue(given.clone(), &[production, variable], json!({})), "variable");
        assert_eq!(queue(given, &[production, variable], runtime()), "runtime");
    }

    #[test]
    fn symphony_env_chooses_the_section_before_node_env() {
        let config =
            json!({ "environments": { "production": { "defaultPriority": 1 }, "staging": { "defaultPriority": 2 } } });
        let priority =
            |environment: &[_]| resolve(&layers(config.clone(), environment, json!({}))).unwrap().default_priority;
        assert_eq!(priority(&[("NODE_ENV", "production")]), 1);
        assert_eq!(priority(&[("NODE_ENV", "production"), ("SYMPHONY_ENV", "staging")]), 2);
        assert_eq!(priority(&[("NODE_ENV", "production"), ("SYMPHONY_ENV", "elsewhere")]), 5);
        assert_eq!(priority(&[]), 5);
    }

    #[test]
    fn platform_urls_lie_below_the_configuration_and_own_ones_above() {
        let given = json!({ "database": { "url": "postgres://config" } });
        let url = |config: &Value, environment: &[_]| {
            resolve(&layers(config.clone(), environment, json!({}))).unwrap().database.url.unwrap()
        };
        assert_eq!(url(&given, &[("DATABASE_URL", "postgres://platform")]), "postgres://config");
        assert_eq!(url(&given, &[("SYMPHONY_DATABASE_URL", "postgres://own")]), "postgres://own");
        assert_eq!(url(&json!({}), &[("DATABASE_URL", "postgres://platform")]), "postgres://platform");
        let section = json!({ "environments": { "test": { "database": { "url": "postgres://section" } } } });
        assert_eq!(
            url(&section, &[("NODE_ENV", "test"), ("DATABASE_URL", "postgres://platform")]),
            "postgres://section"
        );
    }

    #[test]
    fn objects_are_merged_and_arrays_replaced() {
        let config = json!({
            "transports": { "email": { "type": "sqs", "queue": "email", "options": { "a": 1, "b": 1 } } },
            "routing": { "A": ["x", "y"], "B": "x" },
        });
        let runtime = json!({
            "transports": { "email": { "priority": 7, "options": { "b": 2 } }, "supabase": { "queue": "all" } },
            "routing": { "A": ["z"] },
        });
        let config = resolve(&layers(config, &[], runtime)).unwrap();
        assert_eq!(config.transports["email"].queue.as_deref(), Some("email"));
        assert_eq!(config.transports["email"].priority, Some(7));
        assert_eq!(config.transports["email"].options, json!({ "a": 1, "b": 2 }));
        assert_eq!(config.transports["supabase"].queue.as_deref(), Some("all"));
        assert_eq!(config.transports.len(), 4);
        assert_eq!(config.routing["A"], ["z"]);
        assert_eq!(config.routing["B"], ["x"]);
    }

    #[test]
    fn another_type_starts_without_options() {
        let config = json!({
            "transports": { "jobs": { "type": "rabbitmq", "queue": "jobs", "options": { "prefetch": 10 } } },
            "environments": { "test": { "transports": { "jobs": { "type": "memory" } } } },
        });
        let kind_and_options = |environment: &[_], runtime| {
            let jobs =
                resolve(&layers(config.clone(), environment, runtime)).unwrap().transports.remove("jobs").unwrap();
            (jobs.kind.name(), jobs.queue.unwrap(), jobs.options)
        };
        let jobs = || "jobs".to_owned();
        assert_eq!(kind_and_options(&[("NODE_ENV", "test")], json!({})), ("memory", jobs(), json!({})));
        let runtime = |entry: Value| json!({ "transports": { "jobs": entry } });
        let sqs = runtime(json!({ "type": "sqs", "options": { "fifo": true } }));
        assert_eq!(kind_and_options(&[], sqs), ("sqs", jobs(), json!({ "fifo": true })));
        let same = runtime(json!({ "type": "rabbitmq", "options": { "vhost": "a" } }));
        assert_eq!(kind_and_options(&[], same), ("rabbitmq", jobs(), json!({ "prefetch": 10, "vhost": "a" })));
    }

    #[test]
    fn null_takes_away_what_is_below() {
        let config = json!({
            "defaultQueue": "mail",
            "database": { "url": "postgres://config" },
            "routing": { "A": "x", "B": "y" },
            "worker": { "batchSize": 99 },
        });
        let runtime = json!({
            "defaultQueue": null,
            "database": { "url": null },
            "routing": { "A": null },
            "worker": null,
            "transports": { "memory": null, "new": { "type": "sync", "queue": null } },
        });
        let config = resolve(&layers(config, &[("DATABASE_URL", "postgres://platform")], runtime)).unwrap();
        assert_eq!(config.default_queue, "default");
        assert_eq!(config.database.url.as_deref(), Some("postgres://platform"));
        assert_eq!(config.routing.keys().collect::<Vec<_>>(), ["B"]);
        assert_eq!(config.worker.batch_size, 10);
        assert_eq!(config.transports.keys().collect::<Vec<_>>(), ["new", "supabase", "sync"]);
    }

    #[test]
    fn a_string_named_default_names_the_default_transport() {
        let default = |config| resolve(&layers(config, &[], json!({}))).unwrap().default_transport;
        assert_eq!(default(json!({ "transports": { "default": "sync" } })), "sync");
        assert_eq!(default(json!({ "transports": { "default": "sync" }, "defaultTransport": null })), "sync");
        assert_eq!(default(json!({ "transports": { "default": "sync" }, "defaultTransport": "memory" })), "memory");
        assert_eq!(default(json!({ "transports": { "default": { "type": "sync" } } })), "supabase");

        let config = json!({ "transports": { "default": "sync" } });
        let runtime = json!({ "transports": { "default": "memory" } });
        let config = resolve(&layers(config, &[("SYMPHONY_DEFAULT_TRANSPORT", "postgres")], runtime)).unwrap();
        assert_eq!(config.default_transport, "memory");
        assert!(!config.transports.contains_key("default"));
        assert!(
            error(json!({ "transports": { "default": " " } }), &[], json!({}))
                .starts_with("transports.default: got \" \"")
        );
    }

    #[test]
    fn every_layer_is_checked_even_where_another_one_wins() {
        let bad = || json!({ "defaultPriority": 11 });
        let good = || json!({ "defaultPriority": 1 });
        assert!(error(bad(), &[("SYMPHONY_DEFAULT_PRIORITY", "2")], good()).starts_with("defaultPriority: got 11"));
        assert!(
            error(good(), &[("SYMPHONY_DEFAULT_PRIORITY", "12")], good())
                .starts_with("SYMPHONY_DEFAULT_PRIORITY: got 12")
        );
        assert!(error(good(), &[("SYMPHONY_DEFAULT_PRIORITY", "2")], bad()).starts_with("defaultPriority: got 11"));
    }

    #[test]
    fn a_bad_section_is_an_error_in_every_environment() {
        let config = json!({ "environments": { "staging": { "worker": { "batchSize": 0 } }, "test": null } });
        for name in ["staging", "production"] {
            let error = error(config.clone(), &[("NODE_ENV", name)], json!({}));
            assert!(error.starts_with("environments.staging.worker.batchSize: got 0, wants a whole number"), "{error}");
        }
        let in_section = |section: Value| error(json!({ "environments": { "a": section } }), &[], json!({}));
        assert!(in_section(json!({ "queues": 1 })).starts_with("environments.a.queues: got an unknown key"));
        assert!(
            in_section(json!({ "transports": { "default": "" } }))
                .starts_with("environments.a.transports.default: got")
        );
        assert!(in_section(json!("x")).starts_with("environments.a: got \"x\", wants an object"));
        assert!(
            in_section(json!({ "environments": {} }))
                .starts_with("environments.a.environments: got an object, wants nothing")
        );
    }

    #[test]
    fn layers_are_objects() {
        assert_eq!(error(json!([]), &[], json!({})), "configuration: got an array, wants an object");
        assert_eq!(error(json!({}), &[], json!(5)), "runtime configuration: got 5, wants an object");
        assert!(
            error(json!({ "environments": [] }), &[], json!({}))
                .starts_with("environments: got an array, wants an object")
        );
        assert!(
            error(json!({}), &[], json!({ "environments": {} }))
                .starts_with("environments: got an object, wants nothing here")
        );
        assert!(resolve(&layers(json!(null), &[], json!(null))).is_ok());
        assert!(resolve(&layers(json!({ "environments": null }), &[], json!({ "environments": null }))).is_ok());
    }

    #[test]
    fn merging_keeps_what_is_not_mentioned() {
        let mut settings = json!({ "a": { "b": 1, "c": [1] }, "d": 1 });
        merge(&mut settings, &json!({ "a": { "b": null, "c": [], "n": { "x": null, "y": 1 } }, "d": { "e": 1 } }));
        assert_eq!(settings, json!({ "a": { "c": [], "n": { "y": 1 } }, "d": { "e": 1 } }));
        merge(&mut settings, &Value::Null);
        assert!(settings.is_object());
    }
}
