//! An execution runs once, however often it is delivered.

use crate::support::kit::{HOUR, MINUTE};
use crate::support::subject::Subject;
use symphony::transport::execution::Execution;

for_stores! {
    an_execution_begins_once
    one_that_has_ended_never_begins_again
    one_that_failed_may_be_tried_again
    one_whose_process_died_may_be_tried_again
    each_route_has_its_own
    it_is_forgotten_after_a_day
}

fn execution(route: &str, id: &str) -> Execution {
    Execution { route: route.to_owned(), id: id.to_owned(), lease: MINUTE }
}

async fn an_execution_begins_once<S: Subject>(it: S) {
    let transport = it.transport();
    let begin = || {
        let transport = transport.clone();
        tokio::spawn(async move { transport.begin_execution(&execution("worker", "a")).await.unwrap() })
    };
    let tries: Vec<_> = (0..10).map(|_| begin()).collect();
    let mut begun = 0;
    for one in tries {
        begun += i32::from(one.await.unwrap());
    }
    assert_eq!(begun, 1);
    assert!(transport.begin_execution(&execution("worker", "b")).await.unwrap());
}

async fn one_that_has_ended_never_begins_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    assert!(transport.begin_execution(&one).await.unwrap());
    transport.end_execution(&one, true).await.unwrap();
    it.advance(HOUR).await;
    assert!(!transport.begin_execution(&one).await.unwrap());
}

async fn one_that_failed_may_be_tried_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    assert!(transport.begin_execution(&one).await.unwrap());
    transport.end_execution(&one, false).await.unwrap();
    assert!(transport.begin_execution(&one).await.unwrap());
    assert!(!transport.begin_execution(&one).await.unwrap());
}

async fn one_whose_process_died_may_be_tried_again<S: Subject>(it: S) {
    let (transport, one) = (it.transport(), execution("worker", "a"));
    assert!(transport.begin_execution(&one).await.unwrap());
    it.advance(MINUTE / 2).await;
    assert!(!transport.begin_execution(&one).await.unwrap());
    it.advance(MINUTE).await;
    assert!(transport.begin_execution(&one).await.unwrap());
}

async fn each_route_has_its_own<S: Subject>(it: S) {
    let transport = it.transport();
    assert!(transport.begin_execution(&execution("worker", "a")).await.unwrap());
    assert!(transport.begin_execution(&execution("scheduler", "a")).await.unwrap());
}

async fn it_is_forgotten_after_a_day<S: Subject>(it: S) {
    let transport = it.transport();
    for id in ["a", "b", "c"] {
        transport.begin_execution(&execution("worker", id)).await.unwrap();
    }
    it.advance(23 * HOUR).await;
    assert_eq!(transport.cleanup(10).await.unwrap().executions, 0);
    it.advance(2 * HOUR).await;
    for gone in [2, 1, 0] {
        assert_eq!(transport.cleanup(2).await.unwrap().executions, gone);
    }
}
