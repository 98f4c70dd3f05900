//! What operators look at beside messages.

use super::PostgresStore;
use crate::backends::postgres::instants::Shown;
use crate::backends::postgres::rows::count;
use crate::counts::window::Window;
use crate::error::Result;
use crate::store::controls::Because;
use crate::store::insights::{
    DepthPoint, ErrorGroup, GroupFilter, GroupState, Insights, Judgement, MOST, RefusedKey, Release, WorkerRow,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

#[async_trait]
impl Insights for PostgresStore {
    async fn workers(&self) -> Result<Vec<WorkerRow>> {
        let statement = &self.statements.workers;
        let rows = self.ask(statement, &[&i64::from(MOST)]).await?;
        self.read(statement, &rows, worker)
    }

    async fn depths(&self, window: &Window, transport: &str, queue: &str) -> Result<Vec<DepthPoint>> {
        let statement = &self.statements.depths;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&window.minutes(), &window.start_time, &window.end_time, &transport, &queue];
        let rows = self.ask(statement, &parameters).await?;
        self.read(statement, &rows, depth)
    }

    async fn error_groups(&self, filter: &GroupFilter) -> Result<Vec<ErrorGroup>> {
        let statement = &self.statements.error_groups;
        let limit = if filter.limit == 0 { MOST } else { filter.limit.min(MOST) };
        let rows =
            self.ask(statement, &[&filter.r#type, &filter.state.map(GroupState::name), &i64::from(limit)]).await?;
        self.read(statement, &rows, group)
    }

    async fn judge(&self, judgement: &Judgement) -> Result<bool> {
        let Judgement { r#type, class, state, note, because: Because { actor, reason, role } } = judgement;
        let statement = &self.statements.put_error_group;
        let id = Uuid::now_v7();
        let parameters: [&(dyn ToSql + Sync); 8] = [r#type, class, &state.name(), note, &id, actor, reason, role];
        Ok(!self.ask(statement, &parameters).await?.is_empty())
    }

    async fn refused_keys(&self, before: Option<DateTime<Utc>>, limit: u32) -> Result<Vec<RefusedKey>> {
        let statement = &self.statements.refused_keys;
        let rows = self.ask(statement, &[&before, &i64::from(limit.min(MOST))]).await?;
        self.read(statement, &rows, refused)
    }

    async fn releases(&self) -> Result<Vec<Release>> {
        let statement = &self.statements.releases;
        let rows = self.ask(statement, &[&i64::from(MOST)]).await?;
        let read =
            |row: &Row| Ok(Release { release: row.try_get(0)?, version: row.try_get(1)?, first_at: shown(row, 2)? });
        self.read(statement, &rows, read)
    }
}

fn worker(row: &Row) -> Result<WorkerRow, Error> {
    let whole = |value: i32| u32::try_from(value).unwrap_or(0);
    Ok(WorkerRow {
        id: row.try_get(0)?,
        host: row.try_get(1)?,
        pid: row.try_get(2)?,
        kind: row.try_get(3)?,
        transports: row.try_get(4)?,
        started_at: shown(row, 5)?,
        last_beat_at: shown(row, 6)?,
        lease_until: shown(row, 7)?,
        in_flight: whole(row.try_get(8)?),
        concurrency: row.try_get::<_, Option<i32>>(9)?.map(whole),
        waiting: row.try_get(10)?,
        version: row.try_get(11)?,
        release: row.try_get(12)?,
        stop_at: shown(row, 13)?,
        alive: row.try_get(14)?,
    })
}

fn depth(row: &Row) -> Result<DepthPoint, Error> {
    Ok(DepthPoint {
        minute: shown(row, 0)?,
        pending: count(row.try_get(1)?),
        delayed: count(row.try_get(2)?),
        processing: count(row.try_get(3)?),
        oldest_age: row.try_get(4)?,
        capped: row.try_get(5)?,
    })
}

fn group(row: &Row) -> Result<ErrorGroup, Error> {
    Ok(ErrorGroup {
        r#type: row.try_get(0)?,
        class: row.try_get(1)?,
        first_at: shown(row, 2)?,
        last_at: shown(row, 3)?,
        occurrences: count(row.try_get(4)?),
        state: GroupState::of(row.try_get(5)?),
        state_at: shown(row, 6)?,
        note: row.try_get(7)?,
    })
}

fn refused(row: &Row) -> Result<RefusedKey, Error> {
    Ok(RefusedKey {
        idempotency_key: row.try_get(0)?,
        transport: row.try_get(1)?,
        r#type: row.try_get(2)?,
        message_id: row.try_get(3)?,
        first_seen_at: shown(row, 4)?,
        expires_at: shown(row, 5)?,
        refused: u64::try_from(row.try_get::<_, i32>(6)?).unwrap_or(0),
    })
}

fn shown(row: &Row, column: usize) -> Result<Option<DateTime<Utc>>, Error> {
    row.try_get(column).map(|Shown(at)| at)
}
