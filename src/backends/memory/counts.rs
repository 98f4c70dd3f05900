//! What a memory transport has counted: as much as Postgres would keep, so that tests of metrics need no database.

use crate::counts::rollup::{Rollup, Tally, minute_of};
use crate::counts::totals::{Total, TotalRow};
use crate::counts::window::{CountedRow, Window};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows that are kept; the oldest minutes are dropped first.
const KEPT: usize = 10_000;

/// Counts by minute, source and type, with their queue.
#[derive(Debug, Default)]
pub struct Counts {
    rows: BTreeMap<(DateTime<Utc>, Uuid, String), (String, Tally)>,
    /// What was counted in the rows that were dropped, by type.
    dropped: BTreeMap<String, Total>,
}

impl Counts {
    /// Takes rows, replacing older ones of the same minute, consumer and type.
    pub fn write(&mut self, rollups: &[Rollup]) {
        for it in rollups {
            let counted = (it.queue.clone(), it.tally.clone());
            self.rows.insert((it.minute, it.source, it.message_type.clone()), counted);
        }
        while self.rows.len() > KEPT {
            let Some(((_, _, name), (_, tally))) = self.rows.pop_first() else { break };
            self.dropped.entry(name).or_default().add(&tally);
        }
    }

    /// Minute and type of each row, with its counts.
    pub fn rows(&self) -> impl Iterator<Item = (DateTime<Utc>, &str, &Tally)> {
        self.rows.iter().map(|((minute, _, name), (_, tally))| (*minute, &**name, tally))
    }

    /// Whether the rows count the same as these.
    pub fn hold(&self, rollups: &[Rollup]) -> bool {
        let held = |it: &Rollup| self.rows.get(&(it.minute, it.source, it.message_type.clone()));
        rollups.iter().all(|it| held(it).is_some_and(|(_, tally)| tally.counts_the_same(&it.tally)))
    }

    /// What was ever counted, by type.
    pub fn ever(&self, transport: &str) -> Vec<TotalRow> {
        let mut totals = self.dropped.clone();
        for ((_, _, name), (_, tally)) in &self.rows {
            totals.entry(name.clone()).or_default().add(tally);
        }
        let row = |(message_type, total)| TotalRow { transport: transport.to_owned(), message_type, total };
        totals.into_iter().map(row).collect()
    }

    /// The counts of a window, by type and queue.
    pub fn read(
        &self,
        transport: &str,
        window: &Window,
        now: DateTime<Utc>,
    ) -> (DateTime<Utc>, DateTime<Utc>, Vec<CountedRow>) {
        let back = TimeDelta::milliseconds((window.minutes() * 60_000.0) as i64);
        let start = minute_of(window.start_time.or_else(|| now.checked_sub_signed(back)).unwrap_or_default());
        let end = window.end_time.unwrap_or(now);
        let mut types: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
        for ((minute, _, name), (queue, tally)) in &self.rows {
            if (start..end).contains(minute) {
                types.entry((name, queue)).or_default().merge(tally);
            }
        }
        let row = |((name, queue), tally): ((&str, &str), Tally)| CountedRow {
            transport: transport.to_owned(),
            message_type: name.to_owned(),
            queue: queue.to_owned(),
            tally,
        };
        (start, end, types.into_iter().map(row).collect())
    }
}
