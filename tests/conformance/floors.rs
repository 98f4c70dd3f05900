//! What comes in below the messages that earlier claims have found is claimed soon, whatever lies above it.

use crate::support::kit::{Worker, ids, many, put, put_one, release, urgent};
use crate::support::subject::{MAIN, Subject};
use chrono::{TimeDelta, Utc};
use std::time::Duration;
use symphony::message::envelope::{Available, Envelope};
use symphony::transport::Reach;

for_drains! {
    a_lane_that_no_claim_came_to_keeps_its_turn
    what_is_put_back_is_found_by_the_next_claim
    a_thorough_look_finds_everything;

    // What no broker does.
    what_was_dated_back_is_found_beside_a_steady_flow
}

/// A message that has been due for a minute.
fn dated_back(priority: u8) -> Envelope {
    Envelope { available: Available::At(Utc::now() - TimeDelta::minutes(1)), ..urgent(priority) }
}

/// A worker that has found messages of priorities 4 and 5, so that it begins above them.
async fn one_that_has_been_there<S: Subject>(it: &S) -> Worker {
    let worker = Worker::of(&it.transport());
    put(&it.transport(), vec![urgent(5), urgent(4)]).await;
    assert_eq!(worker.claim_as(Reach::Quick, 10).await.len(), 2);
    worker
}

async fn a_lane_that_no_claim_came_to_keeps_its_turn<S: Subject>(it: S) {
    let worker = one_that_has_been_there(&it).await;
    let low = put_one(&it.transport(), dated_back(4)).await;
    for _ in 0..3 {
        // Whenever it is time to read everything again, more urgent messages fill the claim.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        put(&it.transport(), many(5, || urgent(5))).await;
        assert_eq!(worker.claim_as(Reach::Quick, 5).await.len(), 5);
        let rest = worker.claim_as(Reach::Quick, 5).await;
        if !rest.is_empty() {
            assert_eq!(ids(&rest), [low]);
            return;
        }
    }
    panic!("it was passed over three times by claims that had room for it");
}

async fn what_was_dated_back_is_found_beside_a_steady_flow<S: Subject>(it: S) {
    let worker = one_that_has_been_there(&it).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let late = put_one(&it.transport(), dated_back(5)).await;
    put(&it.transport(), many(5, || urgent(5))).await;
    assert_eq!(ids(&worker.claim_as(Reach::Quick, 1).await), [late]);
}

async fn what_is_put_back_is_found_by_the_next_claim<S: Subject>(it: S) {
    let transport = it.transport();
    let worker = Worker::of(&transport);
    let sent = put(&transport, many(4, || dated_back(5))).await;
    let first = worker.claim_as(Reach::Quick, 1).await;
    worker.claim_as(Reach::Quick, 2).await;
    worker.settle(&first[0], release()).await;
    let again = worker.claim_as(Reach::Quick, 1).await;
    assert_eq!(ids(&again), [sent[0]]);
    assert!(worker.knows_only(&again).await);
    assert_eq!(ids(&worker.claim_as(Reach::Quick, 3).await), sent[1..]);
}

async fn a_thorough_look_finds_everything<S: Subject>(it: S) {
    let worker = one_that_has_been_there(&it).await;
    let low = put_one(&it.transport(), dated_back(4)).await;
    assert_eq!(ids(&worker.claim_as(Reach::Thorough, 10).await), [low]);
    let elsewhere = Envelope { queue: "elsewhere".into(), transport: MAIN.into(), ..dated_back(1) };
    let other = put_one(&it.transport(), elsewhere).await;
    assert_eq!(ids(&worker.claim_from(&["default", "elsewhere"], None, 10).await), [other]);
}
