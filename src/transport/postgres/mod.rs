//! The Postgres transport (`postgres`, alias `supabase`). SQL stands in files named like the statement; this file
//! only brings parameters there and rows back.

pub mod database;
pub mod listener;
pub mod migrate;
pub mod url;

mod failure;
mod floors;
mod rows;
mod statement;
mod tls;

use super::failed::{FailedFilter, FailedPage, Redriven};
use super::{
    Capabilities, Claim, Claimed, Cleaned, DEPTH_CAP, Depth, Listening, MAX_CRASHES, Outcome, Rescued, Sent,
    Settlement, Survey, Transport, Unhandled, WorkerId,
};
use crate::config::{Config, DatabaseConfig, Retention, RetentionConfig};
use crate::envelope::{Available, Envelope};
use crate::error::{Error, Result};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use floors::Floors;
use listener::Listener;
use statement::{Statement, Statements};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Messages in Postgres.
pub struct PostgresTransport {
    name: Arc<str>,
    database: Arc<Database>,
    statements: Arc<Statements>,
    retention: RetentionConfig,
    listen_to: DatabaseConfig,
    /// By the types that a claim asks for: what one kind of claim has passed over, another may want.
    floors: Mutex<HashMap<Option<Vec<String>>, Floors>>,
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
        Self { name, database, statements, retention, listen_to, floors: Mutex::default() }
    }

    /// The rows of `messenger_transports`.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn transport_rows(&self) -> Result<Vec<TransportRow>> {
        let rows = self.query(&self.statements.transports, &[]).await?;
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
    /// As [`Database::query`]; [`Error::Serialization`] when they are of another shape.
    pub async fn facts<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        let statement = &self.statements.doctor;
        let rows = self.query(statement, &[]).await?;
        let facts = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        serde_json::from_str(&facts).map_err(|error| Error::Serialization { what: "facts", reason: error.to_string() })
    }

    async fn query(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.database.query(statement, parameters).await
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

    async fn send_plain(&self, columns: &Columns<'_>) -> Result<DateTime<Utc>> {
        let statement = &self.statements.send;
        let rows = self.query(statement, &columns.parameters()).await?;
        let now = self.read(statement, &rows, |row| row.try_get(0))?;
        Ok(now.first().copied().unwrap_or_else(Utc::now))
    }

    async fn send_keyed(&self, columns: &Columns<'_>, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        let keys = envelopes.iter().map(|it| it.key.as_ref());
        let names: Vec<Option<&str>> = keys.clone().map(|key| key.map(|it| it.key.as_str())).collect();
        let windows: Vec<Option<f64>> = keys.clone().map(|key| key.map(|it| millis(it.window))).collect();
        let repeats: Vec<i32> =
            keys.map(|key| key.map_or(0, |it| i32::try_from(it.repeats).unwrap_or(i32::MAX))).collect();
        let mut parameters = columns.parameters().to_vec();
        parameters.extend_from_slice(&[&names, &windows, &repeats]);
        let statement = &self.statements.send_keyed;
        let rows = self.query(statement, &parameters).await?;
        let holders: HashMap<Uuid, (Uuid, DateTime<Utc>)> = self
            .read(statement, &rows, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))))?
            .into_iter()
            .collect();
        let answer = |envelope: &Envelope| match holders.get(&envelope.id) {
            Some(&(holder, now)) if holder == envelope.id => queued(envelope, now),
            Some(&(holder, _)) => Sent::Duplicate { of: holder },
            None => Sent::Failed(Error::Serialization {
                what: "send_keyed",
                reason: format!("no answer for message {}", envelope.id),
            }),
        };
        Ok(envelopes.iter().map(answer).collect())
    }

    /// Claims, and says whether everything was read.
    async fn claim_above_floors(&self, claim: &Claim<'_>) -> Result<(Vec<Claimed>, bool)> {
        let began = Instant::now();
        let (queues, priorities) = lanes(claim.queues);
        let (floors, floor_ids) = self.floors(claim.types, |it| it.columns(&queues, &priorities, began));
        let read_all = floors.iter().all(Option::is_none);
        let statement = &self.statements.claim;
        let rows = self
            .query(
                statement,
                &[
                    &claim.worker.id,
                    &claim.worker.host,
                    &claim.worker.pid,
                    &millis(claim.worker.lease),
                    &claim.token,
                    &queues,
                    &priorities,
                    &claim.types,
                    &i64::try_from(claim.limit).unwrap_or(i64::MAX),
                    &&*self.name,
                    &floors,
                    &floor_ids,
                    &claim.listening,
                ],
            )
            .await?;
        let mut claimed = self.read(statement, &rows, |row| rows::claimed(row, claim.token))?;
        self.floors(claim.types, |it| it.learn(&claimed, read_all, began, Instant::now()));
        in_order(&mut claimed, claim.queues);
        Ok((claimed, read_all))
    }

    fn floors<T>(&self, types: Option<&[String]>, with: impl FnOnce(&mut Floors) -> T) -> T {
        let mut floors = self.floors.lock().unwrap_or_else(PoisonError::into_inner);
        with(floors.entry(types.map(<[String]>::to_vec)).or_default())
    }

    /// Applies the outcomes of one kind with one statement, and notes the ids whose fence still held.
    async fn settle_kind(
        &self,
        held: &mut Vec<Uuid>,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<()> {
        let rows = self.query(statement, parameters).await?;
        held.extend(self.read(statement, &rows, |row| row.try_get::<_, Uuid>(0))?);
        Ok(())
    }

    async fn settle_ended(&self, held: &mut Vec<Uuid>, ended: &[&Settlement]) -> Result<()> {
        let (ids, tokens) = fences(ended);
        if matches!(self.retention.completed, Retention::None) {
            return self.settle_kind(held, &self.statements.settle_drop, &[&ids, &tokens]).await;
        }
        let (statuses, reasons): (Vec<&str>, Vec<Option<&str>>) = ended
            .iter()
            .map(|it| match &it.outcome {
                Outcome::Discarded { reason } => ("discarded", Some(reason.as_str())),
                _ => ("completed", None),
            })
            .unzip();
        self.settle_kind(held, &self.statements.settle_finish, &[&ids, &tokens, &statuses, &reasons]).await
    }

    async fn settle_returned(&self, held: &mut Vec<Uuid>, returned: &[&Settlement]) -> Result<()> {
        let (ids, tokens) = fences(returned);
        let rows: Vec<_> = returned.iter().map(|it| Returned::of(&it.outcome)).collect();
        let attempts: Vec<i32> = rows.iter().map(|it| i32::from(it.failure.is_some())).collect();
        let delays: Vec<Option<f64>> = rows.iter().map(|it| it.delay.map(millis)).collect();
        let errors: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.message))).collect();
        let classes: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.class))).collect();
        let handled: Vec<Option<String>> = rows.iter().map(|it| names(it.handled)).collect();
        self.settle_kind(
            held,
            &self.statements.settle_return,
            &[&ids, &tokens, &attempts, &delays, &errors, &classes, &handled],
        )
        .await
    }

    /// Some messages are back in their old place, where no claim of this process would look soon.
    fn drop_floors(&self) {
        let mut floors = self.floors.lock().unwrap_or_else(PoisonError::into_inner);
        floors.values_mut().for_each(Floors::drop_all);
    }

    async fn settle_buried(&self, held: &mut Vec<Uuid>, buried: &[&Settlement]) -> Result<()> {
        let (ids, tokens) = fences(buried);
        let new_ids: Vec<Uuid> = buried.iter().map(|_| Uuid::now_v7()).collect();
        let rows: Vec<_> = buried.iter().map(|it| Returned::of(&it.outcome)).collect();
        let errors: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.message))).collect();
        let classes: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.class))).collect();
        let handled: Vec<Option<String>> = rows.iter().map(|it| names(it.handled)).collect();
        self.settle_kind(held, &self.statements.settle_bury, &[&ids, &tokens, &new_ids, &errors, &classes, &handled])
            .await
    }

    async fn delete_past(&self, retention: &Retention, statement: &Statement, limit: i64) -> Result<u64> {
        let Retention::For(kept) = retention else { return Ok(0) };
        self.count(statement, &[&millis(*kept), &limit]).await
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
        Capabilities { stores: true, delays: true, dead_letters: true, deduplicates: true }
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        if envelopes.is_empty() {
            return Ok(Vec::new());
        }
        let columns = Columns::of(envelopes);
        if envelopes.iter().any(|it| it.key.is_some()) {
            return self.send_keyed(&columns, envelopes).await;
        }
        let now = self.send_plain(&columns).await?;
        Ok(envelopes.iter().map(|envelope| queued(envelope, now)).collect())
    }

    fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Option<Box<dyn Listening>> {
        let subscription = Listener::subscribe(&self.listen_to, self.name.clone(), wake).ok().flatten()?;
        Some(Box::new(subscription))
    }

    async fn survey(&self) -> Result<Survey> {
        let statement = &self.statements.survey;
        let rows = self.query(statement, &[&&*self.name]).await?;
        let read = |row: &Row| Ok(Survey { queues: row.try_get(0)?, suspects: row.try_get(1)? });
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        let (claimed, read_all) = self.claim_above_floors(claim).await?;
        if claimed.is_empty() && !read_all && claim.exhaustive {
            self.floors(claim.types, Floors::drop_all);
            return Ok(self.claim_above_floors(claim).await?.0);
        }
        Ok(claimed)
    }

    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
        let queues = Some(claim.queues).filter(|queues| !queues.is_empty());
        let statement = &self.statements.claim_suspect;
        let rows = self
            .query(
                statement,
                &[
                    &claim.worker.id,
                    &claim.worker.host,
                    &claim.worker.pid,
                    &millis(claim.worker.lease),
                    &claim.token,
                    &queues,
                    &claim.types,
                    &&*self.name,
                ],
            )
            .await?;
        Ok(self.read(statement, &rows, |row| rows::claimed(row, claim.token))?.into_iter().next())
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Uuid>> {
        let (mut ended, mut returned, mut buried) = (Vec::new(), Vec::new(), Vec::new());
        for settlement in settlements {
            match settlement.outcome {
                Outcome::Completed | Outcome::Discarded { .. } => ended.push(settlement),
                Outcome::Retry { .. } | Outcome::Snooze { .. } | Outcome::Release { .. } => returned.push(settlement),
                Outcome::Bury { .. } => buried.push(settlement),
            }
        }
        let mut held = Vec::with_capacity(settlements.len());
        if !ended.is_empty() {
            self.settle_ended(&mut held, &ended).await?;
        }
        if !returned.is_empty() {
            self.settle_returned(&mut held, &returned).await?;
            if returned.iter().any(|it| matches!(it.outcome, Outcome::Release { delay: None, .. })) {
                self.drop_floors();
            }
        }
        if !buried.is_empty() {
            self.settle_buried(&mut held, &buried).await?;
        }
        if held.len() == settlements.len() {
            return Ok(Vec::new());
        }
        let held: std::collections::HashSet<Uuid> = held.into_iter().collect();
        Ok(settlements.iter().map(|it| it.id).filter(|id| !held.contains(id)).collect())
    }

    async fn forget(&self, worker: &WorkerId, token: Uuid) -> Result<()> {
        self.query(&self.statements.forget_claim, &[&worker.id, &token]).await.map(drop)
    }

    async fn extend(&self, worker: &WorkerId, in_flight: usize) -> Result<bool> {
        let in_flight = i32::try_from(in_flight).unwrap_or(i32::MAX);
        let rows = self.query(&self.statements.extend, &[&worker.id, &millis(worker.lease), &in_flight]).await?;
        Ok(!rows.is_empty())
    }

    async fn rescue(&self) -> Result<Rescued> {
        let statement = &self.statements.rescue;
        let rows = self.query(statement, &[&i32::from(MAX_CRASHES)]).await?;
        let read = |row: &Row| {
            Ok(Rescued {
                workers: rows::count(row.try_get(0)?),
                returned: rows::count(row.try_get(1)?),
                buried: rows::count(row.try_get(2)?),
            })
        };
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        self.query(&self.statements.sign_off, &[&worker.id]).await.map(drop)
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        let statement = &self.statements.depth;
        let rows = self.query(statement, &[&&*self.name, &DEPTH_CAP]).await?;
        self.read(statement, &rows, rows::depth)
    }

    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>> {
        let statement = &self.statements.unhandled;
        let rows = self.query(statement, &[&&*self.name, &types, &DEPTH_CAP]).await?;
        let read = |row: &Row| {
            Ok(Unhandled { message_type: row.try_get(0)?, queue: row.try_get(1)?, count: rows::count(row.try_get(2)?) })
        };
        self.read(statement, &rows, read)
    }

    async fn duplicate_attempts(&self, key: &str) -> Result<u64> {
        let statement = &self.statements.duplicate_attempts;
        let rows = self.query(statement, &[&key]).await?;
        let counts = self.read(statement, &rows, |row| row.try_get::<_, i32>(0))?;
        Ok(counts.first().copied().map_or(0, |it| rows::count(i64::from(it))))
    }

    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        let after = filter.after()?;
        let (after_at, after_id) = (after.map(|it| it.failed_at), after.map(|it| it.id));
        let statement = &self.statements.list_failed;
        let rows = self
            .query(
                statement,
                &[
                    &filter.r#type,
                    &filter.transport,
                    &filter.queue,
                    &filter.error_class,
                    &filter.text,
                    &filter.failed_after,
                    &filter.failed_before,
                    &filter.ids,
                    &after_at,
                    &after_id,
                    &(i64::from(filter.page_size()) + 1),
                ],
            )
            .await?;
        Ok(FailedPage::of(self.read(statement, &rows, rows::failed)?, filter.page_size()))
    }

    async fn redrive(&self, failed: &[Uuid]) -> Result<Vec<Redriven>> {
        let new_ids: Vec<Uuid> = failed.iter().map(|_| Uuid::now_v7()).collect();
        let statement = &self.statements.redrive;
        let rows = self.query(statement, &[&failed, &new_ids]).await?;
        let read = |row: &Row| {
            Ok(Redriven { message_id: row.try_get(0)?, failed_message_id: row.try_get(1)?, transport: row.try_get(2)? })
        };
        self.read(statement, &rows, read)
    }

    async fn remove_failed(&self, failed: &[Uuid]) -> Result<u64> {
        self.count(&self.statements.remove_failed, &[&failed]).await
    }

    async fn cleanup(&self, limit: u32) -> Result<Cleaned> {
        let limit = i64::from(limit);
        let statements = &self.statements;
        Ok(Cleaned {
            completed: self.delete_past(&self.retention.completed, &statements.cleanup_finished, limit).await?,
            failed: self.delete_past(&self.retention.failed, &statements.cleanup_failed, limit).await?,
            deduplication: self.count(&statements.cleanup_deduplication, &[&limit]).await?,
        })
    }
}

/// A batch as columns: one array a parameter, whatever the number of messages.
struct Columns<'a> {
    ids: Vec<Uuid>,
    types: Vec<&'a str>,
    transports: Vec<&'a str>,
    queues: Vec<&'a str>,
    priorities: Vec<i16>,
    max_retries: Vec<Option<i32>>,
    scheduled: Vec<Option<DateTime<Utc>>>,
    delays: Vec<Option<f64>>,
    bodies: Vec<&'a str>,
    headers: Vec<Option<&'a str>>,
    metadata: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(envelopes: &'a [Envelope]) -> Self {
        let all = envelopes.iter();
        let at = |it: &Envelope| if let Available::At(at) = it.available { Some(at) } else { None };
        let after = |it: &Envelope| if let Available::After(delay) = it.available { Some(millis(delay)) } else { None };
        Self {
            ids: all.clone().map(|it| it.id).collect(),
            types: all.clone().map(|it| &*it.message_type).collect(),
            transports: all.clone().map(|it| &*it.transport).collect(),
            queues: all.clone().map(|it| &*it.queue).collect(),
            priorities: all.clone().map(|it| i16::from(it.priority)).collect(),
            max_retries: all.clone().map(|it| it.max_retries.map(|n| i32::try_from(n).unwrap_or(i32::MAX))).collect(),
            scheduled: all.clone().map(at).collect(),
            delays: all.clone().map(after).collect(),
            bodies: all.clone().map(|it| &*it.body).collect(),
            headers: all.clone().map(|it| it.headers.as_deref()).collect(),
            metadata: all.map(|it| it.metadata.as_deref()).collect(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 11] {
        [
            &self.ids,
            &self.types,
            &self.transports,
            &self.queues,
            &self.priorities,
            &self.max_retries,
            &self.scheduled,
            &self.delays,
            &self.bodies,
            &self.headers,
            &self.metadata,
        ]
    }
}

/// What settle_return.sql and settle_bury.sql need of an outcome.
struct Returned<'a> {
    delay: Option<Duration>,
    failure: Option<&'a super::Failure>,
    handled: &'a [String],
}

impl<'a> Returned<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Retry { delay, failure, handled } => Self { delay: Some(*delay), failure: Some(failure), handled },
            Outcome::Bury { failure, handled } => Self { delay: None, failure: Some(failure), handled },
            Outcome::Snooze { delay, handled } => Self { delay: Some(*delay), failure: None, handled },
            Outcome::Release { delay, handled } => Self { delay: *delay, failure: None, handled },
            Outcome::Completed | Outcome::Discarded { .. } => Self { delay: None, failure: None, handled: &[] },
        }
    }
}

/// One lane a priority and queue: priorities from 10 down, the queues in their order inside each.
fn lanes(queues: &[String]) -> (Vec<&str>, Vec<i16>) {
    (1..=10).rev().flat_map(|priority| queues.iter().map(move |queue| (queue.as_str(), priority))).unzip()
}

/// The order in which messages are to be started; RETURNING has none.
fn in_order(claimed: &mut [Claimed], queues: &[String]) {
    let place = |queue: &str| queues.iter().position(|it| it == queue);
    claimed.sort_by(|a, b| {
        (b.priority.cmp(&a.priority))
            .then_with(|| place(&a.queue).cmp(&place(&b.queue)))
            .then_with(|| (a.available_at, a.id).cmp(&(b.available_at, b.id)))
    });
}

fn fences(settlements: &[&Settlement]) -> (Vec<Uuid>, Vec<Uuid>) {
    settlements.iter().map(|it| (it.id, it.token)).unzip()
}

/// Handler names as a JSON array; `None`: as they are stored.
fn names(handled: &[String]) -> Option<String> {
    let known = (!handled.is_empty()).then(|| serde_json::to_string(handled).ok());
    known.flatten().map(|json| json.replace("\\u0000", ""))
}

/// Text that Postgres can hold: an error's message may well carry a NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn queued(envelope: &Envelope, now: DateTime<Utc>) -> Sent {
    let available_at = match envelope.available {
        Available::Now => now,
        Available::At(at) => at,
        Available::After(delay) => {
            TimeDelta::from_std(delay).ok().and_then(|it| now.checked_add_signed(it)).unwrap_or(now)
        }
    };
    Sent::Queued { available_at }
}
