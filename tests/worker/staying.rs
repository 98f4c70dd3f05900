//! A worker that stays looks again and again, and is woken where it can be.

use crate::session::{Session, succeed};
use crate::support::kit::{
    ByHand, MINUTE, Worker, buried, delayed, many, message, put, put_one, queued_in, release, retry,
};
use crate::support::subject::{Postgres, Subject, check};
use chrono::{TimeDelta, Utc};
use serde_json::json;
use std::time::{Duration, Instant};
use symphony::message::envelope::{Available, Envelope};
use symphony::worker::StoppedBy;

for_workers! {
    it_finds_what_is_sent_later
    it_finds_what_becomes_due
    types_may_be_added_while_it_runs
}

async fn it_finds_what_is_sent_later<S: Subject>(it: S) {
    let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10, "listen": false }), succeed);
    let run = session.start();
    session.until("it found nothing", |log| log.events.iter().any(|it| it["event"] == "idle")).await;
    for round in 1..=3 {
        put(&it.transport(), many(10, || message("Email"))).await;
        session.until_started(10 * round).await;
    }
    session.stop();
    let summary = run.await.unwrap();
    assert_eq!((summary.stats.succeeded, summary.stopped_by, summary.drained), (30, StoppedBy::Signal, false));
    assert_eq!(it.finished().await, 30);
}

async fn it_finds_what_becomes_due<S: Subject>(it: S) {
    put_one(&it.transport(), delayed(MINUTE)).await;
    let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10, "listen": false }), succeed);
    let run = session.start();
    session.until("it found nothing", |log| log.events.iter().any(|it| it["event"] == "idle")).await;
    it.advance(2 * MINUTE).await;
    session.until_started(1).await;
    session.stop();
    assert_eq!(run.await.unwrap().stats.succeeded, 1);
}

async fn types_may_be_added_while_it_runs<S: Subject>(it: S) {
    put(&it.transport(), ["Sms", "Email"].map(message).into()).await;
    let options = json!({ "mode": "run", "pollInterval": 10, "listen": false, "types": ["Email"] });
    let session = Session::new(&it, options, succeed);
    let run = session.start();
    session.until_started(1).await;
    session.consumer.set_types(Some(vec!["Email".to_owned(), "Sms".to_owned()]));
    session.until_started(2).await;
    assert_eq!(session.started("type"), ["Email", "Sms"]);
    session.stop();
    run.await.unwrap();
}

/// Waits until the database knows that the worker wants to be woken.
pub async fn until_it_waits(it: &Postgres) {
    let waiting = "SELECT count(*) FROM {s}.messenger_workers WHERE waiting";
    crate::support::until("it waits", async || it.schema.value::<i64>(waiting).await == 1).await;
}

#[test]
fn postgres_wakes_it() {
    check(crate::patient(), |it: Postgres| async move {
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 600_000 }), succeed);
        let run = session.start();
        for round in 1..=3 {
            until_it_waits(&it).await;
            let start = Instant::now();
            put_one(&it.transport(), message("Email")).await;
            session.until_started(round).await;
            assert!(start.elapsed() < MINUTE);
        }
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 3);
    });
}

#[test]
fn postgres_wakes_it_for_queues_that_it_does_not_know() {
    check(crate::patient(), |it: Postgres| async move {
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 600_000 }), succeed);
        let run = session.start();
        for (round, queue) in (1..).zip(["first", "second", "first", "third"]) {
            until_it_waits(&it).await;
            put_one(&it.transport(), queued_in(queue)).await;
            session.until_started(round).await;
        }
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 4);
    });
}

#[test]
fn a_wake_up_that_finds_nothing_in_sight_looks_everywhere_before_it_sleeps() {
    check(crate::patient(), |it: Postgres| async move {
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 600_000 }), succeed);
        let run = session.start();
        for round in 1..=5 {
            until_it_waits(&it).await;
            // The first leaves a floor, below which the others come in.
            let ago = Available::At(Utc::now() - TimeDelta::minutes(round as i64));
            put_one(&it.transport(), Envelope { available: ago, ..message("Email") }).await;
            session.until_started(round).await;
        }
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 5);
    });
}

#[test]
fn what_others_put_back_wakes_it() {
    check(crate::patient(), |it: Postgres| async move {
        let transport = it.transport();
        let letter = buried(&transport, message("Email")).await;
        put(&transport, many(3, || message("Email"))).await;
        let other = Worker::with_lease(&transport, MINUTE);
        let released = other.claim_one().await;
        let failed = other.claim_one().await;
        other.claim_one().await;
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 600_000 }), succeed);
        let run = session.start();
        until_it_waits(&it).await;
        other.settle(&released, release()).await;
        session.until_started(1).await;
        until_it_waits(&it).await;
        other.settle(&failed, retry(Duration::ZERO)).await;
        session.until_started(2).await;
        until_it_waits(&it).await;
        assert!(other.knows_only(&[]).await);
        session.until_started(3).await;
        until_it_waits(&it).await;
        transport.kept().redrive(&[letter.id]).await.unwrap();
        session.until_started(4).await;
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 4);
    });
}

#[test]
fn postgres_wakes_it_again_after_its_connection_broke() {
    check(crate::patient(), |it: Postgres| async move {
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 600_000 }), succeed);
        let run = session.start();
        until_it_waits(&it).await;
        it.schema.disconnect_listeners().await;
        put_one(&it.transport(), message("Email")).await;
        session.until_started(1).await;
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 1);
    });
}
