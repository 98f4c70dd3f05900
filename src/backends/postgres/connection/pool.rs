//! One pool of connections to one database, and who may use how many of them.
//!
//! Statements of the queue take any connection. Queries of people (lists, counts, metrics, health) may use a share of
//! them, so that slow ones do not hold up the work. A heartbeat has its own connection, opened when the first one is
//! due: whatever holds up the others must not cost a lease.

use super::borrowed::Borrowed;
use super::cancel_request::Canceller;
use super::failure::Place;
use super::idle::Idle;
use super::session::{Kind, Session};
use super::shared_sessions::share_sessions;
use super::switches::Switches;
use super::{tls, url};
use crate::backends::postgres::sql::Statement;
use crate::base::lock::lock;
use crate::base::targets::POSTGRES;
use crate::config::DatabaseConfig;
use crate::error::{Error, Result};
use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime, Status};
use std::collections::HashMap;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, debug_span};

pub use super::session::Query;

/// How much longer than the server's own time limit this side waits before it cancels, and then for the answer to that.
const GRACE: Duration = Duration::from_secs(1);

/// A pool of connections.
pub struct Database {
    pool: Pool,
    /// The connection of heartbeats.
    beating: Pool,
    /// How many queries of people may be under way.
    asking: Semaphore,
    canceller: Canceller,
    idle: Idle,
    session: Arc<Session>,
    /// Host, port and database, for messages.
    pub label: String,
    /// The schema of the queue.
    pub schema: String,
    statement_timeout: Duration,
    connect_timeout: Duration,
    /// Whether a second connection was opened before it was needed.
    has_opened_second: AtomicBool,
    /// Which transports of the schema are known to be switched on.
    pub switches: Switches,
}

/// What makes two configurations share a pool.
type Identity = (String, String, Option<bool>, usize, [Duration; 2]);

static OPEN: LazyLock<Mutex<HashMap<Identity, Weak<Database>>>> = LazyLock::new(Mutex::default);

impl Database {
    /// The pool for a configuration: an existing one if possible, so that hot reload, worker threads and several
    /// copies of the package in one process do not multiply connections. Does not connect yet. Nobody closes a pool:
    /// its connections end when its last user releases it.
    ///
    /// # Errors
    /// [`Error::DatabaseUrlMissing`], or [`Error::InvalidConfiguration`] for an unreadable URL.
    pub fn shared(config: &DatabaseConfig) -> Result<Arc<Self>> {
        let url = config.url.as_deref().ok_or(Error::DatabaseUrlMissing)?;
        let target = url::read(url)?;
        let pooled = config.pooled.or(target.pooled.then_some(true));
        let times = [config.statement_timeout, config.idle_timeout];
        let identity = (url.to_owned(), config.schema.clone(), pooled, config.pool_size, times);
        let mut open = lock(&OPEN);
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
        let pooled = target.pooled.then_some(true);
        Self::open(&DatabaseConfig { pool_size: 1, ..config.clone() }, &target, pooled)
    }

    fn open(config: &DatabaseConfig, target: &url::Target, pooled: Option<bool>) -> Result<Self> {
        let mut driver = target.config.clone();
        driver.connect_timeout(config.connect_timeout);
        if driver.get_application_name().is_none() {
            driver.application_name("symphony");
        }
        let tls = target.wants_tls().then(|| tls::connector(target)).transpose()?;
        let session = Arc::new(Session::new(pooled, config.statement_timeout, config.idle_timeout));
        let pool = |size| {
            // Fast: ask the client whether its connection is closed. A ping on each use would double the latency.
            let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            let manager = match &tls {
                Some(tls) => Manager::from_config(driver.clone(), tls.clone(), manager_config),
                None => Manager::from_config(driver.clone(), NoTls, manager_config),
            };
            Pool::builder(manager)
                .max_size(size)
                // The connection used last has the statements prepared; the others may rest.
                .queue_mode(QueueMode::Lifo)
                .runtime(Runtime::Tokio1)
                .wait_timeout(Some(config.connect_timeout))
                .create_timeout(Some(config.connect_timeout))
                .post_create(Hook::sync_fn({
                    let database = target.label.clone();
                    move |_, _| {
                        debug!(target: POSTGRES, database, "a connection was opened");
                        Ok(())
                    }
                }))
                .build()
                .map_err(|error| {
                    Error::configuration("database", error.to_string(), "settings that the connection pool accepts")
                })
        };
        Ok(Self {
            pool: pool(config.pool_size)?,
            beating: pool(1)?,
            asking: Semaphore::new((config.pool_size / 2).max(1)),
            canceller: Canceller::new(target, tls.clone(), pooled, session.clone()),
            idle: Idle::new(config.idle_timeout),
            session,
            label: target.label.clone(),
            schema: config.schema.clone(),
            statement_timeout: config.statement_timeout,
            connect_timeout: config.connect_timeout,
            has_opened_second: AtomicBool::new(false),
            switches: Switches::default(),
        })
    }

    /// Runs one statement; one round trip once it is prepared. Dropped before it has answered, it ends the statement.
    ///
    /// # Errors
    /// [`Error::Connection`], [`Error::Timeout`], [`Error::MigrationMissing`] or [`Error::Query`].
    pub async fn query(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.query_all(&[(statement, parameters)]).await?.pop().unwrap_or_default())
    }

    /// As [`Database::query`], for a statement that only reads: repeated if the first connection broke because it leads
    /// to a statement pooler, which is known by then.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn look(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let before = self.session.kind();
        match self.query(statement, parameters).await {
            Err(Error::Connection { .. }) if (before, self.session.kind()) == (Kind::Unknown, Kind::Shared) => {
                self.query(statement, parameters).await
            }
            answer => answer,
        }
    }

    /// Runs statements that do not need each other's answers: all of them in one round trip, one after the other on one
    /// connection, each in a transaction of its own.
    ///
    /// # Errors
    /// As [`Database::query`], the first of them; the statements after it may have been executed.
    pub async fn query_all(&self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>> {
        self.query_each(queries).await?.into_iter().collect()
    }

    /// As [`Database::query_all`], but one that fails does not affect the others.
    ///
    /// # Errors
    /// As [`Database::query`], when there was no connection or no answer to any of them.
    pub async fn query_each(&self, queries: &[Query<'_>]) -> Result<Vec<Result<Vec<Row>>>> {
        let Some((first, _)) = queries.first() else { return Ok(Vec::new()) };
        let borrowed = self.borrow(&self.pool, first.name).await?;
        self.run(borrowed, queries, self.place(first.name), self.patience()).await
    }

    /// As [`Database::query`], if another statement will certainly be needed before this one has answered: a second
    /// connection is opened with it, if there is none and one more is allowed.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn query_first(
        self: &Arc<Self>,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let borrowed = self.borrow(&self.pool, statement.name).await?;
        let Status { size, max_size, .. } = self.pool.status();
        if size == 1 && max_size > 1 && !self.has_opened_second.swap(true, Ordering::Relaxed) {
            let database = self.clone();
            tokio::spawn(async move { database.open_second().await });
        }
        let (queries, place) = (&[(statement, parameters)][..], self.place(statement.name));
        self.run(borrowed, queries, place, self.patience()).await?.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// As [`Database::query`], for a query of a person: on the share of connections for such queries, so that slow ones
    /// hold up only each other.
    ///
    /// # Errors
    /// As [`Database::query`]; [`Error::Connection`] too if others take too long.
    pub async fn ask(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let _share = self.share(statement.name).await?;
        self.query(statement, parameters).await
    }

    /// As [`Database::query`], for a heartbeat: on the connection kept for them, and given up after `limit`. If the
    /// server has none left for it, any other will do.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn beat(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        limit: Duration,
    ) -> Result<Vec<Row>> {
        let place = self.place(statement.name).within(limit);
        let borrowing = async {
            match self.borrow(&self.beating, statement.name).await {
                Err(_) => self.borrow(&self.pool, statement.name).await,
                borrowed => borrowed,
            }
        };
        let borrowed = timeout(limit, borrowing).await.unwrap_or_else(|_| Err(place.timeout()))?;
        let answers = self.run(borrowed, &[(statement, parameters)], place, limit).await;
        answers?.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn share(&self, operation: &'static str) -> Result<SemaphorePermit<'_>> {
        let share = timeout(self.connect_timeout, self.asking.acquire()).await;
        share.ok().and_then(Result::ok).ok_or_else(|| self.place(operation).busy())
    }

    async fn borrow<'a>(&'a self, pool: &Pool, operation: &'static str) -> Result<Borrowed<'a>> {
        self.note_use();
        let client = pool.get().await.map_err(|error| self.place(operation).pool(&error))?;
        Ok(Borrowed::new(client, &self.canceller))
    }

    fn note_use(&self) {
        self.idle.note_use([&self.pool, &self.beating]);
    }

    /// The one place where statements of the queue are executed.
    async fn run(
        &self,
        borrowed: Borrowed<'_>,
        queries: &[Query<'_>],
        place: Place<'_>,
        patience: Duration,
    ) -> Result<Vec<Result<Vec<Row>>>> {
        let (statement, count) = (place.operation, queries.len());
        let span = debug_span!(
            target: POSTGRES, "statement", statement, statements = count, rows = Empty, failed = Empty, error = Empty
        );
        let answers = self.run_in_time(borrowed, queries, place, patience).instrument(span.clone()).await;
        self.note_use();
        note(&span, &answers);
        answers
    }

    async fn run_in_time(
        &self,
        mut borrowed: Borrowed<'_>,
        queries: &[Query<'_>],
        place: Place<'_>,
        patience: Duration,
    ) -> Result<Vec<Result<Vec<Row>>>> {
        let (answer, in_time) = {
            let client = borrowed.client()?;
            let mut running = pin!(self.session.run_all(client, queries));
            match timeout(patience, running.as_mut()).await {
                Ok(answer) => (Ok(answer), true),
                // The server's answer to that counts: the statement may have been executed at this moment.
                Err(_) => {
                    debug!(target: POSTGRES, statement = place.operation, "a statement took too long and is cancelled");
                    borrowed.cancel();
                    (timeout(GRACE, running).await, false)
                }
            }
        };
        let Ok(answers) = answer else {
            // No answer, not even to the cancellation: idle connections lead to the same place.
            self.pool.retain(|_, _| false);
            return Err(place.timeout());
        };
        borrowed.let_go(in_time && !answers.iter().any(|answer| answer.as_ref().is_err_and(only_reads)));
        let named = queries.iter().map(|(statement, _)| Place { operation: statement.name, ..place });
        Ok(named.zip(answers).map(|(place, answer)| answer.map_err(|error| place.driver(&error))).collect())
    }

    /// How long to wait until the statement is cancelled. The server itself ends it a little earlier, if it was told.
    fn patience(&self) -> Duration {
        if self.session.is_limited() { self.statement_timeout + GRACE } else { self.statement_timeout }
    }

    /// Gives up waiting for statements that have no other limit.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the time of a statement is over for all of them; their own.
    pub(in crate::backends::postgres) async fn in_time<T>(
        &self,
        operation: &'static str,
        statements: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let late = |_| Err(self.place(operation).timeout());
        timeout(self.statement_timeout + GRACE, statements).await.unwrap_or_else(late)
    }

    /// A connection for several round trips of someone who inspects the queue or changes its tables, see
    /// [`Database::ask`].
    pub(in crate::backends::postgres) async fn connection(&self, operation: &'static str) -> Result<Asking<'_>> {
        let share = self.share(operation).await?;
        self.note_use();
        let client = self.pool.get().await.map_err(|error| self.place(operation).pool(&error))?;
        Ok(Asking { client, _share: share })
    }

    /// Whether a transaction pooler was declared.
    pub fn is_declared_pooled(&self) -> bool {
        self.session.is_declared_shared()
    }

    /// Whether statements and settings are kept on the connections.
    pub fn keeps_sessions(&self) -> bool {
        self.session.kind() == Kind::Own
    }

    /// Whether a transaction pooler answers, as two connections show that are open at once.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn shares_sessions(&self) -> Result<bool> {
        let place = self.place("pooler");
        if self.pool.status().max_size < 2 {
            return Ok(false);
        }
        let _share = self.share(place.operation).await?;
        self.note_use();
        let another = async || self.pool.get().await.map_err(|error| place.pool(&error));
        let (one, two) = (another().await?, another().await?);
        let compared = async { share_sessions(&one, &two).await.map_err(|error| place.driver(&error)) };
        self.in_time(place.operation, compared).await
    }

    /// Opens a second connection, and examines both if the first one has left doubts about their sessions.
    async fn open_second(&self) {
        drop(self.pool.get().await);
        if self.session.is_doubtful() && self.shares_sessions().await.is_ok_and(|shared| !shared) {
            self.session.keeps();
        }
    }

    /// Where an operation runs, for its errors.
    pub(in crate::backends::postgres) fn place(&self, operation: &'static str) -> Place<'_> {
        let place = Place { target: &self.label, schema: &self.schema, operation, limit_ms: 0 };
        place.within(self.statement_timeout)
    }
}

/// Notes in a span what statements have answered. Never what they were given: that may be a payload.
fn note(span: &Span, answers: &Result<Vec<Result<Vec<Row>>>>) {
    if span.is_disabled() {
        return;
    }
    let failure = match answers {
        Ok(answers) => {
            span.record("rows", answers.iter().flatten().map(Vec::len).sum::<usize>());
            span.record("failed", answers.iter().filter(|it| it.is_err()).count());
            answers.iter().find_map(|it| it.as_ref().err())
        }
        Err(error) => Some(error),
    };
    if let Some(error) = failure {
        span.record("error", error.code());
    }
}

/// A connection from the share of people's queries.
pub(in crate::backends::postgres) struct Asking<'a> {
    client: Object,
    _share: SemaphorePermit<'a>,
}

impl Deref for Asking<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.client
    }
}

impl DerefMut for Asking<'_> {
    fn deref_mut(&mut self) -> &mut Object {
        &mut self.client
    }
}

/// Whether the other end accepts no writes: a standby, or the primary of before a failover. The connection works and
/// always will, so the pool would hand it out again and again; a new one leads to the primary of that moment.
fn only_reads(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}
