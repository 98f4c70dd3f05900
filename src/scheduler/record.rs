//! A schedule as it is stored.

use super::cron::Cron;
use super::missed::{Missed, Overlap};
use super::timing::{Plan, Timing};
use super::zone::Zone;
use crate::error::{Error, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A row of `messenger_schedules`; the comments stand there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Record {
    pub id: Uuid,
    pub name: String,
    pub message_type: String,
    pub transport_name: Option<String>,
    pub queue_name: Option<String>,
    pub priority: Option<u8>,
    pub max_retries: Option<u32>,
    pub body: Box<RawValue>,
    pub headers: Map<String, Value>,
    pub metadata: Box<RawValue>,
    pub schedule_type: Kind,
    pub schedule_config: Value,
    pub timezone: String,
    #[serde(default, deserialize_with = "in_calendar")]
    pub from_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub until_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub anchor_at: Option<DateTime<Utc>>,
    pub jitter_ms: i64,
    pub missed: Missed,
    pub max_missed: usize,
    pub missed_after_ms: i64,
    pub overlap: Overlap,
    pub max_runs: Option<i64>,
    pub code_group: Option<String>,
    pub fingerprint: String,
    pub version: i64,
    #[serde(default, deserialize_with = "in_calendar")]
    pub next_run_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub nominal_run_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub last_run_at: Option<DateTime<Utc>>,
    pub run_count: i64,
    pub skipped_count: i64,
    pub last_message_ids: Vec<Uuid>,
    pub last_error: Option<String>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub last_error_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub finished_at: Option<DateTime<Utc>>,
    pub enabled: bool,
    #[serde(default, deserialize_with = "in_calendar")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "in_calendar")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// What kind of schedule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// At one instant.
    Once,
    /// By an expression.
    Cron,
    /// Every so many milliseconds.
    Interval,
}

/// An instant of a row. What no calendar has, such as the `infinity` that somebody wrote by hand, is nothing.
fn in_calendar<'de, D: Deserializer<'de>>(row: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<String>::deserialize(row)?.and_then(|text| text.parse().ok()))
}

/// As much as can be shown of a row that cannot be read, and why: the others of its list are shown beside it.
pub fn unreadable(text: &str, error: &Error) -> Value {
    let row: Value = serde_json::from_str(text).unwrap_or_default();
    let status = if row["enabled"] == false { "paused" } else { "active" };
    json!({
        "id": row["id"], "name": row["name"], "status": status, "kind": row["schedule_type"], "cron": null,
        "every": null, "timezone": row["timezone"], "at": null, "type": row["message_type"], "payload": row["body"],
        "headers": row["headers"], "metadata": row["metadata"], "transport": row["transport_name"],
        "queue": row["queue_name"], "priority": row["priority"], "maxRetries": row["max_retries"],
        "maxRuns": row["max_runs"], "from": null, "until": null, "jitter": row["jitter_ms"], "missed": row["missed"],
        "maxMissed": row["max_missed"], "missedAfter": row["missed_after_ms"], "overlap": row["overlap"],
        "group": row["code_group"], "origin": if row["code_group"].is_null() { "api" } else { "code" },
        "nextRunAt": null, "lastRunAt": null, "runCount": row["run_count"], "skippedCount": row["skipped_count"],
        "lastMessageIds": row["last_message_ids"], "lastError": format!("its row cannot be read: {error}"),
        "lastErrorAt": null, "createdAt": null, "updatedAt": null, "finishedAt": null,
    })
}

impl Record {
    /// Reads a row.
    ///
    /// # Errors
    /// [`Error::Serialization`] where somebody has written into it what does not belong there.
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Serialization { what: "schedule", reason: error.to_string() })
    }

    /// When it runs.
    ///
    /// # Errors
    /// What is wrong with its configuration.
    pub fn plan(&self) -> Result<Plan> {
        let timing = match self.schedule_type {
            Kind::Once => Timing::Once(self.instant()?),
            Kind::Cron => self.cron()?,
            Kind::Interval => self.interval()?,
        };
        Ok(Plan { timing, from: self.from_at, until: self.until_at })
    }

    fn cron(&self) -> Result<Timing> {
        let config = &self.schedule_config;
        let expression = config.get("cron").or_else(|| config.get("expression")).and_then(Value::as_str);
        let expression = expression.ok_or_else(|| self.broken("cron", "an expression"))?;
        let seed = config.get("seed").and_then(Value::as_str).unwrap_or(&self.name);
        Ok(Timing::Cron(Cron::parse(expression, Some(seed))?, Zone::named(&self.timezone)?))
    }

    fn interval(&self) -> Result<Timing> {
        let millis = self.schedule_config.get("every").and_then(Value::as_i64).filter(|&it| it > 0);
        let millis = millis.ok_or_else(|| self.broken("every", "milliseconds, more than 0"))?;
        Ok(Timing::Every { millis, anchor: self.anchor_at.or(self.created_at).unwrap_or_default() })
    }

    fn instant(&self) -> Result<DateTime<Utc>> {
        let at = self.schedule_config.get("at").and_then(Value::as_str).and_then(|it| it.parse().ok());
        at.or(self.nominal_run_at).or(self.next_run_at).ok_or_else(|| self.broken("at", "an instant"))
    }

    fn broken(&self, key: &str, wants: &str) -> Error {
        let problem = format!("of schedule \"{}\" wants {wants}", self.name);
        Error::InvalidSchedule { path: format!("schedule_config.{key}"), problem }
    }

    /// The next run as planned. Where somebody has moved `next_run_at` by hand to before it, that is the plan.
    pub fn planned(&self) -> Option<DateTime<Utc>> {
        self.nominal_run_at.into_iter().chain(self.next_run_at).min()
    }

    /// Runs that are left to it; `None`: no end.
    pub fn runs_left(&self) -> Option<usize> {
        self.max_runs.map(|max| usize::try_from(max - self.run_count).unwrap_or(0))
    }

    /// The message of a run, as the dispatcher takes it. A run by hand has no key: it is not the planned one.
    pub fn request(&self, run: DateTime<Utc>, left_out: usize, by_hand: bool) -> Value {
        let planned = run.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut headers = self.headers.clone();
        headers.insert("schedule-name".to_owned(), json!(self.name));
        headers.insert("schedule-run-at".to_owned(), json!(planned));
        if left_out > 0 {
            headers.insert("schedule-missed".to_owned(), json!(left_out.to_string()));
        }
        json!({
            "type": self.message_type,
            "payload": self.body,
            "metadata": self.metadata,
            "options": {
                "transport": self.transport_name,
                "queue": self.queue_name,
                "priority": self.priority,
                "maxRetries": self.max_retries,
                "headers": headers,
                "idempotencyKey": (!by_hand).then(|| format!("{}@{planned}", self.name)),
            },
        })
    }

    /// As the facade reads it.
    pub fn shown(&self) -> Value {
        let ms = |at: Option<DateTime<Utc>>| at.map(|it| it.timestamp_millis());
        let config = |key: &str| self.schedule_config.get(key).cloned().unwrap_or_default();
        let status = match self {
            Self { finished_at: Some(_), .. } => "finished",
            Self { enabled: false, .. } => "paused",
            _ => "active",
        };
        let cron = Some(config("cron")).filter(|it| !it.is_null()).unwrap_or_else(|| config("expression"));
        json!({
            "id": self.id, "name": self.name, "status": status, "kind": self.schedule_type,
            "cron": cron, "every": config("every"), "timezone": self.timezone,
            "at": ms(self.schedule_config.get("at").and_then(Value::as_str).and_then(|it| it.parse().ok())),
            "type": self.message_type, "payload": self.body, "headers": self.headers, "metadata": self.metadata,
            "transport": self.transport_name, "queue": self.queue_name, "priority": self.priority,
            "maxRetries": self.max_retries, "maxRuns": self.max_runs, "from": ms(self.from_at),
            "until": ms(self.until_at), "jitter": self.jitter_ms, "missed": self.missed, "maxMissed": self.max_missed,
            "missedAfter": self.missed_after_ms, "overlap": self.overlap, "group": self.code_group,
            "origin": if self.code_group.is_some() { "code" } else { "api" },
            "nextRunAt": ms(self.next_run_at.filter(|_| self.enabled)), "lastRunAt": ms(self.last_run_at),
            "runCount": self.run_count, "skippedCount": self.skipped_count, "lastMessageIds": self.last_message_ids,
            "lastError": self.last_error, "lastErrorAt": ms(self.last_error_at), "createdAt": ms(self.created_at),
            "updatedAt": ms(self.updated_at), "finishedAt": ms(self.finished_at),
        })
    }
}
