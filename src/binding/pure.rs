//! Decisions without a core.

use super::thrown::{from_text, thrown, to_text};
use crate::search::{self, Field, List};
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

/// What a query of messages, or of dead letters (`letters`), reads of what they hold, as JSON text: the path of each place,
/// such as `["payload","user","id"]`, and `["text"]` for a text anywhere in the payload. The query is plain text.
#[napi(catch_unwind)]
pub fn places_in_query(query: String, letters: bool) -> napi::Result<String> {
    let list = if letters { List::DeadLetters } else { List::Messages };
    let query = search::parse(&query, list).map_err(thrown)?;
    let places = query.terms.into_iter().filter_map(|term| {
        let root = search::name(&term.field).to_owned();
        match term.field {
            Field::Path(_, path) => Some(std::iter::once(root).chain(path).collect::<Vec<_>>()),
            Field::Text => Some(vec![root]),
            _ => None,
        }
    });
    to_text(&places.collect::<Vec<_>>())
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
    fn the_places_of_a_query_are_those_that_it_reads() {
        let places = |query: &str| super::places_in_query(query.to_owned(), true);
        let found = places(r#"type:A payload."a.b".c:1 -header.tenant:x ada"#).unwrap();
        assert_eq!(found, r#"[["payload","a.b","c"],["header","tenant"],["text"]]"#);
        assert!(places("typ:A").unwrap_err().reason.contains("SYMPHONY_INVALID_QUERY"));
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
