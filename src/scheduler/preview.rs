//! Questions about cron expressions without a schedule: is it right, and when would it run.

use super::cron::Cron;
use super::timing::{Plan, Timing};
use super::zone::Zone;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many runs may be asked for.
pub const MAX_COUNT: usize = 10_000;

/// Which runs are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Question {
    /// IANA name; UTC without it.
    pub timezone: Option<String>,
    /// Runs after this instant; milliseconds since 1970.
    pub from: f64,
    /// Runs before this instant; milliseconds since 1970.
    pub until: Option<f64>,
    /// How many; 5 without it.
    pub count: Option<f64>,
    /// Draws hashed fields.
    pub seed: Option<String>,
}

/// The next runs of an expression.
///
/// # Errors
/// [`Error::InvalidCron`], [`Error::UnknownTimezone`], or [`Error::InvalidSchedule`] for a count or an instant out of
/// range.
pub fn next_runs(expression: &str, question: &Question) -> Result<Vec<DateTime<Utc>>> {
    let cron = Cron::parse(expression, question.seed.as_deref())?;
    let zone = question.timezone.as_deref().map_or(Ok(Zone::UTC), Zone::named)?;
    let count = question.count.unwrap_or(5.0);
    if count.fract() != 0.0 || !(1.0..=MAX_COUNT as f64).contains(&count) {
        return Err(invalid("count", format!("got {count}, wants a whole number from 1 to {MAX_COUNT}")));
    }
    let until = question.until.map(|ms| instant("until", ms)).transpose()?;
    let plan = Plan { timing: Timing::Cron(cron, zone), from: None, until };
    let first = plan.next_after(instant("from", question.from)?);
    Ok(std::iter::successors(first, |&run| plan.next_after(run)).take(count as usize).collect())
}

/// What an expression is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Valid {
    /// In capitals, with one blank between fields and words such as `@daily` filled in.
    pub expression: String,
    /// Whether it has a field for seconds.
    pub seconds: bool,
    /// Whether it has hashed fields, which need a seed.
    pub hashed: bool,
}

/// Reads an expression.
///
/// # Errors
/// [`Error::InvalidCron`].
pub fn validate_cron(expression: &str) -> Result<Valid> {
    let cron = Cron::parse(expression, Some(""))?;
    let seconds = cron.text.split(' ').count() == 6;
    let hashed = Cron::parse(expression, None).is_err();
    Ok(Valid { expression: Cron::written(expression), seconds, hashed })
}

fn instant(option: &str, ms: f64) -> Result<DateTime<Utc>> {
    let at = (ms.abs() <= 8.64e15).then(|| DateTime::from_timestamp_millis(ms as i64)).flatten();
    at.ok_or_else(|| invalid(option, format!("got {ms}, wants a Date, or milliseconds since 1970")))
}

fn invalid(option: &str, problem: String) -> Error {
    Error::InvalidSchedule { path: format!("options.{option}"), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_expression_is() {
        let valid = |expression: &str| {
            let Valid { expression, seconds, hashed } = validate_cron(expression).unwrap();
            (expression, seconds, hashed)
        };
        assert_eq!(valid("*/5  * * jan mon"), ("*/5 * * JAN MON".to_owned(), false, false));
        assert_eq!(valid("0 h * * * fri#2"), ("0 H * * * FRI#2".to_owned(), true, true));
        assert_eq!(valid("#daily"), ("H H * * *".to_owned(), false, true));
        assert_eq!(validate_cron("61 * * * *").unwrap_err().code(), "SYMPHONY_INVALID_CRON");
    }

    #[test]
    fn as_many_runs_as_were_asked_for_and_there_are() {
        let runs = |question: Question| next_runs("0 12 1 1 *", &question).map(|it| it.len());
        assert_eq!(runs(Question::default()).unwrap(), 5);
        assert_eq!(runs(Question { count: Some(9.0), ..Question::default() }).unwrap(), 9);
        assert_eq!(runs(Question { until: Some(100_000_000_000.0), ..Question::default() }).unwrap(), 4);
        for count in [0.0, 1.5, -1.0, 10_001.0, f64::NAN] {
            let error = runs(Question { count: Some(count), ..Question::default() }).unwrap_err();
            assert_eq!(error.code(), "SYMPHONY_INVALID_SCHEDULE");
        }
        assert!(runs(Question { from: 9e15, ..Question::default() }).is_err());
        let error = runs(Question { timezone: Some("Mars".into()), ..Question::default() }).unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_UNKNOWN_TIMEZONE");
    }
}
