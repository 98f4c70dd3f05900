//! The transport that does not wait: `send` runs the handlers, and the caller of `dispatch()` gets their errors.

use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::message::envelope::{Available, Envelope};
use crate::transport::inline::Inline;
use crate::transport::{Sent, Transport};
use async_trait::async_trait;
use chrono::Utc;
use std::sync::Arc;
use uuid::Uuid;

/// The transport `sync`.
pub struct SyncTransport {
    name: Arc<str>,
    inline: Arc<dyn Inline>,
}

impl SyncTransport {
    /// A transport that hands everything to `inline`.
    pub fn new(name: Arc<str>, inline: Arc<dyn Inline>) -> Self {
        Self { name, inline }
    }

    fn delayed(&self) -> Error {
        Error::NotCapable {
            name: self.name.to_string(),
            what: "hold a message back until its time; route scheduled messages to a transport that stores",
        }
    }
}

/// The message as a handler sees it, without a queue in between.
fn claimed(envelope: &Envelope) -> Claimed {
    let now = Utc::now();
    let text = |json: &Option<Arc<str>>| json.as_deref().unwrap_or("{}").to_owned();
    Claimed {
        id: envelope.id,
        token: Uuid::nil(),
        message_type: envelope.message_type.to_string(),
        queue: envelope.queue.to_string(),
        priority: envelope.priority,
        body: envelope.body.to_string(),
        headers: text(&envelope.headers),
        metadata: text(&envelope.metadata),
        created_at: now,
        available_at: now,
        scheduled_at: None,
        retry_count: 0,
        max_retries: Some(0),
        crash_count: 0,
        idempotency_key: envelope.key.as_ref().map(|it| it.key.clone()),
        handled: Vec::new(),
        claimed_at: now,
        unreadable: None,
    }
}

#[async_trait]
impl Transport for SyncTransport {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn place(&self) -> String {
        format!("sync:{}", self.name)
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        let prompt = envelopes.iter().filter(|it| it.available == Available::Now);
        let mut answers = self.inline.handle(&self.name, prompt.map(claimed).collect()).await.into_iter();
        let answer = |envelope: &Envelope| {
            if envelope.available != Available::Now {
                return Sent::Failed(self.delayed());
            }
            match answers.next() {
                Some(Ok(())) => Sent::Handled,
                Some(Err(error)) => Sent::Failed(error),
                None => Sent::Failed(Error::Internal { what: "the handler runner has fewer answers than messages" }),
            }
        };
        Ok(envelopes.iter().map(answer).collect())
    }
}
