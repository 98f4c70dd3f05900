//! Events for observers. Without one, nothing is built.

use super::Loop;
use super::in_flight::Held;
use super::settlements::pending::Pending;
use crate::message::outcome::Outcome;
use crate::transport::Buried;
use crate::worker::protocol::delivery;
use serde_json::{Value, json};
use std::time::Instant;

impl Loop {
    pub(super) fn about(&self, held: &Held, event: &str) -> Value {
        let transport = self.transports.get(held.feed).map(|it| it.name().to_string());
        json!({
            "event": event, "id": held.id, "type": held.message_type,
            "transport": transport, "retryCount": held.run.retry_count,
        })
    }

    pub(super) fn tell_of_lost(&mut self, count: usize) {
        if count > 0 {
            // The one that took them has put them back.
            self.put_back = Some(Instant::now());
            self.event(|| json!({ "event": "leaseLost", "count": count }));
        }
    }

    /// What a rescue has buried: this consumer found it, so it reports it, from any transport of the store.
    pub(super) fn tell_of_buried(&mut self, buried: &[Buried]) {
        if buried.is_empty() {
            return;
        }
        self.context.handlers.command(delivery::buried(buried));
        if self.context.observes_messages() {
            self.events.extend(buried.iter().map(|it| {
                json!({
                    "event": "deadLettered", "id": it.id, "type": it.r#type, "transport": it.transport,
                    "retryCount": it.retry_count, "error": it.error,
                })
            }));
        }
    }

    pub(super) fn describe(&self, it: &Pending, event: &str) -> Value {
        let mut told = self.about(&it.held, event);
        match &it.settlement.outcome {
            Outcome::Retry { delay, failure, .. } => {
                told["delay"] = json!(delay.as_millis() as u64);
                told["error"] = json!({ "class": failure.class, "message": failure.message });
            }
            Outcome::Bury { failure, .. } => {
                told["error"] = json!({ "class": failure.class, "message": failure.message });
            }
            Outcome::Snooze { delay, .. } | Outcome::Release { delay: Some(delay), .. } => {
                told["delay"] = json!(delay.as_millis() as u64)
            }
            Outcome::Discarded { reason } => told["reason"] = json!(reason),
            _ => {}
        }
        told
    }

    pub(super) fn event(&mut self, event: impl FnOnce() -> Value) {
        if self.context.observer.is_some() {
            self.events.push(event());
        }
    }

    pub(super) fn emit(&mut self) {
        if let Some(observer) = self.context.observer.as_ref().filter(|_| !self.events.is_empty()) {
            observer.observe(Value::Array(std::mem::take(&mut self.events)).to_string());
        }
    }
}
