//! Merged settings -> [`Config`]: every key known, every value within its bounds, defaults filled in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Config, DatabaseConfig, DeduplicationConfig, FeatureFlags, WorkerConfig};
use super::section::Section;
use super::sections::monitoring;
use super::sections::retention::{Retention, RetentionConfig};
use super::sections::transport::TransportConfig;
use super::value::{Fit, Misfit, duration, flag, milliseconds, name, number, one_or_more, pattern, whole};
use crate::base::limits::{HIGHEST_PRIORITY, LOWEST_PRIORITY};
use crate::base::limits::{LONGEST_MS, LONGEST_TIMER_MS};
use crate::error::Result;
use crate::message::limits::PayloadLimits;
use crate::policy::retry::RetryStrategy;
use crate::policy::routing::PriorityRoute;

/// The most bytes that a `jsonb` value holds.
const MAX_PAYLOAD_BYTES: usize = 268_435_455;
/// The most retries that the database's column counts.
const MAX_RETRIES: u32 = i32::MAX as u32;

/// The top-level keys; `environments` is taken out before (see [`super::layers`]) and listed for the error message.
const KEYS: &[&str] = &[
    "defaultTransport",
    "defaultQueue",
    "defaultPriority",
    "transports",
    "routing",
    "priorityRouting",
    "retry",
    "worker",
    "deduplication",
    "retention",
    "health",
    "circuitBreaker",
    "logging",
    "payload",
    "database",
    "features",
    "environments",
];

/// The configuration that merged settings describe.
pub(super) fn read(settings: &Value) -> Result<Config> {
    let root = Section::new("", settings, KEYS)?;
    let default = Config::default();
    Ok(Config {
        default_transport: root.or("defaultTransport", default.default_transport, name)?,
        default_queue: root.or("defaultQueue", default.default_queue, name)?,
        default_priority: root.or(
            "defaultPriority",
            default.default_priority,
            whole(LOWEST_PRIORITY, HIGHEST_PRIORITY),
        )?,
        transports: transports(&root)?,
        routing: routing(&root)?,
        priority_routing: priority_routing(&root)?,
        retry: retry(&root)?,
        worker: worker(&root)?,
        deduplication: deduplication(&root)?,
        retention: retention(&root)?,
        health: monitoring::health(&root)?,
        circuit_breaker: monitoring::circuit_breaker(&root)?,
        logging: monitoring::logging(&root)?,
        payload: payload(&root)?,
        database: database(&root)?,
        features: features(&root)?,
    })
}

/// A strategy as `retryDelay()` gets it: the keys of a `retry` entry, partial over [`RetryStrategy::BUILT_IN`].
///
/// # Errors
/// [`Error::InvalidConfiguration`](crate::Error::InvalidConfiguration) about `strategy.<key>`.
pub fn retry_strategy_from_json(strategy: &Value) -> Result<RetryStrategy> {
    retry_strategy("strategy", strategy, &RetryStrategy::BUILT_IN)
}

fn transports(root: &Section<'_>) -> Result<BTreeMap<String, TransportConfig>> {
    let section = root.names("transports")?;
    let read = |(key, entry)| {
        let transport = section.check_key(key, name)?;
        Ok((transport, TransportConfig::read(section.path_of(key), entry)?))
    };
    section.entries().map(read).collect()
}

fn routing(root: &Section<'_>) -> Result<BTreeMap<String, Vec<String>>> {
    let section = root.names("routing")?;
    let read = |(key, _)| Ok((section.check_key(key, pattern)?, section.required(key, one_or_more(name))?));
    section.entries().map(read).collect()
}

fn priority_routing(root: &Section<'_>) -> Result<Vec<PriorityRoute>> {
    match root.get("priorityRouting") {
        None => Ok(Vec::new()),
        Some(Value::Array(rules)) => rules.iter().enumerate().map(priority_route).collect(),
        Some(other) => Err(Misfit::new(other, "an array of { min?, max?, transport, types? }").at("priorityRouting")),
    }
}

fn priority_route((index, rule): (usize, &Value)) -> Result<PriorityRoute> {
    let section = Section::new(format!("priorityRouting[{index}]"), rule, &["min", "max", "transport", "types"])?;
    let min = section.or("min", LOWEST_PRIORITY, whole(LOWEST_PRIORITY, HIGHEST_PRIORITY))?;
    Ok(PriorityRoute {
        min,
        max: section.or("max", HIGHEST_PRIORITY, whole(min, HIGHEST_PRIORITY))?,
        transports: section.required("transport", one_or_more(name))?,
        types: section.or("types", Vec::new(), one_or_more(pattern))?,
    })
}

fn retry(root: &Section<'_>) -> Result<BTreeMap<String, RetryStrategy>> {
    let section = root.names("retry")?;
    let default = section.get("default").unwrap_or(&Value::Null);
    let default = retry_strategy(&section.path_of("default"), default, &RetryStrategy::BUILT_IN)?;
    let read = |(key, entry)| {
        let types = section.check_key(key, pattern)?;
        Ok((types, retry_strategy(&section.path_of(key), entry, &default)?))
    };
    let own = section.entries().filter(|(key, _)| *key != "default").map(read);
    own.chain([Ok(("default".to_owned(), default.clone()))]).collect()
}

fn retry_strategy(path: &str, strategy: &Value, default: &RetryStrategy) -> Result<RetryStrategy> {
    let section = Section::new(path, strategy, &["maxRetries", "delay", "multiplier", "maxDelay", "jitter"])?;
    Ok(RetryStrategy {
        max_retries: section.or("maxRetries", default.max_retries, whole(0, MAX_RETRIES))?,
        delay: section.or("delay", default.delay, milliseconds(0.0, LONGEST_MS))?,
        multiplier: section.or("multiplier", default.multiplier, number(1.0, f64::INFINITY))?,
        max_delay: section.or("maxDelay", default.max_delay, milliseconds(0.0, LONGEST_MS))?,
        jitter: section.or("jitter", default.jitter, number(0.0, 1.0))?,
    })
}

fn worker(root: &Section<'_>) -> Result<WorkerConfig> {
    let keys =
        &["batchSize", "maxConcurrency", "pollInterval", "lease", "maxCrashes", "handlerTimeout", "shutdownTimeout"];
    let section = root.section("worker", keys)?;
    let default = WorkerConfig::default();
    Ok(WorkerConfig {
        batch_size: section.or("batchSize", default.batch_size, whole(1, 10_000))?,
        max_concurrency: section.or("maxConcurrency", default.max_concurrency, whole(1, 10_000))?,
        poll_interval: section.or("pollInterval", default.poll_interval, duration(1.0, LONGEST_TIMER_MS))?,
        lease: section.or("lease", default.lease, duration(1_000.0, LONGEST_TIMER_MS))?,
        max_crashes: section.or("maxCrashes", default.max_crashes, whole(2, 1_000))?,
        handler_timeout: section
            .optional("handlerTimeout", duration(0.0, LONGEST_TIMER_MS))?
            .filter(|timeout| !timeout.is_zero()),
        shutdown_timeout: section.or("shutdownTimeout", default.shutdown_timeout, duration(0.0, LONGEST_TIMER_MS))?,
    })
}

fn deduplication(root: &Section<'_>) -> Result<DeduplicationConfig> {
    let section = root.section("deduplication", &["window"])?;
    let default = DeduplicationConfig::default();
    Ok(DeduplicationConfig { window: section.or("window", default.window, duration(1.0, LONGEST_MS))? })
}

fn retention(root: &Section<'_>) -> Result<RetentionConfig> {
    let section = root.section("retention", &["completed", "failed", "metrics"])?;
    let default = RetentionConfig::default();
    Ok(RetentionConfig {
        completed: section.or("completed", default.completed, kept(&["forever", "none"]))?,
        failed: section.or("failed", default.failed, kept(&["forever"]))?,
        metrics: section.or("metrics", default.metrics, kept(&["forever"]))?,
    })
}

/// A duration of at least 1 ms, or one of `words`.
fn kept(words: &'static [&'static str]) -> impl Fn(&Value) -> Fit<Retention> {
    move |value| match value.as_str().filter(|word| words.contains(word)) {
        Some("none") => Ok(Retention::None),
        Some(_) => Ok(Retention::Forever),
        None => duration(1.0, LONGEST_MS)(value).map(Retention::For).map_err(|misfit| misfit.or_wants(words)),
    }
}

fn payload(root: &Section<'_>) -> Result<PayloadLimits> {
    let section = root.section("payload", &["maxBytes", "maxHeadersBytes", "maxMetadataBytes"])?;
    let default = PayloadLimits::default();
    let bytes = |key, default| section.or(key, default, whole(1, MAX_PAYLOAD_BYTES));
    Ok(PayloadLimits {
        max_bytes: bytes("maxBytes", default.max_bytes)?,
        max_headers_bytes: bytes("maxHeadersBytes", default.max_headers_bytes)?,
        max_metadata_bytes: bytes("maxMetadataBytes", default.max_metadata_bytes)?,
    })
}

fn database(root: &Section<'_>) -> Result<DatabaseConfig> {
    let keys = &["url", "directUrl", "schema", "poolSize", "pooled", "statementTimeout", "connectTimeout"];
    let section = root.section("database", keys)?;
    let default = DatabaseConfig::default();
    Ok(DatabaseConfig {
        url: section.optional("url", postgres_url)?,
        direct_url: section.optional("directUrl", postgres_url)?,
        schema: section.or("schema", default.schema, schema)?,
        pool_size: section.or("poolSize", default.pool_size, whole(1, 1_000))?,
        pooled: section.optional("pooled", flag)?,
        statement_timeout: section.or(
            "statementTimeout",
            default.statement_timeout,
            duration(1.0, LONGEST_TIMER_MS),
        )?,
        connect_timeout: section.or("connectTimeout", default.connect_timeout, duration(1.0, LONGEST_TIMER_MS))?,
    })
}

fn postgres_url(value: &Value) -> Fit<String> {
    let is_postgres = |url: &&str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    let url = value.as_str().filter(is_postgres).map(str::to_owned);
    url.ok_or_else(|| Misfit::secret(value, "a URL that starts with postgres:// or postgresql://"))
}

fn schema(value: &Value) -> Fit<String> {
    value.as_str().filter(|text| is_schema(text)).map(str::to_owned).ok_or_else(|| {
        let wants = "a schema name: letters, digits and underscores, at most 63, no digit first, not starting with pg_";
        Misfit::new(value, wants)
    })
}

fn is_schema(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let reserved = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("pg_"));
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(fits)
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && !reserved
}

fn features(root: &Section<'_>) -> Result<FeatureFlags> {
    let section = root.section("features", &["enabled", "emailQueue", "campaignProcessing", "smsDrip"])?;
    Ok(FeatureFlags {
        enabled: section.or("enabled", false, flag)?,
        email_queue: section.or("emailQueue", false, flag)?,
        campaign_processing: section.or("campaignProcessing", false, flag)?,
        sms_drip: section.or("smsDrip", false, flag)?,
    })
}

#[cfg(test)]
mod tests;
