//! Decisions without a core.

use super::thrown::{from_text, thrown};
use napi_derive::napi;

/// Milliseconds before retry `retry_count + 1` under a strategy (JSON text, partial over the defaults).
#[napi(catch_unwind)]
pub fn retry_delay(strategy: String, retry_count: u32) -> napi::Result<f64> {
    let strategy: serde_json::Value = from_text("retry strategy", &strategy)?;
    let strategy = crate::config::retry_strategy_from_json(&strategy).map_err(thrown)?;
    Ok(crate::retry::delay(&strategy, retry_count) as f64)
}
