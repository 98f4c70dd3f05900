//! A database for one test, on the server that `SYMPHONY_TEST_DATABASE_URL` names.

use std::future::Future;
use symphony::config::DatabaseConfig;
use symphony::transport::postgres::{database::Database, migrate};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The variable with a superuser's URL.
const VARIABLE: &str = "SYMPHONY_TEST_DATABASE_URL";

/// An empty database, with a connection of the test's own.
pub struct TestDatabase {
    name: String,
    url: String,
    client: Client,
}

impl TestDatabase {
    /// Creates one.
    pub async fn create() -> Self {
        let name = format!("symphony_test_{}", Uuid::now_v7().simple());
        connect(&server_url()).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = url_of(&name);
        let client = connect(&url).await;
        Self { name, url, client }
    }

    /// Creates one with the tables of this version in it, in the default schema.
    pub async fn migrated() -> Self {
        let database = Self::create().await;
        migrate::up(&Database::direct(&database.config()).unwrap(), None).await.unwrap();
        database
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A configuration that leads to it.
    pub fn config(&self) -> DatabaseConfig {
        DatabaseConfig { url: Some(self.url.clone()), ..DatabaseConfig::default() }
    }

    /// Runs statements.
    pub async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    /// The first column of all rows.
    pub async fn column<T: FromSqlOwned>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<T> {
        let rows = self.client.query(sql, parameters).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The only value.
    pub async fn value<T: FromSqlOwned>(&self, sql: &str) -> T {
        let mut column = self.column(sql, &[]).await;
        assert_eq!(column.len(), 1, "{sql}");
        column.remove(0)
    }

    /// Ends every connection but the test's own, as a server does that restarts.
    pub async fn disconnect_others(&self) {
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// Drops it, whoever is still connected.
    pub async fn drop_by_name(name: &str) {
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        connect(&server_url()).await.batch_execute(&sql).await.unwrap();
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Runs a test on an empty database and drops that afterwards, whether the test passed or not.
pub fn with_database<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(std::sync::Arc<TestDatabase>) -> F) {
    super::run(async {
        let database = std::sync::Arc::new(TestDatabase::create().await);
        let name = database.name().to_owned();
        let outcome = tokio::spawn(test(database)).await;
        TestDatabase::drop_by_name(&name).await;
        super::pass_on(outcome);
    });
}

/// The superuser's URL.
pub fn server_url() -> String {
    std::env::var(VARIABLE)
        .unwrap_or_else(|_| panic!("{VARIABLE} is not set: run `npm test`, which starts a Postgres and sets it"))
}

/// The URL with another database in it.
pub fn url_of(database: &str) -> String {
    let server = server_url();
    let (base, query) = server.split_once('?').map_or((&*server, None), |(base, query)| (base, Some(query)));
    let (scheme, place) = base.split_once("://").unwrap_or(("postgres", base));
    let host = place.split_once('/').map_or(place, |(host, _)| host);
    let query = query.map(|it| format!("?{it}")).unwrap_or_default();
    format!("{scheme}://{host}/{database}{query}")
}

/// A connection of the test's own.
pub async fn connect(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|error| panic!("no test database: {error:?}"));
    tokio::spawn(connection);
    client
}
