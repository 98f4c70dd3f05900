//! Messages and dead letters as operators ask for them: listed, found, counted, cancelled.

use crate::backends::postgres::sql::Statement;
use crate::backends::postgres::{PostgresTransport, rows};
use crate::config::Retention;
use crate::error::Result;
use crate::store::dead_letters::{Cursor, FailedFilter, FailedPage};
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, SCAN, Totals};
use crate::transport::DEPTH_CAP;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// How often a cancellation is retried on a message that is claimed and put back meanwhile.
const TRIES: usize = 5;

impl PostgresTransport {
    pub(in crate::backends::postgres) async fn page_of_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        let (least, before) = filter.ids()?;
        let statement = &self.statements.list_messages;
        let rows = self
            .ask(
                statement,
                &[
                    &filter.status.map(MessageStatus::name),
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
                ],
            )
            .await?;
        let reached =
            self.read(statement, &rows, |row| row.try_get::<_, Option<Uuid>>(0))?.into_iter().flatten().next();
        let messages = self.read(statement, &rows, rows::message)?.into_iter().flatten().collect();
        Ok(MessagePage::of(messages, filter.page_size(), reached))
    }

    pub(in crate::backends::postgres) async fn one_message(&self, id: Uuid) -> Result<Option<KeptMessage>> {
        let statement = &self.statements.get_message;
        let rows = self.ask(statement, &[&id]).await?;
        Ok(self.read(statement, &rows, rows::message)?.into_iter().flatten().next())
    }

    pub(in crate::backends::postgres) async fn cancel_message(
        &self,
        id: Uuid,
    ) -> Result<Option<(bool, MessageStatus)>> {
        let statement = &self.statements.cancel;
        let keep = !matches!(self.retention.completed, Retention::None);
        let mut answer = None;
        for _ in 0..TRIES {
            let rows = self.ask(statement, &[&id, &keep]).await?;
            let read = |row: &Row| Ok((row.try_get(0)?, MessageStatus::of(row.try_get(1)?)));
            answer = self.read(statement, &rows, read)?.into_iter().next();
            if answer != Some((false, MessageStatus::Pending)) {
                break;
            }
        }
        Ok(answer)
    }

    pub(in crate::backends::postgres) async fn count_totals(&self, transport: Option<&str>) -> Result<Totals> {
        let statement = &self.statements.totals;
        let rows = self.ask(statement, &[&transport, &DEPTH_CAP]).await?;
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
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }

    pub(in crate::backends::postgres) async fn page_of_letters(&self, filter: &FailedFilter) -> Result<FailedPage> {
        let statement = &self.statements.list_failed;
        let rows = self.letters(statement, filter, filter.page_size() + 1).await?;
        Ok(FailedPage::of(self.read(statement, &rows, rows::failed)?, filter.page_size()))
    }

    pub(in crate::backends::postgres) async fn places_of_letters(&self, filter: &FailedFilter) -> Result<Vec<Cursor>> {
        let statement = &self.statements.failed_places;
        let rows = self.letters(statement, filter, filter.page_size()).await?;
        self.read(statement, &rows, |row| Ok(Cursor { id: row.try_get(0)?, failed_at: row.try_get(1)? }))
    }

    async fn letters(&self, statement: &Statement, filter: &FailedFilter, limit: u32) -> Result<Vec<Row>> {
        let after = filter.after()?;
        let (after_at, after_id) = (after.map(|it| it.failed_at), after.map(|it| it.id));
        let limit = i64::from(limit);
        let page: [&(dyn ToSql + Sync); 3] = [&after_at, &after_id, &limit];
        self.ask(statement, &[&narrowed(filter)[..], &page].concat()).await
    }

    pub(in crate::backends::postgres) async fn count_letters(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        let statement = &self.statements.count_failed;
        let rows = self.ask(statement, &[&narrowed(filter)[..], &[&DEPTH_CAP]].concat()).await?;
        let read = |row: &Row| Ok((rows::count(row.try_get(0)?), row.try_get(1)?));
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }
}

/// The first parameters of all statements that look for dead letters.
fn narrowed(filter: &FailedFilter) -> [&(dyn ToSql + Sync); 8] {
    [
        &filter.r#type,
        &filter.transport,
        &filter.queue,
        &filter.error_class,
        &filter.text,
        &filter.failed_after,
        &filter.failed_before,
        &filter.ids,
    ]
}
