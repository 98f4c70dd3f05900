//! A drain keeps its limits, and gives back what it has not begun.

use crate::session::{Session, fail, hang, succeed};
use crate::support::kit::{Worker, counts, many, message, put, put_one};
use crate::support::subject::Subject;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony::transport::Drain;
use symphony::worker::StoppedBy;

for_workers! {
    no_more_than_the_message_limit_is_claimed
    a_message_limit_beyond_the_queue_changes_nothing
    the_failure_limit_stops_and_gives_back
    the_time_limit_gives_back_what_was_not_started
    the_time_limit_aborts_what_hangs
    a_handler_that_heeds_the_abort_decides_itself
    a_time_limit_of_nothing_handles_nothing
}

/// Everything that waits is as it was sent.
async fn untouched(transport: &Arc<dyn Drain>, count: usize) {
    assert_eq!(counts(transport).await, (count as u64, 0, 0));
    let left = Worker::of(transport).claim(count + 1).await;
    assert_eq!(left.len(), count);
    assert!(left.iter().all(|it| (it.retry_count, it.crash_count) == (0, 0)));
}

async fn no_more_than_the_message_limit_is_claimed<S: Subject>(it: S) {
    put(&it.transport(), many(20, || message("Email"))).await;
    let session = Session::new(&it, json!({ "messageLimit": 7, "batchSize": 5 }), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stats.claimed, summary.stats.succeeded, summary.stats.released), (7, 7, 0));
    assert_eq!((summary.stopped_by, summary.drained, summary.queue_depth), (StoppedBy::MessageLimit, false, 13));
    untouched(&it.transport(), 13).await;
}

async fn a_message_limit_beyond_the_queue_changes_nothing<S: Subject>(it: S) {
    put(&it.transport(), many(7, || message("Email"))).await;
    let summary = Session::new(&it, json!({ "messageLimit": 8 }), succeed).run().await;
    assert_eq!((summary.stats.succeeded, summary.stopped_by), (7, StoppedBy::Empty));
}

async fn the_failure_limit_stops_and_gives_back<S: Subject>(it: S) {
    put(&it.transport(), many(30, || message("Email"))).await;
    let options = json!({ "failureLimit": 3, "maxConcurrency": 1, "batchSize": 10 });
    let session = Session::new(&it, options, fail);
    let summary = session.run().await;
    assert_eq!((summary.stopped_by, summary.drained), (StoppedBy::FailureLimit, false));
    let failures = summary.stats.retried;
    // More of the batch may have ended while the third failure was on its way.
    assert!((3..=10).contains(&failures), "{failures}");
    assert_eq!(session.log(|log| log.started.len()) as u64, failures);
    assert_eq!(summary.stats.claimed, failures + summary.stats.released);
    let (pending, delayed, processing) = counts(&it.transport()).await;
    assert_eq!((pending, delayed, processing), (30 - failures, failures, 0));
}

async fn the_time_limit_gives_back_what_was_not_started<S: Subject>(it: S) {
    const MESSAGES: usize = 500;
    put(&it.transport(), many(MESSAGES, || message("Email"))).await;
    let options = json!({ "timeLimit": 2000, "maxConcurrency": 2, "batchSize": 100 });
    let session = Session::new(&it, options, |_| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Value::Null
    });
    let summary = session.run().await;
    assert_eq!((summary.stopped_by, summary.drained), (StoppedBy::TimeLimit, false));
    assert!(summary.stats.succeeded > 0 && summary.stats.released > 0, "{:?}", summary.stats);
    assert_eq!(summary.stats.claimed, summary.stats.succeeded + summary.stats.released);
    assert_eq!(session.log(|log| log.started.len()) as u64, summary.stats.succeeded, "what has started ends");
    let done = it.finished().await;
    assert_eq!(done as u64, summary.stats.succeeded);
    untouched(&it.transport(), MESSAGES - done).await;
}

async fn the_time_limit_aborts_what_hangs<S: Subject>(it: S) {
    put(&it.transport(), many(10, || message("Email"))).await;
    let session = Session::new(&it, json!({ "timeLimit": 300, "maxConcurrency": 3 }), hang);
    let start = Instant::now();
    let summary = session.run().await;
    assert!(
        (Duration::from_millis(250)..Duration::from_millis(1300)).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );
    assert_eq!((summary.stopped_by, session.aborts()), (StoppedBy::TimeLimit, vec!["timeLimit".to_owned()]));
    assert_eq!((summary.stats.claimed, summary.stats.released, summary.stats.succeeded), (10, 10, 0));
    untouched(&it.transport(), 10).await;
}

async fn a_handler_that_heeds_the_abort_decides_itself<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let session = Session::new(&it, json!({ "timeLimit": 300 }), |message| async move {
        match &*message.aborted().await {
            "timeLimit" => json!({ "as": "snoozed", "delay": 60_000 }),
            other => panic!("{other}"),
        }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.snoozed, summary.stats.released), (1, 0));
    assert_eq!(counts(&it.transport()).await, (0, 1, 0));
}

async fn a_time_limit_of_nothing_handles_nothing<S: Subject>(it: S) {
    put(&it.transport(), many(10, || message("Email"))).await;
    let session = Session::new(&it, json!({ "timeLimit": 0 }), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stopped_by, summary.stats.succeeded), (StoppedBy::TimeLimit, 0));
    untouched(&it.transport(), 10).await;
}
