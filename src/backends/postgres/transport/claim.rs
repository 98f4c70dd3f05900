//! Messages out of the table, in order, above the floors.

use super::PostgresTransport;
use super::floors::Floors;
use super::lanes::Lanes;
use super::leases::messages;
use crate::backends::postgres::connection::pool::Query;
use crate::backends::postgres::migrate;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::rows::{self, Returned};
use crate::backends::postgres::sql::Statements;
use crate::base::limits::DEPTH_CAP;
use crate::base::lock::lock;
use crate::error::Result;
use crate::message::claimed::Claimed;
use crate::transport::{Claim, Claimable, Claims, Depth, Look, Portion, Reach, RescueStep, Rescued, Survey, VERSION};
use async_trait::async_trait;
use std::sync::Arc;
use tokio_postgres::Row;

use std::time::Instant;

/// As many messages fit, however large they are within the default `payload.maxBytes`; see claim_many.sql.
const FEW: usize = 32;
/// The column of claim_many.sql that says whether the claim is full because of its bytes.
const CUT: usize = 16;

#[async_trait]
impl Claims for PostgresTransport {
    async fn survey(&self, names: &[Arc<str>], claimable: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look> {
        let Statements { survey, abandoned, rescue: rescuing, .. } = &self.store.statements;
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let Claimable { queues, types } = claimable;
        let surveying: Query<'_> = (survey, &[&names, &queues, &types]);
        let Some(RescueStep { by, portion: Portion { limit, skip } }) = rescue else {
            let [surveyed] = self.ask_each(&[surveying]).await?;
            return Ok(Look { surveys: self.read_surveys(&surveyed?)?, rescued: None });
        };
        let [mut surveyed, asked] = self.ask_each(&[surveying, (abandoned, &[&by])]).await?;
        let mut rescued = Ok(Rescued::default());
        match asked.and_then(|rows| self.store.read(abandoned, &rows, |row| row.try_get(0))) {
            Ok(answer) if answer.contains(&true) => {
                let [limit, skip] = [limit, skip].map(messages);
                let rescue: Query<'_> = (rescuing, &[&self.max_crashes, &by, &limit, &skip]);
                let [answer, after] = self.ask_each(&[rescue, surveying]).await?;
                (rescued, surveyed) = (answer.and_then(|rows| self.read_rescued(&rows)), after);
            }
            Ok(_) => {}
            Err(error) => rescued = Err(error),
        }
        Ok(Look { surveys: self.read_surveys(&surveyed?)?, rescued: Some(rescued) })
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        // Where nothing was found above the floors, another look there is not worth a round trip.
        let first = if self.floors(claim.types, |it| it.are_spent()) { claim.reach } else { Reach::Quick };
        let (claimed, read_all) = self.claim_within(claim, first).await?;
        if claimed.is_empty() && !read_all && first != claim.reach {
            return Ok(self.claim_within(claim, claim.reach).await?.0);
        }
        Ok(claimed)
    }

    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
        let queues = Some(claim.queues).filter(|queues| !queues.is_empty());
        let statement = &self.store.statements.claim_suspect;
        let rows = self
            .store
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
                    &claim.worker.about.kind,
                    &claim.worker.about.concurrency,
                    &VERSION,
                    &claim.worker.about.release,
                ],
            )
            .await?;
        Ok(self.store.read(statement, &rows, |row| rows::claimed(row, claim.token))?.into_iter().next())
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        let statement = &self.store.statements.depth;
        let rows = self.store.ask(statement, &[&&*self.name, &DEPTH_CAP]).await?;
        self.store.read(statement, &rows, rows::depth)
    }
}

impl PostgresTransport {
    /// The answers to statements that go out together.
    async fn ask_each<const N: usize>(&self, queries: &[Query<'_>; N]) -> Result<[Result<Vec<Row>>; N]> {
        let mut answers = self.store.database.query_each(queries).await?.into_iter();
        Ok(std::array::from_fn(|_| answers.next().unwrap_or_else(|| Ok(Vec::new()))))
    }

    /// Fails if the schema is older than what this build needs.
    fn read_surveys(&self, rows: &[Row]) -> Result<Vec<Survey>> {
        let survey = &self.store.statements.survey;
        if let Some(version) = self.store.read(survey, rows, |row| row.try_get("version"))?.first() {
            migrate::require(*version, &self.store.database.schema)?;
        }
        self.store.read(survey, rows, |row| Ok(Survey { queues: row.try_get(0)?, suspects: row.try_get(1)? }))
    }

    /// Claims, and says whether everything was read.
    async fn claim_within(&self, claim: &Claim<'_>, reach: Reach) -> Result<(Vec<Claimed>, bool)> {
        let lanes = Lanes::of(claim.queues);
        let reading = self.floors(claim.types, |it| it.plan(&lanes, reach, Instant::now()));
        let statements = &self.store.statements;
        let is_few = claim.limit <= FEW;
        let known = self.store.database.switches.are_known_on([&*self.name].into_iter(), Instant::now());
        let statement = match (is_few, known) {
            (true, true) => &statements.claim_known,
            (true, false) => &statements.claim,
            (false, _) => &statements.claim_many,
        };
        // What is claimed will be settled while the next claim is under way.
        let rows = self
            .store
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
                    &claim.worker.about.kind,
                    &claim.worker.about.concurrency,
                    &VERSION,
                    &claim.worker.about.release,
                ],
            )
            .await?;
        let mut claimed = self.store.read(statement, &rows, |row| rows::claimed(row, claim.token))?;
        lanes.sort(&mut claimed);
        let first = rows.get(..usize::from(!is_few)).unwrap_or_default();
        let cut = self.store.read(statement, first, |row| row.try_get(CUT))?;
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
