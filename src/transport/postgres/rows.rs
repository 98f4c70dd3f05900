//! Rows as the transport's types.

use crate::transport::execution::Begun;
use crate::transport::failed::{Cursor, FailedMessage};
use crate::transport::messages::{KeptMessage, MessageStatus};
use crate::transport::{Claimed, Depth};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// A row of claim.sql or claim_suspect.sql.
pub fn claimed(row: &Row, token: Uuid) -> Result<Claimed, Error> {
    Ok(Claimed {
        token,
        id: row.try_get(0)?,
        message_type: row.try_get(1)?,
        queue: row.try_get(2)?,
        priority: small(row.try_get(3)?),
        body: row.try_get(4)?,
        headers: row.try_get(5)?,
        metadata: row.try_get(6)?,
        created_at: row.try_get(7)?,
        available_at: row.try_get(8)?,
        scheduled_at: row.try_get(9)?,
        retry_count: whole(row.try_get(10)?),
        max_retries: row.try_get::<_, Option<i32>>(11)?.map(whole),
        crash_count: row.try_get(12)?,
        idempotency_key: row.try_get(13)?,
        handled: row.try_get::<_, Option<Vec<String>>>(14)?.unwrap_or_default(),
        claimed_at: row.try_get(15)?,
    })
}

/// A message that is back in its queue: a row of settle_return.sql or reconcile.sql.
pub struct Returned {
    pub id: Uuid,
    pub queue: String,
    pub priority: i16,
    pub available_at: DateTime<Utc>,
}

/// A row of settle_return.sql or reconcile.sql.
pub fn returned(row: &Row) -> Result<Returned, Error> {
    Ok(Returned {
        id: row.try_get(0)?,
        queue: row.try_get(1)?,
        priority: row.try_get(2)?,
        available_at: row.try_get(3)?,
    })
}

/// A row of list_failed.sql.
pub fn failed(row: &Row) -> Result<FailedMessage, Error> {
    let id = row.try_get(0)?;
    let failed_at = row.try_get(12)?;
    Ok(FailedMessage {
        id,
        message_id: row.try_get(1)?,
        r#type: row.try_get(2)?,
        transport: row.try_get(3)?,
        queue: row.try_get(4)?,
        priority: small(row.try_get(5)?),
        payload: json(row.try_get(6)?),
        headers: json(row.try_get(7)?),
        metadata: json(row.try_get(8)?),
        error: row.try_get(9)?,
        error_class: row.try_get(10)?,
        error_history: json(row.try_get(11)?),
        failed_at,
        retry_count: whole(row.try_get(13)?),
        crashes: row.try_get(14)?,
        created_at: row.try_get(15)?,
        idempotency_key: row.try_get(16)?,
        cursor: Cursor { failed_at, id },
    })
}

/// A row of list_messages.sql or get_message.sql; `None` for the row that carries nothing but the reach.
pub fn message(row: &Row) -> Result<Option<KeptMessage>, Error> {
    let Some(id) = row.try_get(1)? else { return Ok(None) };
    Ok(Some(KeptMessage {
        id,
        r#type: row.try_get(2)?,
        transport: row.try_get(3)?,
        queue: row.try_get(4)?,
        priority: small(row.try_get(5)?),
        status: MessageStatus::of(row.try_get(6)?),
        payload: json(row.try_get(7)?),
        headers: json(row.try_get(8)?),
        metadata: json(row.try_get(9)?),
        created_at: row.try_get(10)?,
        available_at: row.try_get(11)?,
        scheduled_at: row.try_get(12)?,
        finished_at: row.try_get(13)?,
        retry_count: whole(row.try_get(14)?),
        max_retries: row.try_get::<_, Option<i32>>(15)?.map(whole),
        crashes: row.try_get(16)?,
        last_error: row.try_get(17)?,
        error_history: json(row.try_get(18)?),
        idempotency_key: row.try_get(19)?,
        failed_message_id: row.try_get(20)?,
    }))
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

/// The row of begin_execution.sql. What is left of a lease that began while the statement ran, it cannot see.
pub fn begun(row: &Row, lease: Duration) -> Result<Begun, Error> {
    if let Some(token) = row.try_get::<_, Option<DateTime<Utc>>>(0)? {
        return Ok(Begun::Runs(token.timestamp_micros()));
    }
    if row.try_get(1)? {
        return Ok(Begun::Done);
    }
    let left = row.try_get::<_, Option<f64>>(2)?.filter(|left| *left > 0.0);
    Ok(Begun::Busy(left.map_or(lease, |left| Duration::from_secs_f64(left / 1000.0))))
}

/// A count.
pub fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
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
