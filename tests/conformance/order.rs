//! The order of claims: highest priority first, oldest first inside one.

use crate::support::kit::{
    HOUR, MINUTE, Worker, ids, message, put, put_one, release, retry, settlement, snooze, urgent,
};
use crate::support::subject::Subject;
use chrono::{TimeDelta, Utc};
use std::time::Duration;
use symphony::message::claimed::Claimed;
use symphony::message::envelope::{Available, Envelope};
use symphony::message::outcome::Outcome;
use symphony::transport::Drain;

for_drains! {
    ten_priorities_in_one_claim
    the_same_order_one_by_one
    oldest_first_inside_a_priority
    equally_old_messages_stand_in_the_order_of_their_ids
    queues_stand_in_the_order_asked_for_inside_a_priority
    messages_of_higher_priority_in_the_future_do_not_stand_in_the_way
    a_retry_keeps_its_priority
    a_released_message_keeps_its_place;

    // What no broker does.
    a_message_put_off_moves_to_its_new_time
}

/// Thirty messages over ten priorities and two queues, in no order.
async fn put_mixed(transport: &std::sync::Arc<dyn Drain>) {
    for step in 0..3_u8 {
        let batch = (0..10_u8).map(|n| Envelope {
            queue: if (n + step) % 2 == 0 { "even".into() } else { "odd".into() },
            ..urgent((n * 7 + step * 3) % 10 + 1)
        });
        put(transport, batch.collect()).await;
    }
}

fn in_order(claimed: &[Claimed], queues: &[&str]) {
    let place = |it: &Claimed| {
        let queue = queues.iter().position(|queue| *queue == it.queue).unwrap();
        (std::cmp::Reverse(it.priority), queue, it.available_at, it.id)
    };
    assert_eq!(claimed.len(), 30);
    assert!(claimed.is_sorted_by_key(place), "{:?}", claimed.iter().map(place).collect::<Vec<_>>());
}

async fn ten_priorities_in_one_claim<S: Subject>(it: S) {
    let transport = it.transport();
    put_mixed(&transport).await;
    in_order(&Worker::of(&transport).claim_from(&["odd", "even"], None, 100).await, &["odd", "even"]);
}

async fn the_same_order_one_by_one<S: Subject>(it: S) {
    let transport = it.transport();
    put_mixed(&transport).await;
    let worker = Worker::of(&transport);
    let mut claimed = Vec::new();
    for _ in 0..10 {
        claimed.extend(worker.claim_from(&["even", "odd"], None, 3).await);
    }
    in_order(&claimed, &["even", "odd"]);
}

async fn oldest_first_inside_a_priority<S: Subject>(it: S) {
    let transport = it.transport();
    let ago =
        |minutes| Envelope { available: Available::At(Utc::now() - TimeDelta::minutes(minutes)), ..message("Email") };
    let sent = put(&transport, vec![ago(2), ago(3), ago(1), ago(4)]).await;
    let first = put_one(&transport, urgent(6)).await;
    let claimed = Worker::of(&transport).claim(10).await;
    assert_eq!(ids(&claimed), [first, sent[3], sent[1], sent[0], sent[2]]);
}

async fn equally_old_messages_stand_in_the_order_of_their_ids<S: Subject>(it: S) {
    let transport = it.transport();
    let available = Available::At(Utc::now() - TimeDelta::minutes(1));
    let mut batch: Vec<_> = (0..50).map(|_| Envelope { available, ..message("Email") }).collect();
    batch.reverse();
    let mut sent = put(&transport, batch).await;
    sent.sort();
    assert_eq!(ids(&Worker::of(&transport).claim(100).await), sent);
}

async fn queues_stand_in_the_order_asked_for_inside_a_priority<S: Subject>(it: S) {
    let transport = it.transport();
    let in_queue = |queue: &str, priority| Envelope { queue: queue.into(), ..urgent(priority) };
    let batch = vec![in_queue("a", 5), in_queue("b", 5), in_queue("c", 5), in_queue("a", 9), in_queue("c", 1)];
    let sent = put(&transport, batch).await;
    let claimed = Worker::of(&transport).claim_from(&["c", "a", "b"], None, 10).await;
    assert_eq!(ids(&claimed), [sent[3], sent[2], sent[0], sent[1], sent[4]]);
}

async fn messages_of_higher_priority_in_the_future_do_not_stand_in_the_way<S: Subject>(it: S) {
    let transport = it.transport();
    let later = Envelope { available: Available::After(HOUR), ..urgent(10) };
    let sent = put(&transport, vec![later, urgent(1)]).await;
    assert_eq!(ids(&Worker::of(&transport).claim(1).await), [sent[1]]);
}

async fn a_retry_keeps_its_priority<S: Subject>(it: S) {
    let transport = it.transport();
    let first = put_one(&transport, urgent(9)).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim_one().await;
    let others = put(&transport, vec![urgent(8), urgent(10)]).await;
    worker.settle(&claimed, retry(Duration::ZERO)).await;
    assert_eq!(ids(&worker.claim(10).await), [others[1], first, others[0]]);
}

async fn a_released_message_keeps_its_place<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, vec![message("Email"), message("Email"), message("Email")]).await;
    let worker = Worker::of(&transport);
    let before = worker.claim(2).await;
    let held: Vec<_> = before.iter().map(|it| (it.id, it.token)).collect();
    put_one(&transport, message("Email")).await;
    assert!(worker.release(&held).await.unwrap().is_empty());

    let after = worker.claim(3).await;
    assert_eq!(ids(&after), sent);
    assert_eq!(after[0].available_at, before[0].available_at);
    assert_eq!((after[0].retry_count, after[0].crash_count), (0, 0));
}

async fn a_message_put_off_moves_to_its_new_time<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, vec![message("Email"), message("Email"), message("Email")]).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(3).await;
    let outcomes =
        [Outcome::Release { delay: Some(2 * MINUTE), handled: vec![], ran: true }, snooze(MINUTE), release()];
    let all: Vec<_> = claimed.iter().zip(outcomes).map(|(it, outcome)| settlement(it, outcome)).collect();
    assert!(worker.settle_all(&all).await.unwrap().is_empty());
    assert_eq!(ids(&worker.claim(10).await), [sent[2]]);
    it.advance(3 * MINUTE).await;
    let again = worker.claim(10).await;
    assert_eq!(ids(&again), [sent[1], sent[0]]);
    assert!(again.iter().all(|it| (it.retry_count, it.crash_count) == (0, 0)));
}
