//! The core's types as parameters of statements.

use crate::counts::rollup::{Errors, Rollup};
use crate::message::envelope::{Available, Envelope};
use crate::message::outcome::Failure;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A batch as columns: one array per parameter, for any number of messages.
pub struct Columns<'a> {
    ids: Vec<Uuid>,
    types: Vec<&'a str>,
    transports: Vec<&'a str>,
    queues: Vec<&'a str>,
    priorities: Vec<i16>,
    max_retries: Vec<Option<i32>>,
    scheduled: Vec<Option<DateTime<Utc>>>,
    delays: Vec<Option<f64>>,
    bodies: Vec<&'a str>,
    headers: Vec<Option<&'a str>>,
    metadata: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    pub fn of(envelopes: &'a [Envelope]) -> Self {
        let all = envelopes.iter();
        Self {
            ids: all.clone().map(|it| it.id).collect(),
            types: all.clone().map(|it| &*it.message_type).collect(),
            transports: all.clone().map(|it| &*it.transport).collect(),
            queues: all.clone().map(|it| &*it.queue).collect(),
            priorities: all.clone().map(|it| i16::from(it.priority)).collect(),
            max_retries: all.clone().map(max_retries).collect(),
            scheduled: all.clone().map(scheduled_at).collect(),
            delays: all.clone().map(delay_ms).collect(),
            bodies: all.clone().map(|it| &*it.body).collect(),
            headers: all.clone().map(|it| it.headers.as_deref()).collect(),
            metadata: all.map(|it| it.metadata.as_deref()).collect(),
        }
    }

    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 11] {
        [
            &self.ids,
            &self.types,
            &self.transports,
            &self.queues,
            &self.priorities,
            &self.max_retries,
            &self.scheduled,
            &self.delays,
            &self.bodies,
            &self.headers,
            &self.metadata,
        ]
    }
}

pub fn max_retries(envelope: &Envelope) -> Option<i32> {
    envelope.max_retries.map(|it| i32::try_from(it).unwrap_or(i32::MAX))
}

pub fn scheduled_at(envelope: &Envelope) -> Option<DateTime<Utc>> {
    if let Available::At(at) = envelope.available { Some(at) } else { None }
}

pub fn delay_ms(envelope: &Envelope) -> Option<f64> {
    if let Available::After(delay) = envelope.available { Some(millis(delay)) } else { None }
}

/// A row of `messenger_metrics`, named like its columns.
#[derive(Serialize)]
struct Row<'a> {
    minute: DateTime<Utc>,
    source: Uuid,
    transport_name: &'a str,
    message_type: &'a str,
    queue_name: &'a str,
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
    wait_buckets: Vec<i16>,
    wait_counts: Vec<u64>,
    errors: &'a BTreeMap<String, Errors>,
}

/// The rows as the JSON that settlements/_count.sql takes.
pub fn rollups_as_json(transport: &str, rollups: &[Rollup]) -> String {
    let rows: Vec<Row<'_>> = rollups.iter().map(|it| Row::of(transport, it)).collect();
    // Numbers and names always serialize.
    serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned())
}

impl<'a> Row<'a> {
    fn of(transport: &'a str, rollup: &'a Rollup) -> Self {
        let tally = &rollup.tally;
        let (buckets, counts) = tally.durations.iter().unzip();
        let (wait_buckets, wait_counts) = tally.waits.iter().unzip();
        Self {
            minute: rollup.minute,
            source: rollup.source,
            transport_name: transport,
            message_type: &rollup.message_type,
            queue_name: &rollup.queue,
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
            wait_buckets,
            wait_counts,
            errors: &tally.errors,
        }
    }
}

/// How long runs that failed had taken, and whose they were.
pub fn runs<'a>(failures: impl Iterator<Item = Option<&'a Failure>>) -> (Vec<Option<i32>>, Vec<Option<Uuid>>) {
    let of = |it: &Failure| (it.ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)), it.worker);
    failures.map(|it| it.map(of).unwrap_or_default()).unzip()
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Text that Postgres can store: an error's message may contain a NUL.
pub fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
