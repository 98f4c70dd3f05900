//! What a companion adds to a broker: what was kept and not answered is repeated, and never lost.

use crate::support::kit::{ByHand, HOUR, Worker, bury, keyed, letters, message, put_one, retry, settlement};
use crate::support::subject::{Accompanied, MAIN, Postgres, Subject, check};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use symphony::Error;
use symphony::backends::memory::MemoryBroker;
use symphony::message::carried::Carried;
use symphony::message::outcome::Outcome;
use symphony::transport::broker::{Broker, Delivery, Receipt};
use symphony::transport::{Companion, Depth, Drain, Sent};

/// A broker that delivers, and hears nothing.
struct Deaf(MemoryBroker);

fn unheard<T>() -> Result<T, Error> {
    Err(Error::Connection { target: "the broker".to_owned(), reason: "it does not hear".to_owned(), sent: true })
}

#[async_trait]
impl Broker for Deaf {
    fn place(&self) -> String {
        self.0.place()
    }

    fn longest_delay(&self) -> Duration {
        self.0.longest_delay()
    }

    async fn publish(&self, _: &[Carried], _: Duration) -> Result<(), Error> {
        unheard()
    }

    async fn receive(&self, queues: &[String], limit: usize, lease: Duration) -> Result<Vec<Delivery>, Error> {
        self.0.receive(queues, limit, lease).await
    }

    async fn ack(&self, _: &[Receipt]) -> Result<(), Error> {
        unheard()
    }

    async fn give_back(&self, _: &[Receipt], _: Duration) -> Result<(), Error> {
        unheard()
    }

    async fn extend(&self, receipts: &[Receipt], lease: Duration) -> Result<Vec<Receipt>, Error> {
        self.0.extend(receipts, lease).await
    }

    async fn depth(&self) -> Result<Vec<Depth>, Error> {
        self.0.depth().await
    }
}

/// The transport of a process that dies before the broker has heard what became of a message.
fn dying(it: &Accompanied) -> Arc<dyn Drain> {
    let store = it.entrance().store().unwrap();
    Arc::new(Companion::new(MAIN.into(), Deaf(it.broker.clone()), store, 3).unwrap())
}

/// Sends a message, and has a process die that has kept its outcome and not told the broker.
async fn kept_but_not_answered(it: &Accompanied, outcome: Outcome) {
    put_one(&it.transport(), message("Email")).await;
    let dying = dying(it);
    let claimed = Worker::of(&dying).claim_one().await;
    // Tried again while it lives, it keeps nothing twice.
    for _ in 0..2 {
        let error = dying.settle(&[settlement(&claimed, outcome.clone())]).await.unwrap_err();
        assert!(error.is_uncertain(), "{error}");
    }
    it.advance(HOUR).await;
}

#[test]
fn what_was_buried_and_not_answered_is_one_dead_letter_and_is_not_delivered_again() {
    check(json!({}), |it: Accompanied| async move {
        kept_but_not_answered(&it, bury("refused")).await;
        let other = it.in_another_process();
        assert!(Worker::of(&other).claim(10).await.is_empty());
        assert_eq!(letters(&other).await.len(), 1);
        assert!(other.depth().await.unwrap().is_empty());
    });
}

#[test]
fn what_is_to_be_retried_and_was_not_answered_runs_once_more_and_not_twice() {
    check(json!({}), |it: Accompanied| async move {
        kept_but_not_answered(&it, retry(2 * HOUR)).await;
        let other = it.in_another_process();
        // The broker delivers it again, long before its time: it is parked, so it is not a run.
        assert!(Worker::of(&other).claim(10).await.is_empty());
        it.advance(2 * HOUR).await;
        let claimed = Worker::of(&other).claim(10).await;
        assert_eq!(claimed.iter().map(|it| it.retry_count).collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn what_was_handled_and_not_answered_runs_again() {
    check(json!({}), |it: Accompanied| async move {
        kept_but_not_answered(&it, Outcome::Completed).await;
        assert_eq!(Worker::of(&it.in_another_process()).claim(10).await.len(), 1);
    });
}

#[test]
fn a_message_with_a_key_that_the_broker_has_not_taken_is_relayed() {
    check(json!({}), |it: Accompanied| async move {
        let dying = dying(&it);
        let sent = dying.send(&[keyed("k"), message("Email")]).await.unwrap();
        assert!(matches!(sent[0], Sent::Queued { .. }), "it is parked with its key: {sent:?}");
        assert!(matches!(&sent[1], Sent::Failed(error) if error.is_uncertain()), "{sent:?}");
        let other = it.in_another_process();
        assert!(matches!(other.send(&[keyed("k")]).await.unwrap()[0], Sent::Duplicate { .. }));
        assert_eq!(Worker::of(&other).claim(10).await.len(), 1);
    });
}

#[test]
fn a_message_that_is_never_answered_is_buried() {
    check(json!({}), |it: Accompanied| async move {
        let id = put_one(&it.transport(), message("Email")).await;
        for crashes in 0..3 {
            let claimed = Worker::of(&it.in_another_process()).claim_one().await;
            assert_eq!((claimed.id, claimed.crash_count), (id, crashes));
            it.advance(HOUR).await;
        }
        let transport = it.transport();
        assert!(Worker::of(&transport).claim(10).await.is_empty());
        let letter = letters(&transport).await.remove(0);
        assert_eq!((letter.message_id, letter.error_class.as_deref()), (id, Some("WorkerCrash")));
    });
}

#[test]
fn what_was_given_away_meanwhile_is_not_kept() {
    check(json!({}), |it: Accompanied| async move {
        put_one(&it.transport(), message("Email")).await;
        let (late, other) = (it.transport(), it.in_another_process());
        let claimed = Worker::of(&late).claim_one().await;
        it.advance(HOUR).await;
        let theirs = Worker::of(&other).claim_one().await;
        assert_eq!(late.settle(&[settlement(&claimed, bury("late"))]).await.unwrap(), [claimed.id]);
        assert!(letters(&late).await.is_empty());
        Worker::of(&other).settle(&theirs, Outcome::Completed).await;
    });
}

#[test]
fn a_store_that_parks_nothing_is_refused_by_name() {
    check(json!({}), |it: Postgres| async move {
        let store = it.entrance().store().unwrap();
        let refused = Companion::new(MAIN.into(), MemoryBroker::default(), store, 3).err().unwrap();
        assert!(refused.to_string().contains("cannot keep what a broker does not keep"), "{refused}");
    });
}
