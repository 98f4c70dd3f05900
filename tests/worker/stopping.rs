//! A consumer that is asked to stop ends well: nothing is lost, nothing is left in its hands.

use crate::session::{Session, hang, succeed};
use crate::support::kit::{Worker, counts, many, message, put};
use crate::support::subject::Subject;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony::worker::{Consumer, Handlers, Options, StoppedBy};
use tokio::sync::Semaphore;

for_workers! {
    running_handlers_end_and_the_rest_goes_back
    forced_it_waits_for_nobody
    forcing_may_follow_asking
    what_hangs_is_aborted_after_the_shutdown_timeout
    a_late_outcome_is_refused
    stopped_before_it_runs_it_handles_nothing
    the_first_reason_counts
    without_handlers_everything_goes_back
}

/// Handlers that end when the test lets them.
fn gated<S: Subject>(it: &S, options: Value) -> (Session, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let passed = gate.clone();
    let session = Session::new(it, options, move |_| {
        let gate = passed.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Value::Null
        }
    });
    (session, gate)
}

async fn running_handlers_end_and_the_rest_goes_back<S: Subject>(it: S) {
    put(&it.transport(), many(30, || message("Email"))).await;
    let (session, gate) = gated(&it, json!({ "maxConcurrency": 4, "batchSize": 10 }));
    let run = session.start();
    session.until_started(4).await;
    session.stop();
    session.until("what waits was sent back", |log| !log.commands.is_empty()).await;
    gate.add_permits(1000);
    let summary = run.await.unwrap();
    assert_eq!((summary.stopped_by, summary.drained), (StoppedBy::Signal, false));
    assert_eq!((summary.stats.succeeded, session.log(|log| log.started.len())), (4, 4));
    assert_eq!(summary.stats.claimed, 4 + summary.stats.released);
    assert!(session.aborts().is_empty());
    assert_eq!((it.finished().await, counts(&it.transport()).await), (4, (26, 0, 0)));
}

async fn forced_it_waits_for_nobody<S: Subject>(it: S) {
    put(&it.transport(), many(10, || message("Email"))).await;
    let session = Session::new(&it, json!({ "maxConcurrency": 3 }), hang);
    let run = session.start();
    session.until_started(3).await;
    let start = Instant::now();
    session.consumer.stop(StoppedBy::Stopped, true);
    let summary = run.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!((summary.stopped_by, session.aborts()), (StoppedBy::Stopped, vec!["force".to_owned()]));
    assert_eq!(summary.stats.released, summary.stats.claimed);
    assert_eq!(counts(&it.transport()).await, (10, 0, 0));
    assert!(Worker::of(&it.transport()).claim(10).await.iter().all(|it| (it.retry_count, it.crash_count) == (0, 0)));
}

async fn forcing_may_follow_asking<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let session = Session::new(&it, json!({}), hang);
    let run = session.start();
    session.until_started(3).await;
    session.stop();
    session.until("it was told to give back", |log| !log.commands.is_empty()).await;
    session.consumer.stop(StoppedBy::Stopped, true);
    assert_eq!(run.await.unwrap().stats.released, 3);
    assert_eq!(session.aborts(), ["force"]);
}

async fn what_hangs_is_aborted_after_the_shutdown_timeout<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let session = Session::new(&it, json!({ "shutdownTimeout": 200 }), hang);
    let run = session.start();
    session.until_started(3).await;
    let start = Instant::now();
    session.stop();
    let summary = run.await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!((summary.stats.released, session.aborts()), (3, vec!["signal".to_owned()]));
    assert_eq!(counts(&it.transport()).await, (3, 0, 0));
}

async fn a_late_outcome_is_refused<S: Subject>(it: S) {
    put(&it.transport(), many(1, || message("Email"))).await;
    let (session, gate) = gated(&it, json!({}));
    let run = session.start();
    session.until_started(1).await;
    session.consumer.stop(StoppedBy::Stopped, true);
    // Twice where a claim under way took it again, and gave it back.
    assert!(run.await.unwrap().stats.released >= 1);
    gate.add_permits(1);
    session.until("the late handler has ended", |log| log.running == 0).await;
    assert_eq!((it.finished().await, counts(&it.transport()).await), (0, (1, 0, 0)));
}

async fn stopped_before_it_runs_it_handles_nothing<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let session = Session::new(&it, json!({}), succeed);
    session.stop();
    let summary = session.run().await;
    assert_eq!((summary.stats.claimed, summary.stopped_by), (0, StoppedBy::Signal));
    assert_eq!(counts(&it.transport()).await, (3, 0, 0));
}

async fn the_first_reason_counts<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let (session, gate) = gated(&it, json!({}));
    let run = session.start();
    session.until_started(3).await;
    session.consumer.stop(StoppedBy::named("memoryLimit"), false);
    session.stop();
    gate.add_permits(3);
    assert_eq!(run.await.unwrap().stopped_by, StoppedBy::MemoryLimit);
}

/// Handlers whose environment has ended.
struct Gone;

impl Handlers for Gone {
    fn command(&self, _: String) -> bool {
        false
    }
}

async fn without_handlers_everything_goes_back<S: Subject>(it: S) {
    put(&it.transport(), many(20, || message("Email"))).await;
    let options = json!({ "mode": "drain", "transports": ["main"] }).to_string();
    let options = Options::read(&options, &it.engine().config()).unwrap();
    let summary = Consumer::new(it.engine().clone(), options, Arc::new(Gone), None).run().await.unwrap();
    assert_eq!((summary.stopped_by, summary.stats.succeeded), (StoppedBy::Stopped, 0));
    assert_eq!(summary.stats.claimed, summary.stats.released);
    assert_eq!(counts(&it.transport()).await, (20, 0, 0));
}
