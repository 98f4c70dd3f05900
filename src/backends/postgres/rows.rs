//! Rows as the transport's types.

use super::instants::Shown;
use crate::message::carried::Carried;
use crate::message::claimed::Claimed;
use crate::store::contents::Contents;
use crate::store::dead_letters::{Cursor, FailedMessage};
use crate::store::executions::Begun;
use crate::store::messages::{KeptMessage, MessageStatus};
use crate::transport::Depth;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio_postgres::types::{FromSql, Type, WrongType};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// A row of claim.sql, claim_many.sql or claim_suspect.sql. Whatever is in it, it is already held: a value that cannot
/// be read makes only this message unreadable. A column of another type is the schema's fault, and an error.
pub fn claimed(row: &Row, token: Uuid) -> Result<Claimed, Error> {
    let id = row.try_get(0)?;
    let mut problems = Problems(None);
    Ok(Claimed {
        id,
        token,
        message_type: problems.read(row, 1)?,
        queue: problems.read(row, 2)?,
        priority: small(problems.read(row, 3)?),
        body: problems.read(row, 4)?,
        headers: object(problems.read(row, 5)?),
        metadata: object(problems.read(row, 6)?),
        created_at: problems.read::<Instant>(row, 7)?.0,
        available_at: problems.read::<Instant>(row, 8)?.0,
        scheduled_at: problems.read::<Option<Instant>>(row, 9)?.map(|it| it.0),
        retry_count: whole(problems.read(row, 10)?),
        max_retries: problems.read::<Option<i32>>(row, 11)?.map(whole),
        crash_count: problems.read(row, 12)?,
        idempotency_key: problems.read(row, 13)?,
        handled: problems.read::<Option<Vec<Option<String>>>>(row, 14)?.into_iter().flatten().flatten().collect(),
        claimed_at: problems.read::<Instant>(row, 15)?.0,
        unreadable: problems.0,
    })
}

/// The text of an object; an empty one is not sent, see messages/_take.sql.
fn object(text: Option<String>) -> String {
    text.unwrap_or_else(|| "{}".to_owned())
}

/// A message that is back in its queue: a row of settlements/return.sql or reconcile.sql.
pub struct Returned {
    pub id: Uuid,
    pub queue: String,
    pub priority: i16,
    pub available_at: DateTime<Utc>,
}

/// A row of settlements/return.sql or reconcile.sql.
pub fn returned(row: &Row) -> Result<Returned, Error> {
    Ok(Returned {
        id: row.try_get(0)?,
        queue: row.try_get(1)?,
        priority: row.try_get(2)?,
        available_at: row.try_get(3)?,
    })
}

/// A row of parked/take.sql. Whatever is in it, it is already held; what cannot be read of its past has no value here.
pub fn carried(row: &Row) -> Result<Carried, Error> {
    let handled = row.try_get::<_, Vec<Option<String>>>(14)?;
    Ok(Carried {
        id: row.try_get(0)?,
        message_type: row.try_get(1)?,
        queue: row.try_get(2)?,
        priority: small(row.try_get(3)?),
        body: row.try_get(4)?,
        headers: row.try_get(5)?,
        metadata: row.try_get(6)?,
        created_at: row.try_get::<_, Instant>(7)?.0,
        available_at: row.try_get::<_, Instant>(8)?.0,
        scheduled_at: row.try_get::<_, Option<Instant>>(9)?.map(|it| it.0),
        retry_count: whole(row.try_get(10)?),
        max_retries: row.try_get::<_, Option<i32>>(11)?.map(whole),
        idempotency_key: row.try_get(12)?,
        history: serde_json::from_str(row.try_get(13)?).unwrap_or_default(),
        handled: handled.into_iter().flatten().collect(),
    })
}

/// What cannot be read of a row: the first of it.
struct Problems(Option<String>);

impl Problems {
    fn read<'a, T: FromSql<'a> + Default>(&mut self, row: &'a Row, index: usize) -> Result<T, Error> {
        row.try_get(index).or_else(|error| {
            if std::error::Error::source(&error).is_some_and(|it| it.is::<WrongType>()) {
                return Err(error);
            }
            let column = row.columns().get(index).map_or("", |it| it.name());
            self.0.get_or_insert_with(|| format!("its column {column} cannot be read: {}", cause(&error)));
            Ok(T::default())
        })
    }
}

/// The driver's own words name the column by its number.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// An instant of any time that Postgres knows. What lies beyond what can be counted here, as `-infinity`, which people
/// write by hand, is the first or the last instant that can be written back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

/// Years 1 and 9999: what every date library, and every database, takes.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_000;
/// From 1970, from where chrono counts, to 2000, from where Postgres does.
const MICROS_TO_2000: i64 = 946_684_800_000_000;

impl<'a> FromSql<'a> for Instant {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?).saturating_add(MICROS_TO_2000);
        let at = DateTime::from_timestamp_micros(micros.clamp(FIRST_MICROS, LAST_MICROS));
        Ok(Self(at.unwrap_or_default()))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// A row of dead_letters/list.sql; `None` for the row that carries nothing but the reach.
pub fn failed(row: &Row) -> Result<Option<FailedMessage>, Error> {
    let Some(id) = row.try_get(3)? else { return Ok(None) };
    Ok(Some(FailedMessage {
        id,
        message_id: row.try_get(4)?,
        r#type: row.try_get(5)?,
        transport: row.try_get(6)?,
        queue: row.try_get(7)?,
        priority: small(row.try_get(8)?),
        contents: contents(row, 9)?,
        headers: json(row.try_get(12)?),
        metadata: json(row.try_get(13)?),
        error: row.try_get(14)?,
        error_class: row.try_get(15)?,
        failed_at: shown(row, 16)?,
        retry_count: whole(row.try_get(17)?),
        crashes: row.try_get(18)?,
        created_at: shown(row, 19)?,
        idempotency_key: row.try_get(20)?,
        cursor: Cursor { failed_at: row.try_get(16)?, id },
    }))
}

/// Two columns of dead_letters/list.sql or dead_letters/places.sql: a place, if there is one.
pub fn place(row: &Row, failed_at: usize, id: usize) -> Result<Option<Cursor>, Error> {
    let Some(id) = row.try_get(id)? else { return Ok(None) };
    Ok(Some(Cursor { failed_at: row.try_get(failed_at)?, id }))
}

/// A row of messages/list.sql or messages/get.sql; `None` for the row that carries nothing but the reach.
pub fn message(row: &Row) -> Result<Option<KeptMessage>, Error> {
    let Some(id) = row.try_get(2)? else { return Ok(None) };
    Ok(Some(KeptMessage {
        id,
        r#type: row.try_get(3)?,
        transport: row.try_get(4)?,
        queue: row.try_get(5)?,
        priority: small(row.try_get(6)?),
        status: MessageStatus::of(row.try_get(7)?),
        contents: contents(row, 8)?,
        headers: json(row.try_get(11)?),
        metadata: json(row.try_get(12)?),
        created_at: shown(row, 13)?,
        available_at: shown(row, 14)?,
        scheduled_at: shown(row, 15)?,
        started_at: shown(row, 16)?,
        worker_id: row.try_get(17)?,
        finished_at: shown(row, 18)?,
        retry_count: whole(row.try_get(19)?),
        max_retries: row.try_get::<_, Option<i32>>(20)?.map(whole),
        crashes: row.try_get(21)?,
        last_error: row.try_get(22)?,
        idempotency_key: row.try_get(23)?,
        failed_message_id: row.try_get(24)?,
    }))
}

/// Three columns: the text of a payload or its beginning, its size, and the history of errors where all is told.
fn contents(row: &Row, first: usize) -> Result<Contents, Error> {
    let text: String = row.try_get(first)?;
    Ok(match row.try_get::<_, Option<String>>(first + 2)? {
        Some(history) => Contents::Whole { payload_text: json(text), error_history: json(history) },
        None => {
            let bytes = row.try_get::<_, Option<i32>>(first + 1)?.map(whole);
            Contents::Outline { payload_preview: text, payload_bytes: bytes.unwrap_or_default().into() }
        }
    })
}

/// A row of depth.sql.
pub fn depth(row: &Row) -> Result<Depth, Error> {
    Ok(Depth {
        queue: row.try_get(0)?,
        pending: count(row.try_get(1)?),
        delayed: count(row.try_get(2)?),
        processing: count(row.try_get(3)?),
        oldest_age_ms: row.try_get(4)?,
    })
}

/// The row of executions/begin.sql. It cannot see the rest of a lease that began while the statement ran, and one that
/// began a moment later by the database's clock seems to be longer than a lease.
pub fn begun(row: &Row, lease: Duration) -> Result<Begun, Error> {
    if let Some(token) = row.try_get::<_, Option<DateTime<Utc>>>(0)? {
        return Ok(Begun::Runs(token.timestamp_micros()));
    }
    if row.try_get(1)? {
        return Ok(Begun::Done);
    }
    let left = row.try_get::<_, Option<f64>>(2)?.filter(|left| *left > 0.0);
    Ok(Begun::Busy(left.map_or(lease, |left| Duration::from_secs_f64(left / 1000.0).min(lease))))
}

/// A count.
pub fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn shown(row: &Row, column: usize) -> Result<Option<DateTime<Utc>>, Error> {
    row.try_get(column).map(|Shown(at)| at)
}

fn whole(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn small(value: i16) -> u8 {
    u8::try_from(value).unwrap_or(0)
}

/// `jsonb` printed by the server is JSON.
fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(micros_since_2000: i64) -> String {
        Instant::from_sql(&Type::TIMESTAMPTZ, &micros_since_2000.to_be_bytes()).unwrap().0.to_rfc3339()
    }

    #[test]
    fn instants_beyond_all_dates_are_the_first_and_the_last() {
        assert_eq!(read(0), "2000-01-01T00:00:00+00:00");
        assert_eq!(read(-1_500_000), "1999-12-31T23:59:58.500+00:00");
        // -infinity, infinity, 294276 and 4713 before Christ.
        for (micros, expected) in [
            (i64::MIN, "0001-01-01T00:00:00+00:00"),
            (i64::MAX, "9999-12-31T23:59:59.999+00:00"),
            (9_223_371_331_200_000_000, "9999-12-31T23:59:59.999+00:00"),
            (-211_813_488_000_000_000, "0001-01-01T00:00:00+00:00"),
        ] {
            assert_eq!(read(micros), expected);
        }
        assert!(Instant::from_sql(&Type::TIMESTAMPTZ, &[1, 2]).is_err());
    }
}
