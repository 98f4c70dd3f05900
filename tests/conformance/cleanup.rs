//! What its retention no longer covers goes, in bounded steps.

use crate::support::kit::{ByHand, HOUR, Worker, buried, keyed, letters, many, message, put, settlement};
use crate::support::subject::{Postgres, Subject, check};
use serde_json::json;
use symphony::message::outcome::Outcome;
use symphony::store::Cleaned;

for_drains! {
    keys_past_their_window_go
    no_more_than_the_limit_goes_at_once
    an_empty_store_is_clean
}

async fn keys_past_their_window_go<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![keyed("a"), keyed("b")]).await;
    it.advance(HOUR / 2).await;
    put(&transport, vec![keyed("c")]).await;
    assert_eq!(transport.kept().cleanup(100).await.unwrap(), Cleaned::default());
    it.advance(HOUR * 2 / 3).await;
    assert_eq!(transport.kept().cleanup(100).await.unwrap(), Cleaned { deduplication: 2, ..Cleaned::default() });
    transport.send(&[keyed("c")]).await.unwrap();
    assert_eq!(transport.kept().duplicate_attempts("c").await.unwrap(), 1, "this one is still inside");
}

async fn no_more_than_the_limit_goes_at_once<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, (0..5).map(|n| keyed(&n.to_string())).collect()).await;
    it.advance(2 * HOUR).await;
    for gone in [2, 2, 1, 0] {
        assert_eq!(transport.kept().cleanup(2).await.unwrap().deduplication, gone);
    }
}

async fn an_empty_store_is_clean<S: Subject>(it: S) {
    assert_eq!(it.transport().kept().cleanup(10).await.unwrap(), Cleaned::default());
}

/// Finishes some messages and buries one more.
async fn finish<S: Subject>(it: &S, count: usize) {
    let transport = it.transport();
    put(&transport, many(count, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(count).await;
    let done: Vec<_> = claimed.iter().map(|it| settlement(it, Outcome::Completed)).collect();
    assert!(worker.settle_all(&done).await.unwrap().is_empty());
    buried(&transport, message("Email")).await;
}

#[test]
fn postgres_keeps_what_is_finished_as_long_as_it_is_told() {
    let retention = json!({ "retention": { "completed": "1h", "failed": "3h" } });
    check(retention, |it: Postgres| async move {
        finish(&it, 3).await;
        let transport = it.transport();
        assert_eq!(transport.kept().cleanup(100).await.unwrap(), Cleaned::default());
        it.advance(2 * HOUR).await;
        finish(&it, 1).await;
        for completed in [2, 1, 0] {
            assert_eq!(transport.kept().cleanup(2).await.unwrap(), Cleaned { completed, ..Cleaned::default() });
        }
        assert_eq!((it.finished().await, letters(&transport).await.len()), (1, 2));
        it.advance(2 * HOUR).await;
        assert_eq!(
            transport.kept().cleanup(100).await.unwrap(),
            Cleaned { completed: 1, failed: 1, ..Cleaned::default() }
        );
        assert_eq!((it.finished().await, letters(&transport).await.len()), (0, 1));
    });
}

#[test]
fn postgres_keeps_forever_what_it_is_told_to() {
    let retention = json!({ "retention": { "completed": "forever", "failed": "forever" } });
    check(retention, |it: Postgres| async move {
        finish(&it, 3).await;
        it.advance(10_000 * HOUR).await;
        assert_eq!(it.transport().kept().cleanup(100).await.unwrap(), Cleaned::default());
        assert_eq!(it.finished().await, 3);
    });
}

#[test]
fn postgres_keeps_no_trace_where_none_is_wanted() {
    let retention = json!({ "retention": { "completed": "none" } });
    check(retention, |it: Postgres| async move {
        finish(&it, 3).await;
        assert_eq!((it.finished().await, letters(&it.transport()).await.len()), (0, 1));
        let again = Worker::of(&it.transport()).claim(10).await;
        assert!(again.is_empty());
        assert_eq!(it.transport().kept().cleanup(100).await.unwrap(), Cleaned::default());
    });
}
