//! Outcomes into the tables: one statement per road.

use super::PostgresTransport;
use crate::backends::postgres::parameters::{millis, rollups_as_json, runs, storable};
use crate::backends::postgres::rows;
use crate::config::Retention;
use crate::counts::rollup::Rollup;
use crate::error::{Error, Result};
use crate::message::outcome::{Outcome, Road};
use crate::transport::{Fence, Leases, Settlement, Settles, one_road};
use async_trait::async_trait;

use std::collections::HashSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

#[async_trait]
impl Settles for PostgresTransport {
    async fn settle_counted(&self, worker: Uuid, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>> {
        let sorted = in_order(settlements);
        let outdated: Vec<Fence> = outdated(&sorted).collect();
        if !outdated.is_empty() {
            return Ok(outdated);
        }
        let rollups = rollups_as_json(&self.name, rollups);
        let settled = match one_road(settlements)? {
            Road::Ended => self.settle_ended(worker, &sorted, rollups).await,
            Road::Returned => self.settle_returned(worker, &sorted, rollups).await,
            Road::Buried => self.settle_buried(worker, &sorted, rollups).await,
        };
        match settled {
            Ok(()) => Ok(Vec::new()),
            Err(error) if says_lost(&error) => self.lost_among(worker, &sorted, error).await,
            Err(error) => Err(error),
        }
    }
}

impl PostgresTransport {
    /// Which claims made the statement fail; without any it was something else, such as a trigger that divides by zero.
    async fn lost_among(&self, worker: Uuid, settlements: &[&Settlement], error: Error) -> Result<Vec<Fence>> {
        let claims: Vec<Fence> = settlements.iter().map(|it| it.fence()).collect();
        let lost: HashSet<Uuid> = self.lost(worker, &claims).await?.into_iter().collect();
        if lost.is_empty() {
            return Err(error);
        }
        Ok(claims.into_iter().filter(|it| lost.contains(&it.0)).collect())
    }

    async fn settle_ended(&self, worker: Uuid, ended: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(ended);
        if matches!(self.store.retention.completed, Retention::None) {
            return self
                .store
                .query(&self.store.statements.settle_drop, &[&ids, &tokens, &rollups, &worker])
                .await
                .map(drop);
        }
        let mut reasons: Vec<_> = ended.iter().map(|it| it.outcome.reason().map(storable)).collect();
        if reasons.iter().all(Option::is_none) {
            reasons.clear();
        }
        self.store
            .query(&self.store.statements.settle_finish, &[&ids, &tokens, &rollups, &worker, &reasons])
            .await
            .map(drop)
    }

    async fn settle_returned(&self, worker: Uuid, returned: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(returned);
        let outcomes = returned.iter().map(|it| &it.outcome);
        let failures = outcomes.clone().map(Outcome::failure);
        let attempts: Vec<i32> = failures.clone().map(|it| i32::from(it.is_some())).collect();
        let unproven: Vec<bool> = outcomes.clone().map(|it| !it.has_run()).collect();
        let delays: Vec<Option<f64>> = outcomes.clone().map(|it| it.delay().map(millis)).collect();
        let errors: Vec<_> = failures.clone().map(|it| it.map(|it| storable(&it.message))).collect();
        let classes: Vec<_> = failures.clone().map(|it| it.map(|it| storable(&it.class))).collect();
        let stacks: Vec<_> = failures.clone().map(|it| it.and_then(|it| it.stack.as_deref()).map(storable)).collect();
        let (ms, workers) = runs(failures);
        let handled: Vec<Option<String>> = outcomes.clone().map(|it| names(it.handled())).collect();
        let statement = &self.store.statements.settle_return;
        let parameters: [&(dyn ToSql + Sync); 13] = [
            &ids, &tokens, &rollups, &worker, &attempts, &delays, &errors, &classes, &handled, &unproven, &stacks, &ms,
            &workers,
        ];
        let mut back = self.store.read(statement, &self.store.query(statement, &parameters).await?, rows::returned)?;
        let in_old_place: HashSet<Uuid> =
            outcomes.zip(&ids).filter(|(it, _)| it.delay().is_none()).map(|(_, id)| *id).collect();
        back.retain(|it| in_old_place.contains(&it.id));
        self.lower_floors(&back);
        Ok(())
    }

    async fn settle_buried(&self, worker: Uuid, buried: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(buried);
        let new_ids: Vec<Uuid> = buried.iter().map(|_| Uuid::now_v7()).collect();
        let outcomes = buried.iter().map(|it| &it.outcome);
        let failures = outcomes.clone().map(Outcome::failure);
        let errors: Vec<_> = failures.clone().map(|it| it.map(|it| storable(&it.message))).collect();
        let classes: Vec<_> = failures.clone().map(|it| it.map(|it| storable(&it.class))).collect();
        let stacks: Vec<_> = failures.clone().map(|it| it.and_then(|it| it.stack.as_deref()).map(storable)).collect();
        let (ms, workers) = runs(failures);
        let handled: Vec<Option<String>> = outcomes.map(|it| names(it.handled())).collect();
        self.store
            .query(
                &self.store.statements.settle_bury,
                &[&ids, &tokens, &rollups, &worker, &new_ids, &errors, &classes, &handled, &stacks, &ms, &workers],
            )
            .await
            .map(drop)
    }
}

/// What settlements/_all.sql fails with if a fence does not hold.
fn says_lost(error: &Error) -> bool {
    matches!(error, Error::Query { sqlstate, .. } if sqlstate == SqlState::DIVISION_BY_ZERO.code())
}

/// Sorted as the statements expect them. Of two claims of one message the later one comes last.
fn in_order(settlements: &[Settlement]) -> Vec<&Settlement> {
    let mut sorted: Vec<_> = settlements.iter().collect();
    sorted.sort_unstable_by_key(|it| (it.id, it.token));
    sorted
}

/// Of two claims of one message only the later one may still hold.
fn outdated(sorted: &[&Settlement]) -> impl Iterator<Item = Fence> {
    sorted.windows(2).filter_map(|pair| match pair {
        [before, after] if before.id == after.id => Some(before.fence()),
        _ => None,
    })
}

fn fences(settlements: &[&Settlement]) -> (Vec<Uuid>, Vec<Uuid>) {
    settlements.iter().map(|it| (it.id, it.token)).unzip()
}

/// Handler names as a JSON array; `None`: as they are stored.
fn names(handled: &[String]) -> Option<String> {
    let storable: Vec<_> = handled.iter().map(|name| storable(name)).collect();
    (!handled.is_empty()).then(|| serde_json::to_string(&storable).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_stored_holds_no_nul_and_is_json(handled in prop::collection::vec("(\\\\u0000|\0|\\PC){0,8}", 0..5)) {
            match names(&handled) {
                None => prop_assert!(handled.is_empty()),
                Some(json) => {
                    prop_assert!(!json.contains('\0'));
                    let read: Vec<String> = serde_json::from_str(&json).unwrap();
                    prop_assert_eq!(read, handled.iter().map(|name| storable(name).into_owned()).collect::<Vec<_>>());
                }
            }
        }
    }
}
