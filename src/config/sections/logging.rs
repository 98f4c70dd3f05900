//! Which log lines are written, and how the built-in logger writes them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::base::{suggestions, targets};
use crate::config::bounds::Bounds;
use crate::config::keys::{Key, Rule, section};
use crate::config::section::Section;
use crate::config::value::{Fit, Leaf, Misfit, choice};
use crate::error::Result;

section! {
    /// Which log lines are written, and how the built-in logger writes them.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct LoggingConfig {
        /// The least severe level that is written.
        pub level: LogLevel = LogLevel::Warn,
        "level": level(), "SYMPHONY_LOG_LEVEL";

        /// The level of single parts of the core, where it differs from that of the logger.
        pub targets: BTreeMap<String, LogLevel> = BTreeMap::new(),
        "targets": Targets;

        /// How lines look.
        pub format: LogFormat = LogFormat::Auto,
        "format": choice([
            ("auto", LogFormat::Auto),
            ("json", LogFormat::Json),
            ("text", LogFormat::Text),
        ]), "SYMPHONY_LOG_FORMAT";
    }
}

fn level() -> Leaf<impl Fn(&Value) -> Fit<LogLevel>> {
    choice([
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("warn", LogLevel::Warn),
        ("error", LogLevel::Error),
        ("silent", LogLevel::Silent),
    ])
}

/// Levels by target.
struct Targets;

impl Rule<BTreeMap<String, LogLevel>> for Targets {
    fn read(&self, root: &Section<'_>, key: &str, _: BTreeMap<String, LogLevel>) -> Result<BTreeMap<String, LogLevel>> {
        let section = root.names(key)?;
        let level = level();
        let read = |(key, _)| Ok((section.check_key(key, target)?, section.required(key, &level.fit)?));
        section.entries().map(read).collect()
    }

    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>) {
        let bounds: Bounds = level().bounds;
        table.push(Key { path: format!("{path}.*"), bounds, default: Value::Null, variable });
    }
}

fn target(value: &Value) -> Fit<String> {
    let known = value.as_str().filter(|it| targets::ALL.contains(it)).map(str::to_owned);
    known.ok_or_else(|| Misfit::new(value, suggestions::one_of(&targets::ALL, value.as_str().unwrap_or_default())))
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

impl LogLevel {
    /// The level of this name.
    ///
    /// # Errors
    /// [`crate::Error::InvalidConfiguration`].
    pub fn named(name: &str) -> Result<Self> {
        (level().fit)(&Value::from(name)).map_err(|misfit| misfit.at("level"))
    }
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

#[cfg(test)]
mod tests {
    use crate::config::{Layers, LogLevel, resolve};
    use serde_json::{Value, json};

    fn logging(settings: Value) -> Result<crate::config::LoggingConfig, String> {
        let layers = Layers { config: json!({ "logging": settings }), ..Layers::default() };
        resolve(&layers).map(|it| it.logging).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_has_a_level_of_its_own() {
        let logging = logging(json!({ "targets": { "symphony::postgres": "debug" } })).unwrap();
        assert_eq!(logging.targets.get("symphony::postgres"), Some(&LogLevel::Debug));
        assert_eq!(logging.level, LogLevel::Warn);
    }

    #[test]
    fn a_target_or_level_that_does_not_exist_is_refused() {
        let refused = |settings| logging(settings).unwrap_err();
        let told = refused(json!({ "targets": { "symphony::postgress": "debug" } }));
        assert!(told.starts_with("logging.targets: got \"symphony::postgress\", wants one of symphony::"), "{told}");
        assert!(told.ends_with("did you mean \"symphony::postgres\"?"), "{told}");
        let told = refused(json!({ "targets": { "symphony::worker": "loud" } }));
        assert!(told.starts_with("logging.targets.symphony::worker: got \"loud\""), "{told}");
    }
}
