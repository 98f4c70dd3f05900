//! Messages as operators ask for them: listed, found, counted, cancelled.

use super::PostgresTransport;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::rows;
use crate::backends::postgres::search::paths;
use crate::backends::postgres::sql::Statement;
use crate::base::limits::DEPTH_CAP;
use crate::config::Retention;
use crate::error::Result;
use crate::message::edit::{Changes, Due};
use crate::store::controls::Because;
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, SCAN, Totals};
use crate::transport::{Inspects, Unhandled};
use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// How often a message that is claimed and put back meanwhile is tried again.
const TRIES: usize = 5;

#[async_trait]
impl Inspects for PostgresTransport {
    async fn list_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        let query = filter.search()?;
        let (least, before) = filter.ids(&query)?;
        let statement = &self.store.statements.list_messages;
        let rows = self
            .store
            .ask(
                statement,
                &[
                    &filter.statuses(&query),
                    &filter.transport,
                    &filter.queue,
                    &filter.r#type,
                    &filter.priority,
                    &filter.text,
                    &filter.created_after,
                    &filter.created_before,
                    &least,
                    &before,
                    &SCAN,
                    &(i64::from(filter.page_size()) + 1),
                    &paths(&query),
                    &filter.full,
                ],
            )
            .await?;
        let ends = self.store.read(statement, &rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let (reached, cut): (Option<Uuid>, Option<bool>) = ends.into_iter().next().unwrap_or_default();
        let messages = self.store.read(statement, &rows, rows::message)?.into_iter().flatten().collect();
        Ok(MessagePage::of(messages, filter.page_size(), cut.unwrap_or_default(), reached))
    }

    async fn get_message(&self, id: Uuid) -> Result<Option<KeptMessage>> {
        let statement = &self.store.statements.get_message;
        let rows = self.store.ask(statement, &[&id]).await?;
        Ok(self.store.read(statement, &rows, rows::message)?.into_iter().flatten().next())
    }

    async fn cancel(&self, id: Uuid, because: &Because) -> Result<Option<(bool, MessageStatus)>> {
        let keep = !matches!(self.store.retention.completed, Retention::None);
        let Because { actor, reason, role } = because;
        let statement = &self.store.statements.cancel;
        self.while_it_waits(statement, &[&id, &keep, &Uuid::now_v7(), actor, reason, role]).await
    }

    async fn edit(&self, id: Uuid, changes: &Changes, because: &Because) -> Result<Option<(bool, MessageStatus)>> {
        let Changes { payload, headers, metadata, queue, priority, max_retries, due } = changes;
        let Because { actor, reason, role } = because;
        let priority = priority.map(i16::from);
        let retries = max_retries.map(|it| i32::try_from(it).unwrap_or(i32::MAX));
        let (at, delay) = match due {
            Some(Due::At(at)) => (Some(*at), None),
            Some(Due::After(delay)) => (None, Some(millis(*delay))),
            None => (None, None),
        };
        let (audit, names) = (Uuid::now_v7(), changes.names());
        let parameters: [&(dyn ToSql + Sync); 14] = [
            &id, payload, headers, metadata, queue, &priority, &retries, &at, &delay, &audit, actor, reason, role,
            &names,
        ];
        self.while_it_waits(&self.store.statements.edit, &parameters).await
    }

    async fn totals(&self, transport: Option<&str>) -> Result<Totals> {
        let statement = &self.store.statements.totals;
        let rows = self.store.ask(statement, &[&transport, &DEPTH_CAP]).await?;
        let read = |row: &Row| {
            Ok(Totals {
                completed: rows::count(row.try_get(0)?),
                discarded: rows::count(row.try_get(1)?),
                cancelled: rows::count(row.try_get(2)?),
                failed: rows::count(row.try_get(3)?),
                schedules: rows::count(row.try_get(4)?),
                capped: row.try_get(5)?,
            })
        };
        Ok(self.store.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }

    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>> {
        let statement = &self.store.statements.unhandled;
        let rows = self.store.ask(statement, &[&&*self.name, &types, &DEPTH_CAP]).await?;
        let read = |row: &Row| {
            Ok(Unhandled { message_type: row.try_get(0)?, queue: row.try_get(1)?, count: rows::count(row.try_get(2)?) })
        };
        self.store.read(statement, &rows, read)
    }
}

impl PostgresTransport {
    /// Acts on a message that waits: whether it did, and the state of the message; `None`: nobody knows it.
    async fn while_it_waits(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<(bool, MessageStatus)>> {
        let mut answer = None;
        for _ in 0..TRIES {
            let rows = self.store.ask(statement, parameters).await?;
            let read = |row: &Row| Ok((row.try_get(0)?, MessageStatus::of(row.try_get(1)?)));
            answer = self.store.read(statement, &rows, read)?.into_iter().next();
            if answer != Some((false, MessageStatus::Pending)) {
                break;
            }
        }
        Ok(answer)
    }
}
