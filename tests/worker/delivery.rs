//! What a handler receives.

use crate::session::{Session, succeed};
use crate::support::kit::{HOUR, message, put_one};
use crate::support::subject::{MAIN, Subject};
use chrono::Utc;
use serde_json::json;
use symphony::message::envelope::{Available, Envelope, IdempotencyKey};

for_workers! {
    all_that_is_known_of_a_message
    what_was_not_given_is_empty
}

async fn all_that_is_known_of_a_message<S: Subject>(it: S) {
    let scheduled = chrono::DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
    let sent = Envelope {
        queue: "email".into(),
        priority: 8,
        body: r#"{"to":"zażółć@🦀","quote":"\"'\\"}"#.into(),
        headers: Some(r#"{"x":"1","message-type":"Forged"}"#.into()),
        metadata: Some(r#"{"tenant":7}"#.into()),
        available: Available::At(scheduled),
        key: Some(IdempotencyKey { key: "k".to_owned(), window: Some(HOUR), repeats: 0 }),
        max_retries: Some(9),
        ..message("Email")
    };
    put_one(&it.transport(), sent.clone()).await;
    let session = Session::new(&it, json!({}), succeed);
    session.run().await;
    let mut got = session.log(|log| log.started[0].clone());

    let created = got["createdAt"].as_i64().unwrap();
    assert!((Utc::now().timestamp_millis() - created).abs() < 60_000);
    let dispatched = got["headers"]["dispatched-at"].as_str().unwrap().to_owned();
    let read: chrono::DateTime<Utc> = dispatched.parse().unwrap();
    assert_eq!(read.timestamp_millis(), created);
    got["headers"].as_object_mut().unwrap().remove("dispatched-at");
    let id = sent.id.to_string();
    assert_eq!(
        got,
        json!({
            "id": id, "type": "Email", "transport": MAIN, "queue": "email", "priority": 8,
            "payload": { "to": "zażółć@🦀", "quote": "\"'\\" },
            "headers": { "x": "1", "message-type": "Email", "message-id": id },
            "metadata": { "tenant": 7 },
            "createdAt": created, "availableAt": 1_700_000_000_123_i64, "scheduledAt": 1_700_000_000_123_i64,
            "retryCount": 0, "maxRetries": 9, "crashes": 0, "idempotencyKey": "k", "handled": [],
        })
    );
}

async fn what_was_not_given_is_empty<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let session = Session::new(&it, json!({}), succeed);
    session.run().await;
    let got = session.log(|log| log.started[0].clone());
    assert_eq!((&got["scheduledAt"], &got["idempotencyKey"]), (&json!(null), &json!(null)));
    assert_eq!((&got["metadata"], &got["maxRetries"]), (&json!({}), &json!(10)));
    let headers: Vec<_> = got["headers"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(headers.len(), 3, "{headers:?}");
}
