//! What became of a message.

use super::plan::{Routed, Slot};
use crate::envelope::{Available, Envelope};
use crate::error::{Error, Result};
use crate::transport::Sent;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// Where one copy of a message went.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Its id; for a duplicate the id of the message that holds the key.
    pub message_id: Uuid,
    /// `queued`, `duplicate` or `handled`.
    pub status: &'static str,
    /// The transport.
    pub transport: Arc<str>,
    /// The queue.
    pub queue: Arc<str>,
    /// 1 to 10.
    pub priority: u8,
    /// From when it can be handled, by the transport's clock.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub available_at: DateTime<Utc>,
    /// The instant asked for, if any.
    #[serde(with = "chrono::serde::ts_milliseconds_option", skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<DateTime<Utc>>,
    /// The key given; where none was, the message's id stands for it and deduplicates nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl Receipt {
    /// The receipt for an envelope that was sent.
    pub(super) fn of(envelope: Envelope, sent: Sent) -> Result<Self> {
        let scheduled_at = if let Available::At(at) = envelope.available { Some(at) } else { None };
        let (message_id, status, available_at) = match sent {
            Sent::Queued { available_at } => (envelope.id, "queued", available_at),
            Sent::Duplicate { of } => (of, "duplicate", scheduled_at.unwrap_or_else(Utc::now)),
            Sent::Handled => (envelope.id, "handled", Utc::now()),
            Sent::Failed(error) => return Err(error),
        };
        Ok(Self {
            message_id,
            status,
            transport: envelope.transport,
            queue: envelope.queue,
            priority: envelope.priority,
            available_at,
            scheduled_at,
            idempotency_key: envelope.key.map(|it| it.key),
        })
    }
}

/// What became of one message: one answer a transport, at least one of them good.
#[derive(Debug)]
pub struct Dispatched {
    /// In the order of its route.
    pub receipts: Vec<(Arc<str>, Result<Receipt>)>,
}

/// As the facade reads it: the first good receipt, and where there are several transports all of them under
/// `messages`. It is written for every message, so nothing stands in it twice.
impl Serialize for Dispatched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let copies = (self.receipts.len() > 1).then(|| self.receipts.iter().map(Copied::of).collect());
        let first = self.receipts.iter().find_map(|(_, receipt)| receipt.as_ref().ok());
        Answer { first, messages: copies }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    first: Option<&'a Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Copied<'a>>>,
}

/// One copy of a message that went to several transports.
#[derive(Serialize)]
#[serde(untagged)]
enum Copied<'a> {
    Good(&'a Receipt),
    Bad { transport: &'a str, error: Value },
}

impl<'a> Copied<'a> {
    fn of((transport, receipt): &'a (Arc<str>, Result<Receipt>)) -> Self {
        match receipt {
            Ok(receipt) => Self::Good(receipt),
            Err(error) => Self::Bad { transport, error: error.to_json() },
        }
    }
}

/// Brings the receipts of all parcels back to the messages they belong to.
pub(super) fn gather(messages: Vec<Routed>, parcels: Vec<Vec<Result<Receipt>>>) -> Vec<Result<Dispatched>> {
    let mut receipts: Vec<Vec<Option<Result<Receipt>>>> =
        parcels.into_iter().map(|parcel| parcel.into_iter().map(Some).collect()).collect();
    let mut take = |slot: Slot| {
        let receipt = receipts.get_mut(slot.parcel).and_then(|it| it.get_mut(slot.envelope)).and_then(Option::take);
        receipt.unwrap_or(Err(Error::Stopped { what: "the dispatcher" }))
    };
    let collect = |routed: Routed| {
        let receipts = routed.into_iter().map(|(name, slot)| (name, slot.and_then(&mut take))).collect();
        dispatched(receipts)
    };
    messages.into_iter().map(collect).collect()
}

/// One good receipt makes the dispatch good; without any, the first error is the message's.
fn dispatched(receipts: Vec<(Arc<str>, Result<Receipt>)>) -> Result<Dispatched> {
    if receipts.iter().any(|(_, receipt)| receipt.is_ok()) {
        return Ok(Dispatched { receipts });
    }
    let first = receipts.into_iter().next().and_then(|(_, receipt)| receipt.err());
    Err(first.unwrap_or(Error::Stopped { what: "the dispatcher" }))
}
