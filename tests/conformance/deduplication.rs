//! An idempotency key admits one message in its window.

use crate::support::kit::{ByHand, HOUR, MINUTE, Worker, counts, ids, keyed, letters, message, put_one};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use serde_json::json;
use std::sync::Arc;
use symphony::dispatcher::dispatch;
use symphony::message::envelope::{Envelope, IdempotencyKey};
use symphony::message::outcome::Outcome;
use symphony::store::controls::Because;
use symphony::transport::{Drain, Sent};
use uuid::Uuid;

for_drains! {
    the_second_message_of_a_key_is_refused
    keys_are_case_sensitive_and_whole
    messages_without_keys_go_along
    another_type_has_the_key_for_itself
    a_key_is_held_beyond_the_end_of_its_message
    a_cancelled_message_frees_its_key
    a_key_may_be_held_for_ever
    the_end_of_the_window_admits_the_key_again
    repeats_inside_a_batch_are_refused_and_counted
    repeats_counted_by_the_caller_are_added
    eight_senders_at_once_store_one_message
    batches_with_the_same_keys_wait_for_each_other
    a_redriven_message_needs_no_key
}

/// Who holds the key after sending.
async fn admit(transport: &Arc<dyn Drain>, envelope: &Envelope) -> Uuid {
    match transport.send(std::slice::from_ref(envelope)).await.unwrap().remove(0) {
        Sent::Queued { .. } => envelope.id,
        Sent::Duplicate { of } => of,
        other => panic!("{other:?}"),
    }
}

async fn the_second_message_of_a_key_is_refused<S: Subject>(it: S) {
    let transport = it.transport();
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 0);
    let (first, second) = (keyed("k"), keyed("k"));
    assert_eq!(admit(&transport, &first).await, first.id);
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 0);
    assert_eq!(admit(&transport, &second).await, first.id);
    assert_eq!(admit(&transport, &keyed("k")).await, first.id);
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 2);
    assert_eq!(transport.kept().duplicate_attempts("l").await.unwrap(), 0);
    assert_eq!(ids(&Worker::of(&transport).claim(10).await), [first.id]);
}

async fn keys_are_case_sensitive_and_whole<S: Subject>(it: S) {
    let transport = it.transport();
    for key in ["k", "K", "k ", "🦀", "k'--", &"x".repeat(255), &"x".repeat(254)] {
        put_one(&transport, keyed(key)).await;
    }
}

async fn messages_without_keys_go_along<S: Subject>(it: S) {
    let transport = it.transport();
    let held = put_one(&transport, keyed("k")).await;
    let batch = [message("Email"), keyed("k"), message("Email"), keyed("l")];
    let sent = transport.send(&batch).await.unwrap();
    let of = |it: &Sent| if let Sent::Duplicate { of } = it { Some(*of) } else { None };
    assert_eq!(sent.iter().map(of).collect::<Vec<_>>(), [None, Some(held), None, None]);
    assert_eq!(counts(&transport).await, (4, 0, 0));
}

async fn another_type_has_the_key_for_itself<S: Subject>(it: S) {
    let transport = it.transport();
    let of = |message_type: &str| Envelope { message_type: message_type.into(), ..keyed("k") };
    let (email, sms) = (of("Email"), of("Sms"));
    let sent = transport.send(&[email.clone(), sms.clone()]).await.unwrap();
    assert!(sent.iter().all(|it| matches!(it, Sent::Queued { .. })), "{sent:?}");
    let again = transport.send(&[of("Sms"), of("Email"), of("Push")]).await.unwrap();
    assert!(matches!(&again[0], Sent::Duplicate { of } if *of == sms.id));
    assert!(matches!(&again[1], Sent::Duplicate { of } if *of == email.id));
    assert!(matches!(&again[2], Sent::Queued { .. }));
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 2);
    assert_eq!(counts(&transport).await, (3, 0, 0));
}

/// Who has taken a message back may send it again.
async fn a_cancelled_message_frees_its_key<S: Subject>(it: S) {
    let transport = it.transport();
    let of = |message_type: &str| Envelope { message_type: message_type.into(), ..keyed("k") };
    let (first, other) = (put_one(&transport, of("Email")).await, put_one(&transport, of("Sms")).await);
    let Some(inspects) = transport.inspects() else { return };
    assert!(matches!(inspects.cancel(first, &Because::default()).await.unwrap(), Some((true, _))));
    assert_eq!(admit(&transport, &of("Sms")).await, other);
    let second = of("Email");
    assert_eq!(admit(&transport, &second).await, second.id);
    // The first one is cancelled already, and holds nothing any more.
    inspects.cancel(first, &Because::default()).await.unwrap();
    assert_eq!(admit(&transport, &of("Email")).await, second.id);
}

async fn a_key_may_be_held_for_ever<S: Subject>(it: S) {
    let transport = it.transport();
    let forever =
        || Envelope { key: Some(IdempotencyKey { key: "k".to_owned(), window: None, repeats: 0 }), ..message("Email") };
    let first = put_one(&transport, forever()).await;
    it.advance(1_000_000 * HOUR).await;
    assert_eq!(transport.kept().cleanup(10).await.unwrap().deduplication, 0);
    assert_eq!(admit(&transport, &forever()).await, first);
    assert_eq!(admit(&transport, &keyed("k")).await, first);
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 2);
}

async fn a_key_is_held_beyond_the_end_of_its_message<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, keyed("k")).await;
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    worker.settle(&message, Outcome::Completed).await;
    assert_eq!(admit(&transport, &keyed("k")).await, id);
    assert!(worker.claim(1).await.is_empty());
}

async fn the_end_of_the_window_admits_the_key_again<S: Subject>(it: S) {
    let transport = it.transport();
    let first = put_one(&transport, keyed("k")).await;
    it.advance(HOUR - MINUTE).await;
    assert_eq!(admit(&transport, &keyed("k")).await, first);
    it.advance(2 * MINUTE).await;
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 0);

    let second = put_one(&transport, keyed("k")).await;
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 0);
    it.advance(HOUR - MINUTE).await;
    assert_eq!(admit(&transport, &keyed("k")).await, second);
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 1);
    assert_eq!(counts(&transport).await, (2, 0, 0));
}

async fn repeats_inside_a_batch_are_refused_and_counted<S: Subject>(it: S) {
    let request = |key: Option<&str>| match key {
        Some(key) => json!({ "type": "Email", "payload": {}, "options": { "transport": MAIN, "idempotencyKey": key } }),
        None => json!({ "type": "Email", "payload": {}, "options": { "transport": MAIN } }),
    };
    let batch = json!([
        request(Some("k")),
        request(None),
        request(Some("l")),
        request(Some("k")),
        request(None),
        request(Some("k")),
    ]);
    let receipts = |answers: Vec<symphony::Result<symphony::dispatcher::Dispatched>>| {
        let first = |it: symphony::Result<symphony::dispatcher::Dispatched>| it.unwrap().receipts.remove(0).1.unwrap();
        answers.into_iter().map(first).map(|it| (it.message_id, it.status)).collect::<Vec<_>>()
    };
    let once = receipts(dispatch(it.engine(), &batch.to_string()).await.unwrap());
    let statuses: Vec<_> = once.iter().map(|it| it.1).collect();
    assert_eq!(statuses, ["queued", "queued", "queued", "duplicate", "queued", "duplicate"]);
    assert_eq!((once[3].0, once[5].0), (once[0].0, once[0].0));
    let transport = it.transport();
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 2);

    let twice = receipts(dispatch(it.engine(), &batch.to_string()).await.unwrap());
    let keyed: Vec<_> = [0, 2, 3, 5].map(|n: usize| twice[n]).into();
    assert!(keyed.iter().all(|it| it.1 == "duplicate"));
    assert_eq!((keyed[0].0, keyed[1].0), (once[0].0, once[2].0));
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 5);
    assert_eq!(transport.kept().duplicate_attempts("l").await.unwrap(), 1);
    assert_eq!(counts(&transport).await, (6, 0, 0));
}

async fn repeats_counted_by_the_caller_are_added<S: Subject>(it: S) {
    let transport = it.transport();
    let repeated = || Envelope {
        key: Some(IdempotencyKey { key: "k".to_owned(), window: Some(HOUR), repeats: 4 }),
        ..message("Email")
    };
    put_one(&transport, repeated()).await;
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 4);
    admit(&transport, &repeated()).await;
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 9);
}

async fn eight_senders_at_once_store_one_message<S: Subject>(it: S) {
    let transport = it.transport();
    for round in 0..10 {
        let key = format!("k{round}");
        let send = |envelope: Envelope| {
            let transport = transport.clone();
            tokio::spawn(async move { (envelope.id, admit(&transport, &envelope).await) })
        };
        let senders: Vec<_> = (0..8).map(|_| send(keyed(&key))).collect();
        let mut answers = Vec::new();
        for sender in senders {
            answers.push(sender.await.unwrap());
        }
        let holder = answers[0].1;
        assert!(answers.iter().all(|it| it.1 == holder), "{answers:?}");
        assert!(answers.iter().any(|it| it.0 == holder));
        assert_eq!(transport.kept().duplicate_attempts(&key).await.unwrap(), 7);
        assert_eq!(ids(&Worker::of(&transport).claim(10).await), [holder]);
    }
}

async fn batches_with_the_same_keys_wait_for_each_other<S: Subject>(it: S) {
    let transport = it.transport();
    for round in 0..20 {
        let batch: Vec<_> = (0..50).map(|n| keyed(&format!("{round} {n}"))).collect();
        let reversed: Vec<_> = (0..50).rev().map(|n| keyed(&format!("{round} {n}"))).collect();
        let (one, two) = tokio::join!(transport.send(&batch), transport.send(&reversed));
        let stored = |sent: Vec<Sent>| sent.iter().filter(|it| matches!(it, Sent::Queued { .. })).count();
        assert_eq!(stored(one.unwrap()) + stored(two.unwrap()), 50);
    }
}

async fn a_redriven_message_needs_no_key<S: Subject>(it: S) {
    let transport = it.transport();
    let letter = crate::support::kit::buried(&transport, keyed("k")).await;
    transport.kept().redrive(&[letter.id]).await.unwrap();
    assert!(letters(&transport).await.is_empty());
    let again = Worker::of(&transport).claim_one().await;
    assert_eq!(again.idempotency_key.as_deref(), Some("k"));
    assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 0);
}

#[test]
fn transports_of_one_database_have_keys_of_their_own() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        let to = |name: &str| Envelope { transport: name.into(), ..keyed("k") };
        put_one(&transport, to(MAIN)).await;
        let other = put_one(&transport, to(OTHER)).await;
        let both = transport.send(&[to(OTHER), to(MAIN)]).await.unwrap();
        assert!(matches!(&both[0], Sent::Duplicate { of } if *of == other));
        assert!(matches!(&both[1], Sent::Duplicate { .. }));
        // A dispatch that fans out counts once.
        assert_eq!(transport.kept().duplicate_attempts("k").await.unwrap(), 1);
    });
}
