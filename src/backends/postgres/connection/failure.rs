//! Errors of the driver and the server, as [`Error`].

use super::tls;
use crate::error::Error;
use deadpool_postgres::{PoolError, TimeoutType};
use std::time::Duration;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// SQLSTATEs after which the same statement may succeed: the server restarts, fails over, is full, or two
/// statements conflicted.
const TRANSIENT: &[SqlState] = &[
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::READ_ONLY_SQL_TRANSACTION,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::OUT_OF_MEMORY,
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::LOCK_NOT_AVAILABLE,
    SqlState::CONNECTION_EXCEPTION,
    SqlState::CONNECTION_FAILURE,
    SqlState::CONNECTION_DOES_NOT_EXIST,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
];

/// Where a failure happened, for its message.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Host, port and database.
    pub target: &'a str,
    /// The schema of the queue.
    pub schema: &'a str,
    /// The statement, as its file is named.
    pub operation: &'static str,
    /// Its time limit.
    pub limit_ms: u64,
}

impl Place<'_> {
    /// The error for a failed statement or connection.
    pub fn driver(&self, error: &tokio_postgres::Error) -> Error {
        let Some(server) = error.as_db_error() else { return self.network(error) };
        let said = format!("{} (SQLSTATE {})", server.message(), server.code().code());
        let (target, schema) = (self.target.to_owned(), self.schema.to_owned());
        match *server.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Error::Authentication { target, reason: said }
            }
            SqlState::INVALID_CATALOG_NAME => Error::DatabaseMissing { target, reason: said },
            SqlState::PROTOCOL_VIOLATION if ends_connection(server) => self.pooler(server.message(), said),
            SqlState::UNDEFINED_TABLE
            | SqlState::INVALID_SCHEMA_NAME
            | SqlState::UNDEFINED_COLUMN
            | SqlState::UNDEFINED_FUNCTION => Error::MigrationMissing { schema, reason: said },
            SqlState::INSUFFICIENT_PRIVILEGE => Error::Permission { reason: said },
            SqlState::QUERY_CANCELED => self.timeout(),
            // Nobody knows whether the statement took effect.
            _ if ends_connection(server) => self.connection(said),
            ref code => Error::Query {
                operation: self.operation,
                reason: said,
                sqlstate: code.code().to_owned(),
                transient: TRANSIENT.contains(code),
            },
        }
    }

    /// The error for a connection that failed without an answer from the server.
    fn network(&self, error: &tokio_postgres::Error) -> Error {
        if let Some((reason, remedy)) = tls::refusal(error) {
            return Error::Certificate { target: self.target.to_owned(), reason, remedy };
        }
        match reason(error) {
            // The text is the driver's only sign for it.
            said if said == "server does not support TLS" => {
                self.connection("the server does not support TLS, but sslmode requires it".to_owned())
            }
            said => self.connection(said),
        }
    }

    /// The error for a connection that the pool could not provide.
    pub fn pool(&self, error: &PoolError) -> Error {
        let failure = match error {
            PoolError::Backend(error) => self.driver(error),
            PoolError::Timeout(TimeoutType::Wait) => self.connection("all connections of the pool are busy".to_owned()),
            PoolError::Timeout(_) => self.connection("the server did not answer in time".to_owned()),
            PoolError::Closed => Error::Stopped { what: "the connection pool" },
            other => self.connection(other.to_string()),
        };
        match failure {
            Error::Connection { target, reason, .. } => Error::Connection { target, reason, sent: false },
            other => other,
        }
    }

    /// The same with another time limit.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The error for a query to which others leave no connection.
    pub fn busy(&self) -> Error {
        let reason = "other queries use all connections available to lists, counts and metrics".to_owned();
        Error::Connection { target: self.target.to_owned(), reason, sent: false }
    }

    /// The error for a statement that ran into its time limit.
    pub fn timeout(&self) -> Error {
        Error::Timeout { operation: self.operation, limit_ms: self.limit_ms }
    }

    /// PgBouncer reports everything under one code: refused logins, and that it lost the server.
    fn pooler(&self, message: &str, said: String) -> Error {
        let target = self.target.to_owned();
        if message.contains("authentication failed") {
            Error::Authentication { target, reason: said }
        } else if message.contains("does not exist") || message.contains("no such database") {
            Error::DatabaseMissing { target, reason: said }
        } else {
            self.connection(said)
        }
    }

    fn connection(&self, reason: String) -> Error {
        Error::Connection { target: self.target.to_owned(), reason, sent: true }
    }
}

/// Whether the connection is gone with this answer. PgBouncer leaves out the untranslated severity.
fn ends_connection(server: &DbError) -> bool {
    server.parsed_severity().map_or(server.severity() == "FATAL", |it| matches!(it, Severity::Fatal | Severity::Panic))
}

/// The deepest cause: the driver's own text is "error connecting to server", the cause says why.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
