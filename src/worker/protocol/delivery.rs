//! Commands to the handlers, as JSON text.
//!
//! Messages cross to JavaScript in batches, each one string that is parsed once; payload, headers and metadata go in as
//! the database printed them.

use crate::message::claimed::Claimed;
use crate::transport::Buried;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use std::fmt::Write;

/// Bytes of text that are parsed at once. Draining messages of 1 KiB took 31 MB above idle with this, 48 with 128 KiB and
/// 190 with the 500 of a claim in one text; smaller ones cost more calls.
const PORTION: usize = 32 * 1024;

/// Hands back what has not started.
pub const RETURN: &str = r#"{"do":"return"}"#;

/// Aborts the signals of the running handlers; `reason` is a plain word.
pub fn abort(reason: &str) -> String {
    format!(r#"{{"do":"abort","reason":"{reason}"}}"#)
}

/// Aborts the signals of some messages, each named by batch and index; those not started are left out.
pub fn abort_some(reason: &str, messages: &[(u32, usize)]) -> String {
    json!({ "do": "abort", "reason": reason, "messages": messages }).to_string()
}

/// Reports messages that were buried because their process died whenever they ran.
pub fn buried(messages: &[Buried]) -> String {
    json!({ "do": "buried", "messages": messages }).to_string()
}

/// Splits what was claimed together into batches that are parsed on their own, in order. What has been handled of one
/// is garbage before the next is parsed: V8 makes room for everything that was alive at the same time.
pub fn portions(messages: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    let mut portions: Vec<Vec<Claimed>> = Vec::new();
    let mut room = 0;
    for message in messages {
        let bytes = size(&message);
        match portions.last_mut() {
            Some(portion) if bytes <= room => portion.push(message),
            _ => {
                portions.push(vec![message]);
                room = PORTION;
            }
        }
        room = room.saturating_sub(bytes);
    }
    portions
}

/// About as many bytes as a message takes as text.
fn size(message: &Claimed) -> usize {
    message.bytes() + 480
}

/// A batch to handle, from one transport. `max_retries` says how often a message of a type may be retried.
pub fn deliver(batch: u32, transport: &str, messages: &[Claimed], max_retries: impl Fn(&Claimed) -> u32) -> String {
    let bytes = messages.iter().map(size).sum::<usize>();
    let mut out = String::with_capacity(bytes + 64);
    let _ = write!(out, r#"{{"do":"deliver","batch":{batch},"messages":["#);
    write_messages(&mut out, transport, messages, max_retries);
    out.push_str("]}");
    out
}

/// A batch to handle inside `dispatch()`.
pub fn inline(batch: u32, transport: &str, messages: &[Claimed]) -> String {
    let mut out = format!(r#"{{"batch":{batch},"messages":["#);
    write_messages(&mut out, transport, messages, |_| 0);
    out.push_str("]}");
    out
}

fn write_messages(out: &mut String, transport: &str, messages: &[Claimed], max_retries: impl Fn(&Claimed) -> u32) {
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let max_retries = message.max_retries.unwrap_or_else(|| max_retries(message));
        write_message(out, transport, message, max_retries);
    }
}

fn write_message(out: &mut String, transport: &str, message: &Claimed, max_retries: u32) {
    let _ = write!(out, r#"{{"id":"{}","type":"#, message.id);
    text(out, &message.message_type);
    out.push_str(r#","transport":"#);
    text(out, transport);
    out.push_str(r#","queue":"#);
    text(out, &message.queue);
    let _ = write!(out, r#","priority":{},"payload":{},"headers":"#, message.priority, message.body);
    headers(out, message);
    let _ = write!(
        out,
        r#","metadata":{},"createdAt":{},"availableAt":{},"scheduledAt":"#,
        message.metadata,
        message.created_at.timestamp_millis(),
        message.available_at.timestamp_millis()
    );
    match message.scheduled_at {
        Some(at) => write!(out, "{}", at.timestamp_millis()).unwrap_or_default(),
        None => out.push_str("null"),
    }
    let _ = write!(
        out,
        r#","retryCount":{},"maxRetries":{max_retries},"crashes":{},"idempotencyKey":"#,
        message.retry_count, message.crash_count
    );
    match &message.idempotency_key {
        Some(key) => text(out, key),
        None => out.push_str("null"),
    }
    out.push_str(r#","handled":["#);
    for (index, name) in message.handled.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        text(out, name);
    }
    out.push_str("]}");
}

/// The caller's headers, and after them the automatic ones: of two equal keys JSON keeps the last.
fn headers(out: &mut String, message: &Claimed) {
    let inner = message.headers.trim().trim_start_matches('{').strip_suffix('}').unwrap_or_default().trim();
    out.push('{');
    out.push_str(inner);
    if !inner.is_empty() {
        out.push(',');
    }
    out.push_str(r#""message-type":"#);
    text(out, &message.message_type);
    let _ = write!(out, r#","message-id":"{}","dispatched-at":"{}"}}"#, message.id, iso(message.created_at));
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A JSON string.
fn text(out: &mut String, value: &str) {
    // Strings always serialize.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use uuid::Uuid;

    fn message(name: &str, headers: &str) -> Claimed {
        Claimed {
            id: Uuid::nil(),
            token: Uuid::nil(),
            message_type: name.to_owned(),
            queue: name.to_owned(),
            priority: 7,
            body: r#"{"to":"a@b.c"}"#.to_owned(),
            headers: headers.to_owned(),
            metadata: "{}".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            available_at: DateTime::UNIX_EPOCH,
            scheduled_at: None,
            retry_count: 2,
            max_retries: None,
            crash_count: 0,
            idempotency_key: Some(name.to_owned()),
            handled: vec![name.to_owned()],
            claimed_at: DateTime::UNIX_EPOCH,
            unreadable: None,
        }
    }

    #[test]
    fn a_batch_is_one_json_text() {
        let text = deliver(3, "email", &[message("A", "{}"), message("B", r#"{"x": 1}"#)], |_| 5);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["batch"], 3);
        assert_eq!(value["messages"][0]["maxRetries"], 5);
        assert_eq!(value["messages"][1]["headers"]["x"], 1);
        assert_eq!(value["messages"][1]["headers"]["message-type"], "B");
        assert_eq!(value["messages"][1]["headers"]["dispatched-at"], "1970-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn portions_are_small_and_leave_nothing_out(sizes in prop::collection::vec(0..2 * PORTION, 0..40)) {
            let messages = sizes.iter().map(|&bytes| Claimed { body: " ".repeat(bytes), ..message("A", "{}") });
            let portions = portions(messages.collect());
            let back: Vec<usize> = portions.iter().flatten().map(|it| it.body.len()).collect();
            prop_assert_eq!(back, sizes);
            prop_assert!(portions.iter().all(|it| it.len() == 1 || it.iter().map(size).sum::<usize>() <= PORTION));
            let together = |it: &[Vec<Claimed>]| it.iter().flatten().map(size).sum::<usize>();
            prop_assert!(portions.windows(2).all(|it| together(it) > PORTION), "two that would have fitted into one");
        }

        #[test]
        fn names_and_headers_come_through_whatever_is_in_them(name in "\\PC*", key in "\\PC*", value in "\\PC*") {
            let headers = serde_json::json!({ format!("h{key}"): value.clone() }).to_string();
            let text = deliver(1, &name, &[message(&name, &headers)], |_| 0);
            let parsed: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&parsed["messages"][0]["type"], &Value::from(name.clone()));
            prop_assert_eq!(&parsed["messages"][0]["handled"][0], &Value::from(name.clone()));
            prop_assert_eq!(&parsed["messages"][0]["headers"][format!("h{key}")], &Value::from(value));
        }
    }
}
