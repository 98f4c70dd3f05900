//! The examination: asks the database, and says what is wrong and what to do.

use super::checks::{Facts, Finding, Severity, judge};
use crate::backends::postgres::connection::pool::Database;
use crate::backends::postgres::connection::url;
use crate::backends::postgres::{PostgresTransport, migrate};
use crate::config::Config;
use crate::engine::Engine;
use crate::error::{Error, Result};
use chrono::Utc;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// What the examination found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether no finding is an error.
    pub healthy: bool,
    /// All checks, in order.
    pub findings: Vec<Finding>,
}

/// Examines the database and the queue in it. `types`: the message types that have a handler here.
///
/// Never fails: what cannot be asked is a finding.
pub async fn examine(engine: &Arc<Engine>, types: Option<&[String]>) -> Report {
    let config = engine.config();
    let mut findings = vec![pooler(&config)];
    match Database::shared(&config.database) {
        Err(error) => findings.push(refused("connection", &error)),
        Ok(database) => ask(engine, &config, database, types, &mut findings).await,
    }
    Report { healthy: findings.iter().all(|it| it.severity != Severity::Error), findings }
}

async fn ask(
    engine: &Arc<Engine>,
    config: &Config,
    database: Arc<Database>,
    types: Option<&[String]>,
    findings: &mut Vec<Finding>,
) {
    let label = database.label.clone();
    let status = match migrate::status(&database).await {
        Ok(status) => status,
        Err(error) => return findings.push(refused("connection", &error)),
    };
    findings.push(Finding::ok("connection", format!("connected to {label}")));
    if !database.is_declared_pooled() {
        match database.shares_sessions().await {
            Ok(false) => {}
            // What is asked now may be answered with somebody else's rows.
            Ok(true) if database.keeps_sessions() => return findings.push(denied_pooler(&label)),
            Ok(true) => findings.push(hidden_pooler(&label)),
            Err(error) => return findings.push(refused("pooler", &error)),
        }
    }
    findings.push(migrations(&status, &config.database.schema));
    if !status.pending.is_empty() {
        // The facts stand in tables that are not there yet.
        return;
    }
    let transport = PostgresTransport::new("".into(), database, config);
    let (began, before) = (Instant::now(), Utc::now().timestamp_millis() as f64);
    match transport.facts::<Facts>().await {
        Ok(facts) => findings.extend(judge(&facts, before + began.elapsed().as_secs_f64() * 500.0)),
        Err(error) => findings.push(refused("facts", &error)),
    }
    if let Some(types) = types {
        findings.push(handlers(engine, types).await.unwrap_or_else(|error| refused("handlers", &error)));
    }
}

fn refused(check: &'static str, error: &Error) -> Finding {
    let looked_up = || format!("see {} in the troubleshooting guide", error.code());
    Finding::error(check, error.problem(), error.remedy().map_or_else(looked_up, str::to_owned))
}

fn pooler(config: &Config) -> Finding {
    let seen = config.database.url.as_deref().and_then(|it| url::read(it).ok()).is_some_and(|it| it.pooled);
    match (config.database.pooled, seen) {
        (Some(false), true) => Finding::error(
            "pooler",
            "database.pooled is false, but the URL names a transaction pooler",
            "remove database.pooled from the configuration, or use the direct URL",
        ),
        (Some(true), _) | (None, true) => Finding::ok("pooler", "statements are sent for a transaction pooler"),
        (_, false) => Finding::ok("pooler", "statements are prepared on direct connections"),
    }
}

fn denied_pooler(label: &str) -> Finding {
    Finding::error(
        "pooler",
        format!("a transaction pooler answers at {label}, but statements are sent as on a direct connection"),
        "add ?pgbouncer=true to the URL, and remove database.pooled (SYMPHONY_DATABASE_POOLED) from the configuration",
    )
}

fn hidden_pooler(label: &str) -> Finding {
    Finding::warning(
        "pooler",
        format!(
            "a transaction pooler answers at {label}, and the URL does not say so: LISTEN cannot wake workers there"
        ),
        "add ?pgbouncer=true to the URL, and set database.directUrl to a URL that leads past the pooler",
    )
}

fn migrations(status: &migrate::Status, schema: &str) -> Finding {
    let check = "migrations";
    if !status.pending.is_empty() {
        let message = format!("the schema \"{schema}\" is at version {} of {}", status.version, status.latest);
        return Finding::error(check, message, "run `await migrate()`, or the files in migrations/");
    }
    if status.version > status.latest {
        let message = format!("the schema \"{schema}\" is at version {}, newer than this build", status.version);
        return Finding::warning(check, message, "deploy the newer version of the package everywhere");
    }
    Finding::ok(check, format!("the schema \"{schema}\" is at version {}", status.version))
}

async fn handlers(engine: &Arc<Engine>, types: &[String]) -> Result<Finding> {
    let mut waiting = Vec::new();
    for name in engine.usable_names() {
        for it in engine.transport(&name).await?.unhandled(types).await? {
            waiting.push(format!("{} of type {} in {name}/{}", it.count, it.message_type, it.queue));
        }
    }
    if waiting.is_empty() {
        return Ok(Finding::ok("handlers", "every waiting message has a handler here"));
    }
    Ok(Finding::warning(
        "handlers",
        format!("messages wait without a handler here: {}", waiting.join(", ")),
        "register a handler for each type, or consume them in a process that has one",
    ))
}
