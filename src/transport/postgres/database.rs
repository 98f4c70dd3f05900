//! One pool of connections to one database, and how a statement travels over it.
//!
//! Two modes behind one call. On a direct connection a statement is prepared once and kept. Behind a transaction
//! pooler nothing may be kept, and a statement must reach the server as one unit, under one Sync: `query_typed` sends
//! Parse, Bind and Execute together, so that no other client's statement can come between, in one round trip.

use super::cancel::Canceller;
use super::failure::Place;
use super::statement::{PLANNING, Statement};
use super::{tls, url};
use crate::config::DatabaseConfig;
use crate::error::{Error, Result};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime, Status,
};
use futures_util::future::{join, join_all};
use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{NoTls, Row};

/// How much longer than the server's own time limit this side waits before it cancels, and then for the answer to that.
const GRACE: Duration = Duration::from_secs(1);

/// How often two connections are compared.
const LOOKS: usize = 3;

/// A pool of connections.
pub struct Database {
    pool: Pool,
    canceller: Canceller,
    /// Whether a transaction pooler answers: nothing is kept on a connection.
    pub pooled: bool,
    /// Host, port and database, for messages.
    pub label: String,
    /// The schema of the queue.
    pub schema: String,
    statement_timeout: Duration,
    /// Whether a second connection was opened before anybody waited for it.
    has_opened_second: AtomicBool,
}

/// What makes two configurations share a pool.
type Identity = (String, String, bool, usize, Duration);

static OPEN: LazyLock<Mutex<HashMap<Identity, Weak<Database>>>> = LazyLock::new(Mutex::default);

impl Database {
    /// The pool for a configuration: an open one where there is one, so that hot reload, worker threads and several
    /// copies of the package in one process do not multiply connections. Does not connect yet. Nobody closes a pool:
    /// its connections end when the last of those who share it lets go.
    ///
    /// # Errors
    /// [`Error::DatabaseUrlMissing`], or [`Error::InvalidConfiguration`] for an unreadable URL.
    pub fn shared(config: &DatabaseConfig) -> Result<Arc<Self>> {
        let url = config.url.as_deref().ok_or(Error::DatabaseUrlMissing)?;
        let target = url::read(url)?;
        let pooled = config.pooled.unwrap_or(target.pooled);
        let identity = (url.to_owned(), config.schema.clone(), pooled, config.pool_size, config.statement_timeout);
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, database| database.strong_count() > 0);
        if let Some(database) = open.get(&identity).and_then(Weak::upgrade) {
            return Ok(database);
        }
        let database = Arc::new(Self::open(config, &target, pooled)?);
        open.insert(identity, Arc::downgrade(&database));
        Ok(database)
    }

    /// A pool of its own, to the direct URL: for migrations, which a transaction pooler would time out.
    pub fn direct(config: &DatabaseConfig) -> Result<Self> {
        let url = config.direct_url.as_deref().or(config.url.as_deref()).ok_or(Error::DatabaseUrlMissing)?;
        let target = url::read(url)?;
        let pooled = target.pooled;
        Self::open(&DatabaseConfig { pool_size: 1, ..config.clone() }, &target, pooled)
    }

    fn open(config: &DatabaseConfig, target: &url::Target, pooled: bool) -> Result<Self> {
        let mut driver = target.config.clone();
        driver.connect_timeout(config.connect_timeout);
        if driver.get_application_name().is_none() {
            driver.application_name("symphony");
        }
        // Fast: ask the client whether its connection is closed. A ping on each use would double the latency.
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let tls = target.wants_tls().then(|| tls::connector(target)).transpose()?;
        let manager = match &tls {
            Some(tls) => Manager::from_config(driver, tls.clone(), manager_config),
            None => Manager::from_config(driver, NoTls, manager_config),
        };
        let mut builder = Pool::builder(manager)
            .max_size(config.pool_size)
            // The connection used last knows the statements; the others may rest.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.connect_timeout))
            .create_timeout(Some(config.connect_timeout));
        if !pooled {
            builder = builder.post_create(set_up(config.statement_timeout));
        }
        let pool = builder.build().map_err(|error| {
            Error::configuration("database", error.to_string(), "settings that the connection pool accepts")
        })?;
        Ok(Self {
            pool,
            canceller: Canceller::new(target, tls, pooled),
            pooled,
            label: target.label.clone(),
            schema: config.schema.clone(),
            statement_timeout: config.statement_timeout,
            has_opened_second: AtomicBool::new(false),
        })
    }

    /// Runs one statement; one round trip once it is prepared. Dropped before it has answered, it ends the statement.
    ///
    /// # Errors
    /// [`Error::Connection`], [`Error::Timeout`], [`Error::MigrationMissing`] or [`Error::Query`].
    pub async fn query(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.query_all(&[(statement, parameters)]).await?.pop().unwrap_or_default())
    }

    /// Runs statements that do not need each other's answers: all of them in one round trip, one after the other on one
    /// connection, each in a transaction of its own.
    ///
    /// # Errors
    /// As [`Database::query`], the first of them; the statements after it may have been done.
    pub async fn query_all(&self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>> {
        self.query_each(queries).await?.into_iter().collect()
    }

    /// As [`Database::query_all`], where one that fails does not concern the others.
    ///
    /// # Errors
    /// As [`Database::query`], when there was no connection or no answer to any of them.
    pub async fn query_each(&self, queries: &[Query<'_>]) -> Result<Vec<Result<Vec<Row>>>> {
        let Some((first, _)) = queries.first() else { return Ok(Vec::new()) };
        let borrowed = self.borrow(first.name).await?;
        self.run(borrowed, queries).await
    }

    /// As [`Database::query`], where another statement is bound to be wanted before this one has answered: with it, a
    /// second connection is opened, if there is none and one more is allowed.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn query_first(
        self: &Arc<Self>,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let borrowed = self.borrow(statement.name).await?;
        let Status { size, max_size, .. } = self.pool.status();
        if size == 1 && max_size > 1 && !self.has_opened_second.swap(true, Ordering::Relaxed) {
            let database = self.clone();
            tokio::spawn(async move { database.pool.get().await.map(drop) });
        }
        self.run(borrowed, &[(statement, parameters)]).await?.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn borrow(&self, operation: &'static str) -> Result<Borrowed<'_>> {
        let client = self.connection(operation).await?;
        Ok(Borrowed { client: Some(client), canceller: &self.canceller, operation })
    }

    async fn run(&self, mut borrowed: Borrowed<'_>, queries: &[Query<'_>]) -> Result<Vec<Result<Vec<Row>>>> {
        let place = self.place(borrowed.operation);
        let (answer, in_time) = {
            let client = borrowed.client()?;
            let each = queries.iter().map(|(statement, parameters)| run(client, statement, parameters, self.pooled));
            let mut running = pin!(join_all(each));
            match tokio::time::timeout(self.patience(), running.as_mut()).await {
                Ok(answer) => (Ok(answer), true),
                // What the server says to that is the truth: the statement may have been done in this very moment.
                Err(_) => {
                    borrowed.cancel();
                    (tokio::time::timeout(GRACE, running).await, false)
                }
            }
        };
        let Ok(answers) = answer else {
            // Not a word, not even to the cancellation: what lies idle leads to the same place.
            self.pool.retain(|_, _| false);
            return Err(place.timeout());
        };
        borrowed.let_go(in_time && !answers.iter().any(|answer| answer.as_ref().is_err_and(only_reads)));
        let named = queries.iter().map(|(statement, _)| Place { operation: statement.name, ..place });
        Ok(named.zip(answers).map(|(place, answer)| answer.map_err(|error| place.driver(&error))).collect())
    }

    /// How long to wait until the statement is cancelled. The server itself ends it a little earlier, where it was told.
    fn patience(&self) -> Duration {
        if self.pooled { self.statement_timeout } else { self.statement_timeout + GRACE }
    }

    /// Gives up waiting for statements that limit themselves in no other way.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the time of a statement is over for all of them; their own.
    pub(super) async fn in_time<T>(
        &self,
        operation: &'static str,
        statements: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let late = |_| Err(self.place(operation).timeout());
        tokio::time::timeout(self.statement_timeout + GRACE, statements).await.unwrap_or_else(late)
    }

    /// A connection for a transaction of several round trips.
    pub(super) async fn connection(&self, operation: &'static str) -> Result<Object> {
        self.pool.get().await.map_err(|error| self.place(operation).pool(&error))
    }

    /// Whether one server process answers on two connections that are open at once. Only a transaction pooler does
    /// that, and it is bound to be seen: an idle process is given to whoever asks next.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn shares_backends(&self) -> Result<bool> {
        let place = self.place("pooler");
        if self.pool.status().max_size < 2 {
            return Ok(false);
        }
        let (one, two) = (self.connection(place.operation).await?, self.connection(place.operation).await?);
        self.in_time(place.operation, compare(&one, &two, place)).await
    }

    /// Where an operation runs, for its errors.
    pub(super) fn place(&self, operation: &'static str) -> Place<'_> {
        let limit_ms = u64::try_from(self.statement_timeout.as_millis()).unwrap_or(u64::MAX);
        Place { target: &self.label, schema: &self.schema, operation, limit_ms }
    }
}

/// Whether one server process answers on both.
async fn compare(one: &Object, two: &Object, place: Place<'_>) -> Result<bool> {
    let mut seen = [HashSet::new(), HashSet::new()];
    for _ in 0..LOOKS {
        for (client, pids) in [one, two].into_iter().zip(&mut seen) {
            let rows = client.query_typed("SELECT pg_backend_pid()", &[]).await;
            for row in rows.map_err(|error| place.driver(&error))? {
                pids.insert(row.try_get::<_, i32>(0).map_err(|error| place.driver(&error))?);
            }
        }
    }
    Ok(!seen[0].is_disjoint(&seen[1]))
}

/// A statement with its parameters.
pub type Query<'a> = (&'a Statement, &'a [&'a (dyn ToSql + Sync)]);

async fn run(
    client: &Object,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
    pooled: bool,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if pooled {
        return run_unprepared(client, statement, parameters).await;
    }
    let mut preparing = pin!(client.prepare_typed_cached(&statement.sql, statement.types));
    match poll_fn(|context| Poll::Ready(preparing.as_mut().poll(context))).await {
        Poll::Ready(prepared) => client.query(&prepared?, parameters).await,
        // The first time on this connection: it is prepared for the next, and runs without waiting for that.
        Poll::Pending => {
            let (prepared, rows) = join(preparing, run_unprepared(client, statement, parameters)).await;
            prepared?;
            rows
        }
    }
}

async fn run_unprepared(
    client: &Object,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> =
        parameters.iter().copied().zip(statement.types.iter().cloned()).collect();
    client.query_typed(&statement.sql, &typed).await
}

/// Whether the other end takes no writes: a standby, or a primary that was one before a failover. The connection works
/// and always will, so the pool would hand it out for ever; a new one leads to whoever is the primary by then.
fn only_reads(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}

/// What holds on connections that are ours alone: the server ends what runs too long, and plans as [`PLANNING`] says.
/// The first statement follows without waiting for the answer to this, which can not fail: one round trip less for each
/// connection. Startup parameters would cost none either, but session poolers refuse those that they do not know.
fn set_up(limit: Duration) -> Hook {
    let sql = format!("SET statement_timeout = {}; {PLANNING}", limit.as_millis());
    Hook::async_fn(move |client, _| {
        let sql = sql.clone();
        Box::pin(async move {
            let mut setting = pin!(client.batch_execute(&sql));
            match poll_fn(|context| Poll::Ready(setting.as_mut().poll(context))).await {
                Poll::Ready(Err(error)) => Err(HookError::Backend(error)),
                _ => Ok(()),
            }
        })
    })
}

/// A connection at work. Dropped in the middle, it leaves the pool, and the server is asked to end its statement.
struct Borrowed<'a> {
    client: Option<Object>,
    canceller: &'a Canceller,
    operation: &'static str,
}

impl Borrowed<'_> {
    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or(Error::Stopped { what: "the connection" })
    }

    fn cancel(&self) {
        if let Some(client) = &self.client {
            self.canceller.cancel(client.cancel_token());
        }
    }

    /// Has nothing left to answer: back into the pool, unless a cancellation may be on its way to it or it is of no use.
    fn let_go(&mut self, reusable: bool) {
        if let Some(client) = self.client.take().filter(|_| !reusable) {
            drop(Object::take(client));
        }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.canceller.end(Object::take(client));
        }
    }
}
