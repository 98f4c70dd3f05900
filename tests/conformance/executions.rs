//! An execution runs once, however often it is delivered.

use crate::support::kit::{ByHand, HOUR, MINUTE};
use crate::support::subject::Subject;
use std::sync::Arc;
use std::time::Duration;
use symphony::store::executions::{Begun, Execution};
use symphony::transport::Drain;

for_drains! {
    an_execution_begins_once
    one_that_has_ended_never_begins_again
    one_that_failed_may_be_tried_again
    one_whose_process_died_may_be_tried_again
    one_that_runs_says_for_how_long_at_most
    a_run_that_was_replaced_ends_nothing
    a_run_ends_once
    each_route_has_its_own
    it_is_forgotten_after_a_day
}

fn execution(route: &str, id: &str) -> Execution {
    Execution { route: route.to_owned(), id: id.to_owned(), lease: MINUTE }
}

async fn begin(transport: &Arc<dyn Drain>, execution: &Execution) -> Begun {
    transport.kept().begin_execution(execution).await.unwrap()
}

/// The token of a run that begins.
async fn run(transport: &Arc<dyn Drain>, execution: &Execution) -> i64 {
    match begin(transport, execution).await {
        Begun::Runs(token) => token,
        other => panic!("it should run, and is {other:?}"),
    }
}

fn is_busy(begun: Begun) -> bool {
    matches!(begun, Begun::Busy(left) if left > Duration::ZERO && left <= MINUTE)
}

async fn an_execution_begins_once<S: Subject>(it: S) {
    let transport = it.transport();
    let begin_one = || {
        let transport = transport.clone();
        tokio::spawn(async move { begin(&transport, &execution("worker", "a")).await })
    };
    let tries: Vec<_> = (0..10).map(|_| begin_one()).collect();
    let (mut begun, mut busy) = (0, 0);
    for one in tries {
        match one.await.unwrap() {
            Begun::Runs(_) => begun += 1,
            other if is_busy(other) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((begun, busy), (1, 9));
    run(&transport, &execution("worker", "b")).await;
}

async fn one_that_has_ended_never_begins_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    let token = run(&transport, &one).await;
    assert!(transport.kept().end_execution(&one, token, true).await.unwrap());
    it.advance(HOUR).await;
    assert_eq!(begin(&transport, &one).await, Begun::Done);
}

async fn one_that_failed_may_be_tried_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    let token = run(&transport, &one).await;
    assert!(transport.kept().end_execution(&one, token, false).await.unwrap());
    run(&transport, &one).await;
    assert!(is_busy(begin(&transport, &one).await));
}

async fn one_whose_process_died_may_be_tried_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    run(&transport, &one).await;
    it.advance(MINUTE / 2).await;
    assert!(is_busy(begin(&transport, &one).await));
    it.advance(MINUTE).await;
    run(&transport, &one).await;
}

async fn one_that_runs_says_for_how_long_at_most<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    run(&transport, &one).await;
    it.advance(MINUTE / 2).await;
    let Begun::Busy(left) = begin(&transport, &one).await else { panic!("it runs") };
    assert!(left > Duration::ZERO && left <= MINUTE / 2, "{left:?}");
}

async fn a_run_that_was_replaced_ends_nothing<S: Subject>(it: S) {
    for done in [true, false] {
        let (transport, one) = (it.transport(), execution("worker", &format!("{done}")));
        let late = run(&transport, &one).await;
        it.advance(2 * MINUTE).await;
        let second = run(&transport, &one).await;
        assert_ne!(late, second);
        assert!(!transport.kept().end_execution(&one, late, done).await.unwrap());
        assert!(is_busy(begin(&transport, &one).await), "the second run is not over when the first one ends");
        assert!(transport.kept().end_execution(&one, second, true).await.unwrap());
        assert_eq!(begin(&transport, &one).await, Begun::Done);
    }
}

async fn a_run_ends_once<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    let token = run(&transport, &one).await;
    assert!(transport.kept().end_execution(&one, token, true).await.unwrap());
    assert!(!transport.kept().end_execution(&one, token, false).await.unwrap());
    assert_eq!(begin(&transport, &one).await, Begun::Done);
}

async fn each_route_has_its_own<S: Subject>(it: S) {
    let transport = it.transport();
    run(&transport, &execution("worker", "a")).await;
    run(&transport, &execution("scheduler", "a")).await;
}

async fn it_is_forgotten_after_a_day<S: Subject>(it: S) {
    let transport = it.transport();
    for id in ["a", "b", "c"] {
        run(&transport, &execution("worker", id)).await;
    }
    it.advance(23 * HOUR).await;
    assert_eq!(transport.kept().cleanup(10).await.unwrap().executions, 0);
    it.advance(2 * HOUR).await;
    for gone in [2, 1, 0] {
        assert_eq!(transport.kept().cleanup(2).await.unwrap().executions, gone);
    }
}
