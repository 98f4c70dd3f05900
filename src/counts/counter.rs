//! The counts of one consumer, as they stand in the transports.

use super::rollup::{Measured, Rollup, Tally, minute_of};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;
use uuid::Uuid;

/// Queues that a consumer counts apart in one minute of a feed; those beyond are counted together. Each is a row that is
/// written with every settling, so that a consumer of thousands of queues would be busy with rows.
const QUEUES: usize = 64;

/// How messages ended in this minute, by feed, queue and type: as it stands in the transports. Nothing is counted here before
/// the transport has counted it, so that nothing ever has to be taken back.
#[derive(Debug)]
pub struct Counter {
    source: Uuid,
    clock: Clock,
    feeds: HashMap<usize, Minute>,
    hashes: RandomState,
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
    /// By queue, and by type in it.
    queues: HashMap<String, HashMap<String, Tally>>,
}

impl Counter {
    /// Counts nothing yet.
    pub fn new(source: Uuid, now: Instant) -> Self {
        Self { source, clock: Clock { at: Utc::now(), seen: now }, feeds: HashMap::new(), hashes: RandomState::new() }
    }

    /// Learns what time it is in the transports.
    pub fn set_clock(&mut self, at: DateTime<Utc>, seen: Instant) {
        self.clock = Clock { at, seen };
    }

    /// The rows of a feed as they are to be once these runs, of a type and in a queue, are settled: those of the types and
    /// queues that are among them.
    pub fn with<'a>(
        &self,
        feed: usize,
        runs: impl Iterator<Item = (&'a str, &'a str, Measured<'a>)>,
        now: Instant,
    ) -> Vec<Rollup> {
        let at = self.clock.now(now);
        let last = self.feeds.get(&feed);
        // A clock that was set back does not open a minute again whose rows are forgotten.
        let minute = last.map_or(minute_of(at), |it| it.begins.max(minute_of(at)));
        let so_far = last.filter(|it| it.begins == minute).map(|it| &it.queues);
        let mut named = so_far.map_or(0, HashMap::len);
        let mut queues: BTreeMap<&str, BTreeMap<&str, Tally>> = BTreeMap::new();
        for (message_type, queue, run) in runs {
            let is_known = queues.contains_key(queue) || so_far.is_some_and(|it| it.contains_key(queue));
            let queue = if is_known || named < QUEUES { queue } else { "" };
            named += usize::from(!is_known);
            let known = || so_far.and_then(|it| it.get(queue)?.get(message_type)).cloned().unwrap_or_default();
            queues.entry(queue).or_default().entry(message_type).or_insert_with(known).record(run, at);
        }
        let rows = queues.into_iter().flat_map(|(queue, types)| {
            let source = self.source_of(queue);
            let row = move |(name, tally): (&str, Tally)| Rollup {
                minute,
                source,
                message_type: name.to_owned(),
                queue: queue.to_owned(),
                tally,
            };
            types.into_iter().map(row)
        });
        rows.collect()
    }

    /// Who counts a queue: the consumer's id, with other last digits for each. They are the same whenever it is asked, so
    /// that a row is found again.
    fn source_of(&self, queue: &str) -> Uuid {
        const VARIANT: u64 = 1 << 63;
        let (begins, _) = self.source.as_u64_pair();
        Uuid::from_u64_pair(begins, (self.hashes.hash_one(queue) >> 2) | VARIANT)
    }

    /// These rows of a feed are written.
    pub fn written(&mut self, feed: usize, rows: Vec<Rollup>) {
        let Some(begins) = rows.first().map(|it| it.minute) else { return };
        let minute = self.feeds.entry(feed).or_insert_with(|| Minute { begins, queues: HashMap::new() });
        if minute.begins < begins {
            *minute = Minute { begins, queues: HashMap::new() };
        }
        if minute.begins == begins {
            for it in rows {
                minute.queues.entry(it.queue).or_default().insert(it.message_type, it.tally);
            }
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
        counter.with(0, types.iter().map(|it| (*it, "q", RUN)), now)
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
    fn queues_are_counted_apart_each_under_a_source_that_it_keeps() {
        let start = Instant::now();
        let mut counter = counter(start);
        let in_queues = |counter: &Counter, queues: &[&'static str]| {
            counter.with(0, queues.iter().map(|queue| ("A", *queue, RUN)), start)
        };
        let first = in_queues(&counter, &["mail", "bulk", "mail"]);
        let counted =
            |rows: &[Rollup]| -> Vec<_> { rows.iter().map(|it| (it.queue.clone(), it.tally.succeeded)).collect() };
        assert_eq!(counted(&first), [("bulk".to_owned(), 1), ("mail".to_owned(), 2)]);
        assert_ne!(first[0].source, first[1].source);
        let sources: Vec<_> = first.iter().map(|it| it.source).collect();
        counter.written(0, first);
        let second = in_queues(&counter, &["bulk", "mail"]);
        assert_eq!(counted(&second), [("bulk".to_owned(), 2), ("mail".to_owned(), 3)]);
        assert_eq!(second.iter().map(|it| it.source).collect::<Vec<_>>(), sources);
    }

    #[test]
    fn the_queues_beyond_are_counted_together_until_the_minute_is_over() {
        let start = Instant::now();
        let mut counter = counter(start);
        let names: Vec<String> = (0..QUEUES + 10).map(|n| n.to_string()).collect();
        let all = |counter: &Counter, now| counter.with(0, names.iter().map(|it| ("A", &**it, RUN)), now);
        for round in 1..=2 {
            let rows = all(&counter, start);
            assert_eq!((rows.len(), rows[0].queue.as_str()), (QUEUES + 1, ""));
            assert_eq!((rows[0].tally.succeeded, rows[1].tally.succeeded), (10 * round, round));
            counter.written(0, rows);
        }
        let late = counter.with(0, [("A", "late", RUN)].into_iter(), start + MINUTE);
        assert_eq!(late[0].queue, "late");
    }

    #[test]
    fn feeds_and_types_are_counted_apart() {
        let start = Instant::now();
        let mut counter = counter(start);
        counter.written(1, with(&counter, &["A"], start));
        assert_eq!(told(&with(&counter, &["B", "A"], start)), [(3_600, "A", 1), (3_600, "B", 1)]);
    }
}
