//! The examination, for a person: all checks, the quick ones and those of the database itself.

use super::checks::queue::{self, Facts};
use super::checks::{Finding, Severity, database, worst};
use super::health;
use crate::config::DatabaseConfig;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::schema::{Schema, Sessions};
use chrono::Utc;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// What the examination found.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The worst of the findings.
    pub status: Severity,
    /// All checks, in order.
    pub findings: Vec<Finding>,
}

/// Examines the database and the queue in it. `types`: the message types that have a handler here.
///
/// Never fails: what cannot be asked is a finding.
pub async fn examine(engine: &Arc<Engine>, types: Option<&[String]>) -> Diagnosis {
    let (mut facts, mut findings, mut thorough) = (Facts::default(), Vec::new(), Vec::new());
    facts.error = health::connect(engine, &mut facts).await.err();
    if engine.config().database.url.is_some() {
        findings.push(pooler(&engine.config().database));
    }
    if facts.error.is_none() && may_look(engine, &facts, &mut findings).await {
        facts.error = health::look(engine, types, &mut facts).await.err();
        thorough = look_closer(engine, &mut facts).await;
    }
    findings.extend(queue::judge(&facts, &engine.config().health));
    findings.extend(thorough);
    Diagnosis { status: worst(&findings), findings }
}

fn pooler(config: &DatabaseConfig) -> Finding {
    database::pooler(config.pooled, config.names_pooler())
}

/// Whether what is asked now is answered with its own rows, and not with those of somebody else behind the same pooler.
async fn may_look(engine: &Arc<Engine>, facts: &Facts, findings: &mut Vec<Finding>) -> bool {
    let Some(store) = facts.migrations.as_ref().and_then(|_| engine.store().ok()) else { return true };
    let Some(schema) = store.schema() else { return true };
    match schema.sessions().await {
        Ok(Sessions::AsConfigured) => return true,
        Ok(Sessions::DeniedPooler) => findings.push(database::denied_pooler(schema.label())),
        Ok(Sessions::HiddenPooler) => {
            findings.push(database::hidden_pooler(schema.label()));
            return true;
        }
        Err(error) => findings.push(Finding::refused("pooler", &error)),
    }
    false
}

/// The thorough checks, where there is a database whose tables are all there.
async fn look_closer(engine: &Arc<Engine>, facts: &mut Facts) -> Vec<Finding> {
    if facts.migrations.as_ref().is_none_or(|it| !it.status.pending.is_empty()) {
        return Vec::new();
    }
    let Ok(store) = engine.store() else { return Vec::new() };
    let Some(schema) = store.schema() else { return Vec::new() };
    let (began, before) = (Instant::now(), Utc::now().timestamp_millis() as f64);
    match see(schema).await {
        Ok(seen) => {
            facts.overdue = seen.overdue();
            database::judge(&seen, before + began.elapsed().as_secs_f64() * 500.0)
        }
        Err(error) => vec![Finding::refused("facts", &error)],
    }
}

async fn see(schema: &dyn Schema) -> Result<database::Facts> {
    let text = schema.facts().await?;
    serde_json::from_str(&text).map_err(|error| Error::Serialization { what: "facts", reason: error.to_string() })
}
