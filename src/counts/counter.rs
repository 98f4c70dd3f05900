//! The counts of one consumer, as they stand in the transports.

use super::rollup::{Measured, Rollup, Tally, minute_of};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;
use uuid::Uuid;

/// How messages ended in this minute, by feed and type: as it stands in the transports. Nothing is counted here before
/// the transport has counted it, so that nothing ever has to be taken back.
#[derive(Debug)]
pub struct Counter {
    source: Uuid,
    clock: Clock,
    feeds: HashMap<usize, Minute>,
}

/// The clock of the transports, as it was told by their claims: theirs is the time that counts.
#[derive(Debug)]
struct Clock {
    at: DateTime<Utc>,
    seen: Instant,
}

/// The latest minute in which anything was counted.
#[derive(Debug)]
struct Minute {
    begins: DateTime<Utc>,
    types: HashMap<String, Tally>,
}

impl Counter {
    /// Counts nothing yet.
    pub fn new(source: Uuid, now: Instant) -> Self {
        Self { source, clock: Clock { at: Utc::now(), seen: now }, feeds: HashMap::new() }
    }

    /// Learns what time it is in the transports.
    pub fn set_clock(&mut self, at: DateTime<Utc>, seen: Instant) {
        self.clock = Clock { at, seen };
    }

    /// The rows of a feed as they are to be once these runs are settled: those of the types that are among them.
    pub fn with<'a>(
        &self,
        feed: usize,
        runs: impl Iterator<Item = (&'a str, Measured<'a>)>,
        now: Instant,
    ) -> Vec<Rollup> {
        let at = self.clock.now(now);
        let last = self.feeds.get(&feed);
        // A clock that was set back does not open a minute again whose rows are forgotten.
        let minute = last.map_or(minute_of(at), |it| it.begins.max(minute_of(at)));
        let so_far = last.filter(|it| it.begins == minute).map(|it| &it.types);
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for (message_type, run) in runs {
            let known = || so_far.and_then(|it| it.get(message_type)).cloned().unwrap_or_default();
            tallies.entry(message_type).or_insert_with(known).record(run, at);
        }
        let row =
            |(name, tally): (&str, Tally)| Rollup { minute, source: self.source, message_type: name.to_owned(), tally };
        tallies.into_iter().map(row).collect()
    }

    /// These rows of a feed are written.
    pub fn written(&mut self, feed: usize, rows: Vec<Rollup>) {
        let Some(begins) = rows.first().map(|it| it.minute) else { return };
        let minute = self.feeds.entry(feed).or_insert_with(|| Minute { begins, types: HashMap::new() });
        if minute.begins < begins {
            *minute = Minute { begins, types: HashMap::new() };
        }
        if minute.begins == begins {
            minute.types.extend(rows.into_iter().map(|it| (it.message_type, it.tally)));
        }
    }
}

impl Clock {
    fn now(&self, now: Instant) -> DateTime<Utc> {
        let since = TimeDelta::from_std(now.saturating_duration_since(self.seen)).unwrap_or_default();
        self.at.checked_add_signed(since).unwrap_or(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::outcome::Outcome;
    use std::time::Duration;

    const RUN: Measured<'static> = Measured { outcome: &Outcome::Completed, millis: 1.0, waited: 0.0 };
    const MINUTE: Duration = Duration::from_secs(60);

    fn counter(start: Instant) -> Counter {
        let mut counter = Counter::new(Uuid::nil(), start);
        counter.set_clock(DateTime::from_timestamp(3_600, 0).unwrap(), start);
        counter
    }

    fn with(counter: &Counter, types: &[&'static str], now: Instant) -> Vec<Rollup> {
        counter.with(0, types.iter().map(|it| (*it, RUN)), now)
    }

    fn told(rows: &[Rollup]) -> Vec<(i64, &str, u64)> {
        rows.iter().map(|it| (it.minute.timestamp(), &*it.message_type, it.tally.succeeded)).collect()
    }

    #[test]
    fn a_row_grows_through_its_minute_and_is_written_as_a_whole() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.written(0, with(&counter, &["A", "B", "A"], start));
        assert_eq!(told(&with(&counter, &["A"], start + MINUTE - Duration::from_secs(1))), [(3_600, "A", 3)]);
    }

    /// A lease was lost, or the database refused: there is nothing to take back, in this minute or a later one.
    #[test]
    fn what_was_not_written_is_not_counted() {
        let start = Instant::now();
        let mut counter = counter(start);
        let refused = with(&counter, &["A", "A"], start);
        assert_eq!(told(&refused), [(3_600, "A", 2)]);
        counter.written(0, with(&counter, &["A"], start));
        assert_eq!(told(&with(&counter, &["A"], start)), [(3_600, "A", 2)]);
    }

    #[test]
    fn a_new_minute_is_a_new_row_and_never_ends_before_the_last() {
        let start = Instant::now();
        let mut counter = counter(start);
        let late = with(&counter, &["A", "A"], start);
        counter.written(0, with(&counter, &["A"], start + MINUTE));
        // The answer for the minute before comes after all.
        counter.written(0, late);
        counter.set_clock(DateTime::from_timestamp(3_600, 0).unwrap(), start);
        assert_eq!(told(&with(&counter, &["A"], start)), [(3_660, "A", 2)]);
        assert_eq!(told(&with(&counter, &["A"], start + 2 * MINUTE)), [(3_720, "A", 1)]);
    }

    #[test]
    fn feeds_and_types_are_counted_apart() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.written(1, with(&counter, &["A"], start));
        assert_eq!(told(&with(&counter, &["B", "A"], start)), [(3_600, "A", 1), (3_600, "B", 1)]);
    }
}
