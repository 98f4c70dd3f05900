//! One configuration with its transports: what a process holds once, and everything else borrows.

use crate::backends::memory::{MemoryBroker, MemoryTransport};
use crate::backends::postgres::connection::pool::Database;
use crate::backends::postgres::connection::switches;
use crate::backends::postgres::{PostgresStore, PostgresTransport};
use crate::backends::sync::SyncTransport;
use crate::base::lock::lock;
use crate::config::{self, Config, Layers, TransportConfig, TransportKind};
use crate::error::{Error, Result};
use crate::log;
use crate::store::Store;
use crate::store::transports::{TransportRow, Transports};
use crate::transport::broker::Broker;
use crate::transport::inline::Inline;
use crate::transport::{Companion, Transport};
use futures_util::future::try_join_all;
use serde_json::json;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::Instrument;

/// How old the rows of `messenger_transports` may get before they are read again, in the background.
const ROWS_FRESH: Duration = Duration::from_secs(5);
/// How old they may get where they say whether a transport is switched on.
pub const SWITCHES_FRESH: Duration = switches::FRESH;
/// For so long a dispatch to a transport outside the database waits for such rows.
const PATIENCE: Duration = Duration::from_millis(200);

/// The root of the core.
pub struct Engine {
    /// Whose log lines those of this engine are.
    log: log::Instance,
    config: RwLock<Arc<Config>>,
    inline: Arc<dyn Inline>,
    open: Mutex<Open>,
    /// Held while rows are read, so that a burst of first dispatches reads them once.
    reading: tokio::sync::Mutex<()>,
    /// How often something was put into a transport.
    sent: AtomicU64,
    /// How often the description of any transport may have changed.
    changes: watch::Sender<u64>,
}

/// What has been built from the configuration so far.
#[derive(Default)]
struct Open {
    transports: HashMap<String, Arc<dyn Transport>>,
    /// Kept when the configuration changes: their messages live nowhere else.
    memory: HashMap<String, Arc<MemoryTransport>>,
    /// Kept for the same reason.
    brokers: HashMap<String, MemoryBroker>,
    rows: HashMap<String, TransportRow>,
    rows_read: Option<Instant>,
    /// The store of its transports in Postgres, and of the companions of its brokers.
    store: Option<Arc<PostgresStore>>,
    /// That of the rows: without a transport, nobody else holds its connections open until one is built.
    database: Option<Arc<Database>>,
    /// How often it was closed: rows that were asked for before are not to hold connections open after.
    closings: u64,
}

impl Engine {
    /// An engine; connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`].
    pub fn new(layers: &Layers, inline: Arc<dyn Inline>) -> Result<Self> {
        let config = RwLock::new(Arc::new(config::resolve(layers)?));
        Ok(Self {
            log: log::Instance::new(),
            config,
            inline,
            open: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            sent: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        })
    }

    /// Takes another configuration. Transports are built anew when they are next used; connections to the same
    /// database stay open.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`]; the one in force stays.
    pub fn configure(&self, layers: &Layers) -> Result<()> {
        let config = Arc::new(config::resolve(layers)?);
        let other_database = config.database != self.config().database;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        let mut open = self.open();
        if other_database {
            open.rows.clear();
            open.rows_read = None;
            open.database = None;
        }
        let retired = (std::mem::take(&mut open.transports), open.store.take());
        self.note_change(&open);
        drop(open);
        drop(retired);
        Ok(())
    }

    /// Whose log lines those of this engine are.
    pub fn log(&self) -> &log::Instance {
        &self.log
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The store in the configured database.
    ///
    /// # Errors
    /// [`Error::DatabaseUrlMissing`], or [`Error::InvalidConfiguration`] for an unreadable URL.
    pub fn store(&self) -> Result<Arc<dyn Store>> {
        if let Some(store) = &self.open().store {
            return Ok(store.clone());
        }
        let config = self.config();
        Ok(Arc::new(PostgresStore::new(Database::shared(&config.database)?, &config)))
    }

    /// The same past a transaction pooler, for migrations; `schema`: another one than the configured.
    ///
    /// # Errors
    /// As [`Engine::store`], or about the name of the schema.
    pub fn direct_store(&self, schema: Option<String>) -> Result<Arc<dyn Store>> {
        let config = self.config();
        let mut database = config.database.clone();
        if let Some(schema) = schema {
            let layers = Layers { config: json!({ "database": { "schema": schema } }), ..Layers::default() };
            database.schema = config::resolve(&layers)?.database.schema;
        }
        Ok(Arc::new(PostgresStore::new(Arc::new(Database::direct(&database)?), &config)))
    }

    /// A transport by name, as `messenger_transports` and the configuration describe it.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`], [`Error::TransportDisabled`], [`Error::TransportUnsupported`], or what stands in
    /// the way of building it. None of them touches the network but the first reading of `messenger_transports`, and the
    /// one that a refusal has to be certain of.
    pub async fn transport(self: &Arc<Self>, name: &str) -> Result<Arc<dyn Transport>> {
        // Boxed: it is rare, and would be most of the future that each dispatch copies into its task.
        if self.wants_rows(name) {
            Box::pin(self.refresh_rows()).await?;
        } else if self.switches_are_old() {
            // No statement asks for this one. It depends on no database either, so one that is away changes nothing.
            let engine = self.clone();
            let reading = async move { engine.recent_rows().await }.instrument(self.log.span());
            let _ = tokio::time::timeout(PATIENCE, tokio::spawn(reading)).await;
        }
        let described = match self.described(name) {
            Err(Error::UnknownTransport { .. } | Error::TransportDisabled { .. }) if self.switches_are_old() => {
                // It may have been added or switched on since. Without an answer, what was known stands.
                let _ = Box::pin(self.recent_rows()).await;
                self.described(name)
            }
            described => described,
        }?;
        let name = &*self.named(name);
        let mut open = self.open();
        if let Some(transport) = open.transports.get(name) {
            return Ok(transport.clone());
        }
        let transport = self.build(&mut open, name, &described)?;
        open.transports.insert(name.to_owned(), transport.clone());
        Ok(transport)
    }

    /// Transports by name, each once, however many of its names are given.
    ///
    /// # Errors
    /// As [`Engine::transport`].
    pub async fn transports(self: &Arc<Self>, names: &[String]) -> Result<Vec<Arc<dyn Transport>>> {
        let mut transports: Vec<Arc<dyn Transport>> = Vec::with_capacity(names.len());
        for transport in try_join_all(names.iter().map(|name| self.transport(name))).await? {
            if transports.iter().all(|it| it.name() != transport.name()) {
                transports.push(transport);
            }
        }
        Ok(transports)
    }

    /// Under which name the messages of a transport wait: every name that comes in is looked up here. See
    /// [`config::transport_named`].
    pub fn named<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let (config, open) = (self.config(), self.open());
        let is_own = |name: &str| config.transports.contains_key(name) || open.rows.contains_key(name);
        match config::transport_named(name, &config.default_transport, is_own) {
            same if same == name => Cow::Borrowed(name),
            other => Cow::Owned(other.to_owned()),
        }
    }

    /// How a transport is described: the row of that name wins over the configuration.
    ///
    /// # Errors
    /// As [`Engine::transport`].
    pub fn described(&self, name: &str) -> Result<TransportConfig> {
        let name = &*self.named(name);
        let config = self.config();
        let row = self.open().rows.get(name).cloned();
        let described = match row {
            Some(row) => Self::from_row(&row)?,
            None => config.transports.get(name).cloned().ok_or_else(|| self.unknown(name))?,
        };
        if !described.enabled {
            return Err(Error::TransportDisabled { name: name.to_owned() });
        }
        Ok(described)
    }

    /// The name under which a transport's messages wait; it must exist, whether or not it can be used.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`], or those of the first reading of `messenger_transports`.
    pub async fn must_know(self: &Arc<Self>, name: &str) -> Result<String> {
        if self.wants_rows(name) {
            self.refresh_rows().await?;
        }
        match self.described(name) {
            Err(error @ Error::UnknownTransport { .. }) => Err(error),
            _ => Ok(self.named(name).into_owned()),
        }
    }

    /// The stores of all transports, each once.
    ///
    /// # Errors
    /// As [`Engine::transport`].
    pub async fn stores(self: &Arc<Self>) -> Result<Vec<Arc<dyn Store>>> {
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for name in self.usable_names() {
            let Some(store) = self.transport(&name).await?.store() else { continue };
            if stores.iter().all(|it| it.identity() != store.identity()) {
                stores.push(store);
            }
        }
        Ok(stores)
    }

    /// One transport for each place where messages wait.
    ///
    /// # Errors
    /// As [`Engine::transport`].
    pub async fn places(self: &Arc<Self>) -> Result<Vec<Arc<dyn Transport>>> {
        let mut places: Vec<Arc<dyn Transport>> = Vec::new();
        for name in self.usable_names() {
            let transport = self.transport(&name).await?;
            if places.iter().all(|it| it.place() != transport.place()) {
                places.push(transport);
            }
        }
        Ok(places)
    }

    /// The transports that may be consumed: the default one first, then by name. Those in the database are left out
    /// where no database is configured, unless one of them is the default.
    pub fn usable_names(&self) -> Vec<String> {
        let config = self.config();
        let names: BTreeSet<String> = config.transports.keys().chain(self.open().rows.keys()).cloned().collect();
        let default = &*self.named(&config.default_transport);
        let usable = |name: &String| {
            self.described(name).is_ok_and(|it| match it.kind {
                TransportKind::Memory => true,
                kind => kind.needs_database() && (config.database.url.is_some() || name == default),
            })
        };
        let mut usable: Vec<String> = names.into_iter().filter(usable).collect();
        usable.sort_by_key(|name| name != default);
        usable
    }

    /// The transports that are switched off, as far as is known.
    pub fn switched_off(&self) -> Vec<String> {
        let config = self.config();
        let names: BTreeSet<String> = config.transports.keys().chain(self.open().rows.keys()).cloned().collect();
        let is_off = |name: &String| matches!(self.described(name), Err(Error::TransportDisabled { .. }));
        names.into_iter().filter(is_off).collect()
    }

    /// Notes that something was put into a transport, after it was.
    pub fn note_sent(&self) {
        self.sent.fetch_add(1, Ordering::Release);
    }

    /// How often something was put into a transport: what has not changed since, nothing here has added to.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// A memory transport, for tests that look inside.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`], or [`Error::NotCapable`] when it is of another type.
    pub fn memory(&self, name: &str) -> Result<Arc<MemoryTransport>> {
        match self.described(name)?.kind {
            TransportKind::Memory => {
                let name = self.named(name);
                Ok(self.memory_of(&mut self.open(), &name))
            }
            _ => crate::error::not_capable(name, "be looked into; only transports of type memory can"),
        }
    }

    /// A broker in memory, for tests that look inside.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`], or [`Error::NotCapable`] when it is of another type.
    pub fn memory_broker(&self, name: &str) -> Result<MemoryBroker> {
        match self.described(name)?.kind {
            TransportKind::MemoryBroker => {
                let name = self.named(name);
                Ok(Self::broker_of(&mut self.open(), &name))
            }
            _ => crate::error::not_capable(name, "be looked into; only transports of type memory-broker can"),
        }
    }

    /// Gives up its share of every pool. Connections close with their last user: another core of the process, such as
    /// one in a worker thread, may share them, and a call that is under way ends on them. What is used next connects anew.
    pub fn close(&self) {
        let retired = {
            let mut open = self.open();
            open.rows_read = None;
            open.closings += 1;
            (std::mem::take(&mut open.transports), open.store.take(), open.database.take())
        };
        drop(retired);
    }

    /// Reads `messenger_transports` if it has not been read or is old.
    ///
    /// # Errors
    /// Those of a statement; [`Error::MigrationMissing`] above all.
    pub async fn refresh_rows(self: &Arc<Self>) -> Result<()> {
        let age = self.open().rows_read.map(|at| at.elapsed());
        match age {
            Some(age) if age < ROWS_FRESH => Ok(()),
            Some(_) => {
                let engine = self.clone();
                self.open().rows_read = Some(Instant::now());
                let span = self.log.span();
                tokio::spawn(async move { engine.read_rows().await }.instrument(span));
                Ok(())
            }
            None => {
                let _reading = self.reading.lock().await;
                if self.open().rows_read.is_some() {
                    return Ok(());
                }
                self.read_rows().await
            }
        }
    }

    /// Reads `messenger_transports` again, if it is read at all and older than [`SWITCHES_FRESH`].
    ///
    /// # Errors
    /// Those of a statement; what was known stands.
    pub async fn recent_rows(&self) -> Result<()> {
        if !self.switches_are_old() {
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        if self.switches_are_old() { self.read_rows().await } else { Ok(()) }
    }

    fn switches_are_old(&self) -> bool {
        self.open().rows_read.is_some_and(|at| at.elapsed() >= SWITCHES_FRESH)
    }

    /// Tells of changes in the description of any transport: how many there were.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The description of some transport may have changed. Memory transports are switched here, since no statement is.
    fn note_change(&self, open: &Open) {
        let config = self.config();
        for (name, memory) in &open.memory {
            let configured = || config.transports.get(name).is_none_or(|it| it.enabled);
            memory.switch(open.rows.get(name).map_or_else(configured, |row| row.enabled));
        }
        self.changes.send_modify(|it| *it += 1);
    }

    async fn read_rows(&self) -> Result<()> {
        let (config, closings) = (self.config(), self.open().closings);
        let database = Database::shared(&config.database)?;
        let rows = PostgresStore::new(database.clone(), &config).rows().await?;
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        let mut open = self.open();
        if open.closings == closings {
            open.rows_read = Some(Instant::now());
            open.database = Some(database);
        }
        let is_changed = changed(&open.rows, &rows);
        open.rows = rows;
        if is_changed {
            open.transports.clear();
            self.note_change(&open);
        }
        Ok(())
    }

    /// Rows matter for transports in the database and for names the configuration does not know.
    fn wants_rows(&self, name: &str) -> bool {
        let config = self.config();
        let elsewhere = config.transports.get(name).is_some_and(|it| !it.kind.needs_database());
        config.database.url.is_some() && !elsewhere
    }

    fn build(&self, open: &mut Open, name: &str, described: &TransportConfig) -> Result<Arc<dyn Transport>> {
        let config = self.config();
        Ok(match described.kind {
            TransportKind::Postgres | TransportKind::Supabase => {
                Arc::new(PostgresTransport::new(name.into(), self.store_of(open)?, &config))
            }
            TransportKind::Memory => self.memory_of(open, name),
            TransportKind::Sync => Arc::new(SyncTransport::new(name.into(), self.inline.clone())),
            TransportKind::MemoryBroker => {
                let broker = Self::broker_of(open, name);
                self.accompany(open, name, broker)?
            }
            kind => {
                return Err(Error::TransportUnsupported { name: name.to_owned(), kind: kind.name().to_owned() });
            }
        })
    }

    /// The store in the configured database, the same one for all.
    fn store_of(&self, open: &mut Open) -> Result<Arc<PostgresStore>> {
        if let Some(store) = &open.store {
            return Ok(store.clone());
        }
        let config = self.config();
        let store = Arc::new(PostgresStore::new(Database::shared(&config.database)?, &config));
        open.store = Some(store.clone());
        Ok(store)
    }

    /// A transport of a broker: beside it, the database keeps what it does not.
    fn accompany<B: Broker + 'static>(&self, open: &mut Open, name: &str, broker: B) -> Result<Arc<dyn Transport>> {
        let max_crashes = u32::try_from(self.config().worker.max_crashes).unwrap_or(u32::MAX);
        Ok(Arc::new(Companion::new(name.into(), broker, self.store_of(open)?, max_crashes)))
    }

    fn broker_of(open: &mut Open, name: &str) -> MemoryBroker {
        open.brokers.entry(name.to_owned()).or_default().clone()
    }

    fn memory_of(&self, open: &mut Open, name: &str) -> Arc<MemoryTransport> {
        let new = || Arc::new(MemoryTransport::new(name.into()));
        let memory = open.memory.entry(name.to_owned()).or_insert_with(new).clone();
        memory.set_max_crashes(self.config().worker.max_crashes);
        memory
    }

    fn from_row(row: &TransportRow) -> Result<TransportConfig> {
        let config = serde_json::from_str(&row.config)
            .map_err(|error| Error::Serialization { what: "messenger_transports.config", reason: error.to_string() })?;
        config::transport_from_json(&row.name, &row.kind, &config, row.enabled)
    }

    fn unknown(&self, name: &str) -> Error {
        let config = self.config();
        let known: BTreeSet<String> = config.transports.keys().chain(self.open().rows.keys()).cloned().collect();
        Error::UnknownTransport { name: name.to_owned(), known: known.into_iter().collect() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        lock(&self.open)
    }
}

fn changed(before: &HashMap<String, TransportRow>, after: &HashMap<String, TransportRow>) -> bool {
    let same = |(name, row): (&String, &TransportRow)| {
        before
            .get(name)
            .is_some_and(|old| (&old.kind, &old.config, old.enabled) == (&row.kind, &row.config, row.enabled))
    };
    before.len() != after.len() || !after.iter().all(same)
}
