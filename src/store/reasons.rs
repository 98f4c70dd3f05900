//! What a store knows of why a message does not run.

use super::circuits::Circuit;
use super::controls::Pause;
use crate::error::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is known about one message. Instants in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Its state.
    pub status: String,
    /// Its transport.
    pub transport: String,
    /// Its queue.
    pub queue: String,
    /// Its type.
    pub r#type: String,
    /// 1 to 10.
    pub priority: i16,
    /// Failed runs so far.
    pub retry_count: u32,
    /// Whether it waits to be handled alone, because processes have died with it.
    pub suspect: bool,
    /// How many have.
    pub crashes: i16,
    /// Milliseconds until it is due; below 0: since when it has been.
    pub due_in: Option<f64>,
    /// When it is due.
    pub available_at: Option<i64>,
    /// The pause that it is part of, the first of them.
    pub pause: Option<Pause>,
    /// The circuit breaker of its type, unless that is closed.
    pub circuit: Option<Circuit>,
    /// Workers that live and take its transport.
    pub workers: u64,
    /// Due messages of its queue that come before it, if it is due; counted up to a bound.
    pub ahead: Option<u64>,
    /// Who holds it.
    pub holder: Option<Holder>,
}

/// The worker that holds a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its id.
    pub id: Uuid,
    /// Its machine; `None`: it is not registered.
    pub host: Option<String>,
    /// Its process.
    pub pid: Option<i32>,
    /// Since when it holds the message.
    pub since: Option<i64>,
    /// Until when, without another heartbeat.
    pub until: Option<i64>,
    /// Whether that is still to come.
    pub is_alive: bool,
}

/// Says what is known about a message.
#[async_trait]
pub trait Reasons: Send + Sync {
    /// What is known of why a message waits; `None`: it is not known here.
    async fn facts_about(&self, id: Uuid) -> Result<Option<Facts>>;
}
