//! The table of schedules.

use super::PostgresStore;
use crate::backends::postgres::connection::listener::Listener;
use crate::backends::postgres::parameters::{Columns, millis};
use crate::base::listening::Listening;
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::store::controls::Because;
use crate::store::schedules::{Deed, DuePage, DueRow, Found, Move, Schedules, Settled};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// What a notification about schedules contains, instead of a transport's name.
const CHANGED: &str = "@schedules";

#[async_trait]
impl Schedules for PostgresStore {
    async fn due(&self, limit: usize) -> Result<DuePage> {
        let statement = &self.statements.schedules_due;
        let rows = self.query(statement, &[&(limit as i64)]).await?;
        let head = self.read(statement, &rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let (now, later) = head.first().copied().unwrap_or((Utc::now(), None));
        let due = |row: &Row| {
            let Some(id) = row.try_get(2)? else { return Ok(None) };
            let (name, version) = (row.try_get(3)?, row.try_get(4)?);
            Ok(Some(DueRow { id, name, version, record: row.try_get(5)?, unfinished: row.try_get(6)? }))
        };
        let rows = self.read(statement, &rows, due)?.into_iter().flatten().collect();
        Ok(DuePage { now, later, rows })
    }

    async fn settle(&self, moves: &[Move], messages: &[(Uuid, Envelope)], deed: Option<Deed<'_>>) -> Result<Settled> {
        let envelopes: Vec<Envelope> = messages.iter().map(|(_, envelope)| envelope.clone()).collect();
        let schedules: Vec<Uuid> = messages.iter().map(|(schedule, _)| *schedule).collect();
        let columns = Columns::of(&envelopes);
        let keys = envelopes.iter().map(|it| it.key.as_ref());
        let names: Vec<Option<&str>> = keys.clone().map(|key| key.map(|it| it.key.as_str())).collect();
        let windows: Vec<Option<f64>> = keys.clone().map(|key| key?.window.map(millis)).collect();
        let repeats: Vec<i32> = keys.map(|_| 0).collect();
        let ids: Vec<Uuid> = moves.iter().map(|it| it.id).collect();
        let versions: Vec<i64> = moves.iter().map(|it| it.version).collect();
        let next: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.next_run_at).collect();
        let nominal: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.nominal_run_at).collect();
        let last: Vec<Option<DateTime<Utc>>> = moves.iter().map(|it| it.last_run_at).collect();
        let runs: Vec<i32> = moves.iter().map(|it| it.runs).collect();
        let skipped: Vec<i64> = moves.iter().map(|it| it.skipped).collect();
        let finished: Vec<bool> = moves.iter().map(|it| it.finished).collect();
        let errors: Vec<Option<&str>> = moves.iter().map(|it| it.error.as_deref()).collect();
        let mut parameters = columns.parameters().to_vec();
        let refusal = Error::RunRefused { keys: String::new() };
        let refusal = format!("{}: {refusal}", refusal.code());
        let Audited { id, schedule, actor, reason, role, .. } = Audited::of(deed);
        let own: [&(dyn ToSql + Sync); 19] = [
            &names, &windows, &repeats, &schedules, &ids, &versions, &next, &nominal, &last, &runs, &skipped,
            &finished, &errors, &refusal, &id, &actor, &reason, &role, &schedule,
        ];
        parameters.extend_from_slice(&own);
        let statement = &self.statements.schedules_settle;
        let rows = self.query(statement, &parameters).await?;
        let read = |row: &Row| Ok((row.try_get::<_, Vec<Uuid>>(0)?, row.try_get::<_, Vec<Uuid>>(1)?));
        let answer = self.read(statement, &rows, read)?.into_iter().next().unwrap_or_default();
        Ok(Settled { moved: answer.0.into_iter().collect(), stored: answer.1.into_iter().collect() })
    }

    async fn get(&self, name: &str) -> Result<Found> {
        let statement = &self.statements.schedule_get;
        let rows = self.query(statement, &[&name]).await?;
        let read = |row: &Row| {
            let row_of = |id| Ok((id, row.try_get(2)?, row.try_get(3)?));
            let row = row.try_get::<_, Option<Uuid>>(1)?.map(row_of).transpose()?;
            Ok(row)
        };
        let now = self.read(statement, &rows, |row| row.try_get(0))?.first().copied().unwrap_or_else(Utc::now);
        Ok(Found { now, row: self.read(statement, &rows, read)?.into_iter().next().flatten() })
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        let statement = &self.statements.schedules_list;
        let rows = self.ask(statement, &[&after, &(limit as i64)]).await?;
        self.read(statement, &rows, |row| row.try_get(0))
    }

    async fn put(&self, name: &str, version: Option<i64>, row: &str, deed: Option<Deed<'_>>) -> Result<Option<String>> {
        let statement = &self.statements.schedule_put;
        let Audited { id, action, actor, reason, role, .. } = Audited::of(deed);
        let version = version.unwrap_or(-1);
        let rows = self.query(statement, &[&name, &version, &row, &id, &action, &actor, &reason, &role]).await?;
        Ok(self.read(statement, &rows, |row| row.try_get(0))?.into_iter().next())
    }

    async fn delete(&self, name: &str, because: &Because) -> Result<bool> {
        let Because { actor, reason, role } = because;
        let parameters: [&(dyn ToSql + Sync); 5] = [&name, &Uuid::now_v7(), actor, reason, role];
        Ok(self.count(&self.statements.schedule_delete, &parameters).await? > 0)
    }

    async fn prune(&self, group: &str, names: &[String]) -> Result<Vec<String>> {
        let statement = &self.statements.schedules_prune;
        let rows = self.query(statement, &[&group, &names]).await?;
        self.read(statement, &rows, |row| row.try_get(0))
    }

    fn watch(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Option<Box<dyn Listening>>> {
        let subscription = Listener::subscribe(&self.listen_to, CHANGED.into(), wake)?;
        Ok(subscription.map(|it| Box::new(it) as Box<dyn Listening>))
    }
}

/// A deed as parameters; NULL, all of them, if no operator did it.
#[derive(Default)]
struct Audited<'a> {
    id: Option<Uuid>,
    action: Option<&'a str>,
    schedule: Option<&'a str>,
    actor: Option<&'a str>,
    reason: Option<&'a str>,
    role: Option<&'a str>,
}

impl<'a> Audited<'a> {
    fn of(deed: Option<Deed<'a>>) -> Self {
        let Some(Deed { action, schedule, because: Because { actor, reason, role } }) = deed else {
            return Self::default();
        };
        Self {
            id: Some(Uuid::now_v7()),
            action: Some(action),
            schedule: Some(schedule),
            actor: actor.as_deref(),
            reason: reason.as_deref(),
            role: role.as_deref(),
        }
    }
}
