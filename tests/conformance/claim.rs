//! A claim takes what is due and asked for, and nobody else gets it.

use crate::support::kit::{
    ByHand, HOUR, LEASE, MINUTE, Worker, counts, delayed, ids, many, message, put, put_one, queued_in, settlement,
    survey_of, urgent,
};
use crate::support::subject::Subject;
use std::collections::HashSet;
use symphony::message::outcome::Outcome;
use symphony::transport::{Known, Portion};
use uuid::Uuid;

for_drains! {
    nothing_is_claimed_from_nothing
    what_is_claimed_is_claimed_once
    a_claim_takes_no_more_than_it_asks_for
    only_the_queues_asked_for_are_read
    eight_claimers_at_once_never_get_the_same_message
    a_survey_names_the_queues_that_hold_anything
    what_a_worker_does_not_know_of_goes_back_as_it_was;

    // What no broker does.
    future_messages_are_not_claimed
    a_type_filter_leaves_other_types_untouched
    a_suspect_that_goes_back_unknown_is_suspect_as_before
}

async fn nothing_is_claimed_from_nothing<S: Subject>(it: S) {
    let worker = Worker::of(&it.transport());
    assert!(worker.claim(10).await.is_empty());
    assert!(worker.claim_from(&["default"], None, 10).await.is_empty());
    assert!(worker.claim_from(&[], None, 10).await.is_empty());
    assert!(worker.claim_suspect().await.is_none());
}

async fn what_is_claimed_is_claimed_once<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    assert_eq!(Worker::of(&transport).claim(10).await.len(), 3);
    assert!(Worker::of(&transport).claim_from(&["default"], None, 10).await.is_empty());
    assert_eq!(counts(&transport).await, (0, 0, 3));
}

async fn future_messages_are_not_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![delayed(HOUR), delayed(2 * HOUR)]).await;
    let worker = Worker::of(&transport);
    assert!(worker.claim(10).await.is_empty());
    it.advance(HOUR - MINUTE).await;
    assert!(worker.claim(10).await.is_empty());
    it.advance(2 * MINUTE).await;
    assert_eq!(worker.claim(10).await.len(), 1);
    it.advance(HOUR).await;
    assert_eq!(worker.claim(10).await.len(), 1);
}

async fn a_claim_takes_no_more_than_it_asks_for<S: Subject>(it: S) {
    let transport = it.transport();
    let batch = (1..=10).flat_map(|priority| many(3, || urgent(priority)));
    put(&transport, batch.collect()).await;
    let worker = Worker::of(&transport);
    for (limit, got) in [(1, 1), (7, 7), (100, 22), (1, 0)] {
        assert_eq!(worker.claim(limit).await.len(), got);
    }
}

async fn only_the_queues_asked_for_are_read<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, ["a", "b", "c"].map(queued_in).into()).await;
    let worker = Worker::of(&transport);
    assert_eq!(ids(&worker.claim_from(&["b", "nowhere"], None, 10).await), [sent[1]]);
    assert_eq!(ids(&worker.claim_from(&["c", "a"], None, 10).await), [sent[2], sent[0]]);
}

async fn a_type_filter_leaves_other_types_untouched<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, ["Email", "Sms", "Email", "Push"].map(message).into()).await;
    let worker = Worker::of(&transport);
    assert!(worker.claim_from(&["default"], Some(&[]), 10).await.is_empty());
    assert_eq!(ids(&worker.claim_from(&["default"], Some(&["Email", "Fax"]), 10).await), [sent[0], sent[2]]);
    assert_eq!(counts(&transport).await, (2, 0, 2));
    let rest = worker.claim(10).await;
    assert_eq!(ids(&rest), [sent[1], sent[3]]);
    assert!(rest.iter().all(|it| (it.retry_count, it.crash_count) == (0, 0)));
}

async fn eight_claimers_at_once_never_get_the_same_message<S: Subject>(it: S) {
    const MESSAGES: usize = 2000;
    let transport = it.transport();
    put(&transport, many(MESSAGES, || message("Email"))).await;
    let claimers: Vec<_> = (0..8).map(|_| tokio::spawn(claim_all(Worker::of(&transport)))).collect();
    let mut claimed = Vec::new();
    for claimer in claimers {
        claimed.extend(claimer.await.unwrap());
    }
    assert_eq!(claimed.len(), MESSAGES);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
}

async fn claim_all(worker: Worker) -> Vec<Uuid> {
    let mut all = Vec::new();
    loop {
        let claimed = worker.claim_from(&["default"], None, 10).await;
        if claimed.is_empty() {
            return all;
        }
        all.extend(ids(&claimed));
    }
}

async fn a_survey_names_the_queues_that_hold_anything<S: Subject>(it: S) {
    let transport = it.transport();
    assert!(survey_of(&transport).await.queues.is_empty());
    let later = symphony::message::envelope::Envelope { queue: "later".into(), ..delayed(HOUR) };
    put(&transport, vec![queued_in("b"), queued_in("a"), queued_in("b"), later]).await;
    let mut survey = survey_of(&transport).await;
    survey.queues.sort();
    assert_eq!(survey.queues, ["a", "b", "later"]);
    assert!(!survey.suspects);

    Worker::of(&transport).claim_from(&["b"], None, 10).await;
    let mut queues = survey_of(&transport).await.queues;
    queues.sort();
    assert_eq!(queues, ["a", "later"]);
}

async fn what_a_worker_does_not_know_of_goes_back_as_it_was<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, many(6, || message("Email"))).await;
    let (worker, stranger) = (Worker::of(&transport), Worker::of(&transport));
    let unknown = [worker.claim(1).await, stranger.claim(1).await, worker.claim(1).await];
    let kept = worker.claim(1).await;
    let since = Uuid::now_v7();
    let begun = worker.claim(1).await;
    let known = Known { tokens: vec![kept[0].token], before: since };
    let reconcile = async || transport.reconcile(&worker.id, &known, Portion::WIDE).await.unwrap();
    assert_eq!((reconcile().await, reconcile().await), (2, 0), "once is enough");

    assert_eq!(counts(&transport).await, (3, 0, 3));
    let again = stranger.claim(10).await;
    assert_eq!(ids(&again), [sent[0], sent[2], sent[5]]);
    assert!(again.iter().all(|it| (it.retry_count, it.crash_count) == (0, 0)));
    assert_eq!(worker.settle_all(&[settlement(&unknown[0][0], Outcome::Completed)]).await.unwrap(), [sent[0]]);
    for message in [&kept[0], &begun[0]] {
        worker.settle(message, Outcome::Completed).await;
    }
}

async fn a_suspect_that_goes_back_unknown_is_suspect_as_before<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    let worker = Worker::of(&transport);
    worker.claim_suspect().await.unwrap();
    assert!(worker.knows_only(&[]).await);
    assert_eq!(worker.claim_suspect().await.unwrap().crash_count, 1);
}
