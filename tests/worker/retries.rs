//! What becomes of a message when its handler does not simply succeed.

use crate::session::{Message, Session, fail, failed, succeed};
use crate::support::kit::{HOUR, MINUTE, counts, letters, message, put_one};
use crate::support::subject::Subject;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;
use symphony::message::envelope::Envelope;
use symphony::worker::Summary;

for_workers! {
    a_failing_message_waits_longer_each_time_and_is_buried_at_the_end
    a_message_that_succeeds_at_last_is_done
    what_cannot_be_helped_is_buried_at_once
    a_message_s_own_limit_of_retries_counts
    the_wait_that_the_other_side_asked_for_is_kept
    handlers_that_succeeded_are_not_asked_again
    a_snoozed_message_comes_back_with_no_attempt_used
    a_discarded_message_is_finished
    a_message_given_back_comes_back_with_no_attempt_used
}

/// Drains once, with this handler.
async fn drain<S: Subject, F>(it: &S, script: impl Fn(Message) -> F + Send + Sync + 'static) -> (Summary, Vec<Value>)
where
    F: Future<Output = Value> + Send + 'static,
{
    let session = Session::new(it, json!({}), script);
    let summary = session.run().await;
    (summary, session.log(|log| log.started.clone()))
}

/// Drains once, with a handler that says this.
async fn drain_saying<S: Subject>(it: &S, said: Value) -> Summary {
    drain(it, move |_| std::future::ready(said.clone())).await.0
}

async fn a_failing_message_waits_longer_each_time_and_is_buried_at_the_end<S: Subject>(it: S) {
    let id = put_one(&it.transport(), Envelope { max_retries: Some(3), ..message("Email") }).await;
    for (retry, delay) in [(0, 1000), (1, 2000), (2, 4000)] {
        let (summary, started) = drain(&it, fail).await;
        assert_eq!((summary.stats.retried, summary.drained), (1, true));
        assert_eq!((started.len(), &started[0]["retryCount"]), (1, &json!(retry)));
        // What the tests themselves take is well under the half second.
        it.advance(Duration::from_millis(delay - 500)).await;
        assert!(drain(&it, fail).await.1.is_empty(), "retry {retry} came too early");
        it.advance(Duration::from_millis(500)).await;
    }
    let (summary, started) = drain(&it, fail).await;
    assert_eq!((summary.stats.dead_lettered, summary.stats.retried), (1, 0));
    assert_eq!(started[0]["retryCount"], 3);

    let letter = letters(&it.transport()).await.remove(0);
    assert_eq!((letter.message_id, letter.retry_count, &*letter.error), (id, 3, "refused"));
    assert_eq!(letter.error_class.as_deref(), Some("SmtpError"));
    let history: Vec<Value> = serde_json::from_str(letter.contents.history().unwrap().get()).unwrap();
    assert_eq!(history.len(), 4);
    let workers: Vec<_> = history.iter().map(|run| run["worker"].as_str().unwrap()).collect();
    assert!(workers.windows(2).all(|pair| pair[0] < pair[1]), "each drain is a worker: {workers:?}");
    assert!(history.iter().all(|run| run["ms"].as_u64().is_some_and(|ms| ms < 60_000)), "{history:?}");
    assert_eq!(counts(&it.transport()).await, (0, 0, 0));
}

async fn a_message_that_succeeds_at_last_is_done<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    drain(&it, fail).await;
    it.advance(MINUTE).await;
    assert_eq!(drain(&it, succeed).await.0.stats.succeeded, 1);
    assert_eq!((it.finished().await, counts(&it.transport()).await), (1, (0, 0, 0)));
    assert!(letters(&it.transport()).await.is_empty());
}

async fn what_cannot_be_helped_is_buried_at_once<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let mut said = failed("no such address");
    said["retryable"] = json!(false);
    assert_eq!(drain_saying(&it, said).await.stats.dead_lettered, 1);
    let letter = letters(&it.transport()).await.remove(0);
    assert_eq!((&*letter.error, letter.retry_count), ("no such address", 0));
}

async fn a_message_s_own_limit_of_retries_counts<S: Subject>(it: S) {
    put_one(&it.transport(), Envelope { max_retries: Some(0), ..message("Email") }).await;
    assert_eq!(drain(&it, fail).await.0.stats.dead_lettered, 1);
    put_one(&it.transport(), Envelope { max_retries: Some(1), ..message("Email") }).await;
    assert_eq!(drain(&it, fail).await.0.stats.retried, 1);
    it.advance(MINUTE).await;
    assert_eq!(drain(&it, fail).await.0.stats.dead_lettered, 1);
}

async fn the_wait_that_the_other_side_asked_for_is_kept<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let mut said = failed("too many requests");
    said["retryAfter"] = json!(HOUR.as_millis() as u64);
    assert_eq!(drain_saying(&it, said).await.stats.retried, 1);
    it.advance(HOUR - MINUTE).await;
    assert_eq!(drain(&it, succeed).await.0.stats.claimed, 0);
    it.advance(2 * MINUTE).await;
    assert_eq!(drain(&it, succeed).await.0.stats.succeeded, 1);
}

async fn handlers_that_succeeded_are_not_asked_again<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let names = json!(["index", "notify"]);
    let mut said = failed("no");
    said["handled"] = names.clone();
    drain_saying(&it, said).await;
    it.advance(MINUTE).await;
    let (_, started) = drain(&it, succeed).await;
    assert_eq!((&started[0]["handled"], &started[0]["retryCount"]), (&names, &json!(1)));
}

async fn a_snoozed_message_comes_back_with_no_attempt_used<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let summary = drain_saying(&it, json!({ "as": "snoozed", "delay": 60_000, "handled": ["index"] })).await;
    assert_eq!((summary.stats.snoozed, summary.stats.released, summary.stats.runs), (1, 0, 1));
    assert_eq!(counts(&it.transport()).await, (0, 1, 0));
    it.advance(2 * MINUTE).await;
    let (_, started) = drain(&it, succeed).await;
    assert_eq!((&started[0]["handled"], &started[0]["retryCount"]), (&json!(["index"]), &json!(0)));
}

async fn a_discarded_message_is_finished<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let summary = drain_saying(&it, json!({ "as": "discarded", "reason": "out of date" })).await;
    assert_eq!((summary.stats.discarded, summary.stats.succeeded), (1, 0));
    assert_eq!((it.finished().await, counts(&it.transport()).await), (1, (0, 0, 0)));
    assert!(letters(&it.transport()).await.is_empty());
}

async fn a_message_given_back_comes_back_with_no_attempt_used<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let summary = drain_saying(&it, json!({ "as": "released", "delay": 60_000 })).await;
    assert_eq!((summary.stats.released, summary.stats.snoozed), (1, 0));
    it.advance(2 * MINUTE).await;
    let (_, started) = drain(&it, succeed).await;
    assert_eq!((started.len(), &started[0]["retryCount"]), (1, &json!(0)));
}
