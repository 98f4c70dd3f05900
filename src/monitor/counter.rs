//! The counts of one consumer that are on their way into the transports.

use super::rollup::{Measured, Rollup, Tally, minute_of};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

/// Counts by feed, minute and type. What is counted in a minute is kept until the minute is over and written.
#[derive(Debug)]
pub struct Counter {
    source: Uuid,
    clock: Clock,
    feeds: HashMap<usize, Feed>,
}

/// The clock of the transports, as it was told by their claims: theirs is the time that counts.
#[derive(Debug)]
struct Clock {
    at: DateTime<Utc>,
    seen: Instant,
}

#[derive(Debug, Default)]
struct Feed {
    minutes: HashMap<DateTime<Utc>, Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    types: HashMap<String, Tally>,
    dirty: bool,
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

    /// Counts a run; answers with the minute that it counts in.
    pub fn record(&mut self, feed: usize, message_type: &str, run: Measured<'_>, now: Instant) -> DateTime<Utc> {
        let at = self.clock.now(now);
        let minute = minute_of(at);
        let counts = self.feeds.entry(feed).or_default().minutes.entry(minute).or_default();
        counts.dirty = true;
        match counts.types.get_mut(message_type) {
            Some(tally) => tally.record(run, at),
            None => counts.types.entry(message_type.to_owned()).or_default().record(run, at),
        }
        minute
    }

    /// Takes back a run that counted in this minute.
    pub fn forget(&mut self, feed: usize, message_type: &str, run: Measured<'_>, minute: DateTime<Utc>) {
        let counts = self.feeds.get_mut(&feed).and_then(|it| it.minutes.get_mut(&minute));
        if let Some(counts) = counts
            && let Some(tally) = counts.types.get_mut(message_type)
        {
            tally.forget(run);
            counts.dirty = true;
        }
    }

    /// The rows of a feed that are not written as they are now.
    pub fn unwritten(&self, feed: usize) -> Vec<Rollup> {
        let minutes = self.feeds.get(&feed).into_iter().flat_map(|it| &it.minutes);
        let dirty = minutes.filter(|(_, counts)| counts.dirty);
        let mut rows: Vec<Rollup> = dirty
            .flat_map(|(minute, counts)| counts.types.iter().map(|(name, tally)| self.row(*minute, name, tally)))
            .collect();
        rows.sort_by(|a, b| (a.minute, &a.message_type).cmp(&(b.minute, &b.message_type)));
        rows
    }

    /// All of a feed is written; minutes that are over are forgotten.
    pub fn written(&mut self, feed: usize, now: Instant) {
        let current = minute_of(self.clock.now(now));
        if let Some(feed) = self.feeds.get_mut(&feed) {
            feed.minutes.retain(|minute, _| *minute == current);
            feed.minutes.values_mut().for_each(|it| it.dirty = false);
        }
    }

    /// The feeds with rows that are not written as they are now.
    pub fn dirty(&self) -> impl Iterator<Item = usize> + '_ {
        let dirty = |feed: &Feed| feed.minutes.values().any(|it| it.dirty);
        self.feeds.iter().filter(move |(_, feed)| dirty(feed)).map(|(index, _)| *index)
    }

    fn row(&self, minute: DateTime<Utc>, message_type: &str, tally: &Tally) -> Rollup {
        Rollup { minute, source: self.source, message_type: message_type.to_owned(), tally: tally.clone() }
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
    use crate::transport::Outcome;
    use std::time::Duration;

    const RUN: Measured<'static> = Measured { outcome: &Outcome::Completed, millis: 1.0, waited: 0.0 };

    fn counter(start: Instant) -> Counter {
        let mut counter = Counter::new(Uuid::nil(), start);
        counter.set_clock(DateTime::from_timestamp(3_600, 0).unwrap(), start);
        counter
    }

    #[test]
    fn a_row_grows_through_its_minute_and_is_written_as_a_whole() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.record(0, "A", RUN, start);
        counter.written(0, start);
        assert!(counter.unwritten(0).is_empty());
        counter.record(0, "A", RUN, start + Duration::from_secs(59));
        let rows = counter.unwritten(0);
        assert_eq!((rows.len(), rows[0].tally.succeeded, rows[0].minute.timestamp()), (1, 2, 3_600));
    }

    #[test]
    fn a_new_minute_is_a_new_row_and_an_unwritten_one_is_not_lost() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.record(0, "A", RUN, start);
        let later = start + Duration::from_secs(61);
        counter.record(0, "A", RUN, later);
        let minutes =
            |counter: &Counter| counter.unwritten(0).iter().map(|it| it.minute.timestamp()).collect::<Vec<_>>();
        assert_eq!(minutes(&counter), [3_600, 3_660]);
        counter.written(0, later);
        counter.record(0, "A", RUN, later);
        assert_eq!(minutes(&counter), [3_660]);
    }

    #[test]
    fn feeds_and_types_are_counted_apart() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.record(0, "B", RUN, start);
        counter.record(0, "A", RUN, start);
        counter.record(1, "A", RUN, start);
        let names: Vec<_> = counter.unwritten(0).into_iter().map(|it| it.message_type).collect();
        assert_eq!(names, ["A", "B"]);
        counter.written(0, start);
        assert_eq!(counter.dirty().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_was_lost_is_taken_back_and_written_again() {
        let start = Instant::now();
        let mut counter = counter(start);
        let minute = counter.record(0, "A", RUN, start);
        counter.written(0, start);
        counter.forget(0, "A", RUN, minute);
        assert_eq!(counter.unwritten(0)[0].tally.succeeded, 0);
    }
}
