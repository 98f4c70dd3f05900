//! The transport that does not wait: `send` runs the handlers, and the caller of `dispatch()` gets their errors.

use crate::counts::rollup::Rollup;
use crate::error::{Error, Result};
use crate::message::envelope::{Available, Envelope};
use crate::store::dead_letters::{FailedFilter, FailedPage, Redriven};
use crate::transport::{
    Capabilities, Claim, Claimable, Claimed, Cleaned, Depth, Fence, Known, Look, Portion, RescueStep, Rescued, Sent,
    Settlement, Survey, Transport, Unhandled, WorkerId, not_capable,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// Runs handlers immediately.
#[async_trait]
pub trait Inline: Send + Sync {
    /// Handles a batch; one answer per message, in order. A message that failed is not retried.
    async fn handle(&self, transport: &str, messages: Vec<Claimed>) -> Vec<Result<()>>;
}

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

    fn store(&self) -> String {
        format!("sync:{}", self.name)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { stores: false, dead_letters: false }
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

    async fn survey(&self, names: &[Arc<str>], _: Claimable<'_>, _: Option<RescueStep>) -> Result<Look> {
        Ok(Look { surveys: names.iter().map(|_| Survey::default()).collect(), rescued: None })
    }

    async fn claim(&self, _: &Claim<'_>) -> Result<Vec<Claimed>> {
        Ok(Vec::new())
    }

    async fn claim_suspect(&self, _: &Claim<'_>) -> Result<Option<Claimed>> {
        Ok(None)
    }

    async fn settle_counted(&self, settlements: &[Settlement], _: &[Rollup]) -> Result<Vec<Fence>> {
        Ok(settlements.iter().map(Settlement::fence).collect())
    }

    async fn has_counted(&self, _: &[Rollup]) -> Result<bool> {
        Ok(false)
    }

    async fn reconcile(&self, _: &WorkerId, _: &Known, _: Portion) -> Result<usize> {
        Ok(0)
    }

    async fn extend(&self, _: &WorkerId, _: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(None)
    }

    async fn lost(&self, held: &[(Uuid, Uuid)]) -> Result<Vec<Uuid>> {
        Ok(held.iter().map(|it| it.0).collect())
    }

    async fn rescue_step(&self, _: RescueStep) -> Result<Rescued> {
        Ok(Rescued::default())
    }

    async fn sign_off(&self, _: &WorkerId) -> Result<()> {
        Ok(())
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        Ok(Vec::new())
    }

    async fn unhandled(&self, _: &[String]) -> Result<Vec<Unhandled>> {
        Ok(Vec::new())
    }

    async fn duplicate_attempts(&self, _: &str) -> Result<u64> {
        Ok(0)
    }

    async fn list_failed(&self, _: &FailedFilter) -> Result<FailedPage> {
        not_capable(&self.name, "keep dead letters")
    }

    async fn redrive(&self, _: &[Uuid]) -> Result<Vec<Redriven>> {
        not_capable(&self.name, "keep dead letters")
    }

    async fn remove_failed(&self, _: &[Uuid]) -> Result<u64> {
        not_capable(&self.name, "keep dead letters")
    }

    async fn cleanup(&self, _: u32) -> Result<Cleaned> {
        Ok(Cleaned::default())
    }
}
