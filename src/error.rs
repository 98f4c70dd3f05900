//! Everything that can go wrong, with a stable code for each.
//!
//! One enum for the whole crate. Each variant says what happened, names the thing, and includes the remedy if there
//! is one. [`Error::class`] is the JavaScript class that the error becomes, [`Error::code`] its `code`.

use serde_json::{Value, json};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a message got wrong; each has its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// The message type is empty, too long or not a string.
    Type,
    /// The payload is not a JSON object, or holds what JSON or `jsonb` cannot carry.
    Payload,
    /// The payload, the headers or the metadata are larger than `payload` allows.
    PayloadSize,
    /// The priority is not a whole number from 1 to 10.
    Priority,
    /// `scheduledAt` is not a date, or out of range.
    ScheduledAt,
    /// `delay` is not a number of milliseconds, or negative.
    Delay,
    /// The idempotency key is empty, too long or not a string.
    IdempotencyKey,
    /// The queue name is empty, too long or not a string.
    Queue,
    /// Headers or metadata are not a JSON object.
    Headers,
    /// `maxRetries` is not a whole number, or negative.
    MaxRetries,
    /// An option that does not exist.
    Option,
}

impl Invalid {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Type => "SYMPHONY_INVALID_TYPE",
            Self::Payload => "SYMPHONY_INVALID_PAYLOAD",
            Self::PayloadSize => "SYMPHONY_PAYLOAD_TOO_LARGE",
            Self::Priority => "SYMPHONY_INVALID_PRIORITY",
            Self::ScheduledAt => "SYMPHONY_INVALID_SCHEDULED_AT",
            Self::Delay => "SYMPHONY_INVALID_DELAY",
            Self::IdempotencyKey => "SYMPHONY_INVALID_IDEMPOTENCY_KEY",
            Self::Queue => "SYMPHONY_INVALID_QUEUE",
            Self::Headers => "SYMPHONY_INVALID_HEADERS",
            Self::MaxRetries => "SYMPHONY_INVALID_MAX_RETRIES",
            Self::Option => "SYMPHONY_UNKNOWN_OPTION",
        }
    }
}

/// What is wrong with a cron expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronProblem {
    /// The expression, shortened if it is long.
    pub expression: String,
    /// `minute`, `day of month` and so on; `expression` for the whole.
    pub field: &'static str,
    /// The invalid item of the field.
    pub found: String,
    /// What is allowed.
    pub wants: String,
    /// Which field it is, from 1; 0 for the whole.
    pub place: usize,
    /// Where the item begins in the expression, from 1; 0 for the whole.
    pub character: usize,
}

impl CronProblem {
    fn details(&self) -> Value {
        let Self { expression, field, found, wants, place, character } = self;
        json!({
            "expression": expression, "field": field, "value": found, "allowed": wants,
            "position": place, "character": character,
        })
    }
}

impl std::fmt::Display for CronProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { expression, field, found, wants, place, character } = self;
        write!(f, "{field} {found}: {wants}")?;
        match place {
            0 => write!(f, " (\"{expression}\")"),
            _ => write!(f, " (field {place}, character {character} of \"{expression}\")"),
        }
    }
}

/// What is wrong with a query of the search language, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryProblem {
    /// Where it begins, from 1, as JavaScript counts the characters of a text.
    pub character: usize,
    /// How many characters it has; 0 if something is missing there.
    pub length: usize,
    /// What stands there.
    pub found: String,
    /// What is allowed.
    pub wants: String,
}

impl QueryProblem {
    fn details(&self) -> Value {
        let Self { character, length, found, wants } = self;
        json!({ "key": "query", "character": character, "length": length, "got": shortened(found), "wants": wants })
    }
}

impl std::fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { character, found, wants, .. } = self;
        let found = if found.is_empty() { "nothing".to_owned() } else { format!("\"{}\"", shortened(found)) };
        write!(f, "query: got {found} at character {character}, wants {wants}")
    }
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(60).map(|(end, _)| end);
    end.map_or_else(|| text.to_owned(), |end| format!("{}…", &text[..end]))
}

/// What helps: the last words of the messages.
mod remedy {
    pub const ADD_TRANSPORT: &str = "Add it under `transports` in the configuration";
    pub const ENABLE: &str = "set `enabled` to true in its row of messenger_transports, or in the configuration";
    pub const USE_ANOTHER: &str = "use postgres, sync or memory";
    pub const SET_URL: &str =
        "set SYMPHONY_DATABASE_URL (or DATABASE_URL, or POSTGRES_URL), or `database.url` in the configuration";
    pub const CHECK_SERVER: &str = "Check that the server runs and that the URL names its host and port";
    pub const CHECK_LOGIN: &str = "Check user and password in the database URL";
    pub const CREATE_DATABASE: &str = "Create it, or name another one in the database URL";
    pub const MIGRATE: &str = "run `await migrate()` or the files in migrations/";
    pub const GRANT: &str = "Connect as the owner of the schema, or grant it";
    pub const USE_ZONE: &str = "use an IANA name such as Europe/London, America/New_York or UTC";
}

/// Every failure of the core.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A message that cannot be dispatched.
    #[error("{path}: {problem}")]
    InvalidMessage {
        /// Which rule it broke.
        rule: Invalid,
        /// Where in the message, as `options.priority` or `payload.user.name`.
        path: String,
        /// What it is and what is allowed.
        problem: String,
    },

    /// An invalid configuration value.
    #[error("{key}: got {got}, wants {wants}")]
    InvalidConfiguration {
        /// The key, dotted, or the environment variable's name.
        key: String,
        /// The value found, as JSON.
        got: String,
        /// What is allowed.
        wants: String,
    },

    /// A transport that neither the configuration nor `messenger_transports` names.
    #[error("transport \"{name}\" does not exist; the transports are: {}. {}", known.join(", "), remedy::ADD_TRANSPORT)]
    UnknownTransport {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },

    /// A transport switched off in `messenger_transports`.
    #[error("transport \"{name}\" is disabled: {}", remedy::ENABLE)]
    TransportDisabled {
        /// The transport.
        name: String,
    },

    /// A transport type that this version knows only by name.
    #[error(
        "transport \"{name}\" has the type \"{kind}\", which this version does not implement; {}",
        remedy::USE_ANOTHER
    )]
    TransportUnsupported {
        /// The transport.
        name: String,
        /// Its type.
        kind: String,
    },

    /// Something that the transport cannot do, such as listing the messages of `sync`.
    #[error("transport \"{name}\" cannot {what}")]
    NotCapable {
        /// The transport.
        name: String,
        /// The operation.
        what: &'static str,
    },

    /// No database URL anywhere.
    #[error("no database URL: {}", remedy::SET_URL)]
    DatabaseUrlMissing,

    /// The database cannot be reached.
    #[error("cannot connect to Postgres at {target}: {reason}. {}", remedy::CHECK_SERVER)]
    Connection {
        /// Host, port and database, never the password.
        target: String,
        /// What the network or the server said.
        reason: String,
        /// Whether the statement may have reached the server, and taken effect. `false`: no connection could be had.
        sent: bool,
    },

    /// The server refused the user or the password.
    #[error("Postgres at {target} refused the login: {reason}. {}", remedy::CHECK_LOGIN)]
    Authentication {
        /// Host, port and database, never the password.
        target: String,
        /// What the server said.
        reason: String,
    },

    /// The server's certificate does not meet what `sslmode` requires.
    #[error("the certificate of Postgres at {target} is refused: {reason}. {remedy}")]
    Certificate {
        /// Host, port and database, never the password.
        target: String,
        /// What is wrong with it.
        reason: String,
        /// What helps.
        remedy: &'static str,
    },

    /// The database of the URL does not exist.
    #[error("{reason}, on the server at {target}. {}", remedy::CREATE_DATABASE)]
    DatabaseMissing {
        /// Host, port and database.
        target: String,
        /// What the server said.
        reason: String,
    },

    /// The tables are missing, or older than this version needs.
    #[error("the schema \"{schema}\" lacks what this version needs ({reason}): {}", remedy::MIGRATE)]
    MigrationMissing {
        /// The schema looked in.
        schema: String,
        /// What the server said.
        reason: String,
    },

    /// The role may not do this.
    #[error("the database role lacks a right: {reason}. {}", remedy::GRANT)]
    Permission {
        /// What the server said.
        reason: String,
    },

    /// A statement took longer than its time limit.
    #[error(
        "{operation} took longer than {limit_ms} ms and was cancelled: the database is overloaded, locked or unreachable"
    )]
    Timeout {
        /// The statement or operation.
        operation: &'static str,
        /// The limit in milliseconds.
        limit_ms: u64,
    },

    /// Any other refusal by the server.
    #[error("{operation} failed: {reason}")]
    Query {
        /// The statement.
        operation: &'static str,
        /// What the server said, with its SQLSTATE.
        reason: String,
        /// The SQLSTATE, if the server refused.
        sqlstate: String,
        /// Whether the same call may succeed later.
        transient: bool,
    },

    /// A handler failed inside `dispatch()` (transport `sync`).
    #[error("{message}")]
    Handler {
        /// The message whose handler failed.
        message_id: String,
        /// What the handler threw.
        message: String,
    },

    /// Text that should be JSON of a certain shape and is not.
    #[error("{what}: {reason}")]
    Serialization {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// A cron expression that cannot be read, or that never runs.
    #[error("{0}")]
    InvalidCron(Box<CronProblem>),

    /// A query that cannot be read.
    #[error("{0}")]
    InvalidQuery(Box<QueryProblem>),

    /// A time zone that the time zone database does not have.
    #[error("timezone \"{name}\" does not exist: {}", remedy::USE_ZONE)]
    UnknownTimezone {
        /// The name asked for.
        name: String,
    },

    /// An invalid schedule, or an invalid question about one.
    #[error("{path}: {problem}")]
    InvalidSchedule {
        /// Where, as `options.maxRuns`.
        path: String,
        /// What it is and what is allowed.
        problem: String,
    },

    /// A schedule that does not exist.
    #[error("schedule \"{name}\" does not exist; `listSchedules()` names those that do")]
    UnknownSchedule {
        /// The name asked for.
        name: String,
    },

    /// A run whose key is taken: the schedule was deleted and created again, or its plan was set back.
    #[error("an earlier schedule of this name has already dispatched this run: {keys}")]
    RunRefused {
        /// The keys of the messages that were not stored, each `name@planned time`.
        keys: String,
    },

    /// One failure that several messages of a batch share.
    #[error("{0}")]
    Shared(#[source] std::sync::Arc<Error>),

    /// What cannot be has been: a mistake in this package.
    #[error("{what}: this is a bug of @leadmap/symphony")]
    Internal {
        /// What was found.
        what: &'static str,
    },

    /// A call on something already stopped.
    #[error("{what} is stopped")]
    Stopped {
        /// The thing.
        what: &'static str,
    },
}

/// Classes of SQLSTATEs that have nothing to do with what was sent: transaction state, rights, syntax, resources, the
/// operator, the system, the configuration file.
const OF_THE_SERVER: [&str; 9] = ["25", "28", "40", "42", "53", "55", "57", "58", "F0"];

impl Error {
    /// The stable code, the same in every version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidMessage { rule, .. } => rule.code(),
            Self::InvalidConfiguration { .. } => "SYMPHONY_INVALID_CONFIGURATION",
            Self::UnknownTransport { .. } => "SYMPHONY_UNKNOWN_TRANSPORT",
            Self::TransportDisabled { .. } => "SYMPHONY_TRANSPORT_DISABLED",
            Self::TransportUnsupported { .. } => "SYMPHONY_TRANSPORT_UNSUPPORTED",
            Self::NotCapable { .. } => "SYMPHONY_TRANSPORT_NOT_CAPABLE",
            Self::DatabaseUrlMissing => "SYMPHONY_DATABASE_URL_MISSING",
            Self::Connection { .. } => "SYMPHONY_CONNECTION_FAILED",
            Self::Authentication { .. } => "SYMPHONY_AUTHENTICATION_FAILED",
            Self::Certificate { .. } => "SYMPHONY_CERTIFICATE_REFUSED",
            Self::DatabaseMissing { .. } => "SYMPHONY_DATABASE_MISSING",
            Self::MigrationMissing { .. } => "SYMPHONY_MIGRATION_MISSING",
            Self::Permission { .. } => "SYMPHONY_PERMISSION_DENIED",
            Self::Timeout { .. } => "SYMPHONY_TIMEOUT",
            Self::Query { .. } => "SYMPHONY_QUERY_FAILED",
            Self::Handler { .. } => "SYMPHONY_HANDLER_FAILED",
            Self::Serialization { .. } => "SYMPHONY_SERIALIZATION_FAILED",
            Self::Internal { .. } => "SYMPHONY_INTERNAL",
            Self::Stopped { .. } => "SYMPHONY_STOPPED",
            Self::InvalidCron(_) => "SYMPHONY_INVALID_CRON",
            Self::InvalidQuery(_) => "SYMPHONY_INVALID_QUERY",
            Self::UnknownTimezone { .. } => "SYMPHONY_UNKNOWN_TIMEZONE",
            Self::InvalidSchedule { .. } => "SYMPHONY_INVALID_SCHEDULE",
            Self::UnknownSchedule { .. } => "SYMPHONY_UNKNOWN_SCHEDULE",
            Self::RunRefused { .. } => "SYMPHONY_RUN_REFUSED",
            Self::Shared(error) => error.code(),
        }
    }

    /// The JavaScript class that this error becomes.
    pub fn class(&self) -> &'static str {
        match self {
            Self::InvalidMessage { .. } => "MessageValidationError",
            Self::InvalidConfiguration { .. }
            | Self::InvalidQuery(_)
            | Self::UnknownTransport { .. }
            | Self::TransportDisabled { .. }
            | Self::TransportUnsupported { .. }
            | Self::DatabaseUrlMissing => "ConfigurationError",
            Self::Handler { .. } => "HandlerError",
            Self::Serialization { .. } => "SerializationError",
            Self::Internal { .. } | Self::Stopped { .. } => "SymphonyError",
            Self::InvalidCron(_)
            | Self::UnknownTimezone { .. }
            | Self::InvalidSchedule { .. }
            | Self::UnknownSchedule { .. }
            | Self::RunRefused { .. } => "SchedulerError",
            Self::Shared(error) => error.class(),
            _ => "TransportError",
        }
    }

    /// What helps, where that is known whatever the rest says. The message ends with it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::UnknownTransport { .. } => Some(remedy::ADD_TRANSPORT),
            Self::TransportDisabled { .. } => Some(remedy::ENABLE),
            Self::TransportUnsupported { .. } => Some(remedy::USE_ANOTHER),
            Self::DatabaseUrlMissing => Some(remedy::SET_URL),
            Self::Connection { .. } => Some(remedy::CHECK_SERVER),
            Self::Authentication { .. } => Some(remedy::CHECK_LOGIN),
            Self::DatabaseMissing { .. } => Some(remedy::CREATE_DATABASE),
            Self::MigrationMissing { .. } => Some(remedy::MIGRATE),
            Self::Permission { .. } => Some(remedy::GRANT),
            Self::UnknownTimezone { .. } => Some(remedy::USE_ZONE),
            Self::Certificate { remedy, .. } => Some(remedy),
            Self::Shared(error) => error.remedy(),
            _ => None,
        }
    }

    /// The message without the remedy.
    pub fn problem(&self) -> String {
        let message = self.to_string();
        let without = self.remedy().and_then(|remedy| message.strip_suffix(remedy));
        without.map_or(message.as_str(), |it| it.trim_end_matches([' ', ':', ';', '.'])).to_owned()
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Timeout { .. } => true,
            Self::Query { transient, .. } => *transient,
            Self::Shared(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the statement may have been executed anyway, or may still be.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Connection { sent, .. } => *sent,
            Self::Timeout { .. } => true,
            Self::Shared(error) => error.is_uncertain(),
            _ => false,
        }
    }

    /// Whether the server refused what it was sent, and may take a part of it: not so when it has no room left, is in
    /// trouble, or knows no such table.
    pub fn blames_content(&self) -> bool {
        match self {
            Self::Query { sqlstate, transient: false, .. } => {
                !OF_THE_SERVER.iter().any(|class| sqlstate.starts_with(class))
            }
            Self::Shared(error) => error.blames_content(),
            _ => false,
        }
    }

    /// Facts for programs: the field of an invalid message, the key of a bad configuration.
    pub fn details(&self) -> Value {
        match self {
            Self::InvalidMessage { path, .. } => json!({ "path": path }),
            Self::InvalidConfiguration { key, got, wants } => json!({ "key": key, "got": got, "wants": wants }),
            Self::UnknownTransport { name, known } => json!({ "transport": name, "known": known }),
            Self::TransportDisabled { name } | Self::NotCapable { name, .. } => json!({ "transport": name }),
            Self::TransportUnsupported { name, kind } => json!({ "transport": name, "type": kind }),
            Self::MigrationMissing { schema, .. } => json!({ "schema": schema }),
            Self::Connection { sent, .. } => json!({ "sent": sent }),
            Self::Timeout { operation, limit_ms } => json!({ "operation": operation, "limitMs": limit_ms }),
            Self::Query { operation, .. } => json!({ "operation": operation }),
            Self::Handler { message_id, .. } => json!({ "messageId": message_id }),
            Self::InvalidCron(problem) => problem.details(),
            Self::InvalidQuery(problem) => problem.details(),
            Self::UnknownTimezone { name } => json!({ "timezone": name }),
            Self::InvalidSchedule { path, .. } => json!({ "path": path }),
            Self::UnknownSchedule { name } => json!({ "schedule": name }),
            Self::Shared(error) => error.details(),
            _ => Value::Null,
        }
    }

    /// The error as the facade reads it: `{ class, code, message, details }`.
    pub fn to_json(&self) -> Value {
        json!({ "class": self.class(), "code": self.code(), "message": self.to_string(), "details": self.details() })
    }

    /// A message that broke `rule` at `path`.
    pub fn invalid(rule: Invalid, path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::InvalidMessage { rule, path: path.into(), problem: problem.into() }
    }

    /// An invalid configuration value.
    pub fn configuration(key: impl Into<String>, got: impl ToString, wants: impl Into<String>) -> Self {
        Self::InvalidConfiguration { key: key.into(), got: got.to_string(), wants: wants.into() }
    }
}

/// The refusal of a transport that cannot do something.
pub(crate) fn not_capable<T>(name: &str, what: &'static str) -> Result<T> {
    Err(Error::NotCapable { name: name.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_problem_and_then_the_remedy() {
        let (target, reason) = ("db:5432/app".to_owned(), "no route. Really: none".to_owned());
        for (error, problem) in [
            (
                Error::Connection { target, reason, sent: false },
                "cannot connect to Postgres at db:5432/app: no route. Really: none",
            ),
            (Error::DatabaseUrlMissing, "no database URL"),
            (Error::TransportDisabled { name: "a".to_owned() }, "transport \"a\" is disabled"),
        ] {
            assert_eq!(error.problem(), problem);
            assert!(error.remedy().is_some_and(|remedy| error.to_string().ends_with(remedy)), "{error}");
        }
        let timeout = Error::Timeout { operation: "claim", limit_ms: 5 };
        assert_eq!((timeout.problem(), timeout.remedy()), (timeout.to_string(), None));
    }
}
