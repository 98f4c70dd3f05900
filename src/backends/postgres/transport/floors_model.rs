//! What floors promise, against a model of claim.sql in which time is a number: no claim passes over a message that has
//! been due, visible and unlocked for [`RIPE`] before it, whatever was committed late, put back, locked or kept flowing.

use super::floors::{AllFloors, Reading};
use super::lanes::Lanes;
use crate::message::claimed::Claimed;
use crate::transport::Reach;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Milliseconds after which a message may count on the next claim that comes to its lane.
const RIPE: i64 = 500;
/// What claim.sql always reads again.
const OVERLAP: i64 = 2000;
const QUEUES: [&str; 2] = ["a", "b"];

#[derive(Debug, Clone)]
enum Event {
    /// So many messages are sent to a lane, and are there at once.
    Flow {
        lane: usize,
        count: usize,
    },
    /// One becomes visible that late: it was committed late, dated back, or locked.
    Late {
        lane: usize,
        by: i64,
    },
    /// Claimed ones go back to their old places.
    Return {
        count: usize,
    },
    /// A claim; `slow`: its answer comes with [`Event::Answers`], after what others do meanwhile.
    Claim {
        reach: Reach,
        limit: usize,
        slow: bool,
    },
    Answers,
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let lane = 0..4_usize;
    let reach = prop_oneof![6 => Just(Reach::Quick), 1 => Just(Reach::Thorough), 1 => Just(Reach::Exhaustive)];
    prop_oneof![
        4 => (lane.clone(), 1..8_usize).prop_map(|(lane, count)| Event::Flow { lane, count }),
        2 => (lane, 0..12_000_i64).prop_map(|(lane, by)| Event::Late { lane, by }),
        1 => (1..5_usize).prop_map(|count| Event::Return { count }),
        6 => (reach, 1..10_usize, any::<bool>()).prop_map(|(reach, limit, slow)| Event::Claim { reach, limit, slow }),
        2 => Just(Event::Answers),
        4 => (1..900_i64).prop_map(Event::Wait),
    ]
}

#[derive(Debug, Clone)]
struct Waiting {
    message: Claimed,
    visible_at: i64,
}

struct World {
    floors: AllFloors,
    queues: Vec<String>,
    waiting: Vec<Waiting>,
    held: Vec<Claimed>,
    /// Claims whose answers are under way.
    answers: Vec<(Reading, Vec<Claimed>, bool)>,
    start: Instant,
    now: i64,
    sent: u128,
}

impl World {
    fn new() -> Self {
        let queues = QUEUES.map(str::to_owned).to_vec();
        let (floors, start) = (AllFloors::default(), Instant::now());
        Self {
            floors,
            queues,
            waiting: Vec::new(),
            held: Vec::new(),
            answers: Vec::new(),
            start,
            now: 100_000,
            sent: 0,
        }
    }

    fn play(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Flow { lane, count } => (0..count).for_each(|_| self.send(lane, 0)),
            Event::Late { lane, by } => self.send(lane, by),
            Event::Return { count } => self.put_back(count),
            Event::Claim { reach, limit, slow } => {
                self.claim(reach, limit)?;
                if !slow {
                    self.answer_last();
                }
            }
            Event::Answers => self.answer_all(),
            Event::Wait(ms) => {
                // Else the answers would count as what takes long.
                self.answer_all();
                self.now += ms;
            }
        }
        Ok(())
    }

    fn send(&mut self, lane: usize, late: i64) {
        self.sent += 1;
        let message = message(QUEUES[lane % 2], if lane < 2 { 5 } else { 4 }, self.now - late, self.sent);
        self.waiting.push(Waiting { message, visible_at: self.now });
    }

    fn put_back(&mut self, count: usize) {
        let at = self.instant();
        for message in self.held.drain(..count.min(self.held.len())) {
            self.floors.lower(&message.queue, i16::from(message.priority), message.available_at, at);
            self.waiting.push(Waiting { message, visible_at: self.now });
        }
    }

    fn claim(&mut self, reach: Reach, limit: usize) -> Result<(), TestCaseError> {
        let (queues, began) = (self.queues.clone(), self.instant());
        let lanes = Lanes::of(&queues);
        let reading = self.floors.of(None).plan(&lanes, reach, began);
        let mut found: Vec<Waiting> =
            self.waiting.iter().filter(|it| self.is_above(it, &lanes, &reading)).cloned().collect();
        let place = |it: &Claimed| (lanes.index(it), it.available_at, it.id);
        found.sort_by_key(|it| place(&it.message));
        found.truncate(limit);
        let mut claimed: Vec<Claimed> = found.into_iter().map(|it| it.message).collect();
        claimed.iter_mut().for_each(|it| it.claimed_at = instant(self.now));
        self.waiting.retain(|it| claimed.iter().all(|claimed| claimed.id != it.message.id));
        let full = claimed.len() >= limit;
        let ripe = if reach == Reach::Quick { RIPE } else { 0 };
        for left in self.waiting.iter().filter(|it| it.visible_at <= self.now - ripe) {
            let filled_before = full && claimed.last().is_some_and(|last| place(last) < place(&left.message));
            prop_assert!(filled_before, "at {} passed over {left:?}", self.now);
        }
        self.answers.push((reading, claimed, full));
        Ok(())
    }

    fn answer_all(&mut self) {
        while !self.answers.is_empty() {
            self.answer_last();
        }
    }

    /// The later of two claims may be answered first.
    fn answer_last(&mut self) {
        let Some((reading, claimed, full)) = self.answers.pop() else { return };
        let (queues, ended) = (self.queues.clone(), self.instant() + Duration::from_millis(1));
        self.floors.of(None).learn(&Lanes::of(&queues), &reading, &claimed, full, ended);
        self.held.extend(claimed);
    }

    fn is_above(&self, it: &Waiting, lanes: &Lanes<'_>, reading: &Reading) -> bool {
        let Some(lane) = lanes.index(&it.message) else { return false };
        let overlap = instant(self.now - OVERLAP);
        let floor = reading.floors[lane].map(|at| (at.min(overlap), reading.ids[lane]));
        it.message.available_at <= instant(self.now)
            && floor.is_none_or(|floor| (it.message.available_at, it.message.id) > floor)
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now.unsigned_abs())
    }
}

fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
}

fn message(queue: &str, priority: u8, at: i64, id: u128) -> Claimed {
    Claimed {
        id: Uuid::from_u128(id),
        token: Uuid::nil(),
        message_type: "A".to_owned(),
        queue: queue.to_owned(),
        priority,
        body: String::new(),
        headers: String::new(),
        metadata: String::new(),
        created_at: DateTime::UNIX_EPOCH,
        available_at: instant(at),
        scheduled_at: None,
        retry_count: 0,
        max_retries: None,
        crash_count: 0,
        idempotency_key: None,
        handled: Vec::new(),
        claimed_at: DateTime::UNIX_EPOCH,
        unreadable: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn no_claim_passes_over_what_has_been_due_and_visible_for_half_a_second(
        events in proptest::collection::vec(event(), 1..80),
    ) {
        let mut world = World::new();
        for event in &events {
            world.play(event)?;
        }
    }
}
