//! A suspect runs alone where it can, and whatever it does, other work goes on.

use crate::session::{Message, Session, succeed};
use crate::support;
use crate::support::kit::{ByHand, LEASE, Worker, many, message, put, put_one, queued_in, urgent};
use crate::support::subject::Subject;
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use symphony::message::envelope::Envelope;
use tokio::sync::Semaphore;

for_workers! {
    a_suspect_is_handled_beside_a_slow_handler
    a_suspect_that_hangs_takes_one_slot_and_no_more
    a_suspect_that_hangs_leaves_a_drain_with_a_time_limit_its_use
    suspects_that_this_worker_would_not_claim_are_none_of_its_business
    fresh_work_of_a_higher_priority_is_not_held_up_by_suspects
    a_drain_of_one_message_at_a_time_comes_to_suspects_and_to_the_rest
}

/// Makes messages suspect: a worker dies with them in its hands.
async fn suspects<S: Subject>(it: &S, envelopes: Vec<Envelope>) {
    let count = envelopes.len();
    put(&it.transport(), envelopes).await;
    assert_eq!(Worker::of(&it.transport()).claim(count).await.len(), count);
    it.advance(2 * LEASE).await;
    it.transport().rescue().await.unwrap();
}

fn is_suspect(delivery: &Value) -> bool {
    delivery["crashes"] != 0
}

type Handling = Pin<Box<dyn Future<Output = Value> + Send>>;

/// Messages of the type `Slow` take as long as the test says, all others no time.
fn slow_ones() -> (Arc<Semaphore>, impl Fn(Message) -> Handling) {
    let ends = Arc::new(Semaphore::new(0));
    let gate = ends.clone();
    let script = move |message: Message| {
        let gate = gate.clone();
        Box::pin(async move {
            if message.text("type") == "Slow" {
                gate.acquire().await.unwrap().forget();
            }
            Value::Null
        }) as Handling
    };
    (ends, script)
}

async fn a_suspect_is_handled_beside_a_slow_handler<S: Subject>(it: S) {
    suspects(&it, many(3, || message("Email"))).await;
    put_one(&it.transport(), message("Slow")).await;
    let (ends, script) = slow_ones();
    let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), script);
    let run = session.start();
    session.until("the slow one runs", |log| log.started.iter().any(|it| it["type"] == "Slow")).await;
    put(&it.transport(), many(50, || message("Email"))).await;
    support::until("all others are done", async || it.finished().await == 53).await;
    ends.add_permits(1);
    support::until("it is done too", async || it.finished().await == 54).await;
    session.stop();
    run.await.unwrap();
}

async fn a_suspect_that_hangs_takes_one_slot_and_no_more<S: Subject>(it: S) {
    suspects(&it, vec![message("Slow"), message("Email")]).await;
    put(&it.transport(), many(30, || message("Email"))).await;
    let (ends, script) = slow_ones();
    let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10, "maxConcurrency": 2 }), script);
    let run = session.start();
    session.until("the suspect runs", |log| log.started.iter().any(|it| it["type"] == "Slow")).await;
    put(&it.transport(), many(30, || message("Email"))).await;
    support::until("everything fresh is done", async || it.finished().await >= 60).await;
    ends.add_permits(1);
    support::until("so are the suspects", async || it.finished().await == 62).await;
    session.stop();
    run.await.unwrap();
}

async fn a_suspect_that_hangs_leaves_a_drain_with_a_time_limit_its_use<S: Subject>(it: S) {
    suspects(&it, vec![message("Slow")]).await;
    let mut done = 0;
    for _ in 0..3 {
        put(&it.transport(), many(40, || message("Email"))).await;
        let (_ends, script) = slow_ones();
        let session = Session::new(&it, json!({ "timeLimit": 1500, "batchSize": 2 }), script);
        done += 40;
        session.run().await;
        assert_eq!(it.finished().await, done, "what is fresh is handled in each of them");
    }
}

async fn suspects_that_this_worker_would_not_claim_are_none_of_its_business<S: Subject>(it: S) {
    suspects(&it, vec![message("Sms"), queued_in("elsewhere")]).await;
    put_one(&it.transport(), message("Slow")).await;
    let (ends, script) = slow_ones();
    let options = json!({
        "mode": "run", "pollInterval": 10, "queues": ["default"], "types": ["Slow", "Email"], "batchSize": 1,
    });
    let session = Session::new(&it, options, script);
    let run = session.start();
    session.until_started(1).await;
    put(&it.transport(), many(30, || message("Email"))).await;
    support::until("the others are done", async || it.finished().await == 30).await;
    ends.add_permits(1);
    session.stop();
    run.await.unwrap();
    assert!(session.log(|log| !log.started.iter().any(is_suspect)));
}

async fn fresh_work_of_a_higher_priority_is_not_held_up_by_suspects<S: Subject>(it: S) {
    const SUSPECTS: usize = 60;
    suspects(&it, many(SUSPECTS, || message("Email"))).await;
    let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), |_| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Value::Null
    });
    let run = session.start();
    session.until_started(3).await;
    put(&it.transport(), many(20, || urgent(10))).await;
    // From here on at most the one that is being claimed, and one between two claims of what is urgent.
    let before = session.log(|log| log.started.len());
    support::until("all is done", async || it.finished().await == SUSPECTS + 20).await;
    session.stop();
    run.await.unwrap();
    let order: Vec<bool> = session.log(|log| log.started.iter().map(is_suspect).collect());
    let last = order.iter().rposition(|suspect| !suspect).unwrap();
    let overtaken = order[before..last].iter().filter(|suspect| **suspect).count();
    assert!(overtaken < SUSPECTS / 4, "{overtaken} suspects ran before the last of the urgent ones");
}

async fn a_drain_of_one_message_at_a_time_comes_to_suspects_and_to_the_rest<S: Subject>(it: S) {
    suspects(&it, many(3, || message("Email"))).await;
    put(&it.transport(), many(60, || message("Email"))).await;
    let mut started = Vec::new();
    while started.iter().filter(|it| is_suspect(it)).count() < 3 {
        let session = Session::new(&it, json!({ "messageLimit": 1 }), succeed);
        assert_eq!(session.run().await.stats.succeeded, 1);
        session.log(|log| started.extend(log.started.clone()));
    }
    let fresh = started.iter().filter(|it| !is_suspect(it)).count();
    assert!(fresh < 60, "suspects came last");
}
