//! The figures of a period: rollups in, rates and percentiles out.

use crate::counts::histogram::Histogram;
use crate::counts::rollup::Tally;
use crate::counts::window::{Counted, Window};
use crate::engine::Engine;
use crate::error::Result;
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The figures of a period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Its start, in milliseconds since the epoch.
    pub start_time: f64,
    /// Its end.
    pub end_time: f64,
    /// Whether there was more than is read at once, so that it begins later than was asked.
    pub capped: bool,
    /// Of all messages.
    #[serde(flatten)]
    pub total: Figures,
    /// By type.
    pub by_message_type: BTreeMap<String, Figures>,
    /// By transport.
    pub by_transport: BTreeMap<String, Figures>,
    /// By queue, whatever its transport; under an empty name those whose queue was not noted.
    pub by_queue: BTreeMap<String, Figures>,
    /// Failed runs by the class of their error, most frequent first.
    pub errors: Vec<ErrorFigures>,
}

/// Figures of some messages. Durations in milliseconds, rates from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Runs that ended: handled, failed or discarded.
    pub total_processed: u64,
    /// Messages handled.
    pub total_succeeded: u64,
    /// Failed runs: retried, and dead-lettered.
    pub total_failed: u64,
    /// Failed runs that are retried.
    pub total_retried: u64,
    /// Messages that became dead letters.
    pub total_dead_lettered: u64,
    /// Messages that their handler discarded.
    pub total_discarded: u64,
    /// Messages postponed by their handler; not counted as processed.
    pub total_snoozed: u64,
    /// Messages put back unhandled; not counted as processed.
    pub total_released: u64,
    /// Total milliseconds in handlers.
    pub total_processing_time: f64,
    /// The mean time in handlers.
    pub average_processing_time: f64,
    /// Half of the runs were faster.
    pub p50_processing_time: f64,
    /// 95 % of the runs were faster.
    pub p95_processing_time: f64,
    /// 99 % of the runs were faster.
    pub p99_processing_time: f64,
    /// The mean time from when a message was due to when it was claimed.
    pub average_waiting_time: f64,
    /// Half of the messages had waited less.
    pub p50_waiting_time: f64,
    /// 95 % of the messages had waited less.
    pub p95_waiting_time: f64,
    /// 99 % of the messages had waited less.
    pub p99_waiting_time: f64,
    /// Fraction that succeeded; 1 if nothing was processed.
    pub success_rate: f64,
    /// Fraction that failed.
    pub failure_rate: f64,
    /// Fraction that was retried.
    pub retry_rate: f64,
}

/// Failed runs of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFigures {
    /// The class.
    pub class: String,
    /// How many.
    pub count: u64,
    /// When it last happened, in milliseconds since the epoch.
    pub last_seen: f64,
    /// The types that it affected.
    pub message_types: Vec<String>,
}

/// The figures of a period over all stores: of one transport, or of all.
///
/// # Errors
/// [`crate::Error::InvalidConfiguration`] for an invalid window, [`crate::Error::UnknownTransport`], and those of a
/// statement.
pub async fn measure(engine: &Arc<Engine>, window: &Window, transport: Option<&str>) -> Result<Metrics> {
    window.check()?;
    let transport = match transport {
        Some(transport) => Some(engine.must_know(transport).await?),
        None => None,
    };
    let stores = engine.stores().await?;
    let mut counted = try_join_all(stores.iter().map(|store| store.counted(window))).await?;
    if let Some(transport) = transport {
        counted.iter_mut().for_each(|it| it.rows.retain(|row| row.transport == *transport));
    }
    Ok(summarise(&counted))
}

/// Adds up what the stores have counted. Pure.
pub fn summarise(counted: &[Counted]) -> Metrics {
    let mut total = Tally::default();
    let [mut types, mut transports, mut queues] = [const { BTreeMap::<String, Tally>::new() }; 3];
    for row in counted.iter().flat_map(|it| &it.rows) {
        total.merge(&row.tally);
        types.entry(row.message_type.clone()).or_default().merge(&row.tally);
        transports.entry(row.transport.clone()).or_default().merge(&row.tally);
        queues.entry(row.queue.clone()).or_default().merge(&row.tally);
    }
    let errors = errors(&total, &types);
    let (capped, whole): (Vec<_>, Vec<_>) = counted.iter().partition(|it| it.capped);
    // What is there of all of them.
    let start = capped.iter().filter_map(|it| it.start).max().or_else(|| whole.iter().filter_map(|it| it.start).min());
    let millis = |it: Option<DateTime<Utc>>| it.map_or(0.0, |at| at.timestamp_millis() as f64);
    Metrics {
        start_time: millis(start),
        end_time: millis(counted.iter().filter_map(|it| it.end).max()),
        capped: counted.iter().any(|it| it.capped),
        total: Figures::of(&total),
        by_message_type: figures(&types),
        by_transport: figures(&transports),
        by_queue: figures(&queues),
        errors,
    }
}

fn figures(tallies: &BTreeMap<String, Tally>) -> BTreeMap<String, Figures> {
    tallies.iter().map(|(name, tally)| (name.clone(), Figures::of(tally))).collect()
}

fn errors(total: &Tally, types: &BTreeMap<String, Tally>) -> Vec<ErrorFigures> {
    let seen = total.errors.iter().filter(|(_, errors)| errors.count > 0);
    let mut all: Vec<ErrorFigures> = seen
        .map(|(class, errors)| {
            let among = types.iter().filter(|(_, tally)| tally.errors.get(class).is_some_and(|it| it.count > 0));
            ErrorFigures {
                class: class.clone(),
                count: errors.count,
                last_seen: errors.last,
                message_types: among.map(|(name, _)| name.clone()).collect(),
            }
        })
        .collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.count));
    all
}

impl Figures {
    pub(in crate::monitor) fn of(tally: &Tally) -> Self {
        let failed = tally.retried + tally.dead_lettered;
        let processed = tally.succeeded + tally.discarded + failed;
        let runs = tally.durations.count();
        let of = |histogram: &Histogram, share| histogram.quantile(share).map_or(0.0, round);
        let quantile = |share| of(&tally.durations, share);
        let waiting = |share| of(&tally.waits, share);
        Self {
            total_processed: processed,
            total_succeeded: tally.succeeded,
            total_failed: failed,
            total_retried: tally.retried,
            total_dead_lettered: tally.dead_lettered,
            total_discarded: tally.discarded,
            total_snoozed: tally.snoozed,
            total_released: tally.released,
            total_processing_time: round(tally.duration_ms),
            average_processing_time: round(share(tally.duration_ms, runs)),
            p50_processing_time: quantile(0.50),
            p95_processing_time: quantile(0.95),
            p99_processing_time: quantile(0.99),
            average_waiting_time: round(share(tally.waited_ms, runs)),
            p50_waiting_time: waiting(0.50),
            p95_waiting_time: waiting(0.95),
            p99_waiting_time: waiting(0.99),
            success_rate: if processed == 0 { 1.0 } else { share(tally.succeeded as f64, processed) },
            failure_rate: share(failed as f64, processed),
            retry_rate: share(tally.retried as f64, processed),
        }
    }
}

fn share(part: f64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

/// To the microsecond.
fn round(millis: f64) -> f64 {
    (millis * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::rollup::Measured;
    use crate::counts::window::CountedRow;
    use crate::message::outcome::{Failure, Outcome};
    use std::time::Duration;

    fn row(transport: &str, message_type: &str, outcomes: &[(Outcome, f64)]) -> CountedRow {
        let mut tally = Tally::default();
        for (outcome, millis) in outcomes {
            tally.record(Measured { outcome, millis: *millis, waited: 2.0 }, DateTime::UNIX_EPOCH);
        }
        let queue = message_type.to_lowercase();
        CountedRow { transport: transport.to_owned(), message_type: message_type.to_owned(), queue, tally }
    }

    fn retried(class: &str) -> Outcome {
        let failure = Failure::new(class, "no".to_owned());
        Outcome::Retry { delay: Duration::ZERO, failure, handled: Vec::new() }
    }

    #[test]
    fn everything_adds_up() {
        let of = |rows| Counted { start: None, end: None, capped: false, rows };
        let metrics = summarise(&[
            of(vec![
                row("a", "Email", &[(Outcome::Completed, 10.0), (retried("Smtp"), 30.0), (retried("Dns"), 20.0)]),
                row("b", "Email", &[(Outcome::Completed, 10.0), (retried("Smtp"), 30.0)]),
            ]),
            of(vec![row("m", "Sms", &[(Outcome::Completed, 10.0)])]),
        ]);
        assert_eq!((metrics.total.total_processed, metrics.total.total_failed), (6, 3));
        assert_eq!((metrics.total.success_rate, metrics.total.failure_rate, metrics.total.retry_rate), (0.5, 0.5, 0.5));
        assert_eq!((metrics.total.average_waiting_time, metrics.total.total_processing_time), (2.0, 110.0));
        assert_eq!(metrics.by_message_type["Email"].total_processed, 5);
        assert_eq!(metrics.by_transport["b"].total_succeeded, 1);
        assert_eq!(metrics.by_queue["email"].total_processed, 5);
        assert!((metrics.by_queue["sms"].p95_waiting_time - 2.0).abs() <= 0.04);
        let errors: Vec<_> = metrics.errors.iter().map(|it| (&*it.class, it.count)).collect();
        assert_eq!(errors, [("Smtp", 2), ("Dns", 1)]);
        assert_eq!(metrics.errors[0].message_types, ["Email"]);
        assert!((metrics.total.p50_processing_time - 10.0).abs() <= 0.2);
    }

    #[test]
    fn a_store_that_is_not_read_to_its_beginning_tells_from_when_on_all_are() {
        let at = |millis| DateTime::from_timestamp_millis(millis);
        let of = |start, capped| Counted { start: at(start), end: at(9_000), capped, rows: Vec::new() };
        let told = |counted: &[Counted]| {
            let metrics = summarise(counted);
            (metrics.start_time, metrics.end_time, metrics.capped)
        };
        assert_eq!(told(&[of(1_000, false), of(1_000, false)]), (1_000.0, 9_000.0, false));
        assert_eq!(told(&[of(1_000, false), of(5_000, true), of(4_000, true)]), (5_000.0, 9_000.0, true));
    }

    #[test]
    fn nothing_raises_no_alarm() {
        let figures = summarise(&[]).total;
        assert_eq!((figures.success_rate, figures.failure_rate, figures.p99_processing_time), (1.0, 0.0, 0.0));
    }

    #[test]
    fn a_window_that_is_none_is_refused() {
        let at = |millis| DateTime::from_timestamp_millis(millis);
        let backwards = Window { start_time: at(2_000), end_time: at(1_000), ..Window::default() };
        for window in [Window::last(0.0), Window::last(-5.0), Window::last(f64::NAN), Window::last(1e12), backwards] {
            assert_eq!(window.check().unwrap_err().code(), "SYMPHONY_INVALID_CONFIGURATION");
        }
        assert!(Window::default().check().is_ok());
    }
}
