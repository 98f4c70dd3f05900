//! What a claim reads, and where it may begin: as the core does, one floor a lane.

use crate::Failure;
use crate::client::{QUEUE, TRANSPORT};
use crate::statement::Statement;
use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

/// The lease of a claim, in milliseconds.
const LEASE: f64 = 30_000.0;

/// One worker's claims.
pub struct Claims {
    client: Client,
    statement: tokio_postgres::Statement,
    worker: Uuid,
    floor: Option<(DateTime<Utc>, Uuid)>,
}

/// Messages under one fence.
pub struct Claimed {
    pub ids: Vec<Uuid>,
    pub token: Uuid,
    pub worker: Uuid,
}

impl Claims {
    pub async fn new(client: Client, statement: &Statement) -> Result<Self, Failure> {
        let statement = crate::client::prepare(&client, statement).await?;
        Ok(Self { client, statement, worker: Uuid::now_v7(), floor: None })
    }

    /// Claims a batch; an empty one may only mean that the floor was too high, so it reads everything once more.
    pub async fn claim(&mut self, limit: i64, listening: bool) -> Result<Claimed, Failure> {
        let claimed = self.above_floor(limit, listening).await?;
        if !claimed.ids.is_empty() || self.floor.take().is_none() {
            return Ok(claimed);
        }
        self.above_floor(limit, listening).await
    }

    async fn above_floor(&mut self, limit: i64, listening: bool) -> Result<Claimed, Failure> {
        let token = Uuid::now_v7();
        let priorities: Vec<i16> = (1..=10).rev().collect();
        let queues = vec![QUEUE; priorities.len()];
        let floors: Vec<Option<DateTime<Utc>>> = vec![self.floor.map(|it| it.0); priorities.len()];
        let floor_ids: Vec<Uuid> = vec![self.floor.map_or(Uuid::nil(), |it| it.1); priorities.len()];
        let types: Option<Vec<&str>> = None;
        let unnamed: Option<&str> = None;
        let parameters: [&(dyn ToSql + Sync); 17] = [
            &self.worker,
            &"bench",
            &0_i32,
            &LEASE,
            &token,
            &queues,
            &priorities,
            &types,
            &limit,
            &TRANSPORT,
            &floors,
            &floor_ids,
            &listening,
            &"worker",
            &1_i32,
            &unnamed,
            &unnamed,
        ];
        let rows = self.client.query(&self.statement, &parameters).await?;
        self.floor = rows.iter().map(place).max().max(self.floor);
        Ok(Claimed { ids: rows.iter().map(|row| row.get("id")).collect(), token, worker: self.worker })
    }
}

fn place(row: &Row) -> (DateTime<Utc>, Uuid) {
    (row.get("available_at"), row.get("id"))
}
