//! Where messages wait.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::limits::{HIGHEST_PRIORITY, LOWEST_PRIORITY};
use crate::base::redaction;
use crate::config::keys::{Key, Rule};
use crate::config::section::{Section, below};
use crate::config::serialize::redacted_options;
use crate::config::value::{FLAG, Fit, Leaf, Misfit, NAME, OBJECT, choice, name, optional, whole};
use crate::error::Result;

/// Keys of a transport in the configuration.
const KEYS: &[&str] = &["type", "queue", "priority", "enabled", "options"];
/// Keys of the `config` column; `type` and `enabled` are columns of their own there.
const ROW_KEYS: &[&str] = &["queue", "priority", "options"];

/// One transport of the configuration, or one row of `messenger_transports`.
#[derive(Clone, PartialEq, Serialize)]
pub struct TransportConfig {
    /// What it is made of; `type` in JSON.
    #[serde(rename = "type")]
    pub kind: TransportKind,
    /// The queue of a message that specifies none. Default: the configuration's `defaultQueue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The priority of a message that specifies none, 1 to 10. Default: the configuration's `defaultPriority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Whether messages may be sent to it. Default true.
    pub enabled: bool,
    /// Options of this kind, an object: of brokers unchecked here, of the others none. Default empty. Secrets are masked
    /// in JSON.
    #[serde(serialize_with = "redacted_options")]
    pub options: Value,
}

impl TransportConfig {
    /// An enabled transport of this kind, everything else by default.
    pub fn new(kind: TransportKind) -> Self {
        Self { kind, queue: None, priority: None, enabled: true, options: Value::Object(Map::new()) }
    }

    /// An entry of `transports`.
    fn read(path: String, entry: &Value) -> Result<Self> {
        let section = Section::new(path, entry, KEYS)?;
        let kind = section.required("type", kind().fit)?;
        Self::with_settings(kind, FLAG.read(&section, "enabled", true)?, &section)
    }

    fn with_settings(kind: TransportKind, enabled: bool, section: &Section<'_>) -> Result<Self> {
        let default = Self::new(kind);
        let options = OBJECT.read(section, "options", default.options)?;
        refuse_options(kind, &options, &section.path_of("options"))?;
        Ok(Self {
            kind,
            queue: optional(NAME).read(section, "queue", default.queue)?,
            priority: optional(priority()).read(section, "priority", default.priority)?,
            enabled,
            options,
        })
    }
}

impl fmt::Debug for TransportConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransportConfig")
            .field("kind", &self.kind)
            .field("queue", &self.queue)
            .field("priority", &self.priority)
            .field("enabled", &self.enabled)
            .field("options", &redaction::secrets(&self.options))
            .finish()
    }
}

/// A transport from a row of `messenger_transports`: its columns `name`, `type`, `config` and `enabled`.
///
/// `config` may hold `queue`, `priority` and `options`, by the rules of the configuration.
///
/// # Errors
/// [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) about `messenger_transports.<name>.<key>`.
pub fn transport_from_json(transport: &str, kind: &str, config: &Value, enabled: bool) -> Result<TransportConfig> {
    let row = format!("messenger_transports.{transport}");
    name(&Value::from(transport)).map_err(|misfit| misfit.at("messenger_transports.name"))?;
    let kind = (self::kind().fit)(&Value::from(kind)).map_err(|misfit| misfit.at(format!("{row}.type")))?;
    TransportConfig::with_settings(kind, enabled, &Section::new(row, config, ROW_KEYS)?)
}

/// One of those for applications; the one for tests is not told of.
fn kind() -> Leaf<impl Fn(&Value) -> Fit<TransportKind>> {
    let told = choice(TransportKind::ALL.map(|kind| (kind.name(), kind)));
    let fit = move |value: &Value| {
        if value == TransportKind::MemoryBroker.name() { Ok(TransportKind::MemoryBroker) } else { (told.fit)(value) }
    };
    Leaf { fit, bounds: told.bounds }
}

/// An option that nothing reads would be a promise that nothing keeps.
fn refuse_options(kind: TransportKind, options: &Value, path: &str) -> Result<()> {
    let reason = match kind {
        TransportKind::Postgres | TransportKind::Supabase => {
            "its messages are in the database of the configuration: set `database` (SYMPHONY_DATABASE_URL) instead"
        }
        TransportKind::Sync => {
            "it runs handlers inside dispatch() and keeps nothing: remove it, or choose a type that stores messages"
        }
        TransportKind::Memory | TransportKind::MemoryBroker => {
            "it keeps messages in this process, for tests, where nothing can be set: remove it, or choose another type"
        }
        TransportKind::Redis | TransportKind::RabbitMq | TransportKind::Sqs => return Ok(()),
    };
    match options.as_object().and_then(|options| options.iter().next()) {
        None => Ok(()),
        Some((option, value)) => {
            let wants = format!("no option: a transport of type {kind} has none, since {reason}");
            Err(Misfit::secret(value, wants).at(below(path, option)))
        }
    }
}

/// What transports need that are configured.
///
/// # Errors
/// [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) about the type of a transport that lacks it.
pub(in crate::config) fn refuse_unkept(transports: &BTreeMap<String, TransportConfig>, database: bool) -> Result<()> {
    let is_alone = |it: &TransportConfig| it.enabled && it.kind.has_companion() && !database;
    match transports.iter().find(|(_, it)| is_alone(it)) {
        None => Ok(()),
        Some((name, transport)) => {
            let wants = "a type that keeps everything by itself, or a database: a broker has no delays, keys, retries and \
                         dead letters of its own, so they are kept beside it; set `database.url` (SYMPHONY_DATABASE_URL)";
            let kind = Value::from(transport.kind.name());
            Err(Misfit::new(&kind, wants).at(format!("transports.{name}.type")))
        }
    }
}

fn priority() -> Leaf<impl Fn(&Value) -> Fit<u8>> {
    whole(LOWEST_PRIORITY, HIGHEST_PRIORITY)
}

/// Transports by name.
pub(in crate::config) struct Transports;

impl Rule<BTreeMap<String, TransportConfig>> for Transports {
    fn read(
        &self,
        root: &Section<'_>,
        key: &str,
        _: BTreeMap<String, TransportConfig>,
    ) -> Result<BTreeMap<String, TransportConfig>> {
        let section = root.names(key)?;
        let read = |(key, entry)| {
            let transport = section.check_key(key, name)?;
            Ok((transport, TransportConfig::read(section.path_of(key), entry)?))
        };
        section.entries().map(read).collect()
    }

    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>) {
        let entry = below(path, "*");
        let mut add =
            |key: &str, bounds, default| table.push(Key { path: below(&entry, key), bounds, default, variable });
        add("type", kind().bounds, Value::Null);
        add("queue", NAME.bounds, Value::Null);
        add("priority", priority().bounds, Value::Null);
        add("enabled", FLAG.bounds, true.into());
        add("options", OBJECT.bounds, Map::new().into());
    }
}

/// Under which name the messages of a transport wait, of which a caller says `name`.
///
/// `default` is another name of the default transport `default`, and `postgres` of `supabase`, as is a default transport
/// that is itself called `default`. Where `is_own` says that a transport was configured under such a name, the name is
/// its own, and its messages keep to themselves.
pub fn transport_named<'a>(name: &'a str, default: &'a str, is_own: impl Fn(&str) -> bool) -> &'a str {
    let meant = if name == DEFAULT && !is_own(name) { default } else { name };
    let is_other_name = [DEFAULT, TransportKind::Postgres.name()].contains(&meant) && !is_own(meant);
    if is_other_name { TransportKind::Supabase.name() } else { meant }
}

/// Another name of the default transport.
const DEFAULT: &str = "default";

/// What a transport is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportKind {
    /// A Postgres database.
    Postgres,
    /// A Supabase database: another word for [`TransportKind::Postgres`].
    Supabase,
    /// The handler runs inside `dispatch()`.
    Sync,
    /// The memory of this process, for tests.
    Memory,
    /// Redis; configurable, not implemented by this version.
    Redis,
    /// RabbitMQ; configurable, not implemented by this version.
    RabbitMq,
    /// Amazon SQS; configurable, not implemented by this version.
    Sqs,
    /// A broker in the memory of this process, with a companion in the database: for the tests of this package.
    #[serde(rename = "memory-broker")]
    MemoryBroker,
}

impl TransportKind {
    /// Every kind that applications choose from.
    pub const ALL: [Self; 7] =
        [Self::Postgres, Self::Supabase, Self::Sync, Self::Memory, Self::Redis, Self::RabbitMq, Self::Sqs];

    /// The kinds that exist as a transport of the same name without any configuration.
    pub const BUILT_IN: [Self; 3] = [Self::Sync, Self::Supabase, Self::Memory];

    /// The kind as `type` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Supabase => "supabase",
            Self::Sync => "sync",
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::RabbitMq => "rabbitmq",
            Self::Sqs => "sqs",
            Self::MemoryBroker => "memory-broker",
        }
    }

    /// Whether its messages are in the Postgres database of the configuration.
    pub const fn is_postgres(self) -> bool {
        matches!(self, Self::Postgres | Self::Supabase)
    }

    /// Whether it is a broker, beside which the database keeps what that does not.
    pub const fn has_companion(self) -> bool {
        matches!(self, Self::MemoryBroker)
    }

    /// Whether it needs the Postgres database of the configuration.
    pub const fn needs_database(self) -> bool {
        self.is_postgres() || self.has_companion()
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_read_by_the_rules_of_the_configuration() {
        let config = json!({ "queue": "mail", "priority": 7, "options": { "a": [1] } });
        let expected = TransportConfig {
            kind: TransportKind::Sqs,
            queue: Some("mail".to_owned()),
            priority: Some(7),
            enabled: false,
            options: json!({ "a": [1] }),
        };
        assert_eq!(transport_from_json("email", "sqs", &config, false).unwrap(), expected);
        for empty in [json!({}), json!(null)] {
            assert_eq!(
                transport_from_json("sync", "sync", &empty, true).unwrap(),
                TransportConfig::new(TransportKind::Sync)
            );
        }
    }

    #[test]
    fn a_bad_row_is_named() {
        let problem = |name: &str, kind: &str, config: Value| {
            transport_from_json(name, kind, &config, true).unwrap_err().to_string()
        };
        assert!(problem("", "sync", json!({})).starts_with("messenger_transports.name: got \"\""));
        assert!(problem("a", "kafka", json!({})).starts_with("messenger_transports.a.type: got \"kafka\", wants"));
        assert!(problem("a", "sync", json!([])).starts_with("messenger_transports.a: got an array, wants an object"));
        assert!(
            problem("a", "sync", json!({ "priority": 11 }))
                .starts_with("messenger_transports.a.priority: got 11, wants a whole number from 1 to 10")
        );
        assert!(
            problem("a", "sync", json!({ "type": "sync" }))
                .starts_with("messenger_transports.a.type: got an unknown key")
        );
    }

    #[test]
    fn options_that_nothing_reads_are_refused_with_the_reason() {
        for (kind, remedy) in [
            ("postgres", "set `database`"),
            ("supabase", "set `database`"),
            ("sync", "choose a type that stores messages"),
            ("memory", "choose another type"),
        ] {
            let of = |options: Value| transport_from_json("mail", kind, &json!({ "options": options }), true);
            let refused = of(json!({ "prefetch": 10 })).unwrap_err().to_string();
            let key = "messenger_transports.mail.options.prefetch: got 10, wants no option";
            assert!(refused.starts_with(key) && refused.contains(kind) && refused.contains(remedy), "{refused}");
            let secret = of(json!({ "password": "hunter2" })).unwrap_err().to_string();
            assert!(!secret.contains("hunter2"), "{secret}");
            assert!(of(json!({})).is_ok() && of(json!(null)).is_ok());
        }
    }

    #[test]
    fn a_broker_without_a_database_is_refused_with_the_reason() {
        let transports = |enabled| {
            let broker = TransportConfig { enabled, ..TransportConfig::new(TransportKind::MemoryBroker) };
            [("events".to_owned(), broker), ("a".to_owned(), TransportConfig::new(TransportKind::Memory))].into()
        };
        let refused = refuse_unkept(&transports(true), false).unwrap_err().to_string();
        assert!(refused.starts_with("transports.events.type: got \"memory-broker\", wants"), "{refused}");
        assert!(refused.contains("dead letters") && refused.ends_with("(SYMPHONY_DATABASE_URL)"), "{refused}");
        assert!(refuse_unkept(&transports(true), true).is_ok() && refuse_unkept(&transports(false), false).is_ok());
    }

    #[test]
    fn the_broker_for_tests_is_read_and_not_told_of() {
        let read = |kind: &str| transport_from_json("a", kind, &json!({}), true);
        assert_eq!(read("memory-broker").unwrap().kind, TransportKind::MemoryBroker);
        assert!(!read("memory-brok").unwrap_err().to_string().contains("memory-broker"));
    }

    #[test]
    fn kinds_are_named_alike_everywhere() {
        for kind in TransportKind::ALL.into_iter().chain([TransportKind::MemoryBroker]) {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.to_string(), kind.name());
            assert_eq!(transport_from_json("a", kind.name(), &json!({}), true).unwrap().kind, kind);
            assert_eq!(kind.is_postgres(), ["postgres", "supabase"].contains(&kind.name()));
        }
    }

    #[test]
    fn the_default_transport_has_other_names_unless_they_are_configured() {
        for (name, default, own, expected) in [
            ("supabase", "supabase", &[][..], "supabase"),
            ("postgres", "supabase", &[], "supabase"),
            ("default", "supabase", &[], "supabase"),
            ("default", "postgres", &[], "supabase"),
            ("default", "default", &[], "supabase"),
            ("default", "mail", &[], "mail"),
            ("postgres", "mail", &[], "supabase"),
            ("mail", "supabase", &[], "mail"),
            ("postgres", "supabase", &["postgres"], "postgres"),
            ("default", "postgres", &["postgres"], "postgres"),
            ("default", "supabase", &["default"], "default"),
            ("postgres", "default", &["default"], "supabase"),
        ] {
            let found = transport_named(name, default, |name| own.contains(&name));
            assert_eq!(found, expected, "{name}, default {default}, own {own:?}");
        }
    }

    #[test]
    fn secrets_in_options_are_not_shown() {
        let config = json!({ "options": { "url": "redis://:hunter2@host" } });
        let transport = transport_from_json("cache", "redis", &config, true).unwrap();
        assert_eq!(transport.options["url"], "redis://:hunter2@host");
        assert!(!format!("{transport:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&transport).unwrap().contains("hunter2"));
    }
}
