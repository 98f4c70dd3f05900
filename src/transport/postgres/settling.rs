//! Outcomes into the tables: one statement for each kind of them.

use super::counting::{NO_ROLLUPS, rollups_as_json};
use super::statement::Statement;
use super::{PostgresTransport, millis, rows};
use crate::config::Retention;
use crate::error::Result;
use crate::monitor::rollup::Rollup;
use crate::transport::{Failure, Outcome, Settlement};
use std::collections::HashSet;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

impl PostgresTransport {
    /// Answers with the messages whose fence no longer held. The first statement carries the rollups.
    pub(super) async fn settle_batch(&self, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Uuid>> {
        let (mut ended, mut returned, mut buried) = (Vec::new(), Vec::new(), Vec::new());
        for settlement in in_order(settlements) {
            match settlement.outcome {
                Outcome::Completed | Outcome::Discarded { .. } => ended.push(settlement),
                Outcome::Retry { .. } | Outcome::Snooze { .. } | Outcome::Release { .. } => returned.push(settlement),
                Outcome::Bury { .. } => buried.push(settlement),
            }
        }
        let mut held = Vec::with_capacity(settlements.len());
        let mut rollups = rollups_as_json(&self.name, rollups);
        let mut once = || std::mem::replace(&mut rollups, NO_ROLLUPS.to_owned());
        if !ended.is_empty() || settlements.is_empty() {
            self.settle_ended(&mut held, &ended, once()).await?;
        }
        if !returned.is_empty() {
            self.settle_returned(&mut held, &returned, once()).await?;
        }
        if !buried.is_empty() {
            self.settle_buried(&mut held, &buried, once()).await?;
        }
        if held.len() == settlements.len() {
            return Ok(Vec::new());
        }
        let held: HashSet<Uuid> = held.into_iter().collect();
        Ok(settlements.iter().map(|it| it.id).filter(|id| !held.contains(id)).collect())
    }

    /// Applies the outcomes of one kind with one statement, and notes the ids whose fence still held.
    async fn settle_kind(
        &self,
        held: &mut Vec<Uuid>,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<()> {
        let rows = self.query(statement, parameters).await?;
        held.extend(self.read(statement, &rows, |row| row.try_get::<_, Uuid>(0))?);
        Ok(())
    }

    async fn settle_ended(&self, held: &mut Vec<Uuid>, ended: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(ended);
        if matches!(self.retention.completed, Retention::None) {
            return self.settle_kind(held, &self.statements.settle_drop, &[&ids, &tokens, &rollups]).await;
        }
        let mut reasons: Vec<Option<&str>> = ended.iter().map(|it| it.outcome.reason()).collect();
        if reasons.iter().all(Option::is_none) {
            reasons.clear();
        }
        self.settle_kind(held, &self.statements.settle_finish, &[&ids, &tokens, &rollups, &reasons]).await
    }

    async fn settle_returned(&self, held: &mut Vec<Uuid>, returned: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(returned);
        let outcomes: Vec<_> = returned.iter().map(|it| Returned::of(&it.outcome)).collect();
        let attempts: Vec<i32> = outcomes.iter().map(|it| i32::from(it.failure.is_some())).collect();
        let unproven: Vec<bool> = outcomes.iter().map(|it| !it.ran).collect();
        let delays: Vec<Option<f64>> = outcomes.iter().map(|it| it.delay.map(millis)).collect();
        let errors: Vec<Option<String>> = outcomes.iter().map(|it| it.failure.map(|f| storable(&f.message))).collect();
        let classes: Vec<Option<String>> = outcomes.iter().map(|it| it.failure.map(|f| storable(&f.class))).collect();
        let handled: Vec<Option<String>> = outcomes.iter().map(|it| names(it.handled)).collect();
        let statement = &self.statements.settle_return;
        let parameters: [&(dyn ToSql + Sync); 9] =
            [&ids, &tokens, &rollups, &attempts, &delays, &errors, &classes, &handled, &unproven];
        let mut back = self.read(statement, &self.query(statement, &parameters).await?, rows::returned)?;
        held.extend(back.iter().map(|it| it.id));
        let in_old_place: HashSet<Uuid> =
            outcomes.iter().zip(&ids).filter(|(it, _)| it.delay.is_none()).map(|(_, id)| *id).collect();
        back.retain(|it| in_old_place.contains(&it.id));
        self.lower_floors(&back);
        Ok(())
    }

    async fn settle_buried(&self, held: &mut Vec<Uuid>, buried: &[&Settlement], rollups: String) -> Result<()> {
        let (ids, tokens) = fences(buried);
        let new_ids: Vec<Uuid> = buried.iter().map(|_| Uuid::now_v7()).collect();
        let rows: Vec<_> = buried.iter().map(|it| Returned::of(&it.outcome)).collect();
        let errors: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.message))).collect();
        let classes: Vec<Option<String>> = rows.iter().map(|it| it.failure.map(|f| storable(&f.class))).collect();
        let handled: Vec<Option<String>> = rows.iter().map(|it| names(it.handled)).collect();
        self.settle_kind(
            held,
            &self.statements.settle_bury,
            &[&ids, &tokens, &rollups, &new_ids, &errors, &classes, &handled],
        )
        .await
    }
}

/// What settle_return.sql and settle_bury.sql need of an outcome.
struct Returned<'a> {
    delay: Option<Duration>,
    failure: Option<&'a Failure>,
    handled: &'a [String],
    /// Whether a run has ended.
    ran: bool,
}

impl<'a> Returned<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Retry { delay, failure, handled } => Self::ran(Some(*delay), Some(failure), handled),
            Outcome::Bury { failure, handled } => Self::ran(None, Some(failure), handled),
            Outcome::Snooze { delay, handled } => Self::ran(Some(*delay), None, handled),
            Outcome::Release { delay, handled, ran } => Self { delay: *delay, failure: None, handled, ran: *ran },
            Outcome::Completed | Outcome::Discarded { .. } => Self::ran(None, None, &[]),
        }
    }

    fn ran(delay: Option<Duration>, failure: Option<&'a Failure>, handled: &'a [String]) -> Self {
        Self { delay, failure, handled, ran: true }
    }
}

/// Sorted as the statements expect them. Of two claims of one message the later one stands last, which is the one that
/// may still hold.
fn in_order(settlements: &[Settlement]) -> Vec<&Settlement> {
    let mut sorted: Vec<_> = settlements.iter().collect();
    sorted.sort_unstable_by_key(|it| (it.id, it.token));
    sorted
}

fn fences(settlements: &[&Settlement]) -> (Vec<Uuid>, Vec<Uuid>) {
    settlements.iter().map(|it| (it.id, it.token)).unzip()
}

/// Handler names as a JSON array; `None`: as they are stored.
fn names(handled: &[String]) -> Option<String> {
    let storable: Vec<String> = handled.iter().map(|name| storable(name)).collect();
    (!handled.is_empty()).then(|| serde_json::to_string(&storable).ok()).flatten()
}

/// Text that Postgres can hold: an error's message may well carry a NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
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
                    prop_assert_eq!(read, handled.iter().map(|name| storable(name)).collect::<Vec<_>>());
                }
            }
        }
    }
}
