//! Cron expressions without a core.

use super::thrown::{from_text, thrown, to_text};
use crate::scheduler::{self, Question};
use napi_derive::napi;

/// The next runs of an expression: JSON text of milliseconds since 1970.
#[napi(catch_unwind)]
pub fn next_runs(expression: String, question: String) -> napi::Result<String> {
    let question: Question = from_text("question about runs", &question)?;
    let runs = scheduler::next_runs(&expression, &question).map_err(thrown)?;
    to_text(&runs.iter().map(chrono::DateTime::timestamp_millis).collect::<Vec<_>>())
}

/// Reads an expression and says what it is, JSON text.
#[napi(catch_unwind)]
pub fn validate_cron(expression: String) -> napi::Result<String> {
    to_text(&scheduler::validate_cron(&expression).map_err(thrown)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_crosses_is_text() {
        let runs = super::next_runs("@yearly".to_owned(), r#"{"count":2}"#.to_owned()).unwrap();
        assert_eq!(runs, "[31536000000,63072000000]");
        let valid = super::validate_cron("@daily".to_owned()).unwrap();
        assert_eq!(valid, r#"{"expression":"0 0 * * *","seconds":false,"hashed":false}"#);
        assert!(super::validate_cron("61 * * * *".to_owned()).unwrap_err().reason.contains("SYMPHONY_INVALID_CRON"));
    }
}
