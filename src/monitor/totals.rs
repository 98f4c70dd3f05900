//! What was ever counted, for a collector of metrics: counters that never fall, and durations in buckets it can add up.

use crate::counts::totals::{Outcomes, Total, TotalRow};
use crate::engine::Engine;
use crate::error::Result;
use futures_util::future::try_join_all;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The upper ends of the buckets, in seconds: what web requests take, and what takes minutes.
const BOUNDS: [f64; 15] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The totals of all stores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// The upper ends of the buckets, in seconds, ascending; a last bucket holds the rest.
    pub bounds: [f64; BOUNDS.len()],
    /// By transport and type, sorted.
    pub series: Vec<Series>,
}

/// The totals of one type in one transport.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// The transport.
    pub transport: String,
    /// The type.
    pub message_type: String,
    /// How its messages were settled.
    pub outcomes: Outcomes,
    /// Runs whose duration is known.
    pub runs: u64,
    /// How many of them took at most each of the bounds.
    pub buckets: [u64; BOUNDS.len()],
    /// Seconds in handlers, over all `runs`.
    pub processing_seconds: f64,
    /// Seconds from when the messages were due to when they were claimed, over all `runs`.
    pub waiting_seconds: f64,
}

/// The totals over all stores.
///
/// # Errors
/// Those of a statement.
pub async fn measure(engine: &Arc<Engine>) -> Result<Totals> {
    let stores = engine.stores().await?;
    let rows = try_join_all(stores.iter().map(|store| store.ever_counted())).await?;
    Ok(summarise(rows.into_iter().flatten()))
}

/// Adds up what the stores have counted. Pure.
fn summarise(rows: impl Iterator<Item = TotalRow>) -> Totals {
    let mut totals = BTreeMap::<_, Total>::new();
    for it in rows {
        totals.entry((it.transport, it.message_type)).or_default().merge(&it.total);
    }
    Totals { bounds: BOUNDS, series: totals.into_iter().map(Series::of).collect() }
}

impl Series {
    fn of(((transport, message_type), it): ((String, String), Total)) -> Self {
        Self {
            transport,
            message_type,
            outcomes: it.outcomes,
            runs: it.durations.count(),
            buckets: BOUNDS.map(|seconds| it.durations.up_to(seconds * 1e3)),
            processing_seconds: it.duration_us as f64 / 1e6,
            waiting_seconds: it.waited_us as f64 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::rollup::{Measured, Tally};
    use crate::message::outcome::Outcome;
    use chrono::DateTime;
    use proptest::prelude::*;

    fn rollup(durations: &[f64]) -> Tally {
        let mut tally = Tally::default();
        for millis in durations {
            let run = Measured { outcome: &Outcome::Completed, millis: *millis, waited: *millis / 3.0 };
            tally.record(run, DateTime::UNIX_EPOCH);
        }
        tally
    }

    fn row(total: Total) -> TotalRow {
        TotalRow { transport: "t".to_owned(), message_type: "A".to_owned(), total }
    }

    fn total(rollups: &[Tally]) -> Total {
        rollups.iter().fold(Total::default(), |mut total, it| {
            total.add(it);
            total
        })
    }

    #[test]
    fn stores_add_up_and_buckets_are_cumulative() {
        let (one, other) = (total(&[rollup(&[2.0, 40.0])]), total(&[rollup(&[700_000.0])]));
        let [series] = summarise([row(one), row(other)].into_iter()).series.try_into().unwrap();
        assert_eq!((series.runs, series.outcomes.succeeded), (3, 3));
        assert_eq!(series.buckets, [0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!((series.processing_seconds, series.waiting_seconds), (700.042, 233.347_333));
    }

    proptest! {
        /// A collector takes the smallest fall for a restart, and counts everything again.
        #[test]
        fn no_order_of_merging_changes_a_figure(
            rollups in prop::collection::vec(prop::collection::vec(0.0..1e6_f64, 0..8), 1..12),
            cut in 0_usize..12,
        ) {
            let mut rollups: Vec<Tally> = rollups.iter().map(|it| rollup(it)).collect();
            let all = summarise([row(total(&rollups))].into_iter());
            rollups.reverse();
            let (merged, rest) = rollups.split_at(cut.min(rollups.len()));
            prop_assert_eq!(summarise([row(total(merged)), row(total(rest))].into_iter()), all);
        }
    }
}
