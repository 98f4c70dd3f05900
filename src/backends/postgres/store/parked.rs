//! What is kept for brokers: messages parked until they are due, and what became of those that were received.

use super::PostgresStore;
use crate::backends::postgres::parameters::{millis, rollups_as_json, runs, storable};
use crate::backends::postgres::rows;
use crate::base::json_number;
use crate::base::limits::DEPTH_CAP;
use crate::config::Retention;
use crate::counts::rollup::Rollup;
use crate::error::{Error, Result};
use crate::message::carried::{Carried, FailedRun, STACKS};
use crate::message::envelope::Available;
use crate::message::outcome::{Failure, Outcome, Road};
use crate::store::parked::{Hold, Kept, Parked, ParkedCount, ParkedMessages, Parking};
use crate::store::transports::Transports;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// How many failed runs a message remembers.
const HISTORY: usize = 20;

#[async_trait]
impl ParkedMessages for PostgresStore {
    async fn park(&self, transport: &str, messages: &[Parked], hold: Hold) -> Result<Vec<Parking>> {
        let columns = Columns::of(messages.iter().map(Entry::parked));
        let keys = messages.iter().map(|it| it.key.as_ref());
        let windows: Vec<Option<f64>> = keys.clone().map(|key| key?.window.map(millis)).collect();
        let repeats: Vec<i32> =
            keys.map(|key| key.map_or(0, |it| i32::try_from(it.repeats).unwrap_or(i32::MAX))).collect();
        let statement = &self.statements.park;
        let lease = millis(hold.lease);
        let rows = self.query(statement, &columns.with(&transport, &hold.token, &[&windows, &repeats, &lease])).await?;
        if rows.is_empty() && !messages.is_empty() {
            return Err(Error::TransportDisabled { name: transport.to_owned() });
        }
        let found = self.read(statement, &rows, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))))?;
        let holders: HashMap<Uuid, (Uuid, DateTime<Utc>)> = found.into_iter().collect();
        let answer = |it: &Parked| match holders.get(&it.message.id) {
            Some(&(holder, available_at)) if holder == it.message.id => Ok(Parking::Parked { available_at }),
            Some(&(of, _)) => Ok(Parking::Duplicate { of }),
            None => {
                Err(Error::Serialization { what: "park", reason: format!("no answer for message {}", it.message.id) })
            }
        };
        messages.iter().map(answer).collect()
    }

    async fn take_due(&self, transport: &str, hold: Hold, limit: usize) -> Result<Vec<Carried>> {
        let statement = &self.statements.take_parked;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.query(statement, &[&transport, &hold.token, &millis(hold.lease), &limit]).await?;
        self.read(statement, &rows, rows::carried)
    }

    async fn unpark(&self, transport: &str, token: Uuid, ids: &[Uuid]) -> Result<()> {
        self.query(&self.statements.unpark, &[&transport, &ids, &token]).await.map(drop)
    }

    async fn leave(&self, transport: &str, token: Uuid, ids: &[Uuid]) -> Result<()> {
        self.query(&self.statements.leave_parked, &[&transport, &ids, &token]).await.map(drop)
    }

    async fn keep(&self, transport: &str, kept: &[Kept<'_>], rollups: &[Rollup]) -> Result<()> {
        let road = Road::of(kept.iter().map(|it| it.outcome))?;
        let kept = once_each(kept);
        let rollups = rollups_as_json(transport, rollups);
        match road {
            Road::Ended => self.keep_ended(transport, &kept, &rollups).await,
            Road::Returned => self.keep_returned(transport, &kept, &rollups).await,
            Road::Buried => self.keep_buried(transport, &kept, &rollups).await,
        }
    }

    async fn is_off(&self, transport: &str) -> Result<bool> {
        Ok(self.rows().await?.iter().any(|it| it.name == transport && !it.enabled))
    }

    async fn count_parked(&self, transport: &str) -> Result<Vec<ParkedCount>> {
        let statement = &self.statements.count_parked;
        let rows = self.query(statement, &[&transport, &DEPTH_CAP]).await?;
        let read = |row: &Row| {
            let [due, waiting] = [row.try_get(1)?, row.try_get(2)?].map(rows::count);
            Ok(ParkedCount { queue: row.try_get(0)?, due, waiting })
        };
        self.read(statement, &rows, read)
    }

    async fn answered(&self, transport: &str, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let statement = &self.statements.answered;
        let rows = self.query(statement, &[&transport, &ids]).await?;
        self.read(statement, &rows, |row| row.try_get(0))
    }
}

impl PostgresStore {
    async fn keep_ended(&self, transport: &str, kept: &[Kept<'_>], rollups: &str) -> Result<()> {
        let ids: Vec<Uuid> = kept.iter().map(|it| it.message.id).collect();
        let stays = !matches!(self.retention.completed, Retention::None);
        let shown: Vec<Kept<'_>> = kept.iter().copied().filter(|_| stays).collect();
        let columns = Columns::of(shown.iter().map(Entry::kept)).into_jsonb();
        let reasons: Vec<Option<Cow<'_, str>>> = shown.iter().map(|it| it.outcome.reason().map(storable)).collect();
        let statement = &self.statements.carried_finish;
        self.query(statement, &columns.with(&transport, &rollups, &[&reasons, &ids])).await.map(drop)
    }

    async fn keep_returned(&self, transport: &str, kept: &[Kept<'_>], rollups: &str) -> Result<()> {
        let columns = Columns::of(kept.iter().map(Entry::kept));
        let [errors, classes, stacks] = failures(kept);
        let (ms, workers) = runs(kept.iter().map(|it| it.outcome.failure()));
        let statement = &self.statements.carried_return;
        let parameters = columns.with(&transport, &rollups, &[&errors, &classes, &stacks, &ms, &workers]);
        self.query(statement, &parameters).await.map(drop)
    }

    async fn keep_buried(&self, transport: &str, kept: &[Kept<'_>], rollups: &str) -> Result<()> {
        let columns = Columns::of(kept.iter().map(Entry::kept)).into_jsonb();
        let [errors, classes, stacks] = failures(kept);
        let (ms, workers) = runs(kept.iter().map(|it| it.outcome.failure()));
        let letters: Vec<Uuid> = kept.iter().map(|_| Uuid::now_v7()).collect();
        let statement = &self.statements.carried_bury;
        let parameters = columns.with(&transport, &rollups, &[&errors, &classes, &stacks, &ms, &workers, &letters]);
        self.query(statement, &parameters).await.map(drop)
    }
}

/// Each message once, by its last outcome: a broker may have delivered it twice.
fn once_each<'a>(kept: &[Kept<'a>]) -> Vec<Kept<'a>> {
    let mut seen = HashSet::new();
    let mut once: Vec<Kept<'a>> = kept.iter().rev().copied().filter(|it| seen.insert(it.message.id)).collect();
    once.reverse();
    once
}

/// What the runs failed with: messages, classes, and stacks.
fn failures<'a>(kept: &[Kept<'a>]) -> [Vec<Option<Cow<'a, str>>>; 3] {
    let failures = kept.iter().map(|it| it.outcome.failure());
    [
        failures.clone().map(|it| it.map(|it| storable(&it.message))).collect(),
        failures.clone().map(|it| it.map(|it| storable(&it.class))).collect(),
        failures.map(|it| it.and_then(|it| it.stack.as_deref()).map(storable)).collect(),
    ]
}

/// A message, and what is to be written about it.
struct Entry<'a> {
    message: &'a Carried,
    key: Option<&'a str>,
    scheduled_at: Option<DateTime<Utc>>,
    delay: Option<Duration>,
    failure: Option<&'a Failure>,
    handled: &'a [String],
    /// Whether a run more has failed that is to be tried again.
    is_retry: bool,
}

impl<'a> Entry<'a> {
    fn parked(Parked { message, available, key }: &'a Parked) -> Self {
        let (scheduled_at, delay) = match *available {
            Available::Now => (None, None),
            Available::At(at) => (Some(at), None),
            Available::After(delay) => (None, Some(delay)),
        };
        let key = key.as_ref().map(|it| it.key.as_str());
        Self { message, key, scheduled_at, delay, failure: None, handled: &message.handled, is_retry: false }
    }

    fn kept(Kept { message, outcome }: &Kept<'a>) -> Self {
        let handled = outcome.handled();
        Self {
            message,
            key: message.idempotency_key.as_deref(),
            scheduled_at: message.scheduled_at,
            delay: outcome.delay(),
            failure: outcome.failure(),
            handled: if handled.is_empty() { &message.handled } else { handled },
            is_retry: matches!(outcome, Outcome::Retry { .. }),
        }
    }

    /// The runs that failed before; if this one has failed, too, there is room for it.
    fn history(&self) -> String {
        let history = &self.message.history;
        let own = usize::from(self.failure.is_some());
        let first = history.len().saturating_sub(HISTORY - own);
        let unstacked = history.len().saturating_sub(STACKS - own);
        let runs = (first..).zip(&history[first..]).map(|(place, it)| FailedRun {
            at: it.at,
            failure: Failure {
                class: storable(&it.failure.class).into_owned(),
                message: storable(&it.failure.message).into_owned(),
                stack: it.failure.stack.as_deref().filter(|_| place >= unstacked).map(|it| storable(it).into_owned()),
                ..it.failure.clone()
            },
        });
        // Texts and instants always serialize.
        serde_json::to_string(&runs.collect::<Vec<_>>()).unwrap_or_else(|_| "[]".to_owned())
    }

    fn handled(&self) -> String {
        let names: Vec<Cow<'_, str>> = self.handled.iter().map(|it| storable(it)).collect();
        serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned())
    }
}

/// Messages as columns, as parked/_carried.sql takes them.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    types: Vec<Cow<'a, str>>,
    queues: Vec<Cow<'a, str>>,
    priorities: Vec<i16>,
    created: Vec<DateTime<Utc>>,
    available: Vec<DateTime<Utc>>,
    scheduled: Vec<Option<DateTime<Utc>>>,
    delays: Vec<Option<f64>>,
    retry_counts: Vec<i32>,
    max_retries: Vec<Option<i32>>,
    keys: Vec<Option<Cow<'a, str>>>,
    bodies: Vec<Cow<'a, str>>,
    headers: Vec<Cow<'a, str>>,
    metadata: Vec<Cow<'a, str>>,
    histories: Vec<String>,
    handled: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of(entries: impl Iterator<Item = Entry<'a>>) -> Self {
        let mut columns = Self::default();
        for it in entries {
            let message = it.message;
            columns.ids.push(message.id);
            columns.types.push(storable(&message.message_type));
            columns.queues.push(storable(&message.queue));
            columns.priorities.push(i16::from(message.priority.clamp(1, 10)));
            columns.created.push(message.created_at);
            columns.available.push(message.available_at);
            columns.scheduled.push(it.scheduled_at);
            columns.delays.push(it.delay.map(millis));
            columns.retry_counts.push(whole(message.retry_count.saturating_add(u32::from(it.is_retry))));
            columns.max_retries.push(message.max_retries.map(whole));
            columns.keys.push(it.key.map(storable));
            columns.bodies.push(storable(&message.body));
            columns.headers.push(storable(&message.headers));
            columns.metadata.push(storable(&message.metadata));
            columns.histories.push(it.history());
            columns.handled.push(it.handled());
        }
        columns
    }

    /// With texts that `jsonb` can hold, whatever somebody has put into the broker.
    fn into_jsonb(mut self) -> Self {
        for texts in [&mut self.bodies, &mut self.headers, &mut self.metadata] {
            for text in texts.iter_mut().filter(|it| !is_jsonb(it)) {
                *text = serde_json::json!({ "unreadable": &**text }).to_string().into();
            }
        }
        self
    }

    /// All parameters of a statement: the transport, the ids, what is third, the columns, and what comes after them.
    fn with<'b>(
        &'b self,
        transport: &'b (dyn ToSql + Sync),
        third: &'b (dyn ToSql + Sync),
        rest: &[&'b (dyn ToSql + Sync)],
    ) -> Vec<&'b (dyn ToSql + Sync)> {
        let columns: [&(dyn ToSql + Sync); 18] = [
            transport,
            &self.ids,
            third,
            &self.types,
            &self.queues,
            &self.priorities,
            &self.created,
            &self.available,
            &self.scheduled,
            &self.delays,
            &self.retry_counts,
            &self.max_retries,
            &self.keys,
            &self.bodies,
            &self.headers,
            &self.metadata,
            &self.histories,
            &self.handled,
        ];
        [&columns[..], rest].concat()
    }
}

fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Whether `jsonb` can hold a text: JSON without numbers that are too long, halves of surrogates, and NULs. The latter
/// two are escapes, so that a text without any need not be taken apart.
fn is_jsonb(text: &str) -> bool {
    let is_json = if text.contains("\\u") {
        serde_json::from_str::<Value>(text).is_ok_and(|it| !has_nul(&it))
    } else {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    };
    is_json && json_number::unstorable(text).is_none()
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(key, it)| key.contains('\0') || has_nul(it)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_jsonb_refuses_are_told_apart() {
        for good in ["{}", "[1,2.5e10]", "\"\\u00e9\"", "\"\\\\u0000\"", "\"\\ud83d\\ude00\"", " null "] {
            assert!(is_jsonb(good), "{good}");
        }
        let long = "1".repeat(200_000);
        for bad in ["", "{", "<a/>", "\"\\u0000\"", "{\"\\u0000\":1}", "[[\"\\u0000\"]]", "\"\\ud83d\"", &long] {
            assert!(!is_jsonb(bad), "{}", &bad[..bad.len().min(20)]);
        }
    }
}
