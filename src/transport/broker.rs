//! What a message broker can do by itself. A [`super::Companion`] makes a transport of it.

use super::Depth;
use crate::error::Result;
use crate::message::carried::Carried;
use async_trait::async_trait;
use std::time::Duration;

/// What a broker wants to hear to know which delivery is meant.
pub type Receipt = String;

/// A message that a broker has delivered.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message.
    pub message: Carried,
    /// Names this delivery.
    pub receipt: Receipt,
    /// How often it was delivered before and never answered, as far as the broker can tell.
    pub silences: u32,
}

/// A place that carries messages, and knows nothing about them.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Where it is: two of the same place carry the same messages.
    fn place(&self) -> String;

    /// How long it can hold back a message by itself.
    fn longest_delay(&self) -> Duration;

    /// Takes messages, to be delivered after `delay`; answers for each, in order, once it is certain: it is stored, or it
    /// is not. A message that it never takes, such as one that is too large, has an error that
    /// [`blames_content`](crate::Error::blames_content). A call that fails as a whole may have taken some of them.
    async fn publish(&self, messages: &[Carried], delay: Duration) -> Result<Vec<Result<()>>>;

    /// Delivers messages of these queues, highest priority first, the queues as they are preferred within one. They are
    /// nobody else's for as long as the lease.
    async fn receive(&self, queues: &[String], limit: usize, lease: Duration) -> Result<Vec<Delivery>>;

    /// These are done. Those that are not held under their receipt any more are passed over.
    async fn ack(&self, receipts: &[Receipt]) -> Result<()>;

    /// These are to be delivered again, after `delay`. Those that are not held any more are passed over.
    async fn give_back(&self, receipts: &[Receipt], delay: Duration) -> Result<()>;

    /// These are held for another lease; answers with those that are not held any more.
    async fn extend(&self, receipts: &[Receipt], lease: Duration) -> Result<Vec<Receipt>>;

    /// How much is in each queue.
    async fn depth(&self) -> Result<Vec<Depth>>;
}
