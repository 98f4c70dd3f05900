//! Rollups into the table and out of it.

use crate::backends::postgres::PostgresTransport;
use crate::counts::histogram::Histogram;
use crate::counts::rollup::{Errors, Rollup, Tally};
use crate::error::{Error, Result};
use crate::monitor::metrics::{Counted, CountedRow, Window};
use crate::transport::{DEPTH_CAP, Vitals};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A row of `messenger_metrics`, named like its columns.
#[derive(Serialize)]
struct Row<'a> {
    minute: DateTime<Utc>,
    source: Uuid,
    transport_name: &'a str,
    message_type: &'a str,
    succeeded: u64,
    retried: u64,
    dead_lettered: u64,
    discarded: u64,
    snoozed: u64,
    released: u64,
    duration_ms: f64,
    waited_ms: f64,
    buckets: Vec<i16>,
    counts: Vec<u64>,
    errors: &'a BTreeMap<String, Errors>,
}

/// The rows as the JSON that settlements/_count.sql takes.
pub(in crate::backends::postgres) fn rollups_as_json(transport: &str, rollups: &[Rollup]) -> String {
    let rows: Vec<Row<'_>> = rollups.iter().map(|it| Row::of(transport, it)).collect();
    // Numbers and names always serialize.
    serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned())
}

impl<'a> Row<'a> {
    fn of(transport: &'a str, rollup: &'a Rollup) -> Self {
        let tally = &rollup.tally;
        let (buckets, counts) = tally.durations.iter().unzip();
        Self {
            minute: rollup.minute,
            source: rollup.source,
            transport_name: transport,
            message_type: &rollup.message_type,
            succeeded: tally.succeeded,
            retried: tally.retried,
            dead_lettered: tally.dead_lettered,
            discarded: tally.discarded,
            snoozed: tally.snoozed,
            released: tally.released,
            duration_ms: tally.duration_ms,
            waited_ms: tally.waited_ms,
            buckets,
            counts,
            errors: &tally.errors,
        }
    }
}

/// The answer of counts/read.sql.
#[derive(Deserialize)]
struct Answer {
    start: f64,
    end: f64,
    rows: Vec<Sums>,
}

#[derive(Deserialize)]
struct Sums {
    transport_name: String,
    message_type: String,
    succeeded: u64,
    retried: u64,
    dead_lettered: u64,
    discarded: u64,
    snoozed: u64,
    released: u64,
    duration_ms: f64,
    waited_ms: f64,
    durations: Vec<(i16, u64)>,
    errors: BTreeMap<String, Errors>,
}

impl PostgresTransport {
    pub(in crate::backends::postgres) async fn read_counted(&self, window: &Window) -> Result<Counted> {
        let statement = &self.statements.metrics;
        let rows = self.ask(statement, &[&window.minutes(), &window.start_time, &window.end_time]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| Error::Serialization { what: "metrics", reason: error.to_string() })?;
        let instant = |millis: f64| DateTime::from_timestamp_millis(millis as i64);
        let rows = answer.rows.into_iter().map(Sums::into_row).collect();
        Ok(Counted { start: instant(answer.start), end: instant(answer.end), rows })
    }
}

impl PostgresTransport {
    pub(in crate::backends::postgres) async fn read_vitals(&self) -> Result<Vitals> {
        let statement = &self.statements.vitals;
        let rows = self.ask(statement, &[&DEPTH_CAP]).await?;
        let text = self.read(statement, &rows, |row| row.try_get::<_, String>(0))?.concat();
        serde_json::from_str(&text).map_err(|error| Error::Serialization { what: "vitals", reason: error.to_string() })
    }
}

impl Sums {
    fn into_row(self) -> CountedRow {
        let mut durations = Histogram::default();
        self.durations.iter().for_each(|(bucket, count)| durations.add(*bucket, *count));
        CountedRow {
            transport: self.transport_name,
            message_type: self.message_type,
            tally: Tally {
                succeeded: self.succeeded,
                retried: self.retried,
                dead_lettered: self.dead_lettered,
                discarded: self.discarded,
                snoozed: self.snoozed,
                released: self.released,
                duration_ms: self.duration_ms,
                waited_ms: self.waited_ms,
                durations,
                errors: self.errors,
            },
        }
    }
}
