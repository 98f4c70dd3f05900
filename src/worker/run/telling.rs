//! Events for whoever observes. Nothing is built where nobody does.

use super::Loop;
use super::settling::Pending;
use crate::transport::Outcome;
use serde_json::{Value, json};

impl Loop {
    pub(super) fn describe(&self, it: &Pending, event: &str) -> Value {
        let transport = self.transports.get(it.held.feed).map(|it| it.name().to_string());
        let mut told = json!({
            "event": event, "id": it.held.id, "type": it.held.message_type,
            "transport": transport, "retryCount": it.held.run.retry_count,
        });
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
        if self.consumer.observer.is_some() {
            self.events.push(event());
        }
    }

    pub(super) fn emit(&mut self) {
        if let Some(observer) = self.consumer.observer.as_ref().filter(|_| !self.events.is_empty()) {
            observer.observe(Value::Array(std::mem::take(&mut self.events)).to_string());
        }
    }
}
