//! What a companion adds to a broker: what was kept and not answered is repeated, and never lost.

use crate::support::kit::{
    HOUR, LEASE, MINUTE, Worker, bury, delayed, keyed, letters, many, message, put, put_one, retry, settlement,
    survey_of,
};
use crate::support::subject::{AccompaniedByPostgres, OverBroker, Subject, check};
use async_trait::async_trait;
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use symphony::Error;
use symphony::backends::memory::MemoryBroker;
use symphony::message::carried::Carried;
use symphony::message::envelope::Envelope;
use symphony::message::outcome::Outcome;
use symphony::transport::broker::{Broker, Delivery, Receipt};
use symphony::transport::{Depth, Drain, Sent};
use tokio::sync::Notify;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_hours(365 * 24);

for_brokers! {
    what_was_buried_and_not_answered_is_one_dead_letter_and_is_not_delivered_again
    what_is_to_be_retried_and_was_not_answered_runs_once_more_and_not_twice
    what_was_handled_and_not_answered_runs_again
    a_message_with_a_key_that_the_broker_has_not_taken_is_relayed
    a_message_that_is_never_answered_is_buried
    what_was_given_away_meanwhile_is_not_kept
    two_burials_of_one_message_are_one_dead_letter
    what_was_published_twice_is_claimed_once_at_a_time
    a_delay_of_a_year_is_kept
    ten_thousand_that_are_due_go_with_one_look
    relays_at_once_publish_each_message_once
    what_a_relay_held_that_died_is_relayed_by_the_next
    a_relay_takes_out_no_run_that_was_parked_after_its_own
    a_sender_takes_out_no_run_that_was_parked_after_its_own
    a_message_that_is_being_published_is_not_answered_by_it
    what_a_broker_never_takes_holds_nothing_up
    what_a_broker_does_not_take_now_is_relayed_later
    a_broker_that_takes_nothing_still_delivers
    a_dead_letter_that_is_put_back_goes_to_the_broker
}

/// What happens to what is published.
#[async_trait]
trait Fate: Send + Sync + 'static {
    async fn publish(&self, broker: &MemoryBroker, messages: &[Carried]) -> Result<Vec<Result<(), Error>>, Error>;
    /// Whether it hears answers.
    fn hears(&self) -> bool {
        true
    }
}

/// A broker with a fate.
struct Fated<F>(MemoryBroker, F);

fn unheard<T>() -> Result<T, Error> {
    Err(Error::Connection { target: "the broker".to_owned(), reason: "it does not hear".to_owned(), sent: true })
}

#[async_trait]
impl<F: Fate> Broker for Fated<F> {
    fn place(&self) -> String {
        self.0.place()
    }

    fn longest_delay(&self) -> Duration {
        self.0.longest_delay()
    }

    async fn publish(&self, messages: &[Carried], _: Duration) -> Result<Vec<Result<(), Error>>, Error> {
        self.1.publish(&self.0, messages).await
    }

    async fn receive(&self, queues: &[String], limit: usize, lease: Duration) -> Result<Vec<Delivery>, Error> {
        self.0.receive(queues, limit, lease).await
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), Error> {
        if self.1.hears() { self.0.ack(receipts).await } else { unheard() }
    }

    async fn give_back(&self, receipts: &[Receipt], delay: Duration) -> Result<(), Error> {
        if self.1.hears() { self.0.give_back(receipts, delay).await } else { unheard() }
    }

    async fn extend(&self, receipts: &[Receipt], lease: Duration) -> Result<Vec<Receipt>, Error> {
        self.0.extend(receipts, lease).await
    }

    async fn depth(&self) -> Result<Vec<Depth>, Error> {
        self.0.depth().await
    }
}

/// It delivers, and hears nothing.
struct Deaf;

#[async_trait]
impl Fate for Deaf {
    async fn publish(&self, _: &MemoryBroker, _: &[Carried]) -> Result<Vec<Result<(), Error>>, Error> {
        unheard()
    }

    fn hears(&self) -> bool {
        false
    }
}

/// It hears, and takes nothing.
struct Full;

#[async_trait]
impl Fate for Full {
    async fn publish(&self, _: &MemoryBroker, _: &[Carried]) -> Result<Vec<Result<(), Error>>, Error> {
        unheard()
    }
}

/// It takes what is published, and its answer is under way for ever.
struct Endless(Arc<Notify>);

#[async_trait]
impl Fate for Endless {
    async fn publish(&self, _: &MemoryBroker, _: &[Carried]) -> Result<Vec<Result<(), Error>>, Error> {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Something happens between what is published and the answer.
struct Meanwhile(Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>);

impl Meanwhile {
    fn then<F: Future<Output = ()> + Send + 'static>(what: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self(Box::new(move || Box::pin(what())))
    }
}

#[async_trait]
impl Fate for Meanwhile {
    async fn publish(&self, broker: &MemoryBroker, messages: &[Carried]) -> Result<Vec<Result<(), Error>>, Error> {
        let answers = broker.publish(messages, Duration::ZERO).await;
        (self.0)().await;
        answers
    }
}

/// It refuses messages of the type `Large` for good, and of the type `Early` for now.
struct Picky;

#[async_trait]
impl Fate for Picky {
    async fn publish(&self, broker: &MemoryBroker, messages: &[Carried]) -> Result<Vec<Result<(), Error>>, Error> {
        let mut answers = Vec::new();
        for it in messages {
            let refused = |transient| Error::Query {
                operation: "publish",
                reason: "256 KiB at most".to_owned(),
                sqlstate: String::new(),
                transient,
            };
            answers.push(match &*it.message_type {
                "Large" => Err(refused(false)),
                "Early" => Err(refused(true)),
                _ => broker.publish(std::slice::from_ref(it), Duration::ZERO).await?.remove(0),
            });
        }
        Ok(answers)
    }
}

/// The transport of a process that dies before the broker has heard what became of a message.
fn dying(it: &impl OverBroker) -> Arc<dyn Drain> {
    it.over(Fated(it.broker().clone(), Deaf))
}

/// Sends a message, and has a process die that has kept its outcome and not told the broker.
async fn kept_but_not_answered(it: &impl OverBroker, outcome: Outcome) {
    put_one(&it.transport(), message("Email")).await;
    let dying = Worker::of(&dying(it));
    let claimed = dying.claim_one().await;
    // Tried again while it lives, it keeps nothing twice.
    for _ in 0..2 {
        let error = dying.settle_all(&[settlement(&claimed, outcome.clone())]).await.unwrap_err();
        assert!(error.is_uncertain(), "{error}");
    }
    it.advance(HOUR).await;
}

/// How many messages the broker has.
async fn published(it: &impl OverBroker) -> u64 {
    it.broker().depth().await.unwrap().iter().map(|it| it.pending + it.delayed + it.processing).sum()
}

/// How many messages are parked.
async fn parked(it: &impl OverBroker) -> u64 {
    let counts = it.store().count_parked("main").await.unwrap();
    counts.iter().map(|it| it.due + it.waiting).sum()
}

/// How often each message that is claimed has failed.
async fn claimed_runs(transport: &Arc<dyn Drain>) -> Vec<u32> {
    Worker::of(transport).claim(10).await.iter().map(|it| it.retry_count).collect()
}

async fn what_was_buried_and_not_answered_is_one_dead_letter_and_is_not_delivered_again<S: OverBroker>(it: S) {
    kept_but_not_answered(&it, bury("refused")).await;
    let other = it.in_another_process();
    assert!(Worker::of(&other).claim(10).await.is_empty());
    assert_eq!(letters(&other).await.len(), 1);
    assert!(other.depth().await.unwrap().is_empty());
}

async fn what_is_to_be_retried_and_was_not_answered_runs_once_more_and_not_twice<S: OverBroker>(it: S) {
    kept_but_not_answered(&it, retry(2 * HOUR)).await;
    let other = it.in_another_process();
    // The broker delivers it again, long before its time: it is parked, so it is not a run.
    assert!(Worker::of(&other).claim(10).await.is_empty());
    it.advance(2 * HOUR).await;
    assert_eq!(claimed_runs(&other).await, [1]);
}

async fn what_was_handled_and_not_answered_runs_again<S: OverBroker>(it: S) {
    kept_but_not_answered(&it, Outcome::Completed).await;
    assert_eq!(Worker::of(&it.in_another_process()).claim(10).await.len(), 1);
}

async fn a_message_with_a_key_that_the_broker_has_not_taken_is_relayed<S: OverBroker>(it: S) {
    let dying = dying(&it);
    let sent = dying.send(&[keyed("k"), message("Email")]).await.unwrap();
    assert!(matches!(sent[0], Sent::Queued { .. }), "it is parked with its key: {sent:?}");
    assert!(matches!(&sent[1], Sent::Failed(error) if error.is_uncertain()), "{sent:?}");
    let other = it.in_another_process();
    assert!(matches!(other.send(&[keyed("k")]).await.unwrap()[0], Sent::Duplicate { .. }));
    assert_eq!(Worker::of(&other).claim(10).await.len(), 1);
}

async fn a_message_that_is_never_answered_is_buried<S: OverBroker>(it: S) {
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
}

async fn what_was_given_away_meanwhile_is_not_kept<S: OverBroker>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let (late, other) = (it.transport(), it.in_another_process());
    let worker = Worker::of(&late);
    let claimed = worker.claim_one().await;
    it.advance(HOUR).await;
    let other = Worker::of(&other);
    let theirs = other.claim_one().await;
    assert_eq!(worker.settle_all(&[settlement(&claimed, bury("late"))]).await.unwrap(), [claimed.id]);
    assert!(letters(&late).await.is_empty());
    other.settle(&theirs, Outcome::Completed).await;
}

async fn two_burials_of_one_message_are_one_dead_letter<S: OverBroker>(it: S) {
    let carried = Carried::of(&message("Email"), chrono::Utc::now());
    it.broker().publish(std::slice::from_ref(&carried), Duration::ZERO).await.unwrap();
    let buries = (0..8).map(|_| {
        let (store, carried) = (it.store(), carried.clone());
        tokio::spawn(async move {
            let outcome = bury("refused");
            let kept = symphony::store::parked::Kept { message: &carried, outcome: &outcome };
            store.keep("main", &[kept, kept], &[]).await.unwrap();
        })
    });
    for bury in buries.collect::<Vec<_>>() {
        bury.await.unwrap();
    }
    assert_eq!(letters(&it.transport()).await.len(), 1);
}

async fn what_was_published_twice_is_claimed_once_at_a_time<S: OverBroker>(it: S) {
    let first = Carried::of(&message("Email"), chrono::Utc::now());
    let again = Carried { retry_count: 1, ..first.clone() };
    it.broker().publish(&[first.clone(), again], Duration::ZERO).await.unwrap();
    let transport = it.transport();
    let worker = Worker::of(&transport);
    let claimed = worker.claim(10).await;
    assert_eq!(claimed.iter().map(|it| (it.id, it.retry_count)).collect::<Vec<_>>(), [(first.id, 1)]);
    worker.settle(&claimed[0], Outcome::Completed).await;
    // The other one is not lost: it could be another message, of a producer that names several alike.
    it.advance(MINUTE).await;
    assert_eq!(claimed_runs(&transport).await, [0]);
}

async fn a_delay_of_a_year_is_kept<S: OverBroker>(it: S) {
    let transport = it.transport();
    put_one(&transport, delayed(YEAR)).await;
    it.advance(YEAR - MINUTE).await;
    assert!(Worker::of(&transport).claim(10).await.is_empty());
    it.advance(MINUTE).await;
    assert_eq!(claimed_runs(&transport).await, [0]);
}

async fn ten_thousand_that_are_due_go_with_one_look<S: OverBroker>(it: S) {
    let transport = it.transport();
    put(&transport, many(10_000, || delayed(MINUTE))).await;
    it.advance(MINUTE).await;
    survey_of(&transport).await;
    assert_eq!((published(&it).await, parked(&it).await), (10_000, 0));
}

async fn relays_at_once_publish_each_message_once<S: OverBroker>(it: S) {
    put(&it.transport(), many(3000, || delayed(MINUTE))).await;
    it.advance(MINUTE).await;
    let relays = (0..8).map(|_| it.in_another_process()).map(|it| tokio::spawn(async move { survey_of(&it).await }));
    for relay in relays.collect::<Vec<_>>() {
        relay.await.unwrap();
    }
    assert_eq!((published(&it).await, parked(&it).await), (3000, 0));
}

async fn what_a_relay_held_that_died_is_relayed_by_the_next<S: OverBroker>(it: S) {
    put_one(&it.transport(), delayed(MINUTE)).await;
    it.advance(MINUTE).await;
    let publishing = Arc::new(Notify::new());
    let relay = it.over(Fated(it.broker().clone(), Endless(publishing.clone())));
    let dying = tokio::spawn(async move { survey_of(&relay).await });
    publishing.notified().await;
    dying.abort();
    let other = it.in_another_process();
    assert!(Worker::of(&other).claim(10).await.is_empty(), "somebody is publishing it");
    it.advance(MINUTE).await;
    assert_eq!(claimed_runs(&other).await, [0]);
    assert_eq!(parked(&it).await, 0);
}

/// A broker that has delivered a message, and knows that it failed, before who published it hears that it is there.
fn quick_to_fail(it: &impl OverBroker) -> Fated<Meanwhile> {
    let consumer = it.in_another_process();
    let fail = move || {
        let consumer = consumer.clone();
        async move {
            let worker = Worker::of(&consumer);
            for failed in worker.claim_from(&["default"], None, 10).await {
                worker.settle(&failed, retry(HOUR)).await;
            }
        }
    };
    Fated(it.broker().clone(), Meanwhile::then(fail))
}

async fn a_relay_takes_out_no_run_that_was_parked_after_its_own<S: OverBroker>(it: S) {
    put_one(&it.transport(), delayed(MINUTE)).await;
    it.advance(MINUTE).await;
    survey_of(&it.over(quick_to_fail(&it))).await;
    it.advance(HOUR).await;
    assert_eq!(claimed_runs(&it.in_another_process()).await, [1], "its retry is lost");
}

async fn a_sender_takes_out_no_run_that_was_parked_after_its_own<S: OverBroker>(it: S) {
    put_one(&it.over(quick_to_fail(&it)), keyed("k")).await;
    it.advance(HOUR).await;
    assert_eq!(claimed_runs(&it.in_another_process()).await, [1], "its retry is lost");
}

async fn a_message_that_is_being_published_is_not_answered_by_it<S: OverBroker>(it: S) {
    put_one(&it.transport(), delayed(MINUTE)).await;
    it.advance(MINUTE).await;
    let (subject, found) = (it.clone(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let finds = found.clone();
    let twice = move || {
        let (it, finds) = (subject.clone(), finds.clone());
        async move {
            let short = Worker::with_lease(&it.in_another_process(), SECOND);
            assert_eq!(short.claim_from(&["default"], None, 10).await.len(), 1);
            // It dies, and the broker delivers once more.
            it.advance(2 * SECOND).await;
            let again = Worker::of(&it.in_another_process()).claim_from(&["default"], None, 10).await;
            finds.lock().unwrap().extend(again.iter().map(|it| it.crash_count));
        }
    };
    survey_of(&it.over(Fated(it.broker().clone(), Meanwhile::then(twice)))).await;
    assert_eq!(*found.lock().unwrap(), [1], "it is taken for answered, and lost when it leaves the parking");
    it.advance(2 * LEASE).await;
    assert_eq!(Worker::of(&it.in_another_process()).claim(10).await.len(), 1);
}

async fn what_a_broker_never_takes_holds_nothing_up<S: OverBroker>(it: S) {
    let picky = it.over(Fated(it.broker().clone(), Picky));
    let large = |envelope: Envelope| Envelope { message_type: "Large".into(), ..envelope };
    let batch = [large(delayed(MINUTE)), delayed(MINUTE), large(keyed("k")), large(message("")), message("Email")];
    let sent = picky.send(&batch).await.unwrap();
    assert!(matches!(&sent[3], Sent::Failed(error) if error.blames_content()), "{sent:?}");
    assert!(sent.iter().enumerate().all(|(at, it)| at == 3 || matches!(it, Sent::Queued { .. })), "{sent:?}");
    it.advance(MINUTE).await;
    assert_eq!(Worker::of(&picky).claim(10).await.len(), 2);
    let found = letters(&picky).await;
    let mut buried: Vec<Uuid> = found.iter().map(|it| it.message_id).collect();
    buried.sort();
    let mut expected = [batch[0].id, batch[2].id];
    expected.sort();
    assert_eq!(buried, expected);
    assert!(found.iter().all(|it| it.error_class.as_deref() == Some("BrokerRefused")), "{found:?}");
    assert_eq!(parked(&it).await, 0);
}

async fn what_a_broker_does_not_take_now_is_relayed_later<S: OverBroker>(it: S) {
    put(&it.transport(), vec![Envelope { message_type: "Early".into(), ..delayed(MINUTE) }, delayed(MINUTE)]).await;
    it.advance(MINUTE).await;
    survey_of(&it.over(Fated(it.broker().clone(), Picky))).await;
    assert_eq!((published(&it).await, parked(&it).await), (1, 1));
    assert_eq!(Worker::of(&it.in_another_process()).claim(10).await.len(), 2);
}

async fn a_broker_that_takes_nothing_still_delivers<S: OverBroker>(it: S) {
    put(&it.transport(), vec![message("Email"), delayed(MINUTE)]).await;
    it.advance(MINUTE).await;
    let full = it.over(Fated(it.broker().clone(), Full));
    assert_eq!(Worker::of(&full).claim(10).await.len(), 1);
    assert_eq!(parked(&it).await, 1);
}

async fn a_dead_letter_that_is_put_back_goes_to_the_broker<S: OverBroker>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    worker.settle(&worker.claim_one().await, bury("refused")).await;
    let letter = letters(&transport).await.remove(0);
    let redriven = it.store().redrive(&[letter.id, letter.id]).await.unwrap();
    assert_eq!(redriven.len(), 1);
    let claimed = worker.claim_one().await;
    assert_eq!(claimed.id, redriven[0].message_id);
    assert!(claimed.headers.contains(&letter.id.to_string()), "{}", claimed.headers);
    assert_eq!(published(&it).await, 1);
}

#[test]
fn what_jsonb_cannot_hold_is_a_dead_letter_all_the_same() {
    check(json!({}), |it: AccompaniedByPostgres| async move {
        let foreign =
            |body: &str| Carried { body: body.to_owned(), ..Carried::of(&message("Xml"), chrono::Utc::now()) };
        let bodies = ["<order/>", r#"{"a":"\u0000"}"#, "NUL \0"].map(foreign);
        it.broker().publish(&bodies, Duration::ZERO).await.unwrap();
        let transport = it.transport();
        let worker = Worker::of(&transport);
        for outcome in [retry(MINUTE), bury("not JSON")] {
            let claimed = worker.claim(10).await;
            let settlements: Vec<_> = claimed.iter().map(|it| settlement(it, outcome.clone())).collect();
            assert!(worker.settle_all(&settlements).await.unwrap().is_empty());
            it.advance(MINUTE).await;
        }
        let found = letters(&transport).await;
        let mut payloads: Vec<&str> = found.iter().map(|it| it.contents.payload().unwrap().get()).collect();
        payloads.sort_unstable();
        let unreadable =
            ["<order/>", "NUL \u{fffd}", r#"{\"a\":\"\\u0000\"}"#].map(|it| format!(r#"{{"unreadable": "{it}"}}"#));
        assert_eq!(payloads, unreadable);
    });
}

#[test]
fn a_message_keeps_its_letters_while_it_is_parked() {
    check(json!({}), |it: AccompaniedByPostgres| async move {
        // As jsonb it would come back with other spaces, another order and another number.
        let body = r#"{ "b":1.50,"a" : "\u00e9", "b":1e2 }"#;
        let transport = it.transport();
        put_one(&transport, Envelope { body: body.into(), ..delayed(MINUTE) }).await;
        it.advance(MINUTE).await;
        assert_eq!(Worker::of(&transport).claim_one().await.body, body);
    });
}

#[test]
fn parked_messages_that_nobody_relays_are_counted() {
    check(json!({}), |it: AccompaniedByPostgres| async move {
        let overdue = || async { it.store().vitals().await.unwrap().overdue_parked };
        put(&it.transport(), many(3, || delayed(MINUTE))).await;
        it.advance(5 * MINUTE).await;
        assert_eq!(overdue().await, 0, "due for four minutes");
        it.advance(2 * MINUTE).await;
        assert_eq!(overdue().await, 3);
        survey_of(&it.transport()).await;
        assert_eq!(overdue().await, 0);
    });
}
