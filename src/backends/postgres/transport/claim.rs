//! Messages out of the table, in order, above the floors.

use super::floors::Floors;
use super::lanes::Lanes;
use crate::backends::postgres::PostgresTransport;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::rows::{self, Returned};
use crate::base::lock::lock;
use crate::error::Result;
use crate::transport::{Claim, Claimed, Reach};
use std::time::Instant;

/// The column of claim.sql that says whether the claim is full because of its bytes.
const CUT: usize = 16;

impl PostgresTransport {
    pub(in crate::backends::postgres) async fn claim_one_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
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

    pub(in crate::backends::postgres) async fn claim_batch(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        // Where nothing was found above the floors, another look there is not worth a round trip.
        let first = if self.floors(claim.types, |it| it.are_spent()) { claim.reach } else { Reach::Quick };
        let (claimed, read_all) = self.claim_within(claim, first).await?;
        if claimed.is_empty() && !read_all && first != claim.reach {
            return Ok(self.claim_within(claim, claim.reach).await?.0);
        }
        Ok(claimed)
    }

    /// Claims, and says whether everything was read.
    async fn claim_within(&self, claim: &Claim<'_>, reach: Reach) -> Result<(Vec<Claimed>, bool)> {
        let lanes = Lanes::of(claim.queues);
        let reading = self.floors(claim.types, |it| it.plan(&lanes, reach, Instant::now()));
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
                    &lanes.queues,
                    &lanes.priorities,
                    &claim.types,
                    &i64::try_from(claim.limit).unwrap_or(i64::MAX),
                    &&*self.name,
                    &reading.floors,
                    &reading.ids,
                    &claim.listening,
                ],
            )
            .await?;
        let mut claimed = self.read(statement, &rows, |row| rows::claimed(row, claim.token))?;
        lanes.sort(&mut claimed);
        let cut = self.read(statement, rows.get(..1).unwrap_or_default(), |row| row.try_get(CUT))?;
        let full = rows.len() >= claim.limit || cut.contains(&true);
        self.floors(claim.types, |it| it.learn(&lanes, &reading, &claimed, full, Instant::now()));
        Ok((claimed, reading.is_whole()))
    }

    fn floors<T>(&self, types: Option<&[String]>, with: impl FnOnce(&mut Floors) -> T) -> T {
        with(lock(&self.floors).of(types))
    }

    /// Messages are back in their old places, where no claim of this process would look soon.
    pub(in crate::backends::postgres) fn lower_floors(&self, places: &[Returned]) {
        let now = Instant::now();
        let mut floors = lock(&self.floors);
        for it in places {
            floors.lower(&it.queue, it.priority, it.available_at, now);
        }
    }
}
