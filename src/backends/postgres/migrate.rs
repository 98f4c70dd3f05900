//! The migrations: embedded in the binary, the same files that psql can run.
//!
//! A run is one transaction under one advisory lock that ends with it, so that ten processes starting at once
//! apply each migration once, a failure leaves nothing half done, and a transaction pooler may be in between.

use super::connection::failure::Place;
use super::connection::pool::Database;
use super::sql::in_schema;
use crate::base::targets;
use crate::error::{Error, Result};
use crate::store::schema::{Done, Status, Step};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tracing::field::Empty;
use tracing::{Instrument, debug, info_span};

/// One step of the schema.
struct Migration {
    version: i32,
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

macro_rules! migrations {
    ($($version:literal $file:literal,)*) => {
        &[$(Migration {
            version: $version,
            name: $file.split_at("0000_".len()).1,
            up: include_str!(concat!("../../../migrations/", $file, ".up.sql")),
            down: include_str!(concat!("../../../migrations/", $file, ".down.sql")),
        },)*]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "0001_messages",
    2 "0002_transports_and_schedules",
    3 "0003_monitoring",
    4 "0004_security",
    5 "0005_schedules",
    6 "0006_metrics",
    7 "0007_executions",
    8 "0008_holders",
    9 "0009_totals",
    10 "0010_parked",
    11 "0011_held_by_worker",
    12 "0012_operators",
    13 "0013_operations",
    14 "0014_roles",
];

const MIGRATE: &str = "migrate";

/// How long a run waits for a table that others use. Everybody who wants that table waits behind it, and would until a
/// backup has read it: so it gives way, and begins again after a pause, as it does when it meets others in a deadlock.
const PATIENCE: &str = "2s";
const PAUSE: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 10;

/// The newest version this build knows.
pub const LATEST: i32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// The oldest version that this build claims on: each migration adds what some statement of its build uses.
const NEEDED: i32 = LATEST;

/// Refuses to work on a schema that lacks what outcomes are written to.
///
/// # Errors
/// [`Error::MigrationMissing`].
pub(super) fn require(version: i32, schema: &str) -> Result<()> {
    if version >= NEEDED {
        return Ok(());
    }
    let hint = if version == 0 { ", or row level security hides its tables from this role" } else { "" };
    let reason = format!("it is at version {version}, and nothing is claimed below {NEEDED}{hint}");
    Err(Error::MigrationMissing { schema: schema.to_owned(), reason })
}

/// Applies what is missing, up to `to` (`None`: all of it).
///
/// # Errors
/// [`Error::Permission`] if the role may not create, or the server's error; nothing is applied then.
pub async fn up(database: &Database, to: Option<i32>) -> Result<Done> {
    let to = to.unwrap_or(LATEST);
    let chosen = move |current: i32| MIGRATIONS.iter().filter(|it| it.version > current && it.version <= to).collect();
    run(database, MIGRATE, chosen, |it| (it.up, it.version)).await
}

/// Reverts every migration above `to`, newest first. Below 1 the messages are dropped with their tables.
///
/// # Errors
/// As [`up`].
pub async fn down(database: &Database, to: i32) -> Result<Done> {
    let chosen =
        move |current: i32| MIGRATIONS.iter().rev().filter(|it| it.version <= current && it.version > to).collect();
    run(database, "rollback", chosen, |it| (it.down, it.version - 1)).await
}

/// The state of the schema.
///
/// # Errors
/// Those of a statement.
pub async fn status(database: &Database) -> Result<Status> {
    let place = database.place("migration status");
    let client = database.connection(place.operation).await?;
    let version = database.in_time(place.operation, current(&client, place)).await?;
    let pending = MIGRATIONS.iter().filter(|it| it.version > version).map(Migration::step).collect();
    Ok(Status { version, latest: LATEST, pending })
}

/// Covers a run: what it is, how far it came, and how long it took.
async fn run(
    database: &Database,
    operation: &'static str,
    choose: impl Fn(i32) -> Vec<&'static Migration>,
    script: impl Fn(&Migration) -> (&'static str, i32),
) -> Result<Done> {
    let schema = &*database.schema;
    let span = info_span!(target: targets::MIGRATE, "migration", operation, schema, steps = Empty, version = Empty, error = Empty);
    let attempts = async {
        for _ in 1..ATTEMPTS {
            match run_in_order(database, operation, &choose, &script).await {
                Err(error) if gave_way(&error) => {
                    debug!(target: targets::MIGRATE, %error, "a migration gave way to others: again");
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
        run_in_order(database, operation, &choose, &script).await
    };
    let done = attempts.instrument(span.clone()).await;
    match &done {
        Ok(done) => span.record("steps", done.steps.len()).record("version", done.version),
        Err(error) => span.record("error", error.code()),
    };
    done
}

async fn run_in_order(
    database: &Database,
    operation: &'static str,
    choose: impl Fn(i32) -> Vec<&'static Migration>,
    script: impl Fn(&Migration) -> (&'static str, i32),
) -> Result<Done> {
    let place = database.place(operation);
    let mut client = database.connection(operation).await?;
    let transaction = client.transaction().await.map_err(|error| place.driver(&error))?;
    // What the previous run has committed must be visible once the lock is ours, so no earlier snapshot is kept.
    let begin = format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; \
         SET LOCAL client_min_messages = warning; SET LOCAL search_path = pg_catalog, pg_temp; \
         SELECT pg_advisory_xact_lock(hashtextextended('symphony migrations {}', 0)); \
         SET LOCAL lock_timeout = '{PATIENCE}'",
        database.schema.replace('\'', "''")
    );
    transaction.batch_execute(&begin).await.map_err(|error| place.driver(&error))?;
    if operation == MIGRATE {
        refuse_other_encodings(transaction.client(), place).await?;
    }
    let mut version = current(transaction.client(), place).await?;
    let mut steps = Vec::new();
    for migration in choose(version) {
        let (sql, reached) = script(migration);
        transaction
            .batch_execute(&in_schema(sql, &database.schema))
            .await
            .map_err(|error| failed(migration, place.driver(&error)))?;
        debug!(target: targets::MIGRATE, version = migration.version, name = migration.name, "a migration was made");
        steps.push(migration.step());
        version = reached;
    }
    transaction.commit().await.map_err(|error| place.driver(&error))?;
    Ok(Done { steps, version })
}

/// In any other encoding some texts cannot be stored, such as error messages.
async fn refuse_other_encodings(client: &tokio_postgres::Client, place: Place<'_>) -> Result<()> {
    let asked = "SELECT pg_catalog.current_setting('server_encoding')";
    let rows = client.query_typed(asked, &[]).await.map_err(|error| place.driver(&error))?;
    let encoding: Option<String> =
        rows.first().map(|row| row.try_get(0)).transpose().map_err(|error| place.driver(&error))?;
    match encoding {
        Some(encoding) if encoding != "UTF8" => Err(Error::configuration(
            "database.url",
            format!("a database with the encoding {encoding}"),
            "one with the encoding UTF8, which holds every text: \
             CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
        )),
        _ => Ok(()),
    }
}

async fn current(client: &tokio_postgres::Client, place: Place<'_>) -> Result<i32> {
    let driver = |error: tokio_postgres::Error| place.driver(&error);
    let table = format!("\"{}\".messenger_migrations", place.schema.replace('"', "\"\""));
    let known = "SELECT coalesce(pg_catalog.row_security_active(pg_catalog.to_regclass($1)), false), \
                        pg_catalog.to_regclass($1) IS NOT NULL";
    let rows = client.query_typed(known, &[(&table, Type::TEXT)]).await.map_err(driver)?;
    let Some(row) = rows.first() else { return Ok(0) };
    let (hidden, exists): (bool, bool) = (row.try_get(0).map_err(driver)?, row.try_get(1).map_err(driver)?);
    if hidden {
        // Every table would look empty to it, and the first migration would seem missing.
        let reason = format!("row level security hides the tables of schema \"{}\" from this role", place.schema);
        return Err(Error::Permission { reason });
    }
    if !exists {
        return Ok(0);
    }
    let newest = format!("SELECT coalesce(pg_catalog.max(version), 0) FROM {table}");
    let rows = client.query_typed(&newest, &[]).await.map_err(driver)?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose().map_err(driver)?.unwrap_or(0))
}

/// Whether it may succeed when others are through: nothing is applied.
fn gave_way(error: &Error) -> bool {
    let give_way = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    matches!(error, Error::Query { sqlstate, .. } if give_way.iter().any(|it| it.code() == sqlstate))
}

/// Names the migration, if the failure is its own and not the connection's or the role's.
fn failed(migration: &Migration, error: Error) -> Error {
    let in_use = gave_way(&error);
    match error {
        Error::Query { operation, reason, sqlstate, transient } => {
            let hint = if in_use { ": a transaction uses its tables; end it, and migrate again" } else { "" };
            let reason = format!("migration {} ({}): {reason}{hint}", migration.version, migration.name);
            Error::Query { operation, reason, sqlstate, transient }
        }
        other => other,
    }
}

impl Migration {
    fn step(&self) -> Step {
        Step { version: self.version, name: self.name }
    }
}
