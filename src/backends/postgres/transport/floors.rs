//! Where a claim may begin to read.
//!
//! A claim reads each lane from its oldest message. Right behind the messages that others have just taken lie the
//! index entries they left, and until vacuum comes every claim would walk over all of them: after 100,000 messages
//! taken ten at a time, 5.8 ms per batch instead of 1.1. The same holds for messages of types that nobody here handles,
//! and, while some session keeps an old snapshot, vacuum cannot help at all.
//!
//! So each lane has a floor: the place up to which an earlier claim has read it. A floor is a guess about the past.
//! Messages come back to their old place, transactions commit out of order, `scheduledAt` may lie in the past, and a
//! locked row was skipped. The statement never lets a floor reach into the last two seconds; what
//! lies deeper is found because every lane is read as a whole again, at the latest by the first claim that comes to it
//! [`PAUSE`] after the last time. A lane counts as read only where the claim came to it with room left: one that was
//! filled by the lanes before it keeps its turn. What this process puts back lowers the floor of its lane.
//!
//! That has no measurable cost: a drain of 60,000 messages, 500 at a time, takes as many index scans as with
//! one whole reading per second (750 and 744) and as many index entries (2.0 per message); each whole reading of 60,000
//! dead entries is some 190 blocks, since a scan marks what is dead and the next one does not visit it.
//!
//! Whole readings may cost one part in [`SHARE`] of the time. Lanes in which that takes longer are dear: they are read
//! one at a time, the one that has not been read for longest first, so that what lies below the floor of one is found
//! after `SHARE` times what it takes to read all of them once. That needs hundreds of thousands of dead index entries,
//! which only a session with an old snapshot keeps in place. Where the database was merely slow twice, the first of
//! them that is read alone shows it, and all of them are read as before.

use super::lanes::Lanes;
use crate::message::claimed::Claimed;
use crate::transport::Reach;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Between two whole readings of one lane, unless it is dear. Half of the second within which everything must be found.
const PAUSE: Duration = Duration::from_millis(500);
/// Whole readings may cost this fraction of the time.
const SHARE: u32 = 20;
/// A lane is dear if reading all of it takes longer than its share of [`PAUSE`].
const DEAR: Duration = Duration::from_millis(500 / SHARE as u64);
/// For no longer than this are dear lanes left alone: what takes half a second to read may as well have had to wait.
const LONGEST: Duration = Duration::from_secs(10);
/// Queues that no claim asks for are forgotten when there are more of them than this and as many again as it asks for.
const SPARE: usize = 100;

/// The most kinds of claims whose floors are kept.
const KINDS: usize = 16;

/// A place in a lane: `available_at`, and the id among equal instants.
pub type Place = (DateTime<Utc>, Uuid);

/// The floors by the types that a claim asks for: what one kind of claim has passed over, another may want. The kind
/// used last stands first.
#[derive(Debug, Default)]
pub struct AllFloors(Vec<(Option<Vec<String>>, Floors)>);

impl AllFloors {
    /// Those of a claim for these types.
    pub fn of(&mut self, types: Option<&[String]>) -> &mut Floors {
        match self.0.iter().position(|(kind, _)| kind.as_deref() == types) {
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                self.0.truncate(KINDS - 1);
                self.0.insert(0, (types.map(<[String]>::to_vec), Floors::default()));
            }
        }
        &mut self.0[0].1
    }

    /// Something is back in its old place.
    pub fn lower(&mut self, queue: &str, priority: i16, available_at: DateTime<Utc>, now: Instant) {
        self.0.iter_mut().for_each(|(_, floors)| floors.lower(queue, priority, available_at, now));
    }
}

/// The floors of one kind of claim.
#[derive(Debug, Default)]
pub struct Floors {
    lanes: HashMap<String, HashMap<i16, Lane>>,
    /// What a claim takes that reads nothing below a floor.
    usual: Option<Duration>,
    /// No dear lane is read before.
    dear_after: Option<Instant>,
    /// Whether the last claim found nothing.
    spent: bool,
}

#[derive(Debug, Default)]
struct Lane {
    floor: Option<Place>,
    /// When the last claim began that read all of it.
    read_at: Option<Instant>,
    /// By how much the last two of these took longer than others. The lesser counts: one alone may have had to wait.
    cost: [Duration; 2],
    /// When it last had its turn among the dear ones, whether or not the claim came to it.
    turn_at: Option<Instant>,
    /// The lowest place that something was put back to, and when: a claim that began earlier has not seen it.
    returned: Option<(Instant, Place)>,
}

/// What one claim reads: where it begins in each lane, in the order of the lanes.
#[derive(Debug)]
pub struct Reading {
    began: Instant,
    /// The dear lane that has its turn: what this claim takes says nothing about the others.
    turn: Option<usize>,
    /// `None`: at the beginning.
    pub floors: Vec<Option<DateTime<Utc>>>,
    /// The ids among equal instants.
    pub ids: Vec<Uuid>,
}

impl Reading {
    /// Whether it reads everything.
    pub fn is_whole(&self) -> bool {
        self.floors.iter().all(Option::is_none)
    }
}

impl Floors {
    /// Whether nothing was found above them the last time, so that it is not worth another round trip to try.
    pub fn are_spent(&self) -> bool {
        self.spent
    }

    /// What a claim is to read.
    pub fn plan(&mut self, lanes: &Lanes<'_>, reach: Reach, now: Instant) -> Reading {
        let turn = if reach == Reach::Exhaustive { None } else { self.turn_of_the_dear(lanes, now) };
        let place = |(index, (queue, priority))| {
            let lane = self.lane(queue, priority)?;
            let whole = match (reach, turn) {
                (Reach::Quick, None) => !lane.is_dear() && lane.is_due(now),
                // Alone, so that what it takes is not put down to others.
                (Reach::Quick, Some(turn)) => turn == index,
                (Reach::Thorough, turn) => turn == Some(index) || !lane.is_dear(),
                (Reach::Exhaustive, _) => true,
            };
            lane.floor.filter(|_| !whole)
        };
        let columns = |place: Option<Place>| (place.map(|it| it.0), place.map_or(Uuid::nil(), |it| it.1));
        let (floors, ids) = lanes.iter().enumerate().map(place).map(columns).unzip();
        Reading { began: now, turn, floors, ids }
    }

    /// Learns what a claim has read. `found`: its messages, in order; `full`: as many as it asked for, so that it went
    /// no further than the last of them.
    pub fn learn(&mut self, lanes: &Lanes<'_>, reading: &Reading, found: &[Claimed], full: bool, ended: Instant) {
        let (began, took) = (reading.began, ended - reading.began);
        let cost = took.saturating_sub(self.usual.unwrap_or(took));
        // The lane in which it stopped was not read to its end.
        let stopped = if full { found.last().and_then(|it| lanes.index(it)) } else { Some(lanes.len()) };
        let (mut below, mut dear, mut acquitted) = (false, Duration::ZERO, false);
        for (index, (queue, priority)) in lanes.iter().enumerate().take(stopped.map_or(0, |it| it + 1)) {
            let whole = reading.floors.get(index).is_some_and(Option::is_none);
            let end = found.first().filter(|_| Some(index) < stopped).map(|it| (it.claimed_at, Uuid::nil()));
            let blamed = reading.turn.is_none_or(|turn| turn == index);
            self.change(queue, priority, |lane| {
                if whole && lane.was_read(began, blamed.then_some(cost)) {
                    (below, dear) = (true, dear.max(lane.lesser_cost()));
                    acquitted |= reading.turn == Some(index) && !lane.is_dear();
                }
                end.into_iter().for_each(|end| lane.raise(end, began));
            });
        }
        if let (Some(last), true) = (found.last(), full) {
            let whole = stopped.and_then(|it| reading.floors.get(it)).is_some_and(Option::is_none);
            let place = (last.available_at, last.id);
            self.change(&last.queue, i16::from(last.priority), |lane| match lane.floor {
                // It found so much below the floor that it did not get there: the next one goes on where it stopped.
                Some(floor) if whole && floor > place => lane.lower(place, ended),
                _ => lane.raise(place, began),
            });
        }
        self.weigh(took, below);
        if dear > DEAR {
            self.dear_after = Some(ended + (dear * SHARE).min(LONGEST));
        }
        if acquitted {
            self.lanes.values_mut().flat_map(HashMap::values_mut).for_each(|it| it.cost = [Duration::ZERO; 2]);
        }
        self.spent = found.is_empty();
        self.forget_others(lanes);
    }

    /// Something is back in its old place.
    fn lower(&mut self, queue: &str, priority: i16, available_at: DateTime<Utc>, now: Instant) {
        self.change(queue, priority, |lane| lane.lower((available_at, Uuid::nil()), now));
        self.spent = false;
    }

    /// Which dear lane is to be read by this claim, if it is time for one.
    fn turn_of_the_dear(&mut self, lanes: &Lanes<'_>, now: Instant) -> Option<usize> {
        self.dear_after.filter(|at| now >= *at)?;
        let dear = |(index, (queue, priority))| {
            self.lane(queue, priority).filter(|it| it.is_dear()).map(|it| (it.turn_at, index, queue, priority))
        };
        let (_, index, queue, priority) = lanes.iter().enumerate().filter_map(dear).min()?;
        self.change(queue, priority, |it| it.turn_at = Some(now));
        Some(index)
    }

    /// What claims take that read nothing below a floor: a mean over the last few.
    fn weigh(&mut self, took: Duration, below: bool) {
        self.usual = Some(match self.usual {
            None => took,
            Some(usual) if below => usual.min(took),
            Some(usual) => (usual * 3 + took) / 4,
        });
    }

    fn lane(&self, queue: &str, priority: i16) -> Option<&Lane> {
        self.lanes.get(queue)?.get(&priority)
    }

    fn change(&mut self, queue: &str, priority: i16, change: impl FnOnce(&mut Lane)) {
        match self.lanes.get_mut(queue) {
            Some(lanes) => change(lanes.entry(priority).or_default()),
            None => change(self.lanes.entry(queue.to_owned()).or_default().entry(priority).or_default()),
        }
    }

    /// Names of queues may come without end.
    fn forget_others(&mut self, lanes: &Lanes<'_>) {
        if self.lanes.len() > lanes.queues_asked() * 2 + SPARE {
            self.lanes.retain(|queue, _| lanes.ask(queue));
        }
    }
}

impl Lane {
    fn is_dear(&self) -> bool {
        self.lesser_cost() > DEAR
    }

    fn lesser_cost(&self) -> Duration {
        self.cost[0].min(self.cost[1])
    }

    fn is_due(&self, now: Instant) -> bool {
        self.read_at.is_none_or(|at| now >= at + PAUSE)
    }

    /// All of it was read by a claim, at this cost if it is put down to this lane; whether there was a floor to read below.
    fn was_read(&mut self, began: Instant, cost: Option<Duration>) -> bool {
        self.read_at = self.read_at.max(Some(began));
        let below = self.floor.is_some();
        if let (Some(cost), true) = (cost, below) {
            self.cost = [cost, self.cost[0]];
        }
        below
    }

    /// A claim that began then has seen everything up to this place, but for what came back since.
    fn raise(&mut self, place: Place, began: Instant) {
        self.returned = self.returned.filter(|(at, _)| *at >= began);
        let seen = self.returned.map_or(place, |(_, lowest)| place.min(lowest));
        self.floor = self.floor.max(Some(seen));
    }

    fn lower(&mut self, place: Place, now: Instant) {
        self.floor = self.floor.map(|floor| floor.min(place));
        self.returned = Some((now, self.returned.map_or(place, |(_, lowest)| lowest.min(place))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

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
            available_at: at(second),
            scheduled_at: None,
            retry_count: 0,
            max_retries: None,
            crash_count: 0,
            idempotency_key: None,
            handled: Vec::new(),
            claimed_at: at(100),
            unreadable: None,
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// Claims from queues `q` and `r`, on a clock in milliseconds.
    struct Claims {
        floors: Floors,
        queues: Vec<String>,
        start: Instant,
    }

    impl Claims {
        fn new() -> Self {
            let queues = ["q", "r"].map(str::to_owned).to_vec();
            Self { floors: Floors::default(), queues, start: Instant::now() }
        }

        fn claim(&mut self, reach: Reach, ms: u32, took: u32, found: &[Claimed], full: bool) -> Vec<Option<i64>> {
            let lanes = Lanes::of(&self.queues);
            let began = self.start + ms * MS;
            let reading = self.floors.plan(&lanes, reach, began);
            self.floors.learn(&lanes, &reading, found, full, began + took * MS);
            reading.floors.iter().map(|it| it.map(|it| it.timestamp())).collect()
        }

        /// Where a quick claim would begin in `q` and `r`, priority 5.
        fn floors(&mut self, ms: u32) -> [Option<i64>; 2] {
            let lanes = Lanes::of(&self.queues);
            let reading = self.floors.plan(&lanes, Reach::Quick, self.start + ms * MS);
            [10, 11].map(|index: usize| reading.floors[index].map(|it| it.timestamp()))
        }
    }

    #[test]
    fn a_lane_is_read_on_from_its_last_message_and_one_read_to_its_end_from_then() {
        let mut it = Claims::new();
        assert_eq!(it.floors(0), [None, None]);
        it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1), message("q", 5, 8, 2)], true);
        assert_eq!(it.floors(1), [Some(8), None], "it did not come to r");
        it.claim(Reach::Quick, 2, 1, &[message("q", 5, 9, 3)], false);
        assert_eq!(it.floors(3), [Some(100), Some(100)], "what is later than the claim may be due since");
    }

    #[test]
    fn a_lane_is_read_as_a_whole_again_by_the_first_claim_that_comes_to_it_after_the_pause() {
        let mut it = Claims::new();
        it.claim(Reach::Quick, 0, 1, &[message("r", 5, 7, 1)], false);
        let full = [message("q", 5, 200, 2)];
        it.claim(Reach::Quick, 400, 1, &full, true);
        assert_eq!(it.floors(499), [Some(200), Some(100)]);
        assert_eq!(it.floors(500), [None, None]);
        it.claim(Reach::Quick, 500, 1, &full, true);
        assert_eq!(it.floors(600), [Some(200), None], "the claim was full before it came to r");
        it.claim(Reach::Quick, 600, 1, &[], false);
        assert_eq!(it.floors(601), [Some(200), Some(100)]);
    }

    #[test]
    fn what_comes_back_lowers_the_floor_of_its_lane_only() {
        let mut it = Claims::new();
        it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1), message("r", 5, 8, 2)], false);
        it.floors.lower("q", 5, at(7), it.start + 2 * MS);
        assert_eq!(it.floors(3), [Some(7), Some(100)]);
        it.floors.lower("q", 5, at(150), it.start + 4 * MS);
        assert_eq!(it.floors(5), [Some(7), Some(100)]);
        it.claim(Reach::Quick, 6, 1, &[message("q", 5, 7, 1)], false);
        assert_eq!(it.floors(7), [Some(100), Some(100)]);
    }

    #[test]
    fn a_claim_that_began_before_something_came_back_has_not_seen_it() {
        let mut it = Claims::new();
        let lanes = Lanes::of(&it.queues);
        let reading = it.floors.plan(&lanes, Reach::Quick, it.start);
        it.floors.lower("q", 5, at(7), it.start + MS);
        it.floors.learn(&lanes, &reading, &[message("q", 5, 50, 1)], false, it.start + 2 * MS);
        assert_eq!(it.floors(3), [Some(7), Some(100)]);
    }

    #[test]
    fn a_thorough_look_reads_everything_and_says_when_a_quick_one_is_not_worth_it() {
        let mut it = Claims::new();
        it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1)], false);
        assert!(!it.floors.are_spent());
        it.claim(Reach::Quick, 1, 1, &[], false);
        assert!(it.floors.are_spent());
        assert!(it.claim(Reach::Thorough, 2, 1, &[], false).iter().all(Option::is_none));
        it.floors.lower("q", 5, at(7), it.start + 3 * MS);
        assert!(!it.floors.are_spent());
    }

    #[test]
    fn dear_lanes_are_read_one_at_a_time_in_turn_within_their_share_of_the_time() {
        let mut it = Claims::new();
        it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1), message("r", 5, 8, 2)], false);
        it.claim(Reach::Quick, 10, 1, &[], false);
        it.claim(Reach::Quick, 500, 101, &[], false);
        assert_eq!(it.floors(1001), [None, None], "one reading that took long may have had to wait");
        it.claim(Reach::Quick, 1001, 101, &[], false);
        let after = 1001 + 101 + 20 * 100;
        assert_eq!(it.floors(after - 1), [Some(100), Some(100)]);
        assert!(it.claim(Reach::Thorough, after - 1, 1, &[], false).iter().flatten().count() > 1);
        let read = |read: &[Option<i64>]| [10, 11].map(|index: usize| read[index].is_none());
        // Dear are those that have floors: all lanes that the first claim came to.
        let mut turns = Vec::new();
        let mut ms = after;
        for _ in 0..40 {
            let reading = it.claim(Reach::Quick, ms, 101, &[], false);
            assert_eq!(reading.iter().filter(|it| it.is_none()).count(), 1);
            turns.push(read(&reading));
            ms += 101 + 20 * 100;
        }
        let count = |lane: usize| turns.iter().filter(|it| it[lane]).count();
        assert_eq!([count(0), count(1)], [2, 2]);
        assert!(it.claim(Reach::Exhaustive, ms, 1, &[], false).iter().all(Option::is_none));
        assert_eq!(it.floors(ms + 500), [None, None], "it has turned out not to be dear any more");
    }

    #[test]
    fn a_worker_that_is_going_to_sleep_comes_to_dear_lanes_too_and_finds_out_if_they_are_not() {
        let mut it = Claims::new();
        it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1), message("r", 5, 8, 2)], false);
        it.claim(Reach::Quick, 10, 1, &[], false);
        // The network is slow for a moment, and everything as quick as ever then.
        it.claim(Reach::Thorough, 1000, 61, &[], false);
        it.claim(Reach::Thorough, 2000, 61, &[], false);
        assert!(it.claim(Reach::Thorough, 3000, 1, &[], false).iter().any(Option::is_some), "all of them are dear");
        let turn = it.claim(Reach::Thorough, 4000, 1, &[], false);
        assert_eq!(turn.iter().filter(|it| it.is_none()).count(), 1);
        assert!(it.claim(Reach::Thorough, 5000, 1, &[], false).iter().all(Option::is_none));
    }

    #[test]
    fn a_database_that_stood_still_puts_whole_readings_off_by_seconds_at_most() {
        for [first, second, pause] in [[31, 60_001, 20 * 30], [60_001, 60_001, 10_000]] {
            let mut it = Claims::new();
            it.claim(Reach::Quick, 0, 1, &[message("q", 5, 7, 1), message("r", 5, 8, 2)], false);
            it.claim(Reach::Quick, 10, 1, &[], false);
            it.claim(Reach::Quick, 500, first, &[], false);
            let again = 1000 + first;
            it.claim(Reach::Quick, again, second, &[], false);
            let at = again + second + pause;
            assert!(it.claim(Reach::Quick, at - 1, 1, &[], false).iter().all(Option::is_some));
            assert_eq!(it.claim(Reach::Quick, at, 1, &[], false).iter().filter(|it| it.is_none()).count(), 1);
            assert!(it.claim(Reach::Quick, at + 500, 1, &[], false).iter().all(Option::is_none));
        }
    }

    #[test]
    fn queues_that_nobody_asks_for_are_forgotten_and_so_are_kinds_of_claims() {
        let mut it = Claims::new();
        for name in 0..1000 {
            it.queues = vec![format!("q{name}")];
            it.claim(Reach::Quick, name, 1, &[message(&it.queues[0].clone(), 5, 7, 1)], false);
            assert!(it.floors.lanes.len() <= SPARE + 3);
        }
        let mut all = AllFloors::default();
        let kind = |n: usize| vec![format!("T{n}")];
        for n in 0..100 {
            all.of(Some(&kind(n))).spent = true;
            all.of(None).spent = true;
        }
        assert_eq!(all.0.len(), KINDS);
        assert!(all.of(Some(&kind(99))).spent && all.of(None).spent && !all.of(Some(&kind(0))).spent);
    }
}
