//! A transport to test: where it comes from, and how its time is moved.

use super::schema::TestSchema;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use symphony::Error;
use symphony::backends::memory::{MemoryBroker, MemoryTransport, Status};
use symphony::config::Layers;
use symphony::engine::Engine;
use symphony::message::claimed::Claimed;
use symphony::store::Store;
use symphony::transport::broker::Broker;
use symphony::transport::inline::Inline;
use symphony::transport::{Companion, Drain, Transport};

/// The transport under test.
pub const MAIN: &str = "main";
/// Another one of the same kind.
pub const OTHER: &str = "other";

/// A transport, set up for one test.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// The engine around it.
    fn engine(&self) -> &Arc<Engine>;
    /// The transport, as what takes messages.
    fn entrance(&self) -> Arc<dyn Transport>;
    /// The transport, as what messages wait in.
    fn transport(&self) -> Arc<dyn Drain> {
        self.entrance().drain().expect("messages wait in it")
    }
    /// Lets time pass for the transport, and for nobody else.
    async fn advance(&self, by: Duration);
    /// How many messages are finished and still known.
    async fn finished(&self) -> usize;
    /// Switches it on or off, as another process would, and returns when that applies here.
    async fn switch(&self, on: bool);
    /// Leaves nothing behind. Also called when the test has failed.
    async fn tear_down(&self);
}

/// A kind of transport.
pub trait Kind: Subject + Clone {
    /// A fresh one, with nothing in it; `settings` lie over its configuration.
    fn fresh(settings: Value) -> impl Future<Output = Self> + Send;
}

/// Runs a test on a fresh subject.
pub fn check<S: Kind, F: Future<Output = ()> + Send + 'static>(settings: Value, test: impl FnOnce(S) -> F) {
    super::run(async {
        let subject = S::fresh(settings).await;
        let outcome = super::attempt(test(subject.clone())).await;
        subject.tear_down().await;
        super::pass_on(outcome);
    });
}

fn engine(config: Value, settings: Value) -> Arc<Engine> {
    let layers: Layers = serde_json::from_value(json!({ "config": config, "runtime": settings })).unwrap();
    Arc::new(Engine::new(&layers, Arc::new(Judge)).unwrap())
}

fn transports(kind: &str) -> Value {
    json!({ MAIN: { "type": kind }, OTHER: { "type": kind } })
}

/// The transport `memory`.
#[derive(Clone)]
pub struct Memory {
    engine: Arc<Engine>,
    transport: Arc<MemoryTransport>,
}

impl Kind for Memory {
    async fn fresh(settings: Value) -> Self {
        let engine = engine(json!({ "transports": transports("memory"), "defaultTransport": MAIN }), settings);
        let transport = engine.memory(MAIN).unwrap();
        Self { engine, transport }
    }
}

#[async_trait]
impl Subject for Memory {
    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    async fn advance(&self, by: Duration) {
        self.transport.advance(by);
    }

    async fn finished(&self) -> usize {
        let ended = |status| matches!(status, Status::Completed | Status::Discarded);
        self.transport.list().iter().filter(|it| ended(it.status)).count()
    }

    async fn switch(&self, on: bool) {
        self.transport.switch(on);
    }

    async fn tear_down(&self) {}
}

/// The transport `postgres`, over connections of its own.
#[derive(Clone)]
pub struct Postgres {
    engine: Arc<Engine>,
    transport: Arc<dyn Transport>,
    /// Its tables.
    pub schema: Arc<TestSchema>,
}

impl Postgres {
    async fn connected(kind: &str, database: impl FnOnce(&TestSchema) -> Value, settings: Value) -> Self {
        let schema = Arc::new(TestSchema::migrated().await);
        let mut database = database(&schema);
        database["schema"] = json!(schema.name);
        database["poolSize"] = json!(10);
        let engine = engine(json!({ "transports": transports(kind), "database": database }), settings);
        let transport = engine.transport(MAIN).await.unwrap();
        Self { engine, transport, schema }
    }
}

impl Postgres {
    /// Switches it on or off, and returns before anybody here has read of that.
    pub async fn switch_elsewhere(&self, on: bool) {
        let put = "INSERT INTO {s}.messenger_transports (name, type, enabled)";
        let over = "ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled";
        self.schema.execute(&format!("{put} VALUES ('{MAIN}', 'postgres', {on}) {over}")).await;
    }

    /// The transport as another process has it: with nothing in common but the tables.
    pub async fn in_another_process(&self) -> Arc<dyn Drain> {
        let database = json!({ "url": self.schema.url(), "schema": self.schema.name, "poolSize": 20 });
        let engine = engine(json!({ "transports": transports("postgres"), "database": database }), json!({}));
        engine.transport(MAIN).await.unwrap().drain().unwrap()
    }
}

impl Kind for Postgres {
    async fn fresh(settings: Value) -> Self {
        Self::connected("postgres", |schema| json!({ "url": schema.url() }), settings).await
    }
}

#[async_trait]
impl Subject for Postgres {
    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    async fn advance(&self, by: Duration) {
        let columns = [
            ("messages_pending", "created_at available_at scheduled_at"),
            ("messages_processing", "created_at available_at scheduled_at locked_at"),
            ("messages_finished", "created_at available_at scheduled_at locked_at processed_at"),
            ("failed_messages", "created_at scheduled_at failed_at"),
            ("workers", "started_at last_beat_at lease_until"),
            ("deduplication", "first_seen_at expires_at"),
            ("metrics", "minute"),
            ("metrics_hourly", "hour"),
            ("depths", "minute"),
            ("error_groups", "first_at last_at state_at"),
            ("executions", "started_at lease_until"),
            ("parked", "due_at held_until created_at scheduled_at"),
            ("controls", "since until"),
            ("audit", "at updated_at ended_at"),
        ];
        let span = format!("interval '{} ms'", by.as_millis());
        let earlier = |columns: &str| -> Vec<_> {
            columns.split(' ').map(|column| format!("{column} = {column} - {span}")).collect()
        };
        let update = |(table, columns): (&str, &str)| {
            format!("UPDATE {{s}}.messenger_{table} SET {};", earlier(columns).join(", "))
        };
        self.schema.execute(&columns.map(update).concat()).await;
    }

    async fn finished(&self) -> usize {
        let count: i64 = self.schema.value("SELECT count(*) FROM {s}.messenger_messages_finished").await;
        usize::try_from(count).unwrap()
    }

    async fn switch(&self, on: bool) {
        self.switch_elsewhere(on).await;
        let follows = || async {
            self.engine.recent_rows().await.unwrap();
            self.engine.described(MAIN).is_ok() == on
        };
        super::until("the process has read of the switch", follows).await;
    }

    async fn tear_down(&self) {
        self.engine.close();
        self.schema.remove().await;
    }
}

/// The transport `postgres` behind a transaction pooler, whose port alone says what it is. Where there is none: on
/// direct connections, but speaking as to one.
#[derive(Clone)]
pub struct Pooled(Postgres);

impl Kind for Pooled {
    async fn fresh(settings: Value) -> Self {
        let database = |schema: &TestSchema| match TestSchema::pooled_url() {
            Some(url) => json!({ "url": url }),
            None => json!({ "url": schema.url(), "pooled": true }),
        };
        Self(Postgres::connected("postgres", database, settings).await)
    }
}

#[async_trait]
impl Subject for Pooled {
    fn engine(&self) -> &Arc<Engine> {
        self.0.engine()
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.0.entrance()
    }

    async fn advance(&self, by: Duration) {
        self.0.advance(by).await;
    }

    async fn finished(&self) -> usize {
        self.0.finished().await
    }

    async fn switch(&self, on: bool) {
        self.0.switch(on).await;
    }

    async fn tear_down(&self) {
        self.0.tear_down().await;
    }
}

/// A broker in memory with a companion.
pub trait OverBroker: Kind {
    /// The broker.
    fn broker(&self) -> &MemoryBroker;
    /// What is kept beside it.
    fn store(&self) -> Arc<dyn Store>;
    /// The transport over another broker, with the same store.
    fn over(&self, broker: impl Broker + 'static) -> Arc<dyn Drain> {
        Arc::new(Companion::new(MAIN.into(), broker, self.store(), 3))
    }
    /// The transport as another process has it, with the same broker and the same store.
    fn in_another_process(&self) -> Arc<dyn Drain> {
        self.over(self.broker().clone())
    }
}

/// The broker in memory, with a store in memory beside it.
#[derive(Clone)]
pub struct Accompanied {
    engine: Arc<Engine>,
    broker: MemoryBroker,
    beside: Arc<MemoryTransport>,
    transport: Arc<dyn Transport>,
}

impl OverBroker for Accompanied {
    fn broker(&self) -> &MemoryBroker {
        &self.broker
    }

    fn store(&self) -> Arc<dyn Store> {
        self.beside.store().unwrap()
    }
}

impl Kind for Accompanied {
    async fn fresh(settings: Value) -> Self {
        let engine = engine(json!({ "transports": transports("memory"), "defaultTransport": MAIN }), settings);
        let (broker, beside) = (MemoryBroker::default(), engine.memory(MAIN).unwrap());
        let store = beside.store().unwrap();
        let transport = Arc::new(Companion::new(MAIN.into(), broker.clone(), store, 3));
        Self { engine, broker, beside, transport }
    }
}

#[async_trait]
impl Subject for Accompanied {
    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    async fn advance(&self, by: Duration) {
        self.broker.advance(by);
        self.beside.advance(by);
    }

    async fn finished(&self) -> usize {
        usize::try_from(self.beside.finished().completed + self.beside.finished().discarded).unwrap()
    }

    async fn switch(&self, on: bool) {
        self.beside.switch(on);
        until_followed(&*self.transport, on).await;
    }

    async fn tear_down(&self) {}
}

/// The broker in memory, with the store in Postgres beside it: the transport `memory-broker`, as the engine makes it.
#[derive(Clone)]
pub struct AccompaniedByPostgres {
    broker: MemoryBroker,
    beside: Postgres,
}

impl OverBroker for AccompaniedByPostgres {
    fn broker(&self) -> &MemoryBroker {
        &self.broker
    }

    fn store(&self) -> Arc<dyn Store> {
        self.beside.entrance().store().unwrap()
    }
}

impl Kind for AccompaniedByPostgres {
    async fn fresh(settings: Value) -> Self {
        let beside = Postgres::connected("memory-broker", |schema| json!({ "url": schema.url() }), settings).await;
        Self { broker: beside.engine.memory_broker(MAIN).unwrap(), beside }
    }
}

#[async_trait]
impl Subject for AccompaniedByPostgres {
    fn engine(&self) -> &Arc<Engine> {
        self.beside.engine()
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.beside.entrance()
    }

    async fn advance(&self, by: Duration) {
        self.broker.advance(by);
        self.beside.advance(by).await;
    }

    async fn finished(&self) -> usize {
        self.beside.finished().await
    }

    async fn switch(&self, on: bool) {
        self.beside.switch(on).await;
        until_followed(&*self.entrance(), on).await;
    }

    async fn tear_down(&self) {
        self.beside.tear_down().await;
    }
}

/// The transport `sync`.
#[derive(Clone)]
pub struct OnTheSpot {
    engine: Arc<Engine>,
    transport: Arc<dyn Transport>,
}

impl Kind for OnTheSpot {
    async fn fresh(settings: Value) -> Self {
        let engine = engine(json!({ "transports": transports("sync") }), settings);
        let transport = engine.transport(MAIN).await.unwrap();
        Self { engine, transport }
    }
}

#[async_trait]
impl Subject for OnTheSpot {
    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    async fn advance(&self, _: Duration) {}

    async fn finished(&self) -> usize {
        0
    }

    async fn switch(&self, _: bool) {}

    async fn tear_down(&self) {}
}

/// Until a transport refuses even an empty batch, or takes it again: one with a companion asks from time to time.
async fn until_followed(transport: &dyn Transport, on: bool) {
    super::until("it follows", || async { transport.send(&[]).await.is_ok() == on }).await;
}

/// Handles on the spot: a message of the type `Failing` fails, every other one succeeds.
struct Judge;

#[async_trait]
impl Inline for Judge {
    async fn handle(&self, _: &str, messages: Vec<Claimed>) -> Vec<Result<(), Error>> {
        let judge = |it: Claimed| match &*it.message_type {
            "Failing" => Err(Error::Handler { message_id: it.id.to_string(), message: "refused".to_owned() }),
            _ => Ok(()),
        };
        messages.into_iter().map(judge).collect()
    }
}
