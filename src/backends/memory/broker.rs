//! A broker in memory: as little as a broker can do, so that the companion proves what it adds.

use super::clock::{Clock, later};
use crate::base::lock::lock;
use crate::error::Result;
use crate::message::carried::Carried;
use crate::transport::Depth;
use crate::transport::broker::{Broker, Delivery, Receipt};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// The longest that it delays by itself, as some brokers do.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// A broker, shared by all who have a copy of it.
#[derive(Clone, Default)]
pub struct MemoryBroker(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    clock: Clock,
    entries: BTreeMap<u64, Entry>,
    next: u64,
}

struct Entry {
    message: Carried,
    /// Hidden until then: delayed, or held by somebody.
    visible_at: DateTime<Utc>,
    /// Who holds it, while it is hidden.
    receipt: Option<Receipt>,
    silences: u32,
}

impl MemoryBroker {
    /// Moves its clock forward.
    pub fn advance(&self, by: Duration) {
        lock(&self.0).clock.advance(by);
    }
}

impl State {
    /// The entries held under these receipts, whose lease has not run out.
    fn held<'a>(&'a mut self, receipts: &[Receipt]) -> impl Iterator<Item = (u64, &'a mut Entry)> {
        let now = self.clock.now();
        let wanted: HashSet<Receipt> = receipts.iter().cloned().collect();
        let is_held =
            move |it: &Entry| it.visible_at > now && it.receipt.as_ref().is_some_and(|it| wanted.contains(it));
        self.entries.iter_mut().filter(move |(_, it)| is_held(it)).map(|(place, it)| (*place, it))
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn place(&self) -> String {
        format!("broker:{:p}", Arc::as_ptr(&self.0))
    }

    fn longest_delay(&self) -> Duration {
        LONGEST_DELAY
    }

    async fn publish(&self, messages: &[Carried], delay: Duration) -> Result<Vec<Result<()>>> {
        let mut state = lock(&self.0);
        let visible_at = later(state.clock.now(), delay);
        for message in messages {
            let entry = Entry { message: message.clone(), visible_at, receipt: None, silences: 0 };
            let place = state.next;
            state.next += 1;
            state.entries.insert(place, entry);
        }
        Ok(messages.iter().map(|_| Ok(())).collect())
    }

    async fn receive(&self, queues: &[String], limit: usize, lease: Duration) -> Result<Vec<Delivery>> {
        let mut state = lock(&self.0);
        let now = state.clock.now();
        let rank = |it: &Entry| {
            Some((u8::MAX - it.message.priority, queues.iter().position(|name| *name == it.message.queue)?))
        };
        let visible = state.entries.iter_mut().filter(|(_, it)| it.visible_at <= now);
        let mut found: Vec<_> = visible.filter_map(|(place, it)| Some((rank(it)?, *place, it))).collect();
        found.sort_by_key(|(rank, place, _)| (*rank, *place));
        let deliver = |(_, _, it): ((u8, usize), u64, &mut Entry)| {
            // Who had it has not answered.
            it.silences += u32::from(it.receipt.is_some());
            it.visible_at = later(now, lease);
            let receipt = Uuid::now_v7().to_string();
            it.receipt = Some(receipt.clone());
            Delivery { message: it.message.clone(), receipt, silences: it.silences }
        };
        Ok(found.into_iter().take(limit).map(deliver).collect())
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<()> {
        let mut state = lock(&self.0);
        let done: Vec<u64> = state.held(receipts).map(|(place, _)| place).collect();
        done.iter().for_each(|place| drop(state.entries.remove(place)));
        Ok(())
    }

    async fn give_back(&self, receipts: &[Receipt], delay: Duration) -> Result<()> {
        let mut state = lock(&self.0);
        let visible_at = later(state.clock.now(), delay);
        state.held(receipts).for_each(|(_, it)| (it.visible_at, it.receipt) = (visible_at, None));
        Ok(())
    }

    async fn extend(&self, receipts: &[Receipt], lease: Duration) -> Result<Vec<Receipt>> {
        let mut state = lock(&self.0);
        let visible_at = later(state.clock.now(), lease);
        let mut lost: HashSet<Receipt> = receipts.iter().cloned().collect();
        for (_, it) in state.held(receipts) {
            it.visible_at = visible_at;
            if let Some(receipt) = &it.receipt {
                lost.remove(receipt);
            }
        }
        Ok(lost.into_iter().collect())
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        let state = lock(&self.0);
        let now = state.clock.now();
        let mut queues: BTreeMap<&str, Depth> = BTreeMap::new();
        for it in state.entries.values() {
            let queue = it.message.queue.as_str();
            let none = Depth { queue: queue.to_owned(), pending: 0, delayed: 0, processing: 0, oldest_age_ms: None };
            let depth = queues.entry(queue).or_insert(none);
            match (&it.receipt, it.visible_at <= now) {
                (_, true) => {
                    depth.pending += 1;
                    let age = (now - it.visible_at).num_microseconds().unwrap_or(i64::MAX) as f64 / 1000.0;
                    depth.oldest_age_ms = Some(depth.oldest_age_ms.map_or(age, |oldest| oldest.max(age)));
                }
                (Some(_), false) => depth.processing += 1,
                (None, false) => depth.delayed += 1,
            }
        }
        Ok(queues.into_values().collect())
    }
}
