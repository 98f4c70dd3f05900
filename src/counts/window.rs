//! A period, and what was counted in it.

use super::rollup::Tally;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is looked back on where nothing is said.
const USUAL_MINUTES: f64 = 60.0;
/// A hundred years: what comes is a date that everybody can hold.
const MOST_MINUTES: f64 = 52_560_000.0;

/// Which period. Its beginning is rounded down to the minute.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// This many last minutes, without a `start_time`. Default 60.
    pub minutes: Option<f64>,
    /// From this instant.
    #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
    pub start_time: Option<DateTime<Utc>>,
    /// Up to this instant; by default now.
    #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
    pub end_time: Option<DateTime<Utc>>,
}

impl Window {
    /// The last so many minutes.
    pub fn last(minutes: f64) -> Self {
        Self { minutes: Some(minutes), ..Self::default() }
    }

    /// How many minutes back, where no start is given.
    pub fn minutes(&self) -> f64 {
        self.minutes.unwrap_or(USUAL_MINUTES)
    }

    /// Whether it is one.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`].
    pub fn check(&self) -> Result<()> {
        if !(self.minutes() > 0.0 && self.minutes() <= MOST_MINUTES) {
            return Err(Error::configuration("minutes", self.minutes().to_string(), "a number of minutes above 0"));
        }
        match (self.start_time, self.end_time) {
            (Some(start), Some(end)) if end <= start => {
                Err(Error::configuration("endTime", end.to_rfc3339(), "an instant after startTime"))
            }
            _ => Ok(()),
        }
    }
}

/// What a store has counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// From when on; `None` where nothing can be told.
    pub start: Option<DateTime<Utc>>,
    /// Its end.
    pub end: Option<DateTime<Utc>>,
    /// Whether there is more in the period than is read at once: then it begins later than was asked, and what was
    /// counted at its very beginning may be missing.
    pub capped: bool,
    /// Counts by transport, type and queue.
    pub rows: Vec<CountedRow>,
}

/// The counts of one type in one queue of one transport.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedRow {
    /// The transport.
    pub transport: String,
    /// The type.
    pub message_type: String,
    /// The queue; empty where it was not noted.
    pub queue: String,
    /// The counts.
    pub tally: Tally,
}
