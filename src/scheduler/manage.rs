//! Schedules made, changed, looked at and taken away.

use super::definition::{Definition, first_run, late};
use super::record::{Record, unreadable};
use super::table;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::controls::Because;
use crate::store::schedules::{Deed, Found};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;

/// How often a change is tried that others come before.
const TRIES: usize = 20;

/// Stores a schedule under its name. The same definition again changes nothing.
///
/// # Errors
/// What is wrong with it, or those of a statement.
pub async fn put(engine: &Arc<Engine>, definition: &str, group: Option<&str>) -> Result<Record> {
    let store = engine.store()?;
    let table = table(&*store)?;
    for _ in 0..TRIES {
        let definition = Definition::read(engine, definition, &store.identity(), group).await?;
        let name = definition.name.clone();
        let Found { now, row } = table.get(&name).await?;
        // What cannot be read is replaced.
        let stored = row.as_ref().and_then(|(_, _, record)| Record::read(record).ok());
        if let Some(stored) = stored.as_ref().filter(|it| definition.is(it)) {
            return Ok(stored.clone());
        }
        let version = row.as_ref().map(|(_, version, _)| *version);
        let new = definition.row(stored.as_ref(), now, fastrand::f64())?;
        if let Some(record) = table.put(&name, version, &new, None).await? {
            return Record::read(&record);
        }
    }
    Err(contended())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defined<'a> {
    group: String,
    #[serde(borrow)]
    schedules: Vec<&'a RawValue>,
}

/// Makes the schedules of a group what the code says: new ones stored, changed ones changed, others of the group
/// deleted. All are checked before the first is stored.
///
/// # Errors
/// As [`put`], naming the schedule.
pub async fn define(engine: &Arc<Engine>, text: &str) -> Result<Value> {
    let Defined { group, schedules } = serde_json::from_str(text)
        .map_err(|error| Error::Serialization { what: "schedules", reason: error.to_string() })?;
    let store = engine.store()?;
    let table = table(&*store)?;
    let mut names: Vec<String> = Vec::with_capacity(schedules.len());
    for (index, schedule) in schedules.iter().enumerate() {
        let read = Definition::read(engine, schedule.get(), &store.identity(), Some(&group)).await;
        let name = read.map_err(|error| at(index, error))?.name;
        if names.contains(&name) {
            let problem = format!("\"{name}\" appears twice");
            return Err(at(index, Error::InvalidSchedule { path: "options.name".to_owned(), problem }));
        }
        names.push(name);
    }
    let mut stored = Vec::with_capacity(schedules.len());
    for schedule in schedules {
        stored.push(put(engine, schedule.get(), Some(&group)).await?.shown());
    }
    let removed = table.prune(&group, &names).await?;
    Ok(json!({ "schedules": stored, "removed": removed }))
}

/// Says which schedule of a list an error is about.
fn at(index: usize, error: Error) -> Error {
    match error {
        Error::InvalidSchedule { path, problem } => {
            Error::InvalidSchedule { path: format!("schedules[{index}].{path}"), problem }
        }
        Error::InvalidMessage { rule, path, problem } => {
            Error::InvalidMessage { rule, path: format!("schedules[{index}].{path}"), problem }
        }
        other => other,
    }
}

/// One schedule.
///
/// # Errors
/// Those of a statement.
pub async fn get(engine: &Arc<Engine>, name: &str) -> Result<Option<Record>> {
    storable("name", name)?;
    let store = engine.store()?;
    let found = table(&*store)?.get(name).await?;
    found.row.map(|(_, _, record)| Record::read(&record)).transpose()
}

/// A page of schedules, by name. One that cannot be read is shown as such.
///
/// # Errors
/// Those of a statement.
pub async fn list(engine: &Arc<Engine>, after: Option<&str>, limit: usize) -> Result<Vec<Value>> {
    after.map_or(Ok(()), |after| storable("after", after))?;
    let store = engine.store()?;
    let rows = table(&*store)?.list(after, limit).await?;
    Ok(rows.iter().map(|row| Record::read(row).map_or_else(|error| unreadable(row, &error), |it| it.shown())).collect())
}

/// Stops a schedule from running, or lets it go on with its next run; nothing where it does so already.
///
/// # Errors
/// [`Error::UnknownSchedule`], or those of a statement.
pub async fn switch(engine: &Arc<Engine>, name: &str, enabled: bool, because: &Because) -> Result<Record> {
    storable("name", name)?;
    because.check()?;
    let store = engine.store()?;
    let table = table(&*store)?;
    for _ in 0..TRIES {
        let Found { now, row } = table.get(name).await?;
        let (_, version, text) = row.ok_or_else(|| Error::UnknownSchedule { name: name.to_owned() })?;
        let mut record = Record::read(&text)?;
        if record.enabled == enabled {
            return Ok(record);
        }
        record.enabled = enabled;
        if enabled && record.finished_at.is_none() {
            // What it would have done meanwhile, nobody wanted.
            record.nominal_run_at = first_run(&record.plan()?, now);
            record.next_run_at = record.nominal_run_at.map(|run| late(run, record.jitter_ms, fastrand::f64()));
            record.finished_at = record.nominal_run_at.is_none().then_some(now);
        }
        let new = serde_json::to_string(&record)
            .map_err(|error| Error::Serialization { what: "schedule", reason: error.to_string() })?;
        let action = if enabled { "resumeSchedule" } else { "pauseSchedule" };
        let deed = Deed { action, schedule: name, because };
        if let Some(record) = table.put(name, Some(version), &new, Some(deed)).await? {
            return Record::read(&record);
        }
    }
    Err(contended())
}

/// Deletes a schedule; whether there was one. Its messages stay.
///
/// # Errors
/// Those of a statement.
pub async fn delete(engine: &Arc<Engine>, name: &str, because: &Because) -> Result<bool> {
    storable("name", name)?;
    because.check()?;
    let store = engine.store()?;
    table(&*store)?.delete(name, because).await
}

/// Refuses a name that no schedule can have, and Postgres no text.
pub(super) fn storable(path: &str, name: &str) -> Result<()> {
    if name.contains('\0') {
        let problem = "contains a NUL, wants the name of a schedule".to_owned();
        return Err(Error::InvalidSchedule { path: path.to_owned(), problem });
    }
    Ok(())
}

pub(super) fn contended() -> Error {
    let reason = "others kept changing the schedule".to_owned();
    Error::Query { operation: "schedule_put", reason, sqlstate: String::new(), transient: true }
}
