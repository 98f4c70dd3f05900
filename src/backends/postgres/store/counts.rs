//! Rollups into the table and out of it.

use super::PostgresStore;
use crate::backends::postgres::parameters::rollups_as_json;
use crate::base::limits::COUNTS_CAP;
use crate::counts::histogram::Histogram;
use crate::counts::rollup::{Errors, Rollup, Tally};
use crate::counts::totals::{Outcomes, Total, TotalRow};
use crate::counts::window::{Counted, CountedRow, Window};
use crate::error::{Error, Result};
use crate::store::counts::Counts;
use async_trait::async_trait;
use chrono::DateTime;
use serde::Deserialize;
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;

/// The answer of counts/read.sql.
#[derive(Deserialize)]
struct Answer {
    start: f64,
    end: f64,
    capped: bool,
    rows: Vec<Sums>,
}

#[derive(Deserialize)]
struct Sums {
    transport_name: String,
    message_type: String,
    queue_name: String,
    succeeded: u64,
    retried: u64,
    dead_lettered: u64,
    discarded: u64,
    snoozed: u64,
    released: u64,
    duration_ms: f64,
    waited_ms: f64,
    durations: Vec<(i16, u64)>,
    waits: Vec<(i16, u64)>,
    errors: BTreeMap<String, Errors>,
}

/// One row of the answer of counts/ever.sql.
#[derive(Deserialize)]
struct EverCounted {
    transport_name: String,
    message_type: String,
    #[serde(flatten)]
    outcomes: Outcomes,
    duration_us: u64,
    waited_us: u64,
    durations: Vec<(i16, u64)>,
}

#[async_trait]
impl Counts for PostgresStore {
    async fn has_counted(&self, transport: &str, rollups: &[Rollup]) -> Result<bool> {
        let statement = &self.statements.has_counted;
        let rows = self.query(statement, &[&rollups_as_json(transport, rollups)]).await?;
        Ok(self.read(statement, &rows, |row| row.try_get::<_, Option<bool>>(0))?.first() == Some(&Some(true)))
    }

    async fn counted(&self, window: &Window) -> Result<Counted> {
        let statement = &self.statements.metrics;
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&window.minutes(), &window.start_time, &window.end_time, &COUNTS_CAP];
        let rows = self.ask(statement, &parameters).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| Error::Serialization { what: "metrics", reason: error.to_string() })?;
        let instant = |millis: f64| DateTime::from_timestamp_millis(millis as i64);
        let rows = answer.rows.into_iter().map(Sums::into_row).collect();
        let Answer { start, end, capped, .. } = answer;
        Ok(Counted { start: instant(start), end: instant(end), capped, rows })
    }

    async fn ever_counted(&self) -> Result<Vec<TotalRow>> {
        let statement = &self.statements.ever_counted;
        let rows = self.ask(statement, &[]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        let rows: Vec<EverCounted> = serde_json::from_str(&text)
            .map_err(|error| Error::Serialization { what: "totals", reason: error.to_string() })?;
        Ok(rows.into_iter().map(EverCounted::into_row).collect())
    }
}

impl EverCounted {
    fn into_row(self) -> TotalRow {
        let total = Total {
            outcomes: self.outcomes,
            duration_us: self.duration_us,
            waited_us: self.waited_us,
            durations: histogram(&self.durations),
        };
        TotalRow { transport: self.transport_name, message_type: self.message_type, total }
    }
}

fn histogram(buckets: &[(i16, u64)]) -> Histogram {
    let mut histogram = Histogram::default();
    buckets.iter().for_each(|(bucket, count)| histogram.add(*bucket, *count));
    histogram
}

impl Sums {
    fn into_row(self) -> CountedRow {
        CountedRow {
            transport: self.transport_name,
            message_type: self.message_type,
            queue: self.queue_name,
            tally: Tally {
                succeeded: self.succeeded,
                retried: self.retried,
                dead_lettered: self.dead_lettered,
                discarded: self.discarded,
                snoozed: self.snoozed,
                released: self.released,
                duration_ms: self.duration_ms,
                waited_ms: self.waited_ms,
                durations: histogram(&self.durations),
                waits: histogram(&self.waits),
                errors: self.errors,
            },
        }
    }
}
