//! Where a claim may begin to read.
//!
//! A claim reads each lane from its oldest message. Right behind the messages that others have just taken lie the
//! index entries they left, and until vacuum comes every claim would walk over all of them: after 100,000 messages
//! taken ten at a time, 5.8 ms a batch instead of 1.1. The same holds for messages of types that nobody here handles,
//! and, while some session keeps an old snapshot, vacuum can not help at all.
//!
//! So a claim leaves its last position as the floor of the next. Floors are a guess about the past: messages come
//! back to their old place, and transactions commit out of order. Four things keep that from mattering: the statement
//! never lets a floor reach into the last two seconds; now and then a claim reads everything, the less often the
//! longer that takes; a bounded drain reads everything before it says that nothing is left; and whoever puts messages
//! back to their old place drops the floors.

use crate::transport::Claimed;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// At least this long between two claims that read everything.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// Reading everything may cost one part in so many of the time.
const SHARE: u32 = 20;

/// A place in a lane: `available_at`, and the id among equal instants.
type Place = (DateTime<Utc>, Uuid);

/// The floors of one kind of claim.
#[derive(Debug, Default)]
pub struct Floors {
    lanes: HashMap<(String, i16), Place>,
    full_at: Option<Instant>,
    full_took: Duration,
    /// Whether the last claim found nothing.
    spent: bool,
}

impl Floors {
    /// The floors of these lanes, as two columns; none where everything is to be read.
    pub fn columns(
        &self,
        queues: &[&str],
        priorities: &[i16],
        now: Instant,
    ) -> (Vec<Option<DateTime<Utc>>>, Vec<Uuid>) {
        let due = self.full_at.is_none_or(|at| now >= at + LEAST_PAUSE.max(self.full_took * SHARE));
        let lane = |(queue, priority): (&&str, &i16)| {
            let known = self.lanes.get(&((*queue).to_owned(), *priority)).filter(|_| !due);
            (known.map(|place| place.0), known.map_or(Uuid::nil(), |place| place.1))
        };
        queues.iter().zip(priorities).map(lane).unzip()
    }

    /// The next claim reads everything.
    pub fn drop_all(&mut self) {
        self.lanes.clear();
    }

    /// Whether nothing was found above them the last time, so that it is not worth another round trip to try.
    pub fn are_spent(&self) -> bool {
        self.spent
    }

    /// Learns from a claim: `read_all` says whether it had no floors.
    pub fn learn(&mut self, claimed: &[Claimed], read_all: bool, began: Instant, ended: Instant) {
        if read_all {
            self.full_at = Some(ended);
            self.full_took = ended - began;
        }
        self.spent = claimed.is_empty();
        for message in claimed {
            let place = (message.available_at, message.id);
            let lane = self.lanes.entry((message.queue.clone(), i16::from(message.priority))).or_insert(place);
            *lane = place.max(*lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(queue: &str, priority: u8, second: i64, id: u128) -> Claimed {
        Claimed {
            id: Uuid::from_u128(id),
            token: Uuid::nil(),
            message_type: "A".to_owned(),
            queue: queue.to_owned(),
            priority,
            body: "{}".to_owned(),
            headers: "{}".to_owned(),
            metadata: "{}".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            available_at: DateTime::from_timestamp(second, 0).unwrap(),
            scheduled_at: None,
            retry_count: 0,
            max_retries: None,
            crash_count: 0,
            idempotency_key: None,
            handled: Vec::new(),
            claimed_at: DateTime::UNIX_EPOCH,
        }
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_claim_leaves_a_floor_in_its_own_lanes_only() {
        let start = Instant::now();
        let mut floors = Floors::default();
        floors.learn(&[message("q", 5, 1, 9), message("q", 5, 2, 1)], true, start, start + MS);
        let (at, ids) = floors.columns(&["q", "q", "r"], &[5, 4, 5], start + 2 * MS);
        assert_eq!(at, [DateTime::from_timestamp(2, 0), None, None]);
        assert_eq!(ids, [Uuid::from_u128(1), Uuid::nil(), Uuid::nil()]);
    }

    #[test]
    fn floors_can_be_dropped() {
        let start = Instant::now();
        let mut floors = Floors::default();
        floors.learn(&[message("q", 5, 1, 1)], true, start, start + MS);
        floors.drop_all();
        assert_eq!(floors.columns(&["q"], &[5], start + MS).0, [None]);
    }

    #[test]
    fn floors_are_spent_when_nothing_is_found_above_them() {
        let start = Instant::now();
        let mut floors = Floors::default();
        assert!(!floors.are_spent());
        floors.learn(&[], false, start, start + MS);
        assert!(floors.are_spent());
        floors.learn(&[message("q", 5, 1, 1)], false, start, start + MS);
        assert!(!floors.are_spent());
    }

    #[test]
    fn everything_is_read_now_and_then_and_less_often_when_it_takes_long() {
        let start = Instant::now();
        let mut floors = Floors::default();
        floors.learn(&[message("q", 5, 1, 1)], true, start, start + MS);
        let reads_all = |floors: &Floors, at: Duration| floors.columns(&["q"], &[5], start + at).0 == [None];
        assert!(!reads_all(&floors, 999 * MS));
        assert!(reads_all(&floors, 1002 * MS));
        floors.learn(&[message("q", 5, 1, 1)], true, start, start + 500 * MS);
        assert!(!reads_all(&floors, 10_000 * MS));
        assert!(reads_all(&floors, 10_600 * MS));
    }
}
