//! What happened to a message.

use super::slot::{self, Routed, Slot};
use crate::error::Result;
use crate::message::envelope::{Available, Envelope};
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
    /// When it can be handled at the earliest, by the transport's clock.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub available_at: DateTime<Utc>,
    /// The requested time, if any.
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

/// What happened to one message: one answer per transport, at least one of them good.
#[derive(Debug)]
pub struct Dispatched {
    /// In the order of its route.
    pub receipts: Vec<(Arc<str>, Result<Receipt>)>,
}

/// The answers to a batch as the facade reads them: of each message its first good receipt, and where it went to
/// several transports all of them under `messages`, or its error. What a receipt has in common with the one before it
/// is left out: in a batch that is nearly everything, and writing it, reading it and turning it into objects costs a
/// third of what Node does for a message.
pub struct Answers<'a>(pub &'a [Result<Dispatched>]);

impl Serialize for Answers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut before = None;
        serializer.collect_seq(self.0.iter().map(|answer| Answer::of(answer, &mut before)))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Answer<'a> {
    Ok(Brief<'a>),
    Error(Value),
}

impl<'a> Answer<'a> {
    fn of(answer: &'a Result<Dispatched>, before: &mut Option<&'a Receipt>) -> Self {
        let receipts = match answer {
            Ok(dispatched) => &dispatched.receipts,
            Err(error) => return Self::Error(error.to_json()),
        };
        let Some(receipt) = receipts.iter().find_map(|(_, receipt)| receipt.as_ref().ok()) else {
            return Self::Error(slot::lost().to_json());
        };
        let copies = (receipts.len() > 1).then(|| receipts.iter().map(Copied::of).collect());
        Self::Ok(Brief::of(receipt, before.replace(receipt), copies))
    }
}

/// A receipt without what it shares with the one before it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Brief<'a> {
    message_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(with = "chrono::serde::ts_milliseconds_option", skip_serializing_if = "Option::is_none")]
    available_at: Option<DateTime<Utc>>,
    #[serde(with = "chrono::serde::ts_milliseconds_option", skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Copied<'a>>>,
}

impl<'a> Brief<'a> {
    fn of(receipt: &'a Receipt, before: Option<&'a Receipt>, messages: Option<Vec<Copied<'a>>>) -> Self {
        Self {
            message_id: receipt.message_id,
            status: news(receipt, before, |it| it.status),
            transport: news(receipt, before, |it| &*it.transport),
            queue: news(receipt, before, |it| &*it.queue),
            priority: news(receipt, before, |it| it.priority),
            available_at: news(receipt, before, |it| it.available_at),
            scheduled_at: receipt.scheduled_at,
            idempotency_key: receipt.idempotency_key.as_deref(),
            messages,
        }
    }
}

/// A field, where it differs from the one before.
fn news<'a, T: PartialEq>(
    receipt: &'a Receipt,
    before: Option<&'a Receipt>,
    field: impl Fn(&'a Receipt) -> T,
) -> Option<T> {
    let value = field(receipt);
    before.is_none_or(|it| field(it) != value).then_some(value)
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
        receipt.unwrap_or_else(|| Err(slot::lost()))
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
    Err(first.unwrap_or_else(slot::lost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use serde_json::json;

    fn receipt(id: u128, transport: &str, priority: u8) -> Receipt {
        Receipt {
            message_id: Uuid::from_u128(id),
            status: "queued",
            transport: transport.into(),
            queue: "q".into(),
            priority,
            available_at: DateTime::UNIX_EPOCH,
            scheduled_at: None,
            idempotency_key: None,
        }
    }

    fn to(receipts: Vec<Receipt>) -> Result<Dispatched> {
        Ok(Dispatched { receipts: receipts.into_iter().map(|it| (it.transport.clone(), Ok(it))).collect() })
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_receipt_says_only_what_differs_from_the_one_before() {
        let answers = [to(vec![receipt(1, "a", 5)]), to(vec![receipt(2, "a", 5)]), to(vec![receipt(3, "b", 5)])];
        let first = json!({ "messageId": id(1), "status": "queued", "transport": "a", "queue": "q", "priority": 5,
                            "availableAt": 0 });
        let expected = json!([{ "ok": first }, { "ok": { "messageId": id(2) } }, { "ok": { "messageId": id(3), "transport": "b" } }]);
        assert_eq!(serde_json::to_value(Answers(&answers)).unwrap(), expected);
    }

    #[test]
    fn an_error_in_between_changes_nothing_for_the_next() {
        let answers =
            [to(vec![receipt(1, "a", 5)]), Err(Error::Stopped { what: "the test" }), to(vec![receipt(2, "a", 6)])];
        let written = serde_json::to_value(Answers(&answers)).unwrap();
        assert_eq!(written[1]["error"]["code"], "SYMPHONY_STOPPED");
        assert_eq!(written[2], json!({ "ok": { "messageId": id(2), "priority": 6 } }));
    }

    #[test]
    fn copies_in_several_transports_are_written_whole() {
        let answers = [to(vec![receipt(1, "a", 5)]), to(vec![receipt(2, "a", 5), receipt(3, "b", 5)])];
        let written = serde_json::to_value(Answers(&answers)).unwrap();
        assert_eq!(written[1]["ok"]["messageId"], json!(id(2)));
        assert_eq!(written[1]["ok"]["transport"], Value::Null);
        let copies = &written[1]["ok"]["messages"];
        assert_eq!((&copies[0]["transport"], &copies[1]["transport"]), (&json!("a"), &json!("b")));
        assert_eq!(copies[1]["queue"], "q");
    }
}
