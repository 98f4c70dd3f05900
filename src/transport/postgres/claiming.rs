//! Messages out of the table, in order, above the floors.

use super::floors::Floors;
use super::{PostgresTransport, millis, rows};
use crate::error::Result;
use crate::transport::{Claim, Claimed};
use std::sync::PoisonError;
use std::time::Instant;

impl PostgresTransport {
    pub(super) async fn claim_one_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
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

    pub(super) async fn claim_batch(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        if claim.exhaustive && self.floors(claim.types, |it| it.are_spent()) {
            self.floors(claim.types, Floors::drop_all);
        }
        let (claimed, read_all) = self.claim_above_floors(claim).await?;
        if claimed.is_empty() && !read_all && claim.exhaustive {
            self.floors(claim.types, Floors::drop_all);
            return Ok(self.claim_above_floors(claim).await?.0);
        }
        Ok(claimed)
    }

    /// Claims, and says whether everything was read.
    async fn claim_above_floors(&self, claim: &Claim<'_>) -> Result<(Vec<Claimed>, bool)> {
        let began = Instant::now();
        let (queues, priorities) = lanes(claim.queues);
        let (floors, floor_ids) = self.floors(claim.types, |it| it.columns(&queues, &priorities, began));
        let read_all = floors.iter().all(Option::is_none);
        let statement = &self.statements.claim;
        // What is claimed will be settled while the next claim is under way.
        let rows = self
            .database
            .query_first(
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

    /// Some messages are back in their old place, where no claim of this process would look soon.
    pub(super) fn drop_floors(&self) {
        let mut floors = self.floors.lock().unwrap_or_else(PoisonError::into_inner);
        floors.values_mut().for_each(Floors::drop_all);
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
