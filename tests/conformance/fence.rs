//! Only the claim that holds a message can settle it.

use crate::support::kit::{
    ByHand, LEASE, Worker, bury, counts, letters, many, message, put, put_one, release, retry, settlement, snooze,
};
use crate::support::subject::Subject;
use std::time::Duration;
use symphony::message::claimed::Claimed;
use symphony::message::outcome::Outcome;
use symphony::transport::Settlement;
use uuid::Uuid;

for_drains! {
    settled_twice_is_lost
    a_wrong_token_is_lost_and_does_nothing
    an_unknown_message_is_lost
    what_another_worker_holds_is_lost_and_stays_with_it
    the_token_of_an_earlier_claim_is_lost
    lost_ones_are_named_among_others
    of_two_claims_of_a_message_settled_together_the_later_one_counts
    eight_settlers_at_once_settle_once;

    // What no broker does.
    the_token_of_a_rescued_claim_is_lost
}

fn every_outcome() -> [Outcome; 6] {
    let discarded = Outcome::Discarded { reason: "no".to_owned() };
    [Outcome::Completed, discarded, retry(Duration::ZERO), bury("no"), release(), snooze(Duration::ZERO)]
}

/// Tries every outcome with the message's token, which must not hold.
async fn shut(worker: &Worker, message: &Claimed) {
    for outcome in every_outcome() {
        let lost = worker.settle_all(&[settlement(message, outcome.clone())]).await.unwrap();
        assert_eq!(lost, [message.id], "{outcome:?}");
    }
}

async fn settled_twice_is_lost<S: Subject>(it: S) {
    let transport = it.transport();
    let worker = Worker::of(&transport);
    for outcome in every_outcome() {
        put_one(&transport, message("Email")).await;
        let message = worker.claim_one().await;
        worker.settle(&message, outcome).await;
        let before = (counts(&transport).await, it.finished().await, letters(&transport).await.len());
        shut(&worker, &message).await;
        assert_eq!((counts(&transport).await, it.finished().await, letters(&transport).await.len()), before);
        let rest = worker.claim(10).await;
        let done: Vec<_> = rest.iter().map(|it| settlement(it, Outcome::Completed)).collect();
        worker.settle_all(&done).await.unwrap();
    }
}

async fn a_wrong_token_is_lost_and_does_nothing<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    shut(&worker, &Claimed { token: Uuid::now_v7(), ..message.clone() }).await;
    assert_eq!(counts(&transport).await, (0, 0, 1));
    assert_eq!((it.finished().await, letters(&transport).await.len()), (0, 0));
    worker.settle(&message, Outcome::Completed).await;
}

async fn an_unknown_message_is_lost<S: Subject>(it: S) {
    let transport = it.transport();
    let worker = Worker::of(&transport);
    let id = Uuid::now_v7();
    for outcome in every_outcome() {
        assert_eq!(worker.settle_all(&[Settlement { id, token: id, outcome }]).await.unwrap(), [id]);
    }
    assert_eq!(worker.release(&[(id, id)]).await.unwrap(), [id]);
    assert_eq!(counts(&transport).await, (0, 0, 0));
}

async fn what_another_worker_holds_is_lost_and_stays_with_it<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let (holder, other) = (Worker::of(&transport), Worker::of(&transport));
    let message = holder.claim_one().await;
    shut(&other, &message).await;
    let fence = [(message.id, message.token)];
    assert_eq!(transport.lost(other.id.id, &fence).await.unwrap(), [message.id]);
    assert!(transport.lost(holder.id.id, &fence).await.unwrap().is_empty());
    holder.settle(&message, Outcome::Completed).await;
}

async fn the_token_of_an_earlier_claim_is_lost<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let (first, second) = (Worker::of(&transport), Worker::of(&transport));
    let old = first.claim_one().await;
    first.settle(&old, release()).await;
    let new = second.claim_one().await;
    assert_eq!(new.id, old.id);
    shut(&first, &old).await;
    shut(&second, &old).await;
    second.settle(&new, Outcome::Completed).await;
}

async fn the_token_of_a_rescued_claim_is_lost<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let dead = Worker::of(&transport);
    let old = dead.claim_one().await;
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap().returned, 1);
    shut(&dead, &old).await;
    let worker = Worker::of(&transport);
    let new = worker.claim_suspect().await.unwrap();
    shut(&dead, &old).await;
    shut(&worker, &old).await;
    worker.settle(&new, Outcome::Completed).await;
}

async fn lost_ones_are_named_among_others<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(40, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(100).await;
    let mut settlements: Vec<_> =
        claimed.iter().enumerate().map(|(n, it)| settlement(it, every_outcome()[n % 6].clone())).collect();
    let mut lost = Vec::new();
    for it in settlements.iter_mut().step_by(3) {
        it.token = Uuid::now_v7();
        lost.push(it.id);
    }
    assert_eq!(worker.settle_all(&settlements).await.unwrap(), lost);
    assert_eq!(counts(&transport).await.2, lost.len() as u64);
}

async fn of_two_claims_of_a_message_settled_together_the_later_one_counts<S: Subject>(it: S) {
    let transport = it.transport();
    let worker = Worker::of(&transport);
    for outcome in every_outcome() {
        for later_first in [true, false] {
            put_one(&transport, message("Email")).await;
            let before = letters(&transport).await.len();
            let old = worker.claim_one().await;
            worker.settle(&old, release()).await;
            let new = worker.claim_one().await;
            let mut both = [settlement(&old, outcome.clone()), settlement(&new, bury("by the later one"))];
            if later_first {
                both.reverse();
            }
            worker.settle_all(&both).await.unwrap();
            assert_eq!(
                (letters(&transport).await.len(), counts(&transport).await),
                (before + 1, (0, 0, 0)),
                "{outcome:?}"
            );
        }
    }
}

async fn eight_settlers_at_once_settle_once<S: Subject>(it: S) {
    let transport = it.transport();
    for round in 0..25 {
        put_one(&transport, message("Email")).await;
        let worker = Worker::of(&transport);
        let message = worker.claim_one().await;
        let settlers: Vec<_> = (0..8)
            .map(|n| {
                let outcome = if n % 2 == 0 { Outcome::Completed } else { bury("no") };
                let (worker, settlement) = (worker.clone(), settlement(&message, outcome));
                tokio::spawn(async move { worker.settle_all(&[settlement]).await.unwrap() })
            })
            .collect();
        let mut applied = 0;
        for settler in settlers {
            applied += usize::from(settler.await.unwrap().is_empty());
        }
        assert_eq!(applied, 1);
        assert_eq!(it.finished().await + letters(&transport).await.len(), round + 1);
    }
}
