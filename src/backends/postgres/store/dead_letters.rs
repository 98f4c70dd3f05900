//! Dead letters: listed, counted, redriven, deleted.

use super::PostgresStore;
use crate::backends::postgres::rows;
use crate::backends::postgres::search::paths;
use crate::backends::postgres::sql::Statement;
use crate::base::limits::DEPTH_CAP;
use crate::error::Result;
use crate::store::dead_letters::{Cursor, DeadLetters, FailedFilter, FailedPage, Redriven};
use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

#[async_trait]
impl DeadLetters for PostgresStore {
    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        let statement = &self.statements.list_failed;
        let rows = self.letters(statement, filter, filter.page_size() + 1).await?;
        Ok(FailedPage::of(self.read(statement, &rows, rows::failed)?, filter.page_size()))
    }

    async fn failed_places(&self, filter: &FailedFilter) -> Result<Vec<Cursor>> {
        let statement = &self.statements.failed_places;
        let rows = self.letters(statement, filter, filter.page_size()).await?;
        self.read(statement, &rows, |row| Ok(Cursor { id: row.try_get(0)?, failed_at: row.try_get(1)? }))
    }

    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        let statement = &self.statements.count_failed;
        let paths = paths(&filter.search()?);
        let rows = self.ask(statement, &[&narrowed(filter)[..], &[&paths], &[&DEPTH_CAP]].concat()).await?;
        let read = |row: &Row| Ok((rows::count(row.try_get(0)?), row.try_get(1)?));
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
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
}

impl PostgresStore {
    async fn letters(&self, statement: &Statement, filter: &FailedFilter, limit: u32) -> Result<Vec<Row>> {
        let (after, paths) = (filter.after()?, paths(&filter.search()?));
        let (after_at, after_id) = (after.map(|it| it.failed_at), after.map(|it| it.id));
        let limit = i64::from(limit);
        let page: [&(dyn ToSql + Sync); 3] = [&after_at, &after_id, &limit];
        self.ask(statement, &[&narrowed(filter)[..], &[&paths], &page].concat()).await
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
