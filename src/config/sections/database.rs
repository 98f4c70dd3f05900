//! Where the tables are and how they are reached.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::base::limits::LONGEST_TIMER_MS;
use crate::base::redaction;
use crate::config::bounds::{Bounds, Kind};
use crate::config::keys::section;
use crate::config::serialize::{millis, redacted_url};
use crate::config::value::{FLAG, Fit, Leaf, Misfit, duration, optional, whole};

section! {
    /// Where the tables are and how they are reached. Neither `Debug` nor JSON shows a password.
    #[derive(Clone, PartialEq, Serialize)]
    pub struct DatabaseConfig {
        /// `postgres://` or `postgresql://` URL, possibly that of a transaction pooler.
        #[serde(serialize_with = "redacted_url", skip_serializing_if = "Option::is_none")]
        pub url: Option<String> = None,
        "url": optional(POSTGRES_URL), "SYMPHONY_DATABASE_URL";

        /// URL that avoids the pooler, for migrations and LISTEN; see [`DatabaseConfig::direct`].
        #[serde(serialize_with = "redacted_url", skip_serializing_if = "Option::is_none")]
        pub direct_url: Option<String> = None,
        "directUrl": optional(POSTGRES_URL), "SYMPHONY_DIRECT_URL";

        /// Schema of the tables: letters, digits and underscores, at most 63.
        pub schema: String = "symphony".to_owned(),
        "schema": SCHEMA, "SYMPHONY_DATABASE_SCHEMA";

        /// The most connections open at once.
        pub pool_size: usize = 5,
        "poolSize": whole(1, 1_000), "SYMPHONY_DATABASE_POOL_SIZE";

        /// Whether `url` leads to a transaction pooler; `None` = see [`DatabaseConfig::is_pooled`].
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pooled: Option<bool> = None,
        "pooled": optional(FLAG), "SYMPHONY_DATABASE_POOLED";

        /// How long one statement may run.
        #[serde(serialize_with = "millis")]
        pub statement_timeout: Duration = Duration::from_secs(15),
        "statementTimeout": duration(1.0, LONGEST_TIMER_MS), "SYMPHONY_STATEMENT_TIMEOUT";

        /// How long opening a connection may take.
        #[serde(serialize_with = "millis")]
        pub connect_timeout: Duration = Duration::from_secs(10),
        "connectTimeout": duration(1.0, LONGEST_TIMER_MS), "SYMPHONY_CONNECT_TIMEOUT";

        /// How long a connection rests before it is closed.
        #[serde(serialize_with = "millis")]
        pub idle_timeout: Duration = Duration::from_secs(30),
        "idleTimeout": duration(1.0, LONGEST_TIMER_MS), "SYMPHONY_IDLE_TIMEOUT";
    }
}

const POSTGRES_URL: Leaf<fn(&Value) -> Fit<String>> = Leaf { fit: postgres_url, bounds: Bounds::of(Kind::Text) };
const SCHEMA: Leaf<fn(&Value) -> Fit<String>> = Leaf { fit: schema, bounds: Bounds::of(Kind::Text) };

impl DatabaseConfig {
    /// The URL for what a transaction pooler cannot do: `direct_url`, else `url`.
    pub fn direct(&self) -> Option<&str> {
        self.direct_url.as_deref().or(self.url.as_deref())
    }

    /// Whether `url` leads to a transaction pooler: as configured, else if the URL has port 6543 or `pgbouncer=true`.
    pub fn is_pooled(&self) -> bool {
        self.pooled.unwrap_or_else(|| self.names_pooler())
    }

    /// Whether the URL says that it leads to a transaction pooler.
    pub fn names_pooler(&self) -> bool {
        self.url.as_deref().is_some_and(looks_pooled)
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
            .field("idle_timeout", &self.idle_timeout)
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

fn postgres_url(value: &Value) -> Fit<String> {
    let is_postgres = |url: &&str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    let url = value.as_str().filter(is_postgres).map(str::to_owned);
    url.ok_or_else(|| Misfit::secret(value, "a URL that starts with postgres:// or postgresql://"))
}

fn schema(value: &Value) -> Fit<String> {
    value.as_str().filter(|text| is_schema(text)).map(str::to_owned).ok_or_else(|| {
        let wants = "a schema name: letters, digits and underscores, at most 63, no digit first, not starting with pg_";
        Misfit::new(value, wants)
    })
}

fn is_schema(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let reserved = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("pg_"));
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(fits)
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && !reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str) -> DatabaseConfig {
        DatabaseConfig { url: Some(url.to_owned()), ..DatabaseConfig::default() }
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
