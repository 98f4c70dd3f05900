//! Decisions without a core.

use super::thrown::{from_text, thrown, to_text};
use napi_derive::napi;

/// Milliseconds before retry `retry_count + 1` under a strategy (JSON text, partial over the defaults).
#[napi(catch_unwind)]
pub fn retry_delay(strategy: String, retry_count: u32) -> napi::Result<f64> {
    let strategy: serde_json::Value = from_text("retry strategy", &strategy)?;
    let strategy = crate::config::retry_strategy_from_json(&strategy).map_err(thrown)?;
    Ok(crate::policy::retry::delay(&strategy, retry_count) as f64)
}

/// Every key of the configuration with its default, bounds and environment variable, as JSON text.
#[napi(catch_unwind)]
pub fn configuration_keys() -> napi::Result<String> {
    to_text(&crate::config::keys())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_partial_strategy_is_completed_and_a_bad_one_refused() {
        let delay = |strategy: &str, n| super::retry_delay(strategy.to_owned(), n);
        assert_eq!(delay(r#"{"jitter":0}"#, 2).unwrap(), 4000.0);
        assert!(delay(r#"{"multiplier":0}"#, 2).unwrap_err().reason.contains("SYMPHONY_INVALID_CONFIGURATION"));
        assert!(delay("{", 2).unwrap_err().reason.contains("SYMPHONY_SERIALIZATION_FAILED"));
    }

    #[test]
    fn every_key_is_told_with_its_default_bounds_and_variable() {
        let keys: Vec<serde_json::Value> = serde_json::from_str(&super::configuration_keys().unwrap()).unwrap();
        let lease = keys.iter().find(|it| it["key"] == "worker.lease").unwrap();
        assert_eq!(
            *lease,
            serde_json::json!({
                "key": "worker.lease", "type": "duration", "min": 1_000.0, "max": 2_147_483_647.0, "words": [],
                "default": 30_000, "variable": "SYMPHONY_WORKER_LEASE",
            })
        );
    }
}
