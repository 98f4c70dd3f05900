//! The lanes of a claim: one per priority and queue, in the order in which they are read.

use crate::message::claimed::Claimed;
use std::collections::HashMap;

/// Priorities from 10 down, and inside each the queues in their order.
pub struct Lanes<'a> {
    /// The queue of each lane.
    pub queues: Vec<&'a str>,
    /// The priority of each lane.
    pub priorities: Vec<i16>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Lanes<'a> {
    /// The lanes of these queues.
    pub fn of(queues: &'a [String]) -> Self {
        let priorities = (1..=10).rev();
        let (names, priorities) =
            priorities.flat_map(|priority| queues.iter().map(move |it| (it.as_str(), priority))).unzip();
        let mut places = HashMap::with_capacity(queues.len());
        for (place, queue) in queues.iter().enumerate() {
            places.entry(queue.as_str()).or_insert(place);
        }
        Self { queues: names, priorities, places }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.queues.len()
    }

    /// How many queues are asked for.
    pub fn queues_asked(&self) -> usize {
        self.places.len()
    }

    /// Whether a queue is asked for.
    pub fn ask(&self, queue: &str) -> bool {
        self.places.contains_key(queue)
    }

    /// Each with its queue and priority.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, i16)> {
        self.queues.iter().copied().zip(self.priorities.iter().copied())
    }

    /// Which lane a message came from.
    pub fn index(&self, message: &Claimed) -> Option<usize> {
        let place = self.places.get(message.queue.as_str())?;
        let above = 10_usize.checked_sub(usize::from(message.priority))?;
        Some(above * self.queues.len() / 10 + place)
    }

    /// Sorts messages in the order of their start; RETURNING has no order.
    pub fn sort(&self, claimed: &mut [Claimed]) {
        claimed.sort_by_cached_key(|it| (self.index(it), it.available_at, it.id));
    }
}
