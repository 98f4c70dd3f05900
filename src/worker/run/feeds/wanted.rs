//! What a claim asks for, and what it brings.

use crate::message::claimed::Claimed;
use crate::transport::Reach;
use std::sync::Arc;

/// Messages claimed from one transport.
pub struct Caught {
    /// Its place among the feeds.
    pub feed: usize,
    /// In the order in which they are to be started.
    pub messages: Vec<Claimed>,
    /// Whether the claim is certainly valid. If not, its lease may have run out before its answer came.
    pub stands: bool,
}

impl Caught {
    pub(super) fn new(feed: usize, messages: Vec<Claimed>) -> Self {
        Self { feed, messages, stands: true }
    }
}

/// What a claim asks for.
pub struct Wanted {
    /// Types with a handler; `None`: all.
    pub types: Option<Arc<[String]>>,
    /// Types of which suspects may be claimed; `None`: all.
    pub suspect_types: Option<Arc<[String]>>,
    /// At most this many.
    pub limit: usize,
    /// Whether finding nothing must mean that there is nothing.
    pub exhaustive: bool,
    /// One suspect, and nothing else.
    pub suspect: bool,
    /// Whether the consumer wants to be woken when it finds nothing.
    pub listening: bool,
    /// Whether it was: then a message waits, most likely in a queue that is known.
    pub woken: bool,
    /// Whether it is marked as waiting already: then what was sent before that is looked for in all queues.
    pub waiting: bool,
    /// How many messages the consumer has in hand.
    pub in_hand: usize,
}

impl Wanted {
    /// How far to look. Whether really nothing is left is a question for a claim that knows all queues; a consumer that
    /// was woken and found nothing so far, or that is about to sleep until it is, looks everywhere before it does.
    pub(super) fn reach(&self, knows_all_queues: bool) -> Reach {
        match (self.exhaustive, self.woken || self.waiting) {
            (true, _) if knows_all_queues => Reach::Exhaustive,
            (false, true) => Reach::Thorough,
            _ => Reach::Quick,
        }
    }
}

#[cfg(test)]
impl Wanted {
    /// What a worker wants that was woken.
    pub(super) const WOKEN: Self = Self {
        types: None,
        suspect_types: None,
        limit: 10,
        exhaustive: false,
        suspect: false,
        listening: true,
        woken: true,
        waiting: false,
        in_hand: 0,
    };
}
