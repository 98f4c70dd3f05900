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
