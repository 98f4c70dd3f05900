//! A schedule as the caller describes it: read, checked, and turned into the row that is stored.

use super::cron::Cron;
use super::missed::{Missed, Overlap};
use super::record::{Kind, Record};
use super::timing::{Plan, Timing};
use super::zone::Zone;
use crate::dispatcher;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::message::request;
use crate::message::request::{Instant, MAX_NAME_CHARS, Names, Request};
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;

/// The shortest interval, in milliseconds: nobody looks more often.
const MIN_EVERY_MS: f64 = 1_000.0;
/// A hundred years in milliseconds.
const MAX_MS: f64 = 3_155_760_000_000.0;
/// How many missed runs may be made up for.
const MAX_MISSED: f64 = 1_000.0;

/// A schedule as JSON describes it. Durations are milliseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
    when: When,
    #[serde(default)]
    options: Options,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct When {
    at: Option<Instant>,
    cron: Option<String>,
    every: Option<f64>,
    timezone: Option<String>,
    seed: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    name: Option<String>,
    from: Option<Instant>,
    until: Option<Instant>,
    jitter: Option<f64>,
    max_runs: Option<f64>,
    missed: Missed,
    max_missed: Option<f64>,
    missed_after: Option<f64>,
    overlap: Overlap,
}

/// A schedule that may be stored.
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    plan: Plan,
    row: Row,
}

/// The columns of `messenger_schedules` that a definition fills.
#[derive(Debug, Clone, Serialize)]
struct Row {
    message_type: String,
    transport_name: Option<String>,
    queue_name: Option<String>,
    priority: Option<u8>,
    max_retries: Option<u32>,
    body: Box<RawValue>,
    headers: Value,
    metadata: Value,
    schedule_type: Kind,
    schedule_config: Value,
    timezone: String,
    from_at: Option<DateTime<Utc>>,
    until_at: Option<DateTime<Utc>>,
    anchor_at: Option<DateTime<Utc>>,
    jitter_ms: i64,
    missed: Missed,
    max_missed: usize,
    missed_after_ms: i64,
    overlap: Overlap,
    max_runs: Option<i64>,
    code_group: Option<String>,
    fingerprint: String,
    next_run_at: Option<DateTime<Utc>>,
    nominal_run_at: Option<DateTime<Utc>>,
    run_count: i64,
    finished_at: Option<DateTime<Utc>>,
    enabled: bool,
}

impl Definition {
    /// Reads and checks a definition; `group` is the one of `defineSchedules()`.
    ///
    /// # Errors
    /// What is wrong with the schedule, or with its message and where it would go.
    pub async fn read(engine: &Arc<Engine>, text: &str, place: &str, group: Option<&str>) -> Result<Self> {
        let given: Given<'_> = serde_json::from_str(text).map_err(|error| invalid("schedule", error.to_string()))?;
        let requests = format!("[{}]", given.message.get());
        let mut parts = request::read(&requests)?;
        let request = parts.pop().ok_or(Error::Internal { what: "a list of one message has none" })??;
        refuse_foreign_options(&request)?;
        // Whether it could be dispatched now is the best guess whether it can be later.
        dispatcher::address(engine, &requests, place).await?.into_iter().collect::<Result<Vec<_>>>()?;
        let mut definition = Self::of(&given, &request, group)?;
        definition.row.fingerprint = definition.fingerprint();
        Ok(definition)
    }

    fn of(given: &Given<'_>, request: &Request<'_>, group: Option<&str>) -> Result<Self> {
        let Options { from, until, jitter, max_runs, missed, max_missed, missed_after, overlap, .. } = &given.options;
        if (*missed, *overlap) == (Missed::All, Overlap::Skip) {
            let problem =
                "'skip' leaves out all but the first run that missed: 'all' makes up for; use only one of them";
            return Err(invalid("options.overlap", problem.to_owned()));
        }
        let message_options = request.options.as_ref();
        let transport = message_options.and_then(|it| it.transport.as_ref()).map(one_transport).transpose()?;
        let headers = object(message_options.and_then(|it| it.headers))?;
        let mut metadata = object(request.metadata)?;
        if let (Value::Object(all), Value::Object(own)) =
            (&mut metadata, object(message_options.and_then(|it| it.metadata))?)
        {
            all.extend(own);
        }
        let from_at = from.map(|it| instant("options.from", it)).transpose()?;
        let name = match &given.options.name {
            Some(name) => checked_name(name)?,
            None => unnamed(given, request),
        };
        let (kind, config, timing) = given.when.read(&name, from_at)?;
        let zone = given.when.timezone.as_deref().map_or(Ok(Zone::UTC), Zone::named)?;
        let row = Row {
            message_type: request.message_type.to_string(),
            transport_name: transport,
            queue_name: message_options.and_then(|it| it.queue.as_ref()).map(ToString::to_string),
            priority: message_options.and_then(|it| it.priority),
            max_retries: message_options.and_then(|it| it.max_retries),
            body: request.payload.to_owned(),
            headers,
            metadata,
            schedule_type: kind,
            schedule_config: config,
            timezone: zone.name().to_owned(),
            from_at,
            until_at: until.map(|it| instant("options.until", it)).transpose()?,
            anchor_at: None,
            jitter_ms: whole("options.jitter", jitter.unwrap_or(0.0), 0.0, MAX_MS)?,
            missed: *missed,
            max_missed: whole("options.maxMissed", max_missed.unwrap_or(100.0), 1.0, MAX_MISSED)? as usize,
            missed_after_ms: whole("options.missedAfter", missed_after.unwrap_or(300_000.0), 0.0, MAX_MS)?,
            overlap: *overlap,
            max_runs: max_runs.map(|it| whole("options.maxRuns", it, 1.0, 2e9)).transpose()?,
            code_group: group.map(str::to_owned),
            fingerprint: String::new(),
            next_run_at: None,
            nominal_run_at: None,
            run_count: 0,
            finished_at: None,
            enabled: true,
        };
        let plan = Plan { timing, from: row.from_at, until: row.until_at };
        Ok(Self { name, plan, row })
    }

    /// Whether a stored schedule is this one already.
    pub fn is(&self, stored: &Record) -> bool {
        stored.fingerprint == self.row.fingerprint
    }

    /// The row to store over what is there, JSON text. As long as it runs at the same times, its next run stays.
    ///
    /// # Errors
    /// Never, but for what cannot be written as JSON.
    pub fn row(mut self, stored: Option<&Record>, now: DateTime<Utc>, jitter: f64) -> Result<String> {
        let row = &mut self.row;
        row.enabled = stored.is_none_or(|it| it.enabled);
        match stored.filter(|it| timing_of(&it.fingerprint) == timing_of(&row.fingerprint)) {
            Some(stored) => {
                row.anchor_at = stored.anchor_at;
                row.next_run_at = stored.next_run_at;
                row.nominal_run_at = stored.nominal_run_at;
                row.run_count = stored.run_count;
                row.finished_at = stored.finished_at;
            }
            None => {
                if let Timing::Every { anchor, .. } = &mut self.plan.timing {
                    let start = DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now);
                    *anchor = row.from_at.unwrap_or(start);
                    row.anchor_at = Some(*anchor);
                }
                row.nominal_run_at = first_run(&self.plan, now);
                row.next_run_at = row.nominal_run_at.map(|run| late(run, row.jitter_ms, jitter));
                row.finished_at = row.nominal_run_at.is_none().then_some(now);
            }
        }
        serde_json::to_string(row).map_err(|error| Error::Serialization { what: "schedule", reason: error.to_string() })
    }

    /// When it runs, and everything else, each as a digest: the first tells whether the next run is another.
    fn fingerprint(&self) -> String {
        let row = &self.row;
        let timing =
            json!([row.schedule_type, row.schedule_config, row.timezone, row.from_at, row.until_at, row.max_runs]);
        let rest = json!([
            row.message_type,
            row.transport_name,
            row.queue_name,
            row.priority,
            row.max_retries,
            row.body.get(),
            row.headers,
            row.metadata,
            row.jitter_ms,
            row.missed,
            row.max_missed,
            row.missed_after_ms,
            row.overlap,
            row.code_group,
        ]);
        format!("{} {}", hash(&timing.to_string()), hash(&rest.to_string()))
    }
}

/// The first run of a schedule that is new, or goes on after a pause. The one run of a one-time schedule is never late.
pub fn first_run(plan: &Plan, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match plan.timing {
        Timing::Once(at) => Some(at).filter(|&at| plan.until.is_none_or(|until| at < until)),
        _ => plan.next_after(now),
    }
}

/// A planned time with its jitter; `chance` is from 0 to 1.
pub fn late(run: DateTime<Utc>, jitter_ms: i64, chance: f64) -> DateTime<Utc> {
    let late = chrono::TimeDelta::milliseconds((jitter_ms as f64 * chance) as i64);
    run.checked_add_signed(late).unwrap_or(run)
}

impl When {
    fn read(&self, name: &str, from: Option<DateTime<Utc>>) -> Result<(Kind, Value, Timing)> {
        match (self.at, &self.cron, self.every) {
            (Some(at), None, None) => {
                self.refuse_zone("at")?;
                let at = instant("at", at)?;
                Ok((Kind::Once, json!({ "at": at }), Timing::Once(at)))
            }
            (None, Some(expression), None) => {
                let seed = self.seed.as_deref();
                let cron = Cron::parse(expression, Some(seed.unwrap_or(name)))?;
                let zone = self.timezone.as_deref().map_or(Ok(Zone::UTC), Zone::named)?;
                let mut config = json!({ "cron": Cron::written(expression) });
                if let (Some(seed), Some(config)) = (seed, config.as_object_mut()) {
                    config.insert("seed".to_owned(), json!(seed));
                }
                Ok((Kind::Cron, config, Timing::Cron(cron, zone)))
            }
            (None, None, Some(every)) => {
                self.refuse_zone("every")?;
                let millis = whole("every", every, MIN_EVERY_MS, MAX_MS)?;
                let anchor = from.unwrap_or_default();
                Ok((Kind::Interval, json!({ "every": millis }), Timing::Every { millis, anchor }))
            }
            _ => Err(invalid("when", "wants one of { at }, { cron, timezone } and { every }".to_owned())),
        }
    }

    fn refuse_zone(&self, kind: &str) -> Result<()> {
        match &self.timezone {
            // What the seeds' table has by default.
            None => Ok(()),
            Some(zone) if Zone::named(zone)? == Zone::UTC => Ok(()),
            Some(_) => {
                Err(invalid("timezone", format!("has no meaning beside `{kind}`; only cron expressions have a zone")))
            }
        }
    }
}

fn refuse_foreign_options(request: &Request<'_>) -> Result<()> {
    let Some(options) = &request.options else { return Ok(()) };
    let foreign = [
        ("scheduledAt", options.scheduled_at.is_some()),
        ("delay", options.delay.is_some()),
        ("idempotencyKey", options.idempotency_key.is_some()),
    ];
    match foreign.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(invalid(&format!("options.{name}"), "is decided by the schedule; leave it out".to_owned()))
        }
        None => Ok(()),
    }
}

fn one_transport(names: &Names) -> Result<String> {
    match names.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(invalid("options.transport", "wants one name; let routing send a type to several".to_owned())),
    }
}

fn checked_name(name: &str) -> Result<String> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > MAX_NAME_CHARS || name.contains('\0') {
        let problem = format!("has {length} characters, wants a string of 1 to {MAX_NAME_CHARS}, without NUL");
        return Err(invalid("options.name", problem));
    }
    Ok(name.to_owned())
}

/// The same call again is the same schedule; another payload or time is another one.
fn unnamed(given: &Given<'_>, request: &Request<'_>) -> String {
    let When { at, cron, every, timezone, .. } = &given.when;
    let content = format!("{}{at:?}{cron:?}{every:?}{timezone:?}", given.message.get());
    let short: String = request.message_type.chars().take(MAX_NAME_CHARS - 17).collect();
    format!("{short}/{}", &hash(&content)[..16])
}

fn object(raw: Option<&RawValue>) -> Result<Value> {
    let Some(raw) = raw else { return Ok(json!({})) };
    serde_json::from_str(raw.get())
        .map_err(|error| Error::Serialization { what: "schedule", reason: error.to_string() })
}

fn instant(path: &str, given: Instant) -> Result<DateTime<Utc>> {
    given.in_calendar().ok_or_else(|| invalid(path, "wants an instant between the years 1 and 9999".to_owned()))
}

fn whole(path: &str, value: f64, min: f64, max: f64) -> Result<i64> {
    if value.fract() == 0.0 && (min..=max).contains(&value) {
        return Ok(value as i64);
    }
    Err(invalid(path, format!("got {value}, wants a whole number from {min} to {max}")))
}

fn timing_of(fingerprint: &str) -> Option<&str> {
    fingerprint.split_once(' ').map(|(timing, _)| timing)
}

fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(path: &str, problem: String) -> Error {
    Error::InvalidSchedule { path: path.to_owned(), problem }
}
