//! The messages in hand: delivered and not yet reported.

use super::verdict::Run;
use crate::message::claimed::Claimed;
use crate::worker::protocol::report::Report;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use uuid::Uuid;

/// One message in hand: what is needed to settle it. Its payload has gone to the handlers.
#[derive(Debug, Clone)]
pub struct Held {
    /// The message.
    pub id: Uuid,
    /// The fence.
    pub token: Uuid,
    /// Its type.
    pub message_type: String,
    /// Its queue.
    pub queue: String,
    /// Which of the consumer's feeds it came from.
    pub feed: usize,
    /// Its retries.
    pub run: Run,
    /// Whether a process died that held it.
    pub suspect: bool,
    /// Whether other workers already have it: its outcome does not count.
    pub lost: bool,
    /// Milliseconds from when it was due to when it was claimed.
    pub waited: f64,
    /// How large it is.
    pub bytes: usize,
}

impl Held {
    /// What is needed of a claimed message.
    pub fn of(feed: usize, it: &Claimed) -> Self {
        Self {
            id: it.id,
            token: it.token,
            message_type: it.message_type.clone(),
            queue: it.queue.clone(),
            feed,
            run: Run { retry_count: it.retry_count, max_retries: it.max_retries },
            suspect: it.crash_count > 0,
            lost: false,
            waited: (it.claimed_at - it.available_at).num_microseconds().unwrap_or(0).max(0) as f64 / 1e3,
            bytes: it.bytes(),
        }
    }

    /// An event about it.
    pub fn described(&self, event: &str, transport: Option<&str>) -> Value {
        json!({
            "event": event, "id": self.id, "type": self.message_type,
            "transport": transport, "retryCount": self.run.retry_count,
        })
    }
}

struct Batch {
    messages: Vec<Option<Held>>,
    open: usize,
    taken: Instant,
}

/// All batches in hand.
#[derive(Default)]
pub struct InFlight {
    batches: HashMap<u32, Batch>,
    next: u32,
    held: usize,
    suspects: usize,
}

impl InFlight {
    /// Adds a batch and numbers it.
    pub fn take(&mut self, feed: usize, messages: &[Claimed]) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let held = |it: &Claimed| Some(Held::of(feed, it));
        self.held += messages.len();
        self.suspects += messages.iter().filter(|it| it.crash_count > 0).count();
        let batch =
            Batch { messages: messages.iter().map(held).collect(), open: messages.len(), taken: Instant::now() };
        self.batches.insert(number, batch);
        number
    }

    /// Removes the message of a report; `None` for one that is not in hand (any more).
    pub fn give(&mut self, report: &Report) -> Option<Held> {
        let batch = self.batches.get_mut(&report.batch)?;
        let held = batch.messages.get_mut(report.index)?.take()?;
        batch.open -= 1;
        self.held -= 1;
        self.suspects -= usize::from(held.suspect);
        if batch.open == 0 {
            self.batches.remove(&report.batch);
        }
        Some(held)
    }

    /// The claims in hand, by feed.
    pub fn claims(&self) -> HashMap<usize, Vec<(Uuid, Uuid)>> {
        let mut claims: HashMap<usize, Vec<_>> = HashMap::new();
        let held = self.batches.values().flat_map(|batch| batch.messages.iter().flatten());
        for it in held.filter(|it| !it.lost) {
            claims.entry(it.feed).or_default().push((it.id, it.token));
        }
        claims
    }

    /// The tokens of the claims in hand, once for each message.
    pub fn tokens(&self) -> impl Iterator<Item = Uuid> {
        self.batches.values().flat_map(|batch| batch.messages.iter().flatten()).map(|it| it.token)
    }

    /// Marks claims as lost; returns those that are still in hand, and their batch and index.
    pub fn lose(&mut self, claims: &HashSet<(Uuid, Uuid)>) -> Vec<((u32, usize), Held)> {
        let mut lost = Vec::new();
        for (number, batch) in &mut self.batches {
            for (index, held) in batch.messages.iter_mut().enumerate() {
                if let Some(held) = held.as_mut().filter(|it| !it.lost && claims.contains(&(it.id, it.token))) {
                    held.lost = true;
                    lost.push(((*number, index), held.clone()));
                }
            }
        }
        lost
    }

    /// Removes what is left of a batch.
    pub fn give_batch(&mut self, number: u32) -> Vec<Held> {
        let messages = self.batches.remove(&number).map(|batch| batch.messages).unwrap_or_default();
        let left: Vec<Held> = messages.into_iter().flatten().collect();
        self.held -= left.len();
        self.suspects -= left.iter().filter(|it| it.suspect).count();
        left
    }

    /// Removes everything.
    pub fn give_all(&mut self) -> Vec<Held> {
        self.give_those(|_| true)
    }

    /// Removes those for which this holds.
    pub fn give_those(&mut self, holds: impl Fn(&Held) -> bool) -> Vec<Held> {
        let mut given = Vec::new();
        self.batches.retain(|_, batch| {
            given.extend(batch.messages.iter_mut().filter_map(|it| it.take_if(|held| holds(held))));
            batch.open = batch.messages.iter().flatten().count();
            batch.open > 0
        });
        self.held -= given.len();
        self.suspects -= given.iter().filter(|it| it.suspect).count();
        given
    }

    /// Whether a suspect is in hand.
    pub fn has_suspect(&self) -> bool {
        self.suspects > 0
    }

    /// When the youngest message in hand was taken.
    pub fn youngest(&self) -> Option<Instant> {
        self.batches.values().map(|batch| batch.taken).max()
    }

    /// How many messages are in hand.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether the hand is empty.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }
}
