//! Waiting messages: one ordered map per queue, by priority and then by age.

use super::message::Message;
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The place of a message in its queue.
type Place = (Reverse<u8>, DateTime<Utc>, Uuid);

/// Messages by queue and place.
#[derive(Debug, Default)]
pub struct Lanes {
    queues: BTreeMap<Arc<str>, BTreeMap<Place, Message>>,
}

impl Lanes {
    /// Puts a message in its place.
    pub fn insert(&mut self, message: Message) {
        let place = (Reverse(message.priority), message.available_at, message.id);
        self.queues.entry(message.queue.clone()).or_default().insert(place, message);
    }

    /// Removes due messages of one lane that fit, oldest first.
    pub fn take_due(
        &mut self,
        queue: &str,
        priority: u8,
        now: DateTime<Utc>,
        fits: impl Fn(&Message) -> bool,
        limit: usize,
    ) -> Vec<Message> {
        let Some(messages) = self.queues.get_mut(queue) else { return Vec::new() };
        let lane = messages.range(lane_until(priority, now)).filter(|(_, it)| fits(it));
        let places: Vec<Place> = lane.take(limit).map(|(place, _)| *place).collect();
        let taken = places.iter().filter_map(|place| messages.remove(place)).collect();
        if messages.is_empty() {
            self.queues.remove(queue);
        }
        taken
    }

    /// Removes the first of the fitting due messages that crashed least, of these queues (none named: any).
    pub fn take_first(
        &mut self,
        queues: &[String],
        now: DateTime<Utc>,
        fits: impl Fn(&Message) -> bool,
    ) -> Option<Message> {
        let asked = |queue: &str| queues.is_empty() || queues.iter().any(|it| it == queue);
        let due = self.iter().filter(|it| it.available_at <= now && fits(it) && asked(&it.queue));
        let first = due.min_by_key(|it| (it.crash_count, Reverse(it.priority), it.available_at, it.id))?;
        let (queue, place) = (first.queue.clone(), (Reverse(first.priority), first.available_at, first.id));
        let messages = self.queues.get_mut(&queue)?;
        let taken = messages.remove(&place);
        if messages.is_empty() {
            self.queues.remove(&queue);
        }
        taken
    }

    /// Removes one message.
    pub fn take(&mut self, id: Uuid) -> Option<Message> {
        let found = self.iter().find(|it| it.id == id)?;
        let (queue, place) = (found.queue.clone(), (Reverse(found.priority), found.available_at, found.id));
        let messages = self.queues.get_mut(&queue)?;
        let taken = messages.remove(&place);
        if messages.is_empty() {
            self.queues.remove(&queue);
        }
        taken
    }

    /// How many messages of a lane are due, how many wait for their time, both counted up to `cap`; and since when
    /// the oldest has been due.
    pub fn count(
        &self,
        queue: &str,
        priority: u8,
        now: DateTime<Utc>,
        cap: usize,
    ) -> (usize, usize, Option<DateTime<Utc>>) {
        let Some(messages) = self.queues.get(queue) else { return (0, 0, None) };
        let due = messages.range(lane_until(priority, now));
        let oldest = due.clone().next().map(|(_, it)| it.available_at);
        let after = (Reverse(priority), now, Uuid::max())..=(Reverse(priority), DateTime::<Utc>::MAX_UTC, Uuid::max());
        (due.take(cap).count(), messages.range(after).take(cap).count(), oldest)
    }

    /// The queues that are not empty.
    pub fn queues(&self) -> impl Iterator<Item = &Arc<str>> {
        self.queues.keys()
    }

    /// All messages.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.queues.values().flat_map(BTreeMap::values)
    }
}

fn lane_until(priority: u8, now: DateTime<Utc>) -> std::ops::RangeInclusive<Place> {
    (Reverse(priority), DateTime::<Utc>::MIN_UTC, Uuid::nil())..=(Reverse(priority), now, Uuid::max())
}
