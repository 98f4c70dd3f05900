//! A broker, and beside it a store that keeps what the broker does not: a transport.
//!
//! ```text
//!                         now                              ack
//! (caller) ---- send -----------------> [ broker ] ----> worker ----> keep ----> [ store: dead letters, counts ]
//!                 `-- later, or keyed --> [ parked ] --relay--^          `-- again --> [ parked ]
//! ```
//!
//! What becomes of a message is kept first, idempotently by its id, and then the broker is told. A crash in between
//! repeats, and never loses: the broker delivers once more what it has no answer to, and what the store has kept of it
//! is recognised. A message with a key is parked with the key before it is published, for the same reason.
//!
//! What is parked is published by one at a time, who holds it for a while under a token: the sender what it has just
//! parked, a relay what is due. It leaves the parking under that token only. So a message that was published, received
//! and parked again in the meantime is not taken out with the run before.

use super::broker::{Broker, Delivery, Receipt};
use super::{
    Claim, Claimable, Claims, Depth, Drain, Fence, Known, Leases, Look, Portion, RescueStep, Rescued, Sent, Settlement,
    Settles, Survey, Transport, WorkerId, one_road,
};
use crate::base::lock::lock;
use crate::counts::rollup::Rollup;
use crate::error::{Error, Result};
use crate::message::carried::Carried;
use crate::message::claimed::Claimed;
use crate::message::envelope::{Available, Envelope};
use crate::message::outcome::{Failure, Outcome};
use crate::store::Store;
use crate::store::controls::Pause;
use crate::store::parked::{Hold, Kept, Parked, ParkedCount, Parking};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio::try_join;
use uuid::Uuid;

/// How many parked messages are relayed at once.
const RELAYED: usize = 500;
/// How often before a claim, at most: it goes on then, however much more is due.
const RELAYS: usize = 20;
/// How long nobody else publishes what is being published.
const HOLD: Duration = Duration::from_secs(30);
/// How long a broker may take for a batch that is relayed, and how long it is left alone after it has not taken one.
const PATIENCE: Duration = Duration::from_secs(5);
/// The error class of a message that its broker never takes.
const REFUSED: &str = "BrokerRefused";
/// For how long it is known whether the transport is switched on: claims and messages that go straight to the broker
/// ask no statement that would know.
const SWITCH_HOLDS: Duration = Duration::from_millis(500);
/// How long a message is left to others: of a type that the consumer does not handle, or that it holds already.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// A broker with its companion.
pub struct Companion<B> {
    name: Arc<str>,
    broker: B,
    store: Arc<dyn Store>,
    max_crashes: u32,
    held: Mutex<HashMap<Fence, Held>>,
    /// Held while messages are settled: of two who have the same claim, one settles.
    settling: tokio::sync::Mutex<()>,
    /// Since when each worker has held messages without having lost any.
    since: Mutex<HashMap<Uuid, DateTime<Utc>>>,
    /// The broker has not taken what was relayed: not again before.
    relay_after: Mutex<Option<Instant>>,
    /// Whether the transport was switched off, and when that was asked.
    switch: Mutex<Option<(Instant, bool)>>,
}

/// A message that was received, and not answered yet.
#[derive(Clone)]
struct Held {
    message: Carried,
    receipt: Receipt,
    worker: Uuid,
    lease: Duration,
}

impl<B: Broker> Companion<B> {
    /// A transport over a broker. A message is buried when it was delivered `max_crashes` times without an answer.
    pub fn new(name: Arc<str>, broker: B, store: Arc<dyn Store>, max_crashes: u32) -> Self {
        Self {
            name,
            broker,
            store,
            max_crashes,
            held: Mutex::default(),
            settling: tokio::sync::Mutex::default(),
            since: Mutex::default(),
            relay_after: Mutex::default(),
            switch: Mutex::default(),
        }
    }

    /// Whether the transport is switched off, as of the last [`SWITCH_HOLDS`]. A store that does not answer changes
    /// nothing: a broker takes and gives out messages without it.
    async fn is_off(&self) -> bool {
        let known = *lock(&self.switch);
        match known {
            Some((asked, off)) if asked.elapsed() < SWITCH_HOLDS => off,
            known => {
                let asked = Instant::now();
                let off = self.store.is_off(&self.name).await.unwrap_or(known.is_some_and(|(_, off)| off));
                *lock(&self.switch) = Some((asked, off));
                off
            }
        }
    }

    /// Publishes what was parked and is due. Twice, where a crash comes in between. A broker that takes nothing may
    /// still deliver, and has room only when it has: its trouble fails no claim, and what is due waits a little longer.
    async fn relay(&self) -> Result<()> {
        if lock(&self.relay_after).is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        for _ in 0..RELAYS {
            let hold = new_hold();
            let due = self.store.take_due(&self.name, hold, RELAYED).await?;
            if due.is_empty() {
                return Ok(());
            }
            let published = timeout(PATIENCE, self.broker.publish(&due, Duration::ZERO)).await;
            let answers = one_each(published.ok().and_then(Result::ok).unwrap_or_default(), due.len());
            let all_taken = self.after_publishing(hold.token, &due.iter().collect::<Vec<_>>(), answers).await?;
            if !all_taken {
                *lock(&self.relay_after) = Some(Instant::now() + PATIENCE);
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the broker has now is parked no more, what it never takes is buried, and the rest is left to the next
    /// relay; answers whether all of it is done.
    async fn after_publishing(&self, token: Uuid, held: &[&Carried], answers: Vec<Result<()>>) -> Result<bool> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for (message, answer) in held.iter().zip(answers) {
            match answer {
                Ok(()) => taken.push(message.id),
                Err(error) if error.blames_content() => {
                    let reason = format!("the broker does not take it: {error}");
                    self.bury(message, Failure::new(REFUSED, reason)).await?;
                }
                Err(_) => left.push(message.id),
            }
        }
        if !taken.is_empty() {
            self.store.unpark(&self.name, token, &taken).await?;
        }
        if !left.is_empty() {
            self.store.leave(&self.name, token, &left).await?;
        }
        Ok(left.is_empty())
    }

    /// The queues of which something may be received: a broker does not know that one is paused.
    fn unpaused(&self, pauses: &[Pause], queues: &[String]) -> Vec<String> {
        let is_open = |queue: &&String| !pauses.iter().any(|pause| pause.scope.covers_queue(&self.name, queue));
        queues.iter().filter(is_open).cloned().collect()
    }

    async fn bury(&self, message: &Carried, failure: Failure) -> Result<()> {
        let outcome = Outcome::Bury { failure, handled: Vec::new() };
        self.store.keep(&self.name, &[Kept { message, outcome: &outcome }], &[]).await
    }

    /// Leaves to the store what is not to be handled any more: what it knows already, and what has killed too many
    /// processes.
    async fn bury_poison(&self, deliveries: Vec<Delivery>) -> Result<Vec<Delivery>> {
        let again: Vec<Uuid> = deliveries.iter().filter(|it| it.silences > 0).map(|it| it.message.id).collect();
        if again.is_empty() {
            return Ok(deliveries);
        }
        let answered: HashSet<Uuid> = self.store.answered(&self.name, &again).await?.into_iter().collect();
        let (mut done, mut left) = (Vec::new(), Vec::new());
        for it in deliveries {
            if it.silences > 0 && answered.contains(&it.message.id) {
                done.push(it.receipt);
            } else if it.silences >= self.max_crashes {
                let message = format!("the process died {} times while it handled this message", it.silences);
                self.bury(&it.message, Failure::new("WorkerCrash", message)).await?;
                done.push(it.receipt);
            } else {
                left.push(it);
            }
        }
        self.ack(&done).await?;
        Ok(left)
    }

    /// Which of these the worker does not hold any more, by the word of the broker; those that it does, it holds for
    /// another lease.
    async fn refused(&self, worker: Uuid, fences: &[Fence]) -> Result<Vec<Fence>> {
        let held: Vec<(Fence, Option<Held>)> = {
            let all = lock(&self.held);
            fences.iter().map(|it| (*it, all.get(it).filter(|held| held.worker == worker).cloned())).collect()
        };
        let lease = held.iter().filter_map(|(_, it)| it.as_ref().map(|it| it.lease)).max().unwrap_or_default();
        let receipts: Vec<Receipt> =
            held.iter().filter_map(|(_, it)| it.as_ref().map(|it| it.receipt.clone())).collect();
        let lost: HashSet<Receipt> = self.extend_receipts(&receipts, lease).await?;
        let (gone, refused): (Vec<_>, Vec<_>) = held
            .into_iter()
            .filter(|(_, it)| it.as_ref().is_none_or(|it| lost.contains(&it.receipt)))
            .map(|(fence, it)| (it.map(|_| fence), fence))
            .unzip();
        self.forget(&gone.into_iter().flatten().collect::<Vec<_>>());
        Ok(refused)
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<()> {
        if receipts.is_empty() { Ok(()) } else { self.broker.ack(receipts).await }
    }

    async fn give_back(&self, receipts: &[Receipt], delay: Duration) -> Result<()> {
        if receipts.is_empty() { Ok(()) } else { self.broker.give_back(receipts, delay).await }
    }

    fn left_alone(&self) -> Duration {
        LEFT_ALONE.min(self.broker.longest_delay())
    }

    /// Those that are not held any more.
    async fn extend_receipts(&self, receipts: &[Receipt], lease: Duration) -> Result<HashSet<Receipt>> {
        if receipts.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.broker.extend(receipts, lease).await?.into_iter().collect())
    }

    fn forget(&self, fences: &[Fence]) {
        let mut held = lock(&self.held);
        fences.iter().for_each(|fence| drop(held.remove(fence)));
    }

    fn held_by(&self, worker: Uuid) -> Vec<(Fence, Receipt)> {
        let held = lock(&self.held);
        held.iter().filter(|(_, it)| it.worker == worker).map(|(fence, it)| (*fence, it.receipt.clone())).collect()
    }
}

fn new_hold() -> Hold {
    Hold { token: Uuid::now_v7(), lease: HOLD }
}

/// An answer for each message: where a broker has none, nobody knows whether it has taken it.
fn one_each(mut answers: Vec<Result<()>>, messages: usize) -> Vec<Result<()>> {
    answers.resize_with(messages, || Err(Error::Internal { what: "the broker has fewer answers than messages" }));
    answers
}

/// One delivery of each message, the one that has run most; and the others. What was published twice may be received
/// twice at once, and one claim holds a message once.
fn once_each(deliveries: Vec<Delivery>) -> (Vec<Delivery>, Vec<Receipt>) {
    let mut once: Vec<Delivery> = Vec::with_capacity(deliveries.len());
    let (mut places, mut others) = (HashMap::new(), Vec::new());
    for mut it in deliveries {
        let place = *places.entry(it.message.id).or_insert(once.len());
        match once.get_mut(place) {
            None => once.push(it),
            Some(first) => {
                if first.message.retry_count < it.message.retry_count {
                    std::mem::swap(first, &mut it);
                }
                others.push(it.receipt);
            }
        }
    }
    (once, others)
}

/// Whether a message goes back as it came, for so long, which the broker can do by itself.
fn goes_back(outcome: &Outcome, longest: Duration) -> Option<Duration> {
    match outcome {
        Outcome::Release { delay, handled, ran: false } if handled.is_empty() => {
            Some(delay.unwrap_or_default()).filter(|delay| *delay <= longest)
        }
        _ => None,
    }
}

#[async_trait]
impl<B: Broker + 'static> Transport for Companion<B> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Others of the same broker have what they hold, and what is parked for them, to themselves.
    fn place(&self) -> String {
        format!("{}/{}", self.broker.place(), self.name)
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        if self.is_off().await {
            return Err(Error::TransportDisabled { name: self.name.to_string() });
        }
        let now = Utc::now();
        let is_parked = |it: &&Envelope| it.key.is_some() || it.available != Available::Now;
        let park =
            |it: &Envelope| Parked { message: Carried::of(it, now), available: it.available, key: it.key.clone() };
        let to_park: Vec<Parked> = envelopes.iter().filter(is_parked).map(park).collect();
        let hold = new_hold();
        let mut parkings = match to_park.as_slice() {
            [] => Vec::new(),
            some => self.store.park(&self.name, some, hold).await?,
        }
        .into_iter();
        // What goes to the broker now, and where its answer belongs.
        let (mut prompt, mut places) = (Vec::new(), Vec::new());
        let mut sent = Vec::with_capacity(envelopes.len());
        for (place, envelope) in envelopes.iter().enumerate() {
            let missing = Parking::Duplicate { of: envelope.id };
            let parking = is_parked(&envelope).then(|| parkings.next().unwrap_or(missing));
            sent.push(match parking {
                Some(Parking::Duplicate { of }) => Sent::Duplicate { of },
                Some(Parking::Parked { available_at }) if envelope.available != Available::Now => {
                    Sent::Queued { available_at }
                }
                _ => {
                    prompt.push(Carried::of(envelope, now));
                    places.push(place);
                    Sent::Queued { available_at: now }
                }
            });
        }
        if prompt.is_empty() {
            return Ok(sent);
        }
        let (answers, failure) = match self.broker.publish(&prompt, Duration::ZERO).await {
            Ok(answers) => (answers, None),
            Err(error) => (Vec::new(), Some(Arc::new(error))),
        };
        let (mut held, mut of_held) = (Vec::new(), Vec::new());
        for ((place, message), answer) in places.into_iter().zip(&prompt).zip(one_each(answers, prompt.len())) {
            if is_parked(&&envelopes[place]) {
                held.push(message);
                of_held.push(answer);
            } else if let Err(error) = answer {
                sent[place] = Sent::Failed(failure.clone().map_or(error, Error::Shared));
            }
        }
        // What is parked is stored, whatever the broker said: if this fails, a relay publishes it after the hold.
        let _ = self.after_publishing(hold.token, &held, of_held).await;
        Ok(sent)
    }

    fn drain(self: Arc<Self>) -> Option<Arc<dyn Drain>> {
        Some(self)
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        Some(self.store.clone())
    }
}

#[async_trait]
impl<B: Broker + 'static> Claims for Companion<B> {
    async fn survey(&self, names: &[Arc<str>], _: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look> {
        if !self.is_off().await {
            self.relay().await?;
        }
        let waits = |it: &Depth| it.pending + it.delayed > 0;
        let queues: Vec<String> = self.depth().await?.into_iter().filter(waits).map(|it| it.queue).collect();
        let survey = Survey { queues, suspects: false };
        Ok(Look { surveys: vec![survey; names.len()], rescued: rescue.map(|_| Ok(Rescued::default())) })
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        if self.is_off().await {
            return Ok(Vec::new());
        }
        let (_, pauses) = try_join!(self.relay(), self.store.pauses())?;
        let lease = claim.worker.lease;
        let queues = self.unpaused(&pauses, claim.queues);
        if queues.is_empty() && !claim.queues.is_empty() {
            return Ok(Vec::new());
        }
        let deliveries = self.broker.receive(&queues, claim.limit, lease).await?;
        let (deliveries, twice) = once_each(deliveries);
        self.give_back(&twice, self.left_alone()).await?;
        let deliveries = self.bury_poison(deliveries).await?;
        let is_mine = |it: &Delivery| {
            let Carried { queue, message_type, .. } = &it.message;
            claim.types.is_none_or(|types| types.contains(message_type))
                && !pauses.iter().any(|pause| pause.scope.covers(&self.name, queue, message_type))
        };
        let (mine, others): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(is_mine);
        let others: Vec<Receipt> = others.into_iter().map(|it| it.receipt).collect();
        self.give_back(&others, self.left_alone()).await?;
        let now = Utc::now();
        lock(&self.since).entry(claim.worker.id).or_insert(now);
        let mut held = lock(&self.held);
        let take = |it: Delivery| {
            let crashes = i16::try_from(it.silences).unwrap_or(i16::MAX);
            let claimed = it.message.claimed(claim.token, crashes, now);
            let worker = claim.worker.id;
            held.insert((claimed.id, claim.token), Held { message: it.message, receipt: it.receipt, worker, lease });
            claimed
        };
        Ok(mine.into_iter().map(take).collect())
    }

    /// What crashed comes with the others: a broker keeps no suspects apart.
    async fn claim_suspect(&self, _: &Claim<'_>) -> Result<Option<Claimed>> {
        Ok(None)
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        let mut depths = self.broker.depth().await?;
        for ParkedCount { queue, due, waiting } in self.store.count_parked(&self.name).await? {
            match depths.iter_mut().find(|it| it.queue == queue) {
                Some(depth) => (depth.pending, depth.delayed) = (depth.pending + due, depth.delayed + waiting),
                None => {
                    depths.push(Depth { queue, pending: due, delayed: waiting, processing: 0, oldest_age_ms: None })
                }
            }
        }
        depths.sort_by(|a, b| a.queue.cmp(&b.queue));
        Ok(depths)
    }
}

#[async_trait]
impl<B: Broker + 'static> Settles for Companion<B> {
    async fn settle_counted(&self, worker: Uuid, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>> {
        one_road(settlements)?;
        let _settling = self.settling.lock().await;
        let fences: Vec<Fence> = settlements.iter().map(Settlement::fence).collect();
        let refused = self.refused(worker, &fences).await?;
        if !refused.is_empty() {
            return Ok(refused);
        }
        let held: Vec<(&Settlement, Held)> = {
            let all = lock(&self.held);
            settlements.iter().filter_map(|it| Some((it, all.get(&it.fence())?.clone()))).collect()
        };
        let longest = self.broker.longest_delay();
        let (back, done): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|(it, _)| goes_back(&it.outcome, longest).is_some());
        let kept: Vec<Kept<'_>> =
            done.iter().map(|(it, held)| Kept { message: &held.message, outcome: &it.outcome }).collect();
        self.store.keep(&self.name, &kept, rollups).await?;
        self.ack(&done.into_iter().map(|(_, held)| held.receipt).collect::<Vec<_>>()).await?;
        for (it, held) in back {
            let delay = goes_back(&it.outcome, longest).unwrap_or_default();
            self.give_back(&[held.receipt], delay).await?;
        }
        self.forget(&fences);
        Ok(Vec::new())
    }
}

#[async_trait]
impl<B: Broker + 'static> Leases for Companion<B> {
    async fn extend(&self, worker: &WorkerId, _: usize) -> Result<Option<DateTime<Utc>>> {
        let held = self.held_by(worker.id);
        let receipts: Vec<Receipt> = held.iter().map(|(_, receipt)| receipt.clone()).collect();
        let lost: HashSet<Receipt> = self.extend_receipts(&receipts, worker.lease).await?;
        let lost: Vec<Fence> =
            held.into_iter().filter(|(_, receipt)| lost.contains(receipt)).map(|(fence, _)| fence).collect();
        self.forget(&lost);
        let mut since = lock(&self.since);
        if !lost.is_empty() {
            since.insert(worker.id, Utc::now());
        }
        Ok(since.get(&worker.id).copied())
    }

    async fn lost(&self, worker: Uuid, held: &[Fence]) -> Result<Vec<Uuid>> {
        let refused = self.refused(worker, held).await?;
        Ok(refused.into_iter().map(|(id, _)| id).collect())
    }

    async fn reconcile(&self, worker: &WorkerId, known: &Known, _: Portion) -> Result<usize> {
        let is_unknown = |(_, token): &Fence| *token < known.before && !known.tokens.contains(token);
        let unknown: Vec<_> = self.held_by(worker.id).into_iter().filter(|(fence, _)| is_unknown(fence)).collect();
        let receipts: Vec<Receipt> = unknown.iter().map(|(_, receipt)| receipt.clone()).collect();
        self.give_back(&receipts, Duration::ZERO).await?;
        self.forget(&unknown.iter().map(|(fence, _)| *fence).collect::<Vec<_>>());
        Ok(unknown.len())
    }

    /// The broker itself delivers again what was not answered in time.
    async fn rescue_step(&self, _: RescueStep) -> Result<Rescued> {
        Ok(Rescued::default())
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        lock(&self.since).remove(&worker.id);
        Ok(())
    }
}
