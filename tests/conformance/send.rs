//! What is sent is stored, all of it and in order.

use crate::support::kit::{HOUR, Worker, counts, delayed, ids, many, message, put, put_one};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use symphony::message::envelope::{Available, Envelope, IdempotencyKey};
use symphony::transport::Sent;

for_drains! {
    a_thousand_messages_in_one_batch
    every_field_comes_through
    an_empty_batch_needs_no_statement
    a_scheduled_message_keeps_its_instant;

    // What no broker does.
    the_answer_says_when_a_message_can_be_claimed
}

async fn a_thousand_messages_in_one_batch<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, many(1000, || message("Email"))).await;
    assert_eq!(ids(&Worker::of(&transport).claim(2000).await), sent);
}

async fn every_field_comes_through<S: Subject>(it: S) {
    let transport = it.transport();
    let scheduled = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
    let sent = Envelope {
        message_type: "Zażółć 🦀".into(),
        queue: "a \"queue\" 'with' marks\\".into(),
        priority: 9,
        body: r#"{"text":"\"'\\ \u00e9 🦀","big":12345678901234567890.125,"__proto__":{"a":[null,true]}}"#.into(),
        headers: Some(r#"{"x":"1"}"#.into()),
        metadata: Some(r#"{"tenant":7}"#.into()),
        available: Available::At(scheduled),
        key: Some(IdempotencyKey { key: "order 7".to_owned(), window: Some(HOUR), repeats: 0 }),
        max_retries: Some(7),
        ..message("")
    };
    put_one(&transport, sent.clone()).await;

    let got = Worker::of(&transport).claim_one().await;
    assert_eq!((got.id, &*got.message_type, &*got.queue), (sent.id, &*sent.message_type, &*sent.queue));
    assert_eq!((got.priority, got.scheduled_at, got.available_at), (9, Some(scheduled), scheduled));
    assert_eq!((got.retry_count, got.max_retries, got.crash_count), (0, Some(7), 0));
    assert_eq!((got.idempotency_key.as_deref(), got.handled.len()), (Some("order 7"), 0));
    assert!((Utc::now() - got.created_at).abs() < TimeDelta::minutes(1));
    for (text, wanted) in [(&got.body, &sent.body), (&got.headers, &"{\"x\":\"1\"}".into())] {
        assert_eq!(parsed(text), parsed(wanted));
    }
    assert_eq!(parsed(&got.metadata), json!({ "tenant": 7 }));
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn an_empty_batch_needs_no_statement<S: Subject>(it: S) {
    let transport = it.transport();
    assert!(transport.send(&[]).await.unwrap().is_empty());
    let worker = Worker::of(&transport);
    assert!(worker.settle_all(&[]).await.unwrap().is_empty());
    assert!(worker.release(&[]).await.unwrap().is_empty());
}

async fn the_answer_says_when_a_message_can_be_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    let at = Envelope { available: Available::At(Utc::now() - TimeDelta::days(1)), ..message("Email") };
    let sent = transport.send(&[message("Email"), delayed(HOUR), at]).await.unwrap();
    let told: Vec<_> = sent
        .iter()
        .map(|it| match it {
            Sent::Queued { available_at } => *available_at,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told[1] - told[0], TimeDelta::hours(1));

    let claimed = Worker::of(&transport).claim(10).await;
    // Postgres keeps microseconds.
    let stored: Vec<_> = claimed.iter().map(|it| it.available_at.timestamp_micros()).collect();
    assert_eq!(stored, [told[2].timestamp_micros(), told[0].timestamp_micros()]);
}

async fn a_scheduled_message_keeps_its_instant<S: Subject>(it: S) {
    let transport = it.transport();
    let soon = Utc::now() + TimeDelta::minutes(30);
    put_one(&transport, Envelope { available: Available::At(soon), ..message("Email") }).await;
    assert!(Worker::of(&transport).claim(1).await.is_empty());
    it.advance(HOUR).await;
    let claimed = Worker::of(&transport).claim_one().await;
    assert_eq!(claimed.scheduled_at, Some(claimed.available_at));
}

#[test]
fn postgres_stores_a_batch_whole_or_not_at_all() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        let unstorable = Envelope { body: r#"{"a":"\u0000"}"#.into(), ..message("Email") };
        let error = transport.send(&[message("Email"), unstorable, message("Email")]).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), ("SYMPHONY_QUERY_FAILED", false));
        assert_eq!(counts(&transport).await, (0, 0, 0));
    });
}

#[test]
fn transports_of_one_database_take_each_other_s_messages_and_keep_them_apart() {
    check(json!({}), |it: Postgres| async move {
        let (main, other) = (it.transport(), it.engine().transport(OTHER).await.unwrap().drain().unwrap());
        assert_eq!(main.place(), other.place());
        let theirs = Envelope { transport: OTHER.into(), ..message("Email") };
        let mine = Envelope { transport: MAIN.into(), ..message("Email") };
        let sent = put(&main, vec![theirs, mine]).await;
        assert_eq!(ids(&Worker::of(&other).claim(10).await), [sent[0]]);
        assert_eq!(ids(&Worker::of(&main).claim(10).await), [sent[1]]);
    });
}
