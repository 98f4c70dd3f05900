//! Everything a memory transport holds, and what each operation does to it. One lock guards it all, so every
//! operation is as atomic as a statement.

use super::audit::Audit;
use super::clock::{Clock, later};
use super::counts::Counts;
use super::dead_letters::Letters;
use super::executions::Executions;
use super::holds::Holds;
use super::keys::Keys;
use super::lanes::Lanes;
use super::message::Message;
use super::notes::Notes;
use super::pauses::Pauses;
use super::test_view::{Archive, Listed, Status};
use crate::base::limits::DEPTH_CAP;
use crate::config::WorkerConfig;
use crate::counts::rollup::{Errors, Rollup, Tally, minute_of};
use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::message::envelope::{Available, Envelope};
use crate::message::outcome::{Failure, Outcome};
use crate::store::Cleaned;
use crate::store::dead_letters::Redriven;
use crate::store::insights::{RefusedKey, WorkerRow};
use crate::store::parked::{Hold, Kept, Parked, Parking};
use crate::store::reasons::Holder;
use crate::store::stops::Stopping;
use crate::store::vitals::Vitals;
use crate::transport::{
    Buried, Claim, Claimable, Depth, Fence, Known, RescueStep, Rescued, Sent, Settlement, Survey, Unhandled, VERSION,
    WorkerId,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The state of a transport.
#[derive(Debug)]
pub struct State {
    pub name: Arc<str>,
    pub clock: Clock,
    /// At how many crashes a message is buried.
    pub max_crashes: i16,
    /// Whether it is switched off.
    pub is_off: bool,
    waiting: Lanes,
    /// Of the waiting messages of a broker, those that are being published.
    pub holds: Holds,
    /// Messages whose process died, kept apart: an ordinary claim must not take them.
    suspects: Lanes,
    held: BTreeMap<Uuid, Held>,
    leases: HashMap<Uuid, Lease>,
    keys: Keys,
    pub letters: Letters,
    pub finished: Archive,
    pub counts: Counts,
    pub executions: Executions,
    pub pauses: Pauses,
    pub audit: Audit,
    pub notes: Notes,
}

/// A message held by a worker.
#[derive(Debug)]
struct Held {
    message: Message,
    token: Uuid,
    worker: Uuid,
    since: DateTime<Utc>,
}

/// Since when a worker is registered, and until when its claims are valid.
#[derive(Debug)]
struct Lease {
    since: DateTime<Utc>,
    beat_at: DateTime<Utc>,
    until: DateTime<Utc>,
    worker: WorkerId,
    /// A suspect is to blame for its death, and not all of what it held is back.
    accused: bool,
    /// Somebody has asked it to stop.
    stops: bool,
}

impl State {
    pub fn new(name: Arc<str>) -> Self {
        Self {
            letters: Letters::new(name.clone()),
            name,
            clock: Clock::default(),
            max_crashes: WorkerConfig::default().max_crashes,
            is_off: false,
            waiting: Lanes::default(),
            holds: Holds::default(),
            suspects: Lanes::default(),
            held: BTreeMap::new(),
            leases: HashMap::new(),
            keys: Keys::default(),
            finished: Archive::default(),
            counts: Counts::default(),
            executions: Executions::default(),
            pauses: Pauses::default(),
            audit: Audit::default(),
            notes: Notes::default(),
        }
    }

    pub fn clear(&mut self) {
        let clock = std::mem::take(&mut self.clock);
        let (max_crashes, is_off) = (self.max_crashes, self.is_off);
        *self = Self { clock, max_crashes, is_off, ..Self::new(self.name.clone()) };
    }

    pub fn list(&self) -> Vec<Listed> {
        let waiting = self.waiting.iter().chain(self.suspects.iter()).map(|it| Listed::of(it, Status::Pending));
        let held = self.held.values().map(|it| Listed::of(&it.message, Status::Processing));
        let mut all: Vec<_> = waiting.chain(held).chain(self.finished.iter()).collect();
        all.sort_by_key(|it| it.id);
        all
    }

    pub fn waiting_messages(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter().chain(self.suspects.iter())
    }

    pub fn held_messages(&self) -> impl Iterator<Item = &Message> {
        self.held.values().map(|it| &it.message)
    }

    /// Who holds a message.
    pub fn holder(&self, id: Uuid) -> Option<Holder> {
        let held = self.held.get(&id)?;
        let until = self.leases.get(&held.worker).map(|it| it.until);
        Some(Holder {
            id: held.worker,
            host: None,
            pid: None,
            since: Some(held.since.timestamp_millis()),
            until: until.map(|it| it.timestamp_millis()),
            is_alive: until.is_some_and(|it| it >= self.clock.now()),
        })
    }

    pub fn take_waiting(&mut self, id: Uuid) -> Option<Message> {
        self.waiting.take(id).or_else(|| self.suspects.take(id))
    }

    // ---- sending -----------------------------------------------------------------------------------------------

    /// Refuses, where it is switched off.
    pub fn must_be_on(&self) -> Result<()> {
        if self.is_off { Err(Error::TransportDisabled { name: self.name.to_string() }) } else { Ok(()) }
    }

    pub fn send(&mut self, envelopes: &[Envelope]) -> Vec<Sent> {
        let now = self.clock.now();
        envelopes.iter().map(|envelope| self.send_one(envelope, now)).collect()
    }

    fn send_one(&mut self, envelope: &Envelope, now: DateTime<Utc>) -> Sent {
        let Envelope { id, message_type, key, .. } = envelope;
        let holder = key.as_ref().map_or(*id, |key| self.keys.admit(key, message_type, *id, now));
        if holder != envelope.id {
            return Sent::Duplicate { of: holder };
        }
        let message = Message::of(envelope, now);
        let available_at = message.available_at;
        self.waiting.insert(message);
        Sent::Queued { available_at }
    }

    /// A message will never run: its key, if it holds one, is free again.
    pub fn free_key(&mut self, message: &Message) {
        if let Some(key) = &message.idempotency_key {
            self.keys.free(key, &message.message_type, message.id);
        }
    }

    pub fn refused_keys(&self, before: Option<DateTime<Utc>>, limit: usize) -> Vec<RefusedKey> {
        self.keys.refused(&self.name, before, limit)
    }

    pub fn duplicate_attempts(&self, key: &str) -> u64 {
        self.keys.duplicate_attempts(key, self.clock.now())
    }

    // ---- claiming ----------------------------------------------------------------------------------------------

    pub fn survey(&self, claimable: Claimable<'_>) -> Survey {
        let now = self.clock.now();
        let is_read =
            |it: &Message| claimable.queues.is_none_or(|queues| queues.iter().any(|name| **name == *it.queue));
        let paused = self.pauses.at(now);
        let is_due = |it: &Message| {
            it.available_at <= now && is_read(it) && it.is_one_of(claimable.types) && self.is_unpaused(&paused, it)
        };
        Survey {
            queues: self.queues().into_iter().map(ToString::to_string).collect(),
            suspects: self.suspects.iter().any(is_due),
        }
    }

    pub fn claim(&mut self, claim: &Claim<'_>) -> Vec<Claimed> {
        let now = self.renew(claim.worker);
        if self.is_off {
            return Vec::new();
        }
        let (paused, mut waiting) = (self.pauses.at(now), std::mem::take(&mut self.waiting));
        let fits = |it: &Message| it.is_one_of(claim.types) && self.is_unpaused(&paused, it);
        let mut taken = Vec::new();
        for priority in (1..=10).rev() {
            for queue in claim.queues {
                let missing = claim.limit - taken.len();
                taken.extend(waiting.take_due(queue, priority, now, fits, missing));
            }
        }
        self.waiting = waiting;
        taken.into_iter().map(|message| self.hold(message, claim, now)).collect()
    }

    pub fn claim_suspect(&mut self, claim: &Claim<'_>) -> Option<Claimed> {
        let now = self.renew(claim.worker);
        if self.is_off {
            return None;
        }
        let (paused, mut suspects) = (self.pauses.at(now), std::mem::take(&mut self.suspects));
        let fits = |it: &Message| it.is_one_of(claim.types) && self.is_unpaused(&paused, it);
        let suspect = suspects.take_first(claim.queues, now, fits);
        self.suspects = suspects;
        Some(self.hold(suspect?, claim, now))
    }

    fn hold(&mut self, mut message: Message, claim: &Claim<'_>, now: DateTime<Utc>) -> Claimed {
        message.accuser = None;
        message.claimed = Some((now, claim.worker.id));
        let claimed = message.claimed(claim.token, now);
        self.held.insert(message.id, Held { message, token: claim.token, worker: claim.worker.id, since: now });
        claimed
    }

    // ---- settling ----------------------------------------------------------------------------------------------

    /// All or nothing; returns the claims that are not valid any more.
    pub fn settle_counted(&mut self, worker: Uuid, settlements: &[Settlement], rollups: &[Rollup]) -> Vec<Fence> {
        let fences = settlements.iter().map(Settlement::fence);
        let lost: Vec<Fence> = fences.filter(|it| !self.holds(worker, it)).collect();
        if lost.is_empty() {
            let now = self.clock.now();
            self.counts.write(rollups);
            settlements.iter().for_each(|it| self.settle_one(it, now));
        }
        lost
    }

    fn settle_one(&mut self, settlement: &Settlement, now: DateTime<Utc>) {
        if let Some(Held { message, .. }) = self.held.remove(&settlement.id) {
            self.apply(message, &settlement.outcome, now);
        }
    }

    fn apply(&mut self, mut message: Message, outcome: &Outcome, now: DateTime<Utc>) {
        match outcome {
            Outcome::Completed => self.finished.add(message, Status::Completed, now),
            Outcome::Discarded { reason } => {
                message.discarded = Some(reason.clone());
                self.finished.add(message, Status::Discarded, now);
            }
            Outcome::Retry { delay, failure, handled } => {
                message.note(failure, handled, now);
                message.retry_count += 1;
                message.crash_count = 0;
                message.available_at = later(now, *delay);
                self.put_back(message);
            }
            Outcome::Bury { failure, handled } => {
                message.note(failure, handled, now);
                self.letters.bury(message, failure.clone(), now);
            }
            Outcome::Snooze { delay, handled } => {
                message.remember(handled);
                message.crash_count = 0;
                message.available_at = later(now, *delay);
                self.put_back(message);
            }
            Outcome::Release { delay, handled, ran } => {
                message.remember(handled);
                message.crash_count = if *ran { 0 } else { message.crash_count };
                message.available_at = delay.map_or(message.available_at, |delay| later(now, delay));
                self.put_back(message);
            }
        }
    }

    // ---- beside a broker ---------------------------------------------------------------------------------------

    pub fn park(&mut self, parked: &Parked, hold: Hold) -> Parking {
        let now = self.clock.now();
        let mut message = Message::of_carried(&parked.message);
        let admit = |key| self.keys.admit(key, &message.message_type, message.id, now);
        let holder = parked.key.as_ref().map_or(message.id, admit);
        if holder != message.id {
            return Parking::Duplicate { of: holder };
        }
        (message.created_at, message.available_at) = (now, now);
        self.holds.forget(message.id);
        match parked.available {
            Available::Now => self.holds.hold(message.id, hold, now),
            Available::At(at) => (message.available_at, message.scheduled_at) = (at, Some(at)),
            Available::After(delay) => message.available_at = later(now, delay),
        }
        let available_at = message.available_at;
        self.take_waiting(message.id);
        self.waiting.insert(message);
        Parking::Parked { available_at }
    }

    /// Does what an outcome says, unless it was done before.
    pub fn keep(&mut self, kept: &Kept<'_>, now: DateTime<Utc>) {
        let message = Message::of_carried(kept.message);
        if self.letters.message(message.id).is_none() {
            self.holds.forget(message.id);
            self.take_waiting(message.id);
            self.apply(message, kept.outcome, now);
        }
    }

    /// Whether a message waits, and nobody is about to take it away.
    pub fn is_parked_for_good(&self, id: Uuid) -> bool {
        !self.holds.is_begun(id) && self.waiting_messages().any(|it| it.id == id)
    }

    pub fn put_back(&mut self, mut message: Message) {
        message.claimed = None;
        if message.crash_count > 0 { self.suspects.insert(message) } else { self.waiting.insert(message) }
    }

    pub fn reconcile(&mut self, worker: Uuid, known: &Known) -> usize {
        let is_unknown =
            |it: &mut Held| it.worker == worker && it.token < known.before && !known.tokens.contains(&it.token);
        let unknown: Vec<_> = self.held.extract_if(.., |_, it| is_unknown(it)).collect();
        let count = unknown.len();
        for (_, it) in unknown {
            self.put_back(it.message);
        }
        count
    }

    // ---- leases ------------------------------------------------------------------------------------------------

    /// Renews a worker's lease, or gives it one; returns the time.
    fn renew(&mut self, worker: &WorkerId) -> DateTime<Utc> {
        let now = self.clock.now();
        let until = later(now, worker.lease);
        let new = || Lease { since: now, beat_at: now, until, worker: worker.clone(), accused: false, stops: false };
        let lease = self.leases.entry(worker.id).or_insert_with(new);
        (lease.beat_at, lease.until, lease.accused) = (now, until, false);
        now
    }

    pub fn extend(&mut self, worker: &WorkerId) -> Option<DateTime<Utc>> {
        let since = self.leases.get(&worker.id)?.since;
        self.renew(worker);
        Some(since)
    }

    /// Who is at work, those that registered last first.
    pub fn workers(&self) -> Vec<WorkerRow> {
        let now = self.clock.now();
        let row = |Lease { since, beat_at, until, worker, .. }: &Lease| WorkerRow {
            id: worker.id,
            host: worker.host.clone(),
            pid: worker.pid,
            kind: worker.about.kind.map(str::to_owned),
            transports: vec![self.name.to_string()],
            started_at: Some(*since),
            last_beat_at: Some(*beat_at),
            lease_until: Some(*until),
            in_flight: self.held.values().filter(|it| it.worker == worker.id).count() as u32,
            concurrency: worker.about.concurrency.and_then(|it| u32::try_from(it).ok()),
            waiting: false,
            version: Some(VERSION.to_owned()),
            release: worker.about.release.clone(),
            stop_at: None,
            alive: *until >= now,
        };
        let mut all: Vec<WorkerRow> = self.leases.values().map(row).collect();
        all.sort_by_key(|it| std::cmp::Reverse((it.started_at, it.id)));
        all
    }

    pub fn lost(&self, worker: Uuid, held: &[Fence]) -> Vec<Uuid> {
        held.iter().filter(|it| !self.holds(worker, it)).map(|it| it.0).collect()
    }

    fn holds(&self, worker: Uuid, (id, token): &Fence) -> bool {
        self.held.get(id).is_some_and(|it| it.worker == worker && it.token == *token)
    }

    /// Asks living workers to stop; returns which.
    pub fn ask_to_stop(&mut self, ids: Option<&[Uuid]>) -> Vec<Uuid> {
        let now = self.clock.now();
        let asked = |(id, lease): &(&Uuid, &mut Lease)| lease.until >= now && ids.is_none_or(|ids| ids.contains(id));
        let asked = self.leases.iter_mut().filter(asked).map(|(id, lease)| {
            lease.stops = true;
            *id
        });
        asked.collect()
    }

    pub fn is_asked_to_stop(&self, worker: Uuid) -> bool {
        self.leases.get(&worker).is_some_and(|it| it.stops)
    }

    /// Which of these workers are still there, and how much they hold.
    pub fn stopping(&self, ids: &[Uuid]) -> Vec<Stopping> {
        let now = self.clock.now();
        let there = ids.iter().map(|id| {
            let running = self.held.values().filter(|it| it.worker == *id).count() as u64;
            (self.leases.get(id).is_some_and(|it| it.until >= now), id, running)
        });
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        let row = |id: &Uuid, running| Stopping { id: *id, host: String::new(), pid, running };
        there.filter(|(lives, _, running)| *lives || *running > 0).map(|(_, id, running)| row(id, running)).collect()
    }

    pub fn sign_off(&mut self, worker: Uuid) {
        self.leases.remove(&worker);
    }

    /// See rescue.sql for who is to blame.
    pub fn rescue(&mut self, step: RescueStep) -> Rescued {
        let now = self.clock.now();
        let dead = self.leases.iter().filter(|(id, lease)| lease.until < now && **id != step.by).map(|(id, _)| *id);
        let dead: HashSet<Uuid> = dead.collect();
        let suspects = self.held.values().filter(|it| it.message.crash_count > 0).map(|it| it.worker);
        let accused = suspects.chain(self.leases.iter().filter(|(_, lease)| lease.accused).map(|(id, _)| *id));
        let accused: HashSet<Uuid> = accused.collect();
        let orphans = self.take_unheld(step, &dead);
        let mut rescued = Rescued::default();
        for id in &dead {
            let remains = self.held.values().any(|it| it.worker == *id);
            match self.leases.get_mut(id).filter(|_| remains && accused.contains(id)) {
                Some(lease) => (lease.accused, lease.since) = (true, now),
                None => {
                    self.leases.remove(id);
                    rescued.workers += 1;
                }
            }
        }
        for Held { mut message, worker, .. } in orphans {
            let before = message.crash_count;
            message.crash_count = match before {
                0 => i16::from(!accused.contains(&worker)),
                crashes => crashes + i16::from(dead.contains(&worker)),
            };
            message.accuser = (message.crash_count > before).then_some(worker);
            if message.crash_count >= self.max_crashes {
                rescued.buried.push(self.bury_crashed(message, now));
                continue;
            }
            if before > 0 && message.crash_count > before {
                message.available_at = later(now, suspension(message.crash_count));
            }
            self.put_back(message);
            rescued.returned += 1;
        }
        rescued
    }

    /// See absolve.sql.
    pub fn absolve(&mut self, worker: Uuid) -> u64 {
        let now = self.clock.now();
        let accused = self.suspects.iter().filter(|it| it.accuser == Some(worker)).map(|it| it.id);
        let accused: Vec<Uuid> = accused.collect();
        for &id in &accused {
            if let Some(mut message) = self.suspects.take(id) {
                message.crash_count -= 1;
                message.accuser = None;
                message.available_at = message.available_at.min(now);
                self.put_back(message);
            }
        }
        accused.len() as u64
    }

    /// Messages of workers that are dead or not registered, except the caller's: suspects of the dead first.
    fn take_unheld(&mut self, step: RescueStep, dead: &HashSet<Uuid>) -> Vec<Held> {
        let Self { held, leases, .. } = self;
        let is_dead = |it: &Held| dead.contains(&it.worker);
        let is_unheld = |it: &Held| it.worker != step.by && (is_dead(it) || !leases.contains_key(&it.worker));
        let (mut first, rest): (Vec<_>, Vec<_>) =
            held.iter().filter(|(_, it)| is_unheld(it)).partition(|(_, it)| is_dead(it) && it.message.crash_count > 0);
        first.extend(rest);
        let ids: Vec<Uuid> = first.into_iter().take(step.portion.limit).map(|(id, _)| *id).collect();
        ids.iter().filter_map(|id| held.remove(id)).collect()
    }

    fn bury_crashed(&mut self, mut message: Message, now: DateTime<Utc>) -> Buried {
        let crash = |message: String| Failure::new("WorkerCrash", message);
        message.note(&crash("the process died while it handled this message".to_owned()), &[], now);
        let error = crash(format!("the process died {} times while it handled this message", message.crash_count));
        let buried = Buried {
            id: message.id,
            r#type: message.message_type.to_string(),
            transport: self.name.to_string(),
            queue: message.queue.to_string(),
            retry_count: message.retry_count,
            crashes: message.crash_count,
            error: error.clone(),
        };
        let last = now.timestamp_millis() as f64;
        let errors = BTreeMap::from([(error.class.clone(), Errors { count: 1, last })]);
        let tally = Tally { dead_lettered: 1, errors, ..Tally::default() };
        let (minute, source) = (minute_of(now), Uuid::now_v7());
        let (message_type, queue) = (buried.r#type.clone(), buried.queue.clone());
        self.counts.write(&[Rollup { minute, source, message_type, queue, tally }]);
        self.letters.bury(message, error, now);
        buried
    }

    // ---- looking -----------------------------------------------------------------------------------------------

    fn queues(&self) -> BTreeSet<&Arc<str>> {
        self.waiting.queues().chain(self.suspects.queues()).collect()
    }

    pub fn depth(&self) -> Vec<Depth> {
        let mut queues = self.queues();
        queues.extend(self.held.values().map(|it| &it.message.queue));
        queues.into_iter().map(|queue| self.depth_of(queue)).collect()
    }

    fn depth_of(&self, queue: &str) -> Depth {
        let now = self.clock.now();
        let cap = usize::try_from(DEPTH_CAP).unwrap_or(usize::MAX);
        let running = self.held.values().filter(|it| *it.message.queue == *queue).take(cap).count();
        let mut depth =
            Depth { queue: queue.to_owned(), pending: 0, delayed: 0, processing: running as u64, oldest_age_ms: None };
        let mut oldest: Option<DateTime<Utc>> = None;
        for priority in 1..=10 {
            for lanes in [&self.waiting, &self.suspects] {
                let (pending, delayed, since) = lanes.count(queue, priority, now, cap);
                depth.pending += pending as u64;
                depth.delayed += delayed as u64;
                oldest = oldest.into_iter().chain(since).min();
            }
        }
        depth.oldest_age_ms = oldest.map(|since| (now - since).as_seconds_f64() * 1000.0);
        depth
    }

    pub fn vitals(&self) -> Vitals {
        let now = self.clock.now();
        let leases = |is: fn(DateTime<Utc>, DateTime<Utc>) -> bool| {
            self.leases.values().filter(|lease| is(lease.until, now)).count() as u64
        };
        Vitals {
            dead_letters: self.letters.count_since(DateTime::<Utc>::MIN_UTC),
            recent_dead_letters: self.letters.count_since(now - TimeDelta::hours(1)),
            workers: leases(|until, now| until >= now),
            stale_workers: leases(|until, now| until < now - TimeDelta::minutes(1)),
            held_by_nobody: self.held.values().filter(|it| !self.leases.contains_key(&it.worker)).count() as u64,
            unknown_to_workers: 0,
            overdue_schedules: 0,
            overdue_parked: 0,
            circuits: Vec::new(),
            pauses: self.pauses.at(now),
        }
    }

    pub fn unhandled(&self, types: &[String]) -> Vec<Unhandled> {
        let now = self.clock.now();
        let due = self.waiting.iter().chain(self.suspects.iter()).filter(|it| it.available_at <= now);
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for message in due.take(usize::try_from(DEPTH_CAP).unwrap_or(usize::MAX)) {
            if !message.is_one_of(Some(types)) {
                *counts.entry((&*message.message_type, &*message.queue)).or_default() += 1;
            }
        }
        let row = |((message_type, queue), count): ((&str, &str), u64)| Unhandled {
            message_type: message_type.to_owned(),
            queue: queue.to_owned(),
            count,
        };
        counts.into_iter().map(row).collect()
    }

    // ---- dead letters and clean-up -----------------------------------------------------------------------------

    pub fn redrive(&mut self, failed: &[Uuid]) -> Vec<Redriven> {
        let now = self.clock.now();
        let mut redriven = Vec::new();
        for &id in failed {
            let Some(message) = self.letters.revive(id, now) else { continue };
            let (message_id, transport) = (message.id, self.name.to_string());
            redriven.push(Redriven { failed_message_id: id, message_id, transport });
            self.waiting.insert(message);
        }
        redriven
    }

    pub fn cleanup(&mut self, limit: u32) -> Cleaned {
        self.note_depths();
        let now = self.clock.now();
        Cleaned {
            deduplication: self.keys.forget_expired(now, limit as usize),
            executions: self.executions.forget_old(now, limit as usize),
            ..Cleaned::default()
        }
    }
}

/// How long a suspect that crashed stays away: twice as long each time, up to an hour, and up to a quarter longer.
fn suspension(crashes: i16) -> Duration {
    let doublings = u32::try_from(crashes - 2).unwrap_or(0).min(10);
    let shortest = (Duration::from_secs(30) * 2_u32.pow(doublings)).min(Duration::from_secs(3600));
    shortest.mul_f64(1.0 + fastrand::f64() / 4.0)
}
