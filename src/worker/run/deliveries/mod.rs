//! What was claimed, on its way to the handlers.

mod intake;

use super::sources::Sources;
use crate::message::claimed::Claimed;
use crate::worker::context::Context;
use crate::worker::protocol::delivery;
pub(super) use intake::{Sorted, sort};
use std::sync::Arc;

/// Messages in hand that the handlers do not have yet.
pub(super) struct Deliveries {
    context: Arc<Context>,
    waiting: Vec<Batch>,
}

/// Messages of one transport that are delivered together.
pub(super) struct Batch {
    /// As the hand knows it.
    pub(super) number: u32,
    pub(super) feed: usize,
    pub(super) messages: Vec<Claimed>,
}

impl Deliveries {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, waiting: Vec::new() }
    }

    /// One more batch is to be delivered at the end of this turn.
    pub(super) fn add(&mut self, batch: Batch) {
        self.waiting.push(batch);
    }

    /// Takes what is to be delivered.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.waiting)
    }

    /// Hands a batch over; `false`: nothing is there to handle it, because the environment has ended.
    pub(super) fn deliver(&self, batch: &Batch, sources: &Sources) -> bool {
        let Some(transport) = sources.name(batch.feed) else { return true };
        let config = self.context.engine.config();
        let retries = |it: &Claimed| config.retry_for(&it.message_type).max_retries;
        self.context.handlers.command(delivery::deliver(batch.number, transport, &batch.messages, retries))
    }
}
