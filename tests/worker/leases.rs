//! A worker keeps its lease while its handlers run; when it loses it, its outcomes count for nothing.

use crate::session::{Message, Session, succeed};
use crate::support;
use crate::support::kit::{ByHand, LEASE, MINUTE, Worker, counts, letters, many, message, put, put_one};
use crate::support::subject::{MAIN, OTHER, Subject};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use symphony::message::outcome::Outcome;
use symphony::transport::Rescued;

for_workers! {
    a_lost_lease_is_counted_and_the_outcome_refused
    a_worker_declared_dead_aborts_its_handlers
    a_worker_registered_again_aborts_the_handlers_of_what_it_lost
    what_was_claimed_after_a_loss_is_not_aborted
    a_slow_handler_keeps_its_lease
    the_messages_of_a_dead_worker_are_handled
    a_suspect_is_handled_alone
    suspects_do_not_end_a_drain
    a_suspect_of_an_unknown_type_holds_nothing_up
    a_message_that_kills_its_process_is_buried
    a_worker_that_lives_takes_its_crashes_back
    nothing_stays_of_a_worker_that_is_done
}

/// Lets a worker die with messages in its hands.
async fn die_holding<S: Subject>(it: &S, count: usize) {
    let worker = Worker::of(&it.transport());
    assert_eq!(worker.claim(count).await.len(), count);
    it.advance(2 * LEASE).await;
}

/// Has the running worker's message rescued, by the first that comes. A heartbeat may come in between; then once more.
async fn lose_the_lease<S: Subject>(it: &S) {
    loop {
        it.advance(2 * LEASE).await;
        it.transport().rescue().await.unwrap();
        let (_, _, processing) = counts(&it.transport()).await;
        if processing == 0 {
            return;
        }
    }
}

/// Says of each message whether it runs for the first time.
fn first_runs() -> impl Fn(&Message) -> bool + Clone + Send + Sync + 'static {
    let seen = Arc::new(Mutex::new(HashSet::new()));
    move |message| seen.lock().unwrap().insert(message.text("id").to_owned())
}

async fn a_lost_lease_is_counted_and_the_outcome_refused<S: Subject + Clone>(it: S) {
    let id = put_one(&it.transport(), message("Email")).await;
    let subject = it.clone();
    let is_first = first_runs();
    let session = Session::new(&it, json!({ "pollInterval": 60_000 }), move |message| {
        let (it, first) = (subject.clone(), is_first(&message));
        async move {
            if first {
                lose_the_lease(&it).await;
            }
            Value::Null
        }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.claimed, summary.stats.lost, summary.stats.succeeded), (2, 1, 1));
    assert_eq!(session.started("id"), [id.to_string(), id.to_string()]);
    assert_eq!((it.finished().await, letters(&it.transport()).await.len()), (1, 0));
}

async fn a_worker_declared_dead_aborts_its_handlers<S: Subject + Clone>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let subject = it.clone();
    let is_first = first_runs();
    let session = Session::new(&it, json!({ "pollInterval": 60_000 }), move |message| {
        let (it, first) = (subject.clone(), is_first(&message));
        async move {
            if first {
                lose_the_lease(&it).await;
                assert_eq!(message.aborted().await, "leaseLost");
            }
            Value::Null
        }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.lost, summary.stats.succeeded), (1, 1));
}

/// The worker claims all the time, so a claim registers it again right after it was declared dead, mostly before any
/// heartbeat could find it gone.
async fn a_worker_registered_again_aborts_the_handlers_of_what_it_lost<S: Subject + Clone>(it: S) {
    const MESSAGES: usize = 7;
    put(&it.transport(), many(MESSAGES, || message("Email"))).await;
    let subject = it.clone();
    let options = json!({ "mode": "run", "pollInterval": 1, "maxConcurrency": MESSAGES + 1 });
    let is_first = first_runs();
    let session = Session::new(&it, options, move |message| {
        let (it, first) = (subject.clone(), is_first(&message));
        async move {
            if first {
                assert_eq!(message.aborted().await, "leaseLost");
                it.transport().depth().await.unwrap();
            }
            Value::Null
        }
    });
    let run = session.start();
    session.until_started(MESSAGES).await;
    lose_the_lease(&it).await;
    session.until_started(2 * MESSAGES).await;
    let stats = session.consumer.stats();
    assert_eq!(stats.lost, MESSAGES as u64, "counted as soon as it is known");
    support::until("all is done", async || it.finished().await == MESSAGES).await;
    session.stop();
    let summary = run.await.unwrap();
    assert_eq!((summary.stats.lost, summary.stats.succeeded), (MESSAGES as u64, MESSAGES as u64));
    let told = session.log(|log| log.events.iter().filter(|it| it["event"] == "lost").count());
    assert_eq!(told, MESSAGES);
}

async fn what_was_claimed_after_a_loss_is_not_aborted<S: Subject + Clone>(it: S) {
    put_one(&it.transport(), message("Old")).await;
    let options = json!({ "mode": "run", "pollInterval": 1, "types": ["Old", "New"] });
    let (subject, is_first) = (it.clone(), first_runs());
    let session = Session::new(&it, options, move |message| {
        let (it, first) = (subject.clone(), is_first(&message));
        async move {
            match (message.text("type"), first) {
                ("Old", true) => assert_eq!(message.aborted().await, "leaseLost"),
                ("New", true) => {
                    let told = tokio::time::timeout(Duration::from_millis(1500), message.aborted()).await;
                    assert!(told.is_err(), "aborted though it is held: {told:?}");
                    it.transport().depth().await.unwrap();
                }
                _ => {}
            }
            Value::Null
        }
    });
    let run = session.start();
    session.until_started(1).await;
    // Its own claim of the new one registers it again.
    let (transport, worker) = (it.transport(), Worker::of(&it.transport()));
    loop {
        it.advance(2 * LEASE).await;
        transport.rescue().await.unwrap();
        if let Some(suspect) = worker.claim_suspect().await {
            put_one(&transport, message("New")).await;
            worker.settle(&suspect, Outcome::Completed).await;
            break;
        }
    }
    support::until("both are done", async || it.finished().await == 2).await;
    session.stop();
    let summary = run.await.unwrap();
    assert_eq!((summary.stats.lost, summary.stats.succeeded), (1, 1));
}

/// How often a worker with the settings of these tests beats: three times in its lease of a second.
const BEAT: Duration = Duration::from_millis(333);

async fn a_slow_handler_keeps_its_lease<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let (transport, begun) = (it.transport(), Instant::now());
    let session = Session::new(&it, json!({}), move |_| {
        let transport = transport.clone();
        async move {
            let start = Instant::now();
            let (mut looked, mut stood_still) = (begun, false);
            while start.elapsed() < Duration::from_millis(1800) {
                let asked = Instant::now();
                let rescued = transport.rescue().await.unwrap();
                // Where looks are late the heartbeat is too, and a lease that has run out is lawfully gone.
                stood_still |= looked.elapsed() >= BEAT;
                if rescued != Rescued::default() {
                    assert!(stood_still, "rescued from a worker that lives: {rescued:?}");
                    break;
                }
                looked = asked;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Value::Null
        }
    });
    let summary = session.run().await;
    // One run for each lease that was lost like that, and the one that counts.
    let runs = session.log(|log| log.started.len()) as u64;
    assert_eq!((summary.stats.succeeded, summary.stats.lost), (1, runs - 1));
}

async fn the_messages_of_a_dead_worker_are_handled<S: Subject>(it: S) {
    put(&it.transport(), many(5, || message("Email"))).await;
    die_holding(&it, 5).await;
    let session = Session::new(&it, json!({}), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.drained), (5, true));
    assert!(session.log(|log| log.started.iter().all(|it| it["crashes"] == 1 && it["retryCount"] == 0)));
    assert_eq!(session.log(|log| log.most), 1, "each of them alone");
}

async fn a_suspect_is_handled_alone<S: Subject>(it: S) {
    put(&it.transport(), many(2, || message("Email"))).await;
    die_holding(&it, 2).await;
    put(&it.transport(), many(60, || message("Email"))).await;
    let session = Session::new(&it, json!({ "batchSize": 5 }), |_| async {
        tokio::task::yield_now().await;
        Value::Null
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.drained, summary.queue_depth), (62, true, 0));
    assert_eq!(session.log(|log| log.beside_suspects), 0);
}

async fn suspects_do_not_end_a_drain<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    die_holding(&it, 1).await;
    it.transport().rescue().await.unwrap();
    put(&it.transport(), many(3, || message("Email"))).await;
    let summary = Session::new(&it, json!({}), succeed).run().await;
    assert_eq!((summary.stats.succeeded, summary.drained, summary.queue_depth), (4, true, 0));
}

async fn a_suspect_of_an_unknown_type_holds_nothing_up<S: Subject>(it: S) {
    put_one(&it.transport(), message("Sms")).await;
    die_holding(&it, 1).await;
    it.transport().rescue().await.unwrap();
    put(&it.transport(), many(30, || message("Email"))).await;
    let session = Session::new(&it, json!({ "types": ["Email"] }), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.drained, summary.queue_depth), (30, true, 1));
}

async fn a_message_that_kills_its_process_is_buried<S: Subject>(it: S) {
    let id = put_one(&it.transport(), message("Killer")).await;
    put(&it.transport(), many(3, || message("Email"))).await;
    die_holding(&it, 4).await;
    let emails = Session::new(&it, json!({ "types": ["Email"] }), succeed);
    assert_eq!(emails.run().await.stats.succeeded, 3);
    for _ in 0..2 {
        it.advance(2 * MINUTE).await;
        it.transport().rescue().await.unwrap();
        it.advance(2 * MINUTE).await;
        assert_eq!(Worker::of(&it.transport()).claim_suspect().await.unwrap().id, id);
    }
    it.advance(2 * MINUTE).await;

    // The consumer that finds it tells, though it consumes nothing of this.
    let session = Session::new(&it, json!({ "transports": [OTHER, MAIN], "types": ["Email"] }), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stats.claimed, summary.drained), (0, true));
    let letter = letters(&it.transport()).await.remove(0);
    assert_eq!((letter.message_id, letter.error_class.as_deref()), (id, Some("WorkerCrash")));
    assert_eq!(counts(&it.transport()).await, (0, 0, 0));
    session.until("it was told", |log| log.commands.iter().any(|it| it["do"] == "buried")).await;
    let command = session.log(|log| log.commands[0]["messages"][0].clone());
    assert_eq!((&command["id"], &command["crashes"]), (&json!(id), &json!(3)));
    let events = session.log(|log| log.events.clone());
    let event = events.iter().find(|it| it["event"] == "deadLettered").unwrap();
    assert_eq!((&event["id"], &event["type"], &event["transport"]), (&json!(id), &json!("Killer"), &json!(MAIN)));
    assert_eq!(event["error"]["class"], "WorkerCrash");
}

async fn a_worker_that_lives_takes_its_crashes_back<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let options = json!({ "mode": "run", "pollInterval": 60_000, "listen": false, "batchSize": 3 });
    let session = Session::new(&it, options, |message: Message| async move {
        message.aborted().await;
        Value::Null
    });
    let run = session.start();
    session.until_started(3).await;
    // It claims nothing any more, so that all that comes back is left where it is.
    session.consumer.set_types(Some(Vec::new()));
    lose_the_lease(&it).await;
    let worker = Worker::of(&it.transport());
    let back = AtomicUsize::new(0);
    support::until("all three are free of suspicion", async || {
        let claimed = worker.claim(3).await.len();
        back.fetch_add(claimed, Ordering::Relaxed) + claimed == 3
    })
    .await;
    session.stop();
    run.await.unwrap();
}

async fn nothing_stays_of_a_worker_that_is_done<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    Session::new(&it, json!({}), succeed).run().await;
    it.advance(2 * LEASE).await;
    assert_eq!(it.transport().rescue().await.unwrap(), Rescued::default());
}
