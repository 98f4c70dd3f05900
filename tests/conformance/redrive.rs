//! A dead letter put back is one new message with its lineage in the headers.

use crate::support::kit::{ByHand, MINUTE, Worker, buried, bury, counts, letters, message};
use crate::support::subject::{OTHER, Postgres, Subject, check};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use symphony::message::envelope::Envelope;
use symphony::message::outcome::Outcome;
use symphony::transport::Drain;
use uuid::Uuid;

for_drains! {
    the_letter_goes_and_a_message_comes
    redriven_twice_is_one_message
    named_twice_is_one_message
    redriven_by_eight_at_once_is_one_message
    unknown_letters_are_left_out
    the_lineage_reaches_back_to_the_first_message
    a_redriven_message_that_fails_again_comes_back;

    // What no broker does.
    a_redriven_suspect_starts_anew
}

async fn the_letter_goes_and_a_message_comes<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = Envelope {
        queue: "email".into(),
        priority: 8,
        headers: Some(r#"{"x":"1"}"#.into()),
        metadata: Some(r#"{"tenant":7}"#.into()),
        max_retries: Some(9),
        ..message("Email")
    };
    let letter = buried(&transport, sent.clone()).await;
    let redriven = transport.kept().redrive(&[letter.id]).await.unwrap().remove(0);
    assert_eq!((redriven.failed_message_id, &*redriven.transport), (letter.id, &**transport.name()));
    assert_ne!(redriven.message_id, sent.id);
    assert!(letters(&transport).await.is_empty());

    let again = Worker::of(&transport).claim_one().await;
    assert_eq!((again.id, &*again.queue, again.priority), (redriven.message_id, "email", 8));
    assert_eq!((again.retry_count, again.max_retries, again.scheduled_at), (0, Some(9), None));
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!((parsed(&again.body), parsed(&again.metadata)), (json!({ "to": "a@b.c" }), json!({ "tenant": 7 })));
    let lineage =
        json!({ "x": "1", "redriven-from": letter.id.to_string(), "original-message-id": sent.id.to_string() });
    assert_eq!(parsed(&again.headers), lineage);
}

async fn redriven_twice_is_one_message<S: Subject>(it: S) {
    let transport = it.transport();
    let letter = buried(&transport, message("Email")).await;
    assert_eq!(transport.kept().redrive(&[letter.id]).await.unwrap().len(), 1);
    assert!(transport.kept().redrive(&[letter.id]).await.unwrap().is_empty());
    assert_eq!(counts(&transport).await, (1, 0, 0));
}

async fn named_twice_is_one_message<S: Subject>(it: S) {
    let transport = it.transport();
    let letter = buried(&transport, message("Email")).await;
    assert_eq!(transport.kept().redrive(&[letter.id, letter.id]).await.unwrap().len(), 1);
    assert_eq!(counts(&transport).await, (1, 0, 0));
}

async fn redriven_by_eight_at_once_is_one_message<S: Subject>(it: S) {
    let transport = it.transport();
    for _ in 0..10 {
        let letter = buried(&transport, message("Email")).await;
        let redrive =
            |transport: Arc<dyn Drain>, id: Uuid| async move { transport.kept().redrive(&[id]).await.unwrap() };
        let tries: Vec<_> = (0..8).map(|_| tokio::spawn(redrive(transport.clone(), letter.id))).collect();
        let mut messages = 0;
        for it in tries {
            messages += it.await.unwrap().len();
        }
        assert_eq!((messages, counts(&transport).await), (1, (1, 0, 0)));
        let worker = Worker::of(&transport);
        let message = worker.claim_one().await;
        worker.settle(&message, Outcome::Completed).await;
    }
}

async fn unknown_letters_are_left_out<S: Subject>(it: S) {
    let transport = it.transport();
    assert!(transport.kept().redrive(&[]).await.unwrap().is_empty());
    let letter = buried(&transport, message("Email")).await;
    let redriven = transport.kept().redrive(&[Uuid::now_v7(), letter.id, letter.message_id]).await.unwrap();
    assert_eq!(redriven.iter().map(|it| it.failed_message_id).collect::<Vec<_>>(), [letter.id]);
}

async fn the_lineage_reaches_back_to_the_first_message<S: Subject>(it: S) {
    let transport = it.transport();
    let first = buried(&transport, message("Email")).await;
    transport.kept().redrive(&[first.id]).await.unwrap();
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    worker.settle(&message, bury("again")).await;
    let second = letters(&transport).await.remove(0);
    transport.kept().redrive(&[second.id]).await.unwrap();
    let headers: Value = serde_json::from_str(&worker.claim_one().await.headers).unwrap();
    assert_eq!(headers["redriven-from"], second.id.to_string());
    assert_eq!(headers["original-message-id"], first.message_id.to_string());
}

async fn a_redriven_message_that_fails_again_comes_back<S: Subject>(it: S) {
    let transport = it.transport();
    let first = buried(&transport, message("Email")).await;
    transport.kept().redrive(&[first.id]).await.unwrap();
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    worker.settle(&message, bury("again")).await;
    let second = letters(&transport).await.remove(0);
    assert_ne!(second.id, first.id);
    assert_eq!(&*second.error, "again");
    let history: Vec<Value> = serde_json::from_str(second.contents.history().unwrap().get()).unwrap();
    assert_eq!(history.len(), 2, "what it failed of before is still known");
}

async fn a_redriven_suspect_starts_anew<S: Subject>(it: S) {
    let transport = it.transport();
    crate::support::kit::put_one(&transport, message("Email")).await;
    Worker::with_lease(&transport, Duration::ZERO).claim_one().await;
    for _ in 0..2 {
        transport.rescue().await.unwrap();
        it.advance(MINUTE).await;
        Worker::with_lease(&transport, Duration::ZERO).claim_suspect().await.unwrap();
    }
    assert_eq!(transport.rescue().await.unwrap().buried.len(), 1);
    let letter = letters(&transport).await.remove(0);
    transport.kept().redrive(&[letter.id]).await.unwrap();
    assert_eq!(Worker::of(&transport).claim_one().await.crash_count, 0);
}

#[test]
fn a_letter_goes_back_to_its_own_transport() {
    check(json!({}), |it: Postgres| async move {
        let (main, other) = (it.transport(), it.engine().transport(OTHER).await.unwrap().drain().unwrap());
        let letter = buried(&other, Envelope { transport: OTHER.into(), ..message("Email") }).await;
        let redriven = main.kept().redrive(&[letter.id]).await.unwrap().remove(0);
        assert_eq!(redriven.transport, OTHER);
        assert!(Worker::of(&main).claim(1).await.is_empty());
        assert_eq!(Worker::of(&other).claim_one().await.id, redriven.message_id);
    });
}
