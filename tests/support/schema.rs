//! A schema for one test, on the server of [`super::server`]. A database for each would take four times as long.

use super::server::url;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use symphony::backends::postgres::connection::pool::Database;
use symphony::backends::postgres::migrate;
use symphony::config::DatabaseConfig;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use uuid::Uuid;

/// The variable with the server's URL through a transaction pooler: a real PgBouncer, where `npm test` found one.
const POOLER_VARIABLE: &str = "SYMPHONY_TEST_POOLED_URL";

/// A schema that no other test knows, with a connection of the test's own.
pub struct TestSchema {
    /// Its name.
    pub name: String,
    client: Client,
}

impl TestSchema {
    /// Thinks of one, but does not create it.
    pub async fn named() -> Self {
        Self { name: format!("symphony_test_{}", Uuid::now_v7().simple()), client: connect(&url()).await }
    }

    /// Creates one, with the tables of this version in it.
    pub async fn migrated() -> Self {
        let schema = Self::named().await;
        migrate::up(&schema.database(), None).await.unwrap();
        schema
    }

    /// Runs a test in a schema that does not exist yet, and drops that afterwards, whether the test passed or not.
    pub fn check<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Arc<Self>) -> F) {
        super::run(async {
            let schema = Arc::new(Self::named().await);
            let outcome = super::attempt(test(schema.clone())).await;
            schema.remove().await;
            super::pass_on(outcome);
        });
    }

    /// The URL of its database. Connections made with it carry its name.
    pub fn url(&self) -> String {
        with_parameter(&url(), &format!("application_name={}", self.name))
    }

    /// The URL of the transaction pooler in front of it; `None` where none was started. Its server connections belong
    /// to all tests, so they carry no name.
    pub fn pooled_url() -> Option<String> {
        std::env::var(POOLER_VARIABLE).ok()
    }

    /// A configuration that leads to it.
    pub fn config(&self) -> DatabaseConfig {
        DatabaseConfig { url: Some(self.url()), schema: self.name.clone(), ..DatabaseConfig::default() }
    }

    /// A pool that leads to it.
    pub fn database(&self) -> Database {
        Database::direct(&self.config()).unwrap()
    }

    /// Runs statements. `{s}` stands for the schema.
    pub async fn execute(&self, sql: &str) {
        let sql = sql.replace("{s}", &self.name);
        self.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    /// The first column of all rows. `{s}` stands for the schema.
    pub async fn column<T: FromSqlOwned>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<T> {
        let sql = sql.replace("{s}", &self.name);
        let rows = self.client.query(&sql, parameters).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The only value. `{s}` stands for the schema.
    pub async fn value<T: FromSqlOwned>(&self, sql: &str) -> T {
        let mut column = self.column(sql, &[]).await;
        assert_eq!(column.len(), 1, "{sql}");
        column.remove(0)
    }

    /// Listens as a worker does; each notification's payload comes out of the channel.
    pub async fn announcements(&self) -> UnboundedReceiver<String> {
        let config: Config = url().parse().unwrap();
        let (client, mut connection) = config.connect(NoTls).await.unwrap();
        let (sender, receiver) = unbounded_channel();
        let listening = sender.clone();
        tokio::spawn(async move {
            while let Some(Ok(said)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(it) = said {
                    let _ = sender.send(it.payload().to_owned());
                }
            }
        });
        client.batch_execute(&format!("LISTEN symphony_{}", self.name)).await.unwrap();
        // The connection ends with the client.
        tokio::spawn(async move {
            listening.closed().await;
            drop(client);
        });
        receiver
    }

    /// Ends the connections that were made with [`TestSchema::url`], as a server does that restarts; answers with
    /// how many there were.
    pub async fn disconnect(&self) -> usize {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        self.column::<bool>(sql, &[&self.name]).await.len()
    }

    /// Ends the connections that listen to it; answers with how many there were.
    pub async fn disconnect_listeners(&self) -> usize {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = 'symphony listener' AND query LIKE '%' || $1 || '%'";
        self.column::<bool>(sql, &[&self.name]).await.len()
    }

    /// Leaves nothing behind.
    pub async fn remove(&self) {
        self.disconnect().await;
        self.disconnect_listeners().await;
        self.execute("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {s} CASCADE").await;
    }
}

/// The URL with one parameter more.
fn with_parameter(url: &str, parameter: &str) -> String {
    format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' })
}

/// A connection of the test's own.
pub async fn connect(url: &str) -> Client {
    let config: Config = url.parse().unwrap();
    let connected = config.connect(NoTls).await;
    let (client, connection) = connected.unwrap_or_else(|error| panic!("no connection to the test server: {error:?}"));
    tokio::spawn(connection);
    client
}
