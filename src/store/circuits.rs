//! Circuit breakers, on which all consumers agree.

use crate::config::CircuitConfig;
use crate::error::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A circuit breaker as people see it. Instants in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Circuit {
    /// The type.
    pub message_type: String,
    /// `closed`, `open` or `halfOpen`.
    pub state: String,
    /// Runs in the window.
    pub runs: u64,
    /// Those of them whose failure another run may fix.
    pub failures: u64,
    /// The class of the last error before it opened.
    pub reason: Option<String>,
    /// When it opened.
    pub opened_at: Option<f64>,
    /// When one message may be tried.
    pub probe_at: Option<f64>,
}

/// How runs of a type with a circuit breaker ended since the last report, and the settings of the breaker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CircuitReport {
    /// The type.
    pub message_type: String,
    /// Runs that count for the breaker.
    pub runs: u32,
    /// Those of them whose failure another run may fix.
    pub failures: u32,
    /// The class of the last error.
    pub reason: Option<String>,
    /// The result of the granted try.
    pub probed: Option<Probed>,
    /// Whether a try is requested, if the pause is over.
    pub wants_probe: bool,
    failure_rate: f64,
    minimum_volume: u32,
    window_ms: f64,
    cool_down_ms: f64,
}

impl CircuitReport {
    /// An empty report.
    pub fn new(message_type: &str, settings: &CircuitConfig) -> Self {
        Self {
            message_type: message_type.to_owned(),
            runs: 0,
            failures: 0,
            reason: None,
            probed: None,
            wants_probe: false,
            failure_rate: settings.failure_rate,
            minimum_volume: settings.minimum_volume,
            window_ms: settings.window.as_secs_f64() * 1000.0,
            cool_down_ms: settings.cool_down.as_secs_f64() * 1000.0,
        }
    }
}

/// How a try of one message of a paused type ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Probed {
    /// It was handled.
    Succeeded,
    /// Its failure is one that another run may fix.
    Failed,
    /// No result: nothing was there, or it said nothing about the other side.
    Released,
}

/// A circuit breaker as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitState {
    /// The type.
    pub message_type: String,
    /// `closed`, `open` or `halfOpen`.
    pub state: String,
    /// Runs in the window.
    pub runs: u64,
    /// Failures among them.
    pub failures: u64,
    /// The class of the last error.
    pub reason: Option<String>,
    /// Whether this consumer may try one message.
    pub mine: bool,
    /// Whether this report opened it.
    pub opened: bool,
    /// Milliseconds until a message may be tried.
    #[serde(default, deserialize_with = "or_zero")]
    pub wait: f64,
}

fn or_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or_default())
}

/// Lets consumers agree on circuit breakers.
#[async_trait]
pub trait Circuits: Send + Sync {
    /// Reports how runs of types with circuit breakers ended, and returns the circuits that are not closed.
    async fn exchange(&self, worker: Uuid, reports: &[CircuitReport]) -> Result<Vec<CircuitState>>;
}
