//! What is done from time to time: deleting what is past its retention, merging and noting figures.

use super::PostgresStore;
use crate::backends::postgres::connection::pool::Query;
use crate::backends::postgres::parameters::millis;
use crate::backends::postgres::sql::Statements;
use crate::config::{Retention, RetentionConfig};
use crate::error::Result;
use crate::store::Cleaned;
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// A parameter of a statement.
type Parameter<'a> = &'a (dyn ToSql + Sync);

/// How many chores there are.
const CHORES: usize = 14;

impl PostgresStore {
    /// Does the chores that have something to do, at most `limit` rows each.
    pub(super) async fn keep_up(&self, limit: u32) -> Result<Cleaned> {
        let limit = i64::from(limit);
        let RetentionConfig { completed, failed, metrics, audit } = &self.retention;
        let schedules = finished_schedules(&self.retention);
        let kept = [completed, failed, &schedules, metrics, audit].map(kept_ms);
        let due = self.due_chores(&kept).await?;

        let bounded: &[Parameter<'_>] = &[&limit];
        let aged = kept.each_ref().map(|kept| -> [Parameter<'_>; 2] { [kept, &limit] });
        let [completed, failed, schedules, metrics, audit] = &aged;
        let statements = &self.statements;
        let chores: [Query<'_>; CHORES] = [
            (&statements.merge_metrics, bounded),
            (&statements.cleanup_notifications, bounded),
            (&statements.cleanup_finished, completed),
            (&statements.cleanup_failed, failed),
            (&statements.cleanup_deduplication, bounded),
            (&statements.cleanup_schedules, schedules),
            (&statements.cleanup_metrics, metrics),
            (&statements.cleanup_executions, bounded),
            (&statements.cleanup_hours, metrics),
            (&statements.cleanup_depths, metrics),
            (&statements.cleanup_error_groups, metrics),
            (&statements.cleanup_audit, audit),
            (&statements.cleanup_pauses, bounded),
            (&statements.note_releases, &[]),
        ];
        let wanted: Vec<_> = chores.into_iter().zip(&due).filter(|(_, due)| **due).map(|(chore, _)| chore).collect();
        let mut answers = self.database.query_all(&wanted).await?.into_iter();
        let mut done = due.iter().map(|due| if *due { answers.next().map_or(0, |rows| rows.len() as u64) } else { 0 });
        let [_, _, completed, failed, deduplication, schedules, minutes, executions, hours, depths, _, audit] =
            std::array::from_fn(|_| done.next().unwrap_or_default());
        let metrics = minutes + hours + depths;
        Ok(Cleaned { completed, failed, deduplication, schedules, metrics, executions, audit })
    }

    /// Whether each of them has something to do. Depths are noted in the same round trip, since that is due once a minute,
    /// and most queues on servers without a process of their own are drained as often.
    async fn due_chores(&self, kept: &[Option<f64>; 5]) -> Result<Vec<bool>> {
        let Statements { due_chores, note_depths, .. } = &self.statements;
        let [completed, failed, schedules, metrics, audit] = kept;
        let due: [Parameter<'_>; 5] = [completed, failed, schedules, metrics, audit];
        let mut answers = self.database.query_all(&[(due_chores, &due), (note_depths, &[])]).await?.into_iter();
        let rows = answers.next().unwrap_or_default();
        Ok(self.read(due_chores, &rows, |row| row.try_get::<_, Vec<bool>>(0))?.concat())
    }
}

/// How long something is kept; `None`, which no age exceeds: forever. What is not kept at all may be there from the time
/// before the configuration said so.
pub(super) fn kept_ms(retention: &Retention) -> Option<f64> {
    match retention {
        Retention::None => Some(0.0),
        Retention::Forever | Retention::For(_) => retention.limit().map(millis),
    }
}

/// Schedules without a run left stay as long as finished messages do, at least a day, so that people can find them.
fn finished_schedules(retention: &RetentionConfig) -> Retention {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    match retention.completed {
        Retention::Forever => Retention::Forever,
        Retention::None => Retention::For(DAY),
        Retention::For(kept) => Retention::For(kept.max(DAY)),
    }
}
