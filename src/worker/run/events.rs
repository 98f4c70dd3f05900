//! Events for observers. Without one, nothing is built.

use crate::base::targets::WORKER;
use crate::error::Error;
use crate::transport::Buried;
use crate::worker::context::Context;
use crate::worker::trouble::{recovery, trouble};
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::{debug, warn};

/// What observers are told at the end of this turn.
pub(super) struct Events {
    context: Arc<Context>,
    told: Vec<Value>,
    /// Something has failed since all was well.
    troubled: bool,
}

impl Events {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, told: Vec::new(), troubled: false }
    }

    /// About the consumer itself.
    pub(super) fn tell(&mut self, event: impl FnOnce() -> Value) {
        if self.context.observer.is_some() {
            self.told.push(event());
        }
    }

    /// About single messages.
    pub(super) fn tell_of_messages<I: IntoIterator<Item = Value>>(&mut self, events: impl FnOnce() -> I) {
        if self.context.observes_messages() {
            self.told.extend(events());
        }
    }

    /// A failure that the consumer survives.
    pub(super) fn tell_of_trouble(&mut self, error: &Error) {
        debug!(target: WORKER, code = error.code(), "something failed that the consumer survives");
        self.troubled = true;
        self.tell(|| trouble(error));
    }

    /// All is well; of interest where it was not.
    pub(super) fn tell_of_recovery(&mut self) {
        if std::mem::take(&mut self.troubled) {
            debug!(target: WORKER, "the consumer works again");
            self.tell(recovery);
        }
    }

    /// Others have so many of the messages in hand.
    pub(super) fn tell_of_lost(&mut self, count: usize) {
        if count > 0 {
            warn!(
                target: WORKER, messages = count,
                "lease lost: other workers have these messages, and what came of them here does not count. The process \
                 was stopped or could not reach the database for longer than worker.lease"
            );
        }
    }

    /// What a rescue has buried: this consumer found it, so it reports it, from any transport of the store.
    pub(super) fn tell_of_buried(&mut self, buried: &[Buried]) {
        let event = |it: &Buried| {
            json!({
                "event": "deadLettered", "id": it.id, "type": it.r#type, "transport": it.transport,
                "retryCount": it.retry_count, "error": it.error,
            })
        };
        self.tell_of_messages(|| buried.iter().map(event).collect::<Vec<_>>());
    }

    /// Tells all of it.
    pub(super) fn emit(&mut self) {
        if let Some(observer) = self.context.observer.as_ref().filter(|_| !self.told.is_empty()) {
            observer.observe(Value::Array(std::mem::take(&mut self.told)).to_string());
        }
    }
}
