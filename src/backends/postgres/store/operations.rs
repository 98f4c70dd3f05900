//! Operations in steps, and the audit.

use super::PostgresStore;
use crate::backends::postgres::instants::Shown;
use crate::backends::postgres::rows;
use crate::backends::postgres::search::paths;
use crate::backends::postgres::sql::Statement;
use crate::config::Retention;
use crate::error::{Error, Result};
use crate::store::controls::Because;
use crate::store::dead_letters::{Cursor, Moment};
use crate::store::messages::{MessageFilter, SCAN};
use crate::store::operations::{Action, AuditFilter, AuditPage, Begin, Entry, Operations, Touched, Turn, Waiting};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The columns of audit/list.sql after those of an entry: where it has stopped to look.
const REACH: [usize; 2] = [17, 18];

#[async_trait]
impl Operations for PostgresStore {
    async fn clock(&self) -> Result<DateTime<Utc>> {
        let statement = &self.statements.clock;
        let rows = self.ask(statement, &[]).await?;
        let now = self.read(statement, &rows, |row| row.try_get(0))?.into_iter().next();
        now.ok_or(Error::Internal { what: "the database did not say what time it is" })
    }

    async fn begin(&self, Begin { id, target, because, matched }: &Begin<'_>) -> Result<Option<Entry>> {
        let statement = &self.statements.begin_operation;
        let text = serde_json::to_string(target)
            .map_err(|error| Error::Serialization { what: "operation", reason: error.to_string() })?;
        let Because { actor, reason, role } = because;
        let matched = matched.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
        let rows = self.ask(statement, &[id, actor, &target.operation.name(), &text, reason, &matched, role]).await?;
        self.one_entry(statement, &rows)
    }

    async fn entry(&self, id: Uuid) -> Result<Option<Entry>> {
        let statement = &self.statements.audit_entry;
        let rows = self.ask(statement, &[&id]).await?;
        self.one_entry(statement, &rows)
    }

    async fn audit(&self, filter: &AuditFilter) -> Result<AuditPage> {
        let statement = &self.statements.list_audit;
        let AuditFilter { actor, action, after, before, .. } = filter;
        let cursor = filter.after_cursor()?;
        let (at, id) = (cursor.map(|it| it.failed_at), cursor.map(|it| it.id));
        let size = i64::from(filter.page_size());
        let rows = self.ask(statement, &[actor, action, after, before, &at, &id, &size, &SCAN]).await?;
        let reached = self.read(statement, rows.get(..1).unwrap_or_default(), |row| place(row, REACH))?;
        let places = self.read(statement, &rows, |row| place(row, [1, 0]))?;
        let entries: Vec<Entry> = self.read(statement, &rows, entry)?.into_iter().flatten().collect();
        let full = entries.len() >= filter.page_size() as usize;
        let last = places.into_iter().flatten().last().filter(|_| full);
        let next = last.or(reached.into_iter().flatten().next());
        Ok(AuditPage { entries, next_cursor: next.map(|it| it.to_string()) })
    }

    async fn waiting(&self, filter: &MessageFilter, limit: usize) -> Result<Waiting> {
        let query = filter.search()?;
        let (least, before) = filter.ids(&query)?;
        if !filter.statuses(&query).contains(&"pending") {
            return Ok(Waiting::default());
        }
        let statement = &self.statements.message_places;
        let MessageFilter { transport, queue, r#type, priority, text, created_after, created_before, .. } = filter;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .ask(
                statement,
                &[
                    &"pending",
                    transport,
                    queue,
                    r#type,
                    priority,
                    text,
                    created_after,
                    created_before,
                    &least,
                    &before,
                    &SCAN,
                    &limit,
                    &paths(&query),
                ],
            )
            .await?;
        let first = rows.get(..1).unwrap_or_default();
        let reached = self.read(statement, first, |row| row.try_get::<_, Option<Uuid>>(0))?;
        let ids = self.read(statement, &rows, |row| row.try_get::<_, Option<Uuid>>(1))?;
        let ids: Vec<Uuid> = ids.into_iter().flatten().collect();
        let full = i64::try_from(ids.len()).is_ok_and(|found| found >= limit);
        let reached = if full { ids.last().copied() } else { reached.into_iter().flatten().next() };
        Ok(Waiting { ids, reached })
    }

    async fn act(&self, action: &Action, ids: &[Uuid], turn: &Turn) -> Result<Vec<Touched>> {
        let statements = &self.statements;
        match action {
            Action::Retry => {
                let new_ids: Vec<Uuid> = ids.iter().map(|_| Uuid::now_v7()).collect();
                self.step(&statements.retry_letters, ids, turn, &[&new_ids]).await
            }
            Action::Remove => self.step(&statements.remove_letters, ids, turn, &[]).await,
            Action::Cancel => {
                let keep = !matches!(self.retention.completed, Retention::None);
                self.step(&statements.cancel_messages, ids, turn, &[&keep]).await
            }
            Action::Snooze { delay } => self.step(&statements.snooze_messages, ids, turn, &[&(*delay as f64)]).await,
            Action::Move { transport, queue, priority } => {
                self.step(&statements.move_messages, ids, turn, &[transport, queue, priority]).await
            }
        }
    }

    async fn pass(&self, ids: &[Uuid], turn: &Turn, error: Option<&str>) -> Result<()> {
        self.step(&self.statements.pass_messages, ids, turn, &[&error]).await.map(drop)
    }

    async fn abort(&self, id: Uuid) -> Result<Option<Entry>> {
        let statement = &self.statements.abort_operation;
        let rows = self.ask(statement, &[&id]).await?;
        self.one_entry(statement, &rows)
    }
}

impl PostgresStore {
    async fn step(
        &self,
        statement: &Statement,
        ids: &[Uuid],
        Turn { operation, step, cursor, is_last }: &Turn,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Touched>> {
        let turn: [&(dyn ToSql + Sync); 5] = [&ids, operation, step, cursor, is_last];
        let rows = self.ask(statement, &[&turn[..], more].concat()).await?;
        let read =
            |row: &Row| Ok(Touched { id: row.try_get(0)?, message_id: row.try_get(1)?, transport: row.try_get(2)? });
        self.read(statement, &rows, read)
    }

    fn one_entry(&self, statement: &Statement, rows: &[Row]) -> Result<Option<Entry>> {
        Ok(self.read(statement, rows, entry)?.into_iter().flatten().next())
    }
}

/// Where an entry stands.
fn place(row: &Row, [at, id]: [usize; 2]) -> Result<Option<Cursor>, tokio_postgres::Error> {
    let (at, id): (Option<Moment>, Option<Uuid>) = (row.try_get(at)?, row.try_get(id)?);
    Ok(at.zip(id).map(|(failed_at, id)| Cursor { failed_at, id }))
}

/// The columns of audit/_entry.sql.
fn entry(row: &Row) -> Result<Option<Entry>, tokio_postgres::Error> {
    let Some(id) = row.try_get(0)? else { return Ok(None) };
    let count = |index| row.try_get(index).map(rows::count);
    let target: String = row.try_get(4)?;
    Ok(Some(Entry {
        id,
        at: row.try_get::<_, Shown>(1)?.0,
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        target: RawValue::from_string(target).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        reason: row.try_get(5)?,
        matched: row.try_get::<_, Option<i64>>(6)?.map(rows::count),
        done: count(7)?,
        skipped: count(8)?,
        failed: count(9)?,
        steps: row.try_get(10)?,
        cursor: row.try_get(11)?,
        error: row.try_get(12)?,
        updated_at: row.try_get::<_, Shown>(13)?.0,
        ended_at: row.try_get::<_, Shown>(14)?.0,
        ended: row.try_get(15)?,
        role: row.try_get(16)?,
    }))
}
