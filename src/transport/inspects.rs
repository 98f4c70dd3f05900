//! Messages as operators ask for them.

use crate::error::Result;
use crate::message::edit::Changes;
use crate::store::controls::Because;
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use async_trait::async_trait;
use uuid::Uuid;

/// Waiting messages without a handler here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhandled {
    /// Their type.
    pub message_type: String,
    /// Their queue.
    pub queue: String,
    /// How many, among the first [`crate::base::limits::DEPTH_CAP`] due messages.
    pub count: u64,
}

/// Looks at single messages of all transports of a place, and cancels them.
#[async_trait]
pub trait Inspects: Send + Sync {
    /// Messages other than dead letters, newest first.
    async fn list_messages(&self, filter: &MessageFilter) -> Result<MessagePage>;

    /// One message, or the dead letter that it has become.
    async fn get_message(&self, id: Uuid) -> Result<Option<KeptMessage>>;

    /// Cancels a message before it has run; returns whether it did, and the state of the message afterwards.
    async fn cancel(&self, id: Uuid, because: &Because) -> Result<Option<(bool, MessageStatus)>>;

    /// Changes a message that waits; returns whether it did, and the state of the message.
    async fn edit(&self, id: Uuid, changes: &Changes, because: &Because) -> Result<Option<(bool, MessageStatus)>>;

    /// How much is finished and buried, of one transport of the place or of all.
    async fn totals(&self, transport: Option<&str>) -> Result<Totals>;

    /// Due messages of this transport of other types than these.
    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>>;
}
