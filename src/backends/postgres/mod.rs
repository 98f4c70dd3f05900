//! The backend Postgres (`postgres`, alias `supabase`).
//!
//! SQL is in files, listed in [`sql`]; everything here only brings parameters there and rows back.

pub mod connection;
pub mod migrate;
pub mod store;

mod instants;
mod parameters;
mod rows;
mod sql;
mod transport;

use crate::config::{Config, DatabaseConfig, Retention, RetentionConfig};
use crate::counts::rollup::Rollup;
use crate::counts::totals::TotalRow;
use crate::counts::window::{Counted, Window};
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::store::dead_letters::{Cursor, FailedFilter, FailedPage, Redriven};
use crate::store::executions::{Begun, Execution};
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use crate::transport::{
    Admission, Admitted, Capabilities, CircuitReport, CircuitState, Claim, Claimable, Claimed, Cleaned, DEPTH_CAP,
    Depth, Fence, Known, Listening, Look, Portion, RescueStep, Rescued, Sent, Settlement, Survey, Transport, Unhandled,
    Vitals, WorkerId,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connection::listener::Listener;
use connection::pool::{Database, Query};
use parameters::millis;
use parameters::rollups_as_json;
use sql::{Statement, Statements};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use transport::floors::AllFloors;
use uuid::Uuid;

/// Messages in Postgres.
pub struct PostgresTransport {
    name: Arc<str>,
    database: Arc<Database>,
    statements: Arc<Statements>,
    retention: RetentionConfig,
    max_crashes: i32,
    listen_to: DatabaseConfig,
    floors: Mutex<AllFloors>,
}

/// A transport as a row of `messenger_transports` describes it.
#[derive(Debug, Clone)]
pub struct TransportRow {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its configuration, JSON text.
    pub config: String,
    /// Whether it may be used.
    pub enabled: bool,
}

impl PostgresTransport {
    /// A transport over a pool.
    pub fn new(name: Arc<str>, database: Arc<Database>, config: &Config) -> Self {
        let statements = Arc::new(Statements::new(&database.schema));
        let (retention, listen_to) = (config.retention.clone(), config.database.clone());
        let max_crashes = i32::from(config.worker.max_crashes);
        Self { name, database, statements, retention, max_crashes, listen_to, floors: Mutex::default() }
    }

    /// The rows of `messenger_transports`.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn transport_rows(&self) -> Result<Vec<TransportRow>> {
        let rows = self.database.look(&self.statements.transports, &[]).await?;
        let read = |row: &Row| {
            Ok(TransportRow {
                name: row.try_get(0)?,
                kind: row.try_get(1)?,
                config: row.try_get(2)?,
                enabled: row.try_get(3)?,
            })
        };
        self.read(&self.statements.transports, &rows, read)
    }

    /// The facts for a diagnosis, see doctor.sql.
    ///
    /// # Errors
    /// As [`Database::query`]; [`Error::Serialization`] if they have another shape.
    pub async fn facts<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        let statement = &self.statements.doctor;
        let RetentionConfig { completed, failed, metrics, .. } = &self.retention;
        let [completed, failed, metrics] = [completed, failed, metrics].map(kept_ms);
        let rows = self.query(statement, &[&completed, &failed, &metrics]).await?;
        let facts = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        serde_json::from_str(&facts).map_err(|error| Error::Serialization { what: "facts", reason: error.to_string() })
    }

    async fn query(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.database.query(statement, parameters).await
    }

    /// As `query`, for people, see [`Database::ask`].
    async fn ask(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.database.ask(statement, parameters).await
    }

    /// Turns rows into values; a column of another type than expected is an older or newer schema.
    fn read<T>(
        &self,
        statement: &Statement,
        rows: &[Row],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>> {
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| Error::MigrationMissing {
            schema: self.database.schema.clone(),
            reason: format!("{} answered with {error}", statement.name),
        })
    }

    fn read_rescued(&self, rows: &[Row]) -> Result<Rescued> {
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<_, String>(2)?));
        let Some((workers, returned, buried)) = self.read(&self.statements.rescue, rows, read)?.pop() else {
            return Ok(Rescued::default());
        };
        let buried = serde_json::from_str(&buried)
            .map_err(|error| Error::Serialization { what: "burials", reason: error.to_string() })?;
        Ok(Rescued { workers: rows::count(workers), returned: rows::count(returned), buried })
    }

    async fn count(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        Ok(self.query(statement, parameters).await?.len() as u64)
    }
}

#[async_trait]
impl Transport for PostgresTransport {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn store(&self) -> String {
        format!("postgres:{}:{}", self.database.label, self.database.schema)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { stores: true, dead_letters: true }
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        self.send_batch(envelopes).await
    }

    fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Option<Box<dyn Listening>> {
        let subscription = Listener::subscribe(&self.listen_to, self.name.clone(), wake).ok().flatten()?;
        Some(Box::new(subscription))
    }

    async fn survey(&self, names: &[Arc<str>], claimable: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look> {
        let statement = &self.statements.survey;
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let Claimable { queues, types } = claimable;
        let RescueStep { by, portion: Portion { limit, skip } } = rescue.unwrap_or(RescueStep::WIDE);
        let [limit, skip] = [limit, skip].map(messages);
        let both: [Query<'_>; 2] = [
            (&self.statements.rescue, &[&self.max_crashes, &by, &limit, &skip]),
            (statement, &[&names, &queues, &types]),
        ];
        let mut answers = self.database.query_each(&both[usize::from(rescue.is_none())..]).await?;
        let rows = answers.pop().unwrap_or_else(|| Ok(Vec::new()))?;
        if let Some(version) = self.read(statement, &rows, |row| row.try_get("version"))?.first() {
            migrate::require(*version, &self.database.schema)?;
        }
        let survey = |row: &Row| Ok(Survey { queues: row.try_get(0)?, suspects: row.try_get(1)? });
        let surveys = self.read(statement, &rows, survey)?;
        let rescued = answers.pop().map(|answer| self.read_rescued(&answer?));
        Ok(Look { surveys, rescued })
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        self.claim_batch(claim).await
    }

    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
        self.claim_one_suspect(claim).await
    }

    async fn settle_counted(&self, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>> {
        self.settle_all(settlements, rollups).await
    }

    async fn has_counted(&self, rollups: &[Rollup]) -> Result<bool> {
        let statement = &self.statements.has_counted;
        let rows = self.query(statement, &[&rollups_as_json(&self.name, rollups)]).await?;
        Ok(self.read(statement, &rows, |row| row.try_get::<_, Option<bool>>(0))?.first() == Some(&Some(true)))
    }

    async fn counted(&self, window: &Window) -> Result<Counted> {
        self.read_counted(window).await
    }

    async fn ever_counted(&self) -> Result<Vec<TotalRow>> {
        self.read_ever_counted().await
    }

    async fn circuits(&self, worker: Uuid, reports: &[CircuitReport]) -> Result<Option<Vec<CircuitState>>> {
        self.exchange_circuits(worker, reports).await.map(Some)
    }

    async fn admit(&self, asked: &Admission) -> Result<Option<Admitted>> {
        self.admit_notification(asked).await.map(Some)
    }

    async fn vitals(&self) -> Result<Vitals> {
        self.read_vitals().await
    }

    async fn reconcile(&self, worker: &WorkerId, known: &Known, portion: Portion) -> Result<usize> {
        let Known { tokens, before } = known;
        let [limit, skip] = [portion.limit, portion.skip].map(messages);
        let statement = &self.statements.reconcile;
        let rows = self.query(statement, &[&worker.id, &tokens, before, &limit, &skip]).await?;
        self.lower_floors(&self.read(statement, &rows, rows::returned)?);
        Ok(rows.len())
    }

    async fn extend(&self, worker: &WorkerId, in_flight: usize) -> Result<Option<DateTime<Utc>>> {
        let in_flight = i32::try_from(in_flight).unwrap_or(i32::MAX);
        let statement = &self.statements.extend;
        // A beat is due three times per lease: one that is given up leaves time for the next.
        let limit = worker.lease / 6;
        let rows = self.database.beat(statement, &[&worker.id, &millis(worker.lease), &in_flight], limit).await?;
        Ok(self.read(statement, &rows, |row| row.try_get(0))?.into_iter().next())
    }

    async fn lost(&self, held: &[(Uuid, Uuid)]) -> Result<Vec<Uuid>> {
        let (ids, tokens): (Vec<Uuid>, Vec<Uuid>) = held.iter().copied().unzip();
        let statement = &self.statements.lost;
        let rows = self.query(statement, &[&ids, &tokens]).await?;
        self.read(statement, &rows, |row| row.try_get(0))
    }

    async fn absolve(&self, worker: Uuid) -> Result<u64> {
        self.count(&self.statements.absolve, &[&worker]).await
    }

    async fn rescue_step(&self, RescueStep { by, portion: Portion { limit, skip } }: RescueStep) -> Result<Rescued> {
        let [limit, skip] = [limit, skip].map(messages);
        let rows = self.query(&self.statements.rescue, &[&self.max_crashes, &by, &limit, &skip]).await?;
        self.read_rescued(&rows)
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        self.query(&self.statements.sign_off, &[&worker.id]).await.map(drop)
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        let statement = &self.statements.depth;
        let rows = self.ask(statement, &[&&*self.name, &DEPTH_CAP]).await?;
        self.read(statement, &rows, rows::depth)
    }

    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>> {
        let statement = &self.statements.unhandled;
        let rows = self.ask(statement, &[&&*self.name, &types, &DEPTH_CAP]).await?;
        let read = |row: &Row| {
            Ok(Unhandled { message_type: row.try_get(0)?, queue: row.try_get(1)?, count: rows::count(row.try_get(2)?) })
        };
        self.read(statement, &rows, read)
    }

    async fn duplicate_attempts(&self, key: &str) -> Result<u64> {
        let statement = &self.statements.duplicate_attempts;
        let rows = self.ask(statement, &[&key]).await?;
        let counts = self.read(statement, &rows, |row| row.try_get::<_, i32>(0))?;
        Ok(counts.first().copied().map_or(0, |it| rows::count(i64::from(it))))
    }

    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        self.page_of_letters(filter).await
    }

    async fn failed_places(&self, filter: &FailedFilter) -> Result<Vec<Cursor>> {
        self.places_of_letters(filter).await
    }

    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        self.count_letters(filter).await
    }

    async fn list_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        self.page_of_messages(filter).await
    }

    async fn get_message(&self, id: Uuid) -> Result<Option<KeptMessage>> {
        self.one_message(id).await
    }

    async fn cancel(&self, id: Uuid) -> Result<Option<(bool, MessageStatus)>> {
        self.cancel_message(id).await
    }

    async fn totals(&self, transport: Option<&str>) -> Result<Totals> {
        self.count_totals(transport).await
    }

    async fn begin_execution(&self, execution: &Execution) -> Result<Begun> {
        let Execution { route, id, lease } = execution;
        let statement = &self.statements.begin_execution;
        let rows = self.query(statement, &[route, id, &millis(*lease)]).await?;
        let found = self.read(statement, &rows, |row| rows::begun(row, *lease))?;
        Ok(found.into_iter().next().unwrap_or(Begun::Busy(*lease)))
    }

    async fn end_execution(&self, execution: &Execution, token: i64, done: bool) -> Result<bool> {
        let begun = DateTime::from_timestamp_micros(token);
        let Execution { route, id, .. } = execution;
        Ok(self.count(&self.statements.end_execution, &[route, id, &begun, &done]).await? > 0)
    }

    async fn redrive(&self, failed: &[Uuid]) -> Result<Vec<Redriven>> {
        let new_ids: Vec<Uuid> = failed.iter().map(|_| Uuid::now_v7()).collect();
        let statement = &self.statements.redrive;
        let rows = self.ask(statement, &[&failed, &new_ids]).await?;
        let read = |row: &Row| {
            Ok(Redriven { message_id: row.try_get(0)?, failed_message_id: row.try_get(1)?, transport: row.try_get(2)? })
        };
        self.read(statement, &rows, read)
    }

    async fn remove_failed(&self, failed: &[Uuid]) -> Result<u64> {
        Ok(self.ask(&self.statements.remove_failed, &[&failed]).await?.len() as u64)
    }

    async fn cleanup(&self, limit: u32) -> Result<Cleaned> {
        let limit = i64::from(limit);
        let statements = &self.statements;
        let schedules = finished_schedules(&self.retention);
        let [completed, failed, schedules, metrics] =
            [&self.retention.completed, &self.retention.failed, &schedules, &self.retention.metrics].map(kept_ms);
        let answers = self
            .database
            .query_all(&[
                (&statements.merge_metrics, &[&limit]),
                (&statements.cleanup_notifications, &[&limit]),
                (&statements.cleanup_finished, &[&completed, &limit]),
                (&statements.cleanup_failed, &[&failed, &limit]),
                (&statements.cleanup_deduplication, &[&limit]),
                (&statements.cleanup_schedules, &[&schedules, &limit]),
                (&statements.cleanup_metrics, &[&metrics, &limit]),
                (&statements.cleanup_executions, &[&limit]),
            ])
            .await?;
        let mut counts = answers.iter().map(|rows| rows.len() as u64);
        let [_merged, _notifications, completed, failed, deduplication, schedules, metrics, executions] =
            std::array::from_fn(|_| counts.next().unwrap_or_default());
        Ok(Cleaned { completed, failed, deduplication, schedules, metrics, executions })
    }
}

/// How long something is kept; `None`, which no age exceeds: forever, or not at all.
fn kept_ms(retention: &Retention) -> Option<f64> {
    if let Retention::For(kept) = retention { Some(millis(*kept)) } else { None }
}

/// Schedules without a run left stay as long as finished messages do, at least a day, so that people can find them.
fn finished_schedules(retention: &RetentionConfig) -> Retention {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    match retention.completed {
        Retention::Forever => Retention::Forever,
        Retention::None => Retention::For(DAY),
        Retention::For(kept) => Retention::For(kept.max(DAY)),
    }
}

/// A number of messages; two of them can be added.
fn messages(count: usize) -> i64 {
    i64::from(i32::try_from(count).unwrap_or(i32::MAX))
}
