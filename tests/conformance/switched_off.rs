//! A transport that is switched off takes nothing in and gives nothing out, from the moment on at which it is; what is in
//! flight ends as ever, and what waits is there when it is switched on again.

use crate::support::kit::{
    ByHand, MINUTE, Worker, counts, delayed, ids, keyed, many, message, put, put_one, release, retry,
};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use crate::support::until;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use symphony::Error;
use symphony::dispatcher::{dispatch, dispatch_atomically};
use symphony::message::envelope::Envelope;
use symphony::message::outcome::Outcome;
use symphony::transport::{Reach, Sent};

for_drains! {
    it_refuses_messages_of_every_kind_and_takes_no_keys
    what_waits_is_claimed_when_it_is_switched_on_again
    what_is_in_flight_ends_as_ever;

    // A broker keeps no suspects apart.
    a_suspect_waits_too
}

fn is_refused<T>(answer: &symphony::Result<T>) -> bool {
    matches!(answer, Err(Error::TransportDisabled { name }) if name == MAIN)
}

async fn it_refuses_messages_of_every_kind_and_takes_no_keys<S: Subject>(it: S) {
    let transport = it.transport();
    it.switch(false).await;
    let batches = [
        vec![message("Email")],
        many(500, || message("Email")),
        vec![keyed("order 7")],
        vec![message("Email"), keyed("order 7"), delayed(MINUTE)],
        vec![delayed(MINUTE)],
    ];
    for batch in &batches {
        let answer = transport.send(batch).await;
        assert!(is_refused(&answer), "{} messages: {answer:?}", batch.len());
    }
    assert_eq!(counts(&transport).await, (0, 0, 0));
    it.switch(true).await;
    let sent = transport.send(&[keyed("order 7")]).await.unwrap();
    assert!(matches!(sent[..], [Sent::Queued { .. }]), "the refused message holds no key: {sent:?}");
}

async fn what_waits_is_claimed_when_it_is_switched_on_again<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, many(100, || message("Email"))).await;
    it.switch(false).await;
    let worker = Worker::of(&transport);
    // By the statement for few messages, and by the one for many.
    for limit in [10, 200] {
        assert_eq!(worker.claim(limit).await.len(), 0);
        assert_eq!(worker.claim_as(Reach::Quick, limit).await.len(), 0);
    }
    assert_eq!(counts(&transport).await.2, 0);
    it.switch(true).await;
    let mut claimed = Vec::new();
    while claimed.len() < sent.len() {
        let more = worker.claim_as(Reach::Quick, 60).await;
        assert!(!more.is_empty(), "only {} of {} were found again", claimed.len(), sent.len());
        claimed.extend(ids(&more));
    }
    assert_eq!(claimed, sent);
}

async fn what_is_in_flight_ends_as_ever<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let held = worker.claim(3).await;
    it.switch(false).await;
    assert!(transport.extend(&worker.id, 3).await.unwrap().is_some(), "its heart beats");
    worker.settle(&held[0], Outcome::Completed).await;
    worker.settle(&held[1], retry(Duration::ZERO)).await;
    worker.settle(&held[2], release()).await;
    assert_eq!(worker.claim(3).await.len(), 0, "what is back waits");
    it.switch(true).await;
    let mut back = ids(&worker.claim(3).await);
    back.sort_unstable();
    assert_eq!(back, [held[1].id, held[2].id]);
}

async fn a_suspect_waits_too<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(MINUTE).await;
    assert_eq!(transport.rescue().await.unwrap().returned, 1);
    it.advance(MINUTE).await;
    it.switch(false).await;
    let worker = Worker::of(&transport);
    assert!(worker.claim_suspect().await.is_none());
    it.switch(true).await;
    assert_eq!(worker.claim_suspect().await.map(|it| it.id), Some(sent));
}

/// What a process dispatches that does not know of the switch.
fn batch() -> String {
    let to = |transport: &str, key: Option<&str>| json!({ "type": "Email", "payload": {}, "options": { "transport": transport, "idempotencyKey": key } });
    json!([to(OTHER, None), to(MAIN, None), to(OTHER, Some("order 7")), to(MAIN, Some("order 7"))]).to_string()
}

#[test]
fn of_a_batch_only_what_goes_there_is_refused() {
    check(json!({}), |it: Postgres| async move {
        off_by_the_word_of_statements(&it).await;
        let answers = dispatch(it.engine(), &batch()).await.unwrap();
        let refused: Vec<_> = answers.iter().map(|it| it.as_ref().err().map(Error::code)).collect();
        let off = Some("SYMPHONY_TRANSPORT_DISABLED");
        assert_eq!(refused, [None, off, None, off]);
        let count = "SELECT count(*) FROM {s}.messenger_messages_pending WHERE transport_name = 'other'";
        assert_eq!(it.schema.value::<i64>(count).await, 2);
    });
}

#[test]
fn a_batch_that_is_to_be_stored_whole_is_refused_whole() {
    check(json!({}), |it: Postgres| async move {
        off_by_the_word_of_statements(&it).await;
        assert!(is_refused(&dispatch_atomically(it.engine(), &batch()).await));
        let count = "SELECT count(*) FROM {s}.messenger_messages_pending WHERE transport_name = 'other'";
        assert_eq!(it.schema.value::<i64>(count).await, 0);
        assert_eq!(it.schema.value::<i64>("SELECT count(*) FROM {s}.messenger_deduplication").await, 0);
    });
}

/// Switches it off where nobody has read of that, so that only statements know. What the process has read itself counts
/// for less than a second.
async fn off_by_the_word_of_statements(it: &Postgres) {
    it.switch_elsewhere(false).await;
    let began = Instant::now();
    until("it is refused", || async { is_refused(&it.transport().send(&[message("Email")]).await) }).await;
    assert!(began.elapsed() < Duration::from_secs(3), "after {:?}", began.elapsed());
    assert!(it.engine().described(MAIN).is_ok(), "the engine has not read of it");
}

#[test]
fn another_process_follows_within_a_second_and_loses_nothing() {
    check(json!({}), |it: Postgres| async move {
        let (there, accepted) = (it.in_another_process().await, AtomicUsize::new(0));
        let send = || async {
            let answer = there.send(&[message("Email")]).await;
            accepted.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
            answer
        };
        send().await.unwrap();
        it.switch_elsewhere(false).await;
        let began = Instant::now();
        until("it is refused", || async { is_refused(&send().await) }).await;
        assert!(began.elapsed() < Duration::from_secs(3), "after {:?}", began.elapsed());
        // What refuses for one message does so for many, and gives nothing out.
        assert!(is_refused(&there.send(&many(50, || message("Email"))).await));
        let worker = Worker::of(&there);
        assert_eq!(worker.claim(10).await.len() + worker.claim(100).await.len(), 0);
        put_one(&there, Envelope { transport: OTHER.into(), ..message("Email") }).await;
        it.switch_elsewhere(true).await;
        send().await.unwrap();
        assert_eq!(worker.claim(10_000).await.len(), accepted.into_inner());
    });
}

/// A process that sends often reads the table from time to time, and its statements do not ask: in between they take
/// what the switch forbids, for less than a second.
#[test]
fn who_sends_often_follows_too() {
    check(json!({}), |it: Postgres| async move {
        let there = it.in_another_process().await;
        let burst = || async {
            for _ in 0..50 {
                there.send(&[message("Email")]).await?;
            }
            Ok(())
        };
        burst().await.unwrap();
        it.switch_elsewhere(false).await;
        let began = Instant::now();
        until("it is refused", || async { is_refused(&burst().await) }).await;
        assert!(began.elapsed() < Duration::from_secs(3), "after {:?}", began.elapsed());
        it.switch_elsewhere(true).await;
        burst().await.unwrap();
    });
}

#[test]
fn who_was_refused_by_what_it_knew_asks_again() {
    check(json!({}), |it: Postgres| async move {
        let first = || async { dispatch(it.engine(), &batch()).await.unwrap().remove(1) };
        it.switch(false).await;
        // Until the engine knows by itself, which then refuses without a statement.
        until("it is known", || async {
            it.engine().recent_rows().await.is_ok() && it.engine().described(MAIN).is_err()
        })
        .await;
        assert!(is_refused(&first().await));
        it.switch(true).await;
        until("it is accepted again", || async { first().await.is_ok() }).await;
    });
}
