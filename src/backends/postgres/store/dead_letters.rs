//! Dead letters: listed, counted, redriven, deleted.

use super::PostgresStore;
use crate::backends::postgres::rows;
use crate::backends::postgres::search::paths;
use crate::backends::postgres::sql::Statement;
use crate::error::Result;
use crate::store::dead_letters::{Cursor, DeadLetters, FailedFilter, FailedPage, FailedPlaces, SCAN};
use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

#[async_trait]
impl DeadLetters for PostgresStore {
    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        let statement = &self.statements.list_failed;
        let rows = self.letters(statement, filter, filter.page_size() + 1, &[&filter.full]).await?;
        let ends = self.read(statement, &rows, |row| Ok((rows::place(row, 0, 1)?, row.try_get(2)?)))?;
        let (reached, cut): (_, Option<bool>) = ends.into_iter().next().unwrap_or_default();
        let letters = self.read(statement, &rows, rows::failed)?.into_iter().flatten().collect();
        Ok(FailedPage::of(letters, filter.page_size(), cut.unwrap_or_default(), reached))
    }

    async fn failed_places(&self, filter: &FailedFilter) -> Result<FailedPlaces> {
        let statement = &self.statements.failed_places;
        let rows = self.letters(statement, filter, filter.page_size(), &[]).await?;
        let read = |row: &Row| Ok((rows::place(row, 0, 1)?, rows::place(row, 3, 2)?));
        let (reached, places): (Vec<_>, Vec<_>) = self.read(statement, &rows, read)?.into_iter().unzip();
        let places: Vec<Cursor> = places.into_iter().flatten().collect();
        let is_full = places.len() >= filter.page_size() as usize;
        let next = places.last().filter(|_| is_full).copied().or_else(|| reached.into_iter().flatten().next());
        Ok(FailedPlaces { places, next })
    }

    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        let statement = &self.statements.count_failed;
        let paths = paths(&filter.search()?);
        let rows = self.ask(statement, &[&narrowed(filter)[..], &[&paths], &[&SCAN]].concat()).await?;
        let read = |row: &Row| Ok((rows::count(row.try_get(0)?), row.try_get(1)?));
        Ok(self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default())
    }
}

impl PostgresStore {
    async fn letters(
        &self,
        statement: &Statement,
        filter: &FailedFilter,
        limit: u32,
        own: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let (after, paths) = (filter.after()?, paths(&filter.search()?));
        let (after_at, after_id) = (after.map(|it| it.failed_at), after.map(|it| it.id));
        let limit = i64::from(limit);
        let page: [&(dyn ToSql + Sync); 4] = [&after_at, &after_id, &limit, &SCAN];
        self.ask(statement, &[&narrowed(filter)[..], &[&paths], &page, own].concat()).await
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
