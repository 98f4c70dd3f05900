//! The health of the queue, for a probe: the quick checks.

use super::checks::queue::{self, Facts, Schema, Unhandled};
use super::checks::{Finding, Severity, worst};
use super::metrics;
use crate::counts::window::Window;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::vitals::Vitals;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long all of it may take: a load balancer or a person waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How the queue is.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// The worst of the findings.
    pub status: Severity,
    /// The quick checks. Those that could not be made are left out; then `database` says why.
    pub findings: Vec<Finding>,
    /// The figures of `health.window`.
    pub metrics: Pace,
}

/// How much waits, and how fast it goes.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// Due messages, all queues together.
    pub queue_depth: u64,
    /// Messages processed per minute.
    pub processing_rate: f64,
    /// Fraction of runs that failed.
    pub error_rate: f64,
    /// Mean milliseconds in handlers.
    pub average_latency: f64,
}

/// Asks for the facts and judges them. `types`: the message types that have a handler here; `None`: handlers live
/// elsewhere. Never fails: what goes wrong is a finding.
pub async fn check(engine: &Arc<Engine>, types: Option<&[String]>) -> Health {
    let mut facts = Facts::default();
    let limit_ms = u64::try_from(TIME_LIMIT.as_millis()).unwrap_or(u64::MAX);
    let late = |_| Err(Error::Timeout { operation: "checking the health", limit_ms });
    let outcome = tokio::time::timeout(TIME_LIMIT, gather(engine, types, &mut facts)).await.unwrap_or_else(late);
    facts.error = outcome.err();
    let config = engine.config();
    let findings = queue::judge(&facts, &config.health);
    Health { status: worst(&findings), findings, metrics: Pace::of(&facts, config.health.window) }
}

async fn gather(engine: &Arc<Engine>, types: Option<&[String]>, facts: &mut Facts) -> Result<()> {
    connect(engine, facts).await?;
    look(engine, types, facts).await
}

/// Asks the database, if one is configured, for its schema.
///
/// # Errors
/// Those of the connection.
pub async fn connect(engine: &Arc<Engine>, facts: &mut Facts) -> Result<()> {
    let config = engine.config();
    if config.database.url.is_some() {
        let store = engine.store()?;
        let Some(schema) = store.schema() else { return Ok(()) };
        let began = Instant::now();
        let status = schema.status().await?;
        facts.latency = Some(began.elapsed());
        facts.migrations = Some(Schema { name: config.database.schema.clone(), status });
    }
    Ok(())
}

/// Asks transports and stores, unless tables are missing.
///
/// # Errors
/// Those of a statement.
pub async fn look(engine: &Arc<Engine>, types: Option<&[String]>, facts: &mut Facts) -> Result<()> {
    if facts.migrations.as_ref().is_some_and(|it| !it.status.pending.is_empty()) {
        return Ok(());
    }
    let mut depths = Vec::new();
    if engine.config().database.url.is_some() {
        engine.refresh_rows().await?;
        engine.recent_rows().await?;
    }
    facts.switched_off = engine.switched_off();
    for name in engine.usable_names() {
        let transport = engine.transport(&name).await?;
        if let (Some(messages), Some(types)) = (transport.inspects(), types) {
            let waiting = messages.unhandled(types).await?;
            facts.unhandled.extend(waiting.into_iter().map(|it| Unhandled {
                message_type: it.message_type,
                lane: format!("{name}/{}", it.queue),
                count: it.count,
            }));
        }
        if let Some(drain) = transport.drain() {
            depths.extend(drain.depth().await?);
        }
    }
    facts.queue_depth = Some(depths.iter().map(|it| it.pending).sum());
    facts.oldest_age_ms = depths.iter().filter_map(|it| it.oldest_age_ms).max_by(f64::total_cmp);
    let mut vitals = Vitals::default();
    for store in engine.stores().await? {
        vitals.add(store.vitals().await?);
    }
    facts.vitals = Some(vitals);
    let minutes = engine.config().health.window.as_secs_f64() / 60.0;
    facts.figures = Some(metrics::measure(engine, &Window::last(minutes), None).await?.total);
    Ok(())
}

impl Pace {
    fn of(facts: &Facts, window: Duration) -> Self {
        let queue_depth = facts.queue_depth.unwrap_or_default();
        let Some(figures) = &facts.figures else { return Self { queue_depth, ..Self::default() } };
        Self {
            queue_depth,
            processing_rate: figures.total_processed as f64 / (window.as_secs_f64() / 60.0),
            error_rate: figures.failure_rate,
            average_latency: figures.average_processing_time,
        }
    }
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
        self.overdue_parked += other.overdue_parked;
        self.circuits.extend(other.circuits);
        let new = other.pauses.into_iter().filter(|it| self.pauses.iter().all(|known| known.scope != it.scope));
        let new: Vec<_> = new.collect();
        self.pauses.extend(new);
    }
}
