//! The facts behind the health of the queue. What they mean is decided elsewhere.

use super::metrics::{self, Metrics};
use crate::backends::postgres::migrate;
use crate::counts::window::Window;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::transport::{Depth, Unhandled, Vitals};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long all of it may take: a load balancer or a person waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known about the queue. What could not be queried is absent, and `error` says why.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Whether a database is configured.
    pub database: bool,
    /// Milliseconds that the database took to answer.
    pub latency: Option<f64>,
    /// The state of the schema.
    pub migrations: Option<migrate::Status>,
    /// Counts of all stores.
    pub vitals: Option<Vitals>,
    /// Due messages, all queues together.
    pub queue_depth: Option<u64>,
    /// How long the oldest due message has waited, in milliseconds.
    pub oldest_age: Option<f64>,
    /// Due messages without a handler here.
    pub unhandled: Vec<Value>,
    /// The figures of `health.window`.
    pub metrics: Option<Metrics>,
    /// What went wrong.
    pub error: Option<Value>,
}

/// Asks for the facts. `types`: the message types that have a handler here. Never fails: what goes wrong is a fact.
pub async fn ask(engine: &Arc<Engine>, types: Option<&[String]>) -> Facts {
    let mut facts = Facts::default();
    let limit_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let late = |_| Err(Error::Timeout { operation: "checking the health", limit_ms });
    let outcome = tokio::time::timeout(PATIENCE, gather(engine, types, &mut facts)).await.unwrap_or_else(late);
    facts.error = outcome.err().map(|error| error.to_json());
    facts
}

async fn gather(engine: &Arc<Engine>, types: Option<&[String]>, facts: &mut Facts) -> Result<()> {
    let config = engine.config();
    facts.database = config.database.url.is_some();
    if facts.database {
        let database = engine.database()?;
        let began = Instant::now();
        let status = migrate::status(&database).await?;
        facts.latency = Some(began.elapsed().as_secs_f64() * 1000.0);
        let complete = status.pending.is_empty();
        facts.migrations = Some(status);
        if !complete {
            return Ok(());
        }
    }
    let mut depths = Vec::new();
    for name in engine.usable_names() {
        let transport = engine.transport(&name).await?;
        depths.extend(transport.depth().await?);
        if let Some(types) = types {
            let waiting = transport.unhandled(types).await?;
            facts.unhandled.extend(waiting.iter().map(|it| waits(&name, it)));
        }
    }
    facts.queue_depth = Some(depths.iter().map(|it| it.pending).sum());
    facts.oldest_age = depths.iter().filter_map(oldest).max_by(f64::total_cmp);
    let mut vitals = Vitals::default();
    for store in engine.stores().await? {
        vitals.add(store.vitals().await?);
    }
    facts.vitals = Some(vitals);
    let minutes = config.health.window.as_secs_f64() / 60.0;
    facts.metrics = Some(metrics::measure(engine, &Window::last(minutes)).await?);
    Ok(())
}

fn oldest(depth: &Depth) -> Option<f64> {
    depth.oldest_age_ms
}

fn waits(transport: &str, it: &Unhandled) -> Value {
    json!({ "type": it.message_type, "transport": transport, "queue": it.queue, "count": it.count })
}

impl Vitals {
    fn add(&mut self, other: Self) {
        self.dead_letters += other.dead_letters;
        self.recent_dead_letters += other.recent_dead_letters;
        self.workers += other.workers;
        self.stale_workers += other.stale_workers;
        self.held_by_nobody += other.held_by_nobody;
        self.unknown_to_workers += other.unknown_to_workers;
        self.overdue_schedules += other.overdue_schedules;
        self.circuits.extend(other.circuits);
    }
}
