//! What is paused is not claimed, by anybody, and comes when it is resumed.

use crate::support::kit::{ByHand, HOUR, MINUTE, Worker, counts, message, put, put_one, queued_in, survey_of};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use symphony::message::envelope::Envelope;
use symphony::operate::pauses::{self, Options};
use symphony::store::controls::{Because, Scope, Until};
use symphony::transport::{Claim, Claimable, Drain, Reach};
use uuid::Uuid;

for_drains! {
    nothing_of_a_paused_transport_is_claimed
    the_other_queues_go_on
    the_other_types_go_on
    all_that_is_named_has_to_fit
    a_pause_of_another_transport_means_nothing
    dispatches_go_on
    a_pause_ends_by_itself
    pausing_again_says_why_and_keeps_since_when
    only_the_pause_that_is_named_ends
    health_says_what_is_paused
    ;
    paused_suspects_stay
}

fn scope(transport: Option<&str>, queue: Option<&str>, message_type: Option<&str>) -> Scope {
    let [transport, queue, r#type] = [transport, queue, message_type].map(|it| it.map(str::to_owned));
    Scope { transport, queue, r#type }
}

fn by(actor: &str, reason: &str) -> Because {
    Because { actor: Some(actor.to_owned()), reason: Some(reason.to_owned()), ..Because::default() }
}

async fn pause(transport: &Arc<dyn Drain>, scope: &Scope) {
    transport.kept().pause(scope, &Because::default(), Until::Resumed).await.unwrap();
}

async fn resume(transport: &Arc<dyn Drain>, scope: &Scope) {
    transport.kept().resume(scope, &Because::default()).await.unwrap().expect("it was paused");
}

/// Claims whatever can be claimed; the types that came.
async fn claimed(transport: &Arc<dyn Drain>, limit: usize) -> Vec<String> {
    let worker = Worker::of(transport);
    let found = worker.claim(limit).await;
    let mut types: Vec<String> = found.iter().map(|it| it.message_type.clone()).collect();
    types.sort();
    worker.release(&found.iter().map(|it| (it.id, it.token)).collect::<Vec<_>>()).await.unwrap();
    types
}

async fn nothing_of_a_paused_transport_is_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![message("A"), queued_in("b")]).await;
    let all = scope(Some(MAIN), None, None);
    pause(&transport, &all).await;
    for limit in [1, 10, 100] {
        assert!(claimed(&transport, limit).await.is_empty());
    }
    resume(&transport, &all).await;
    assert_eq!(claimed(&transport, 10).await, ["A", "Email"]);
}

async fn the_other_queues_go_on<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![message("A"), queued_in("bulk"), queued_in("other")]).await;
    let bulk = scope(None, Some("bulk"), None);
    pause(&transport, &bulk).await;
    for limit in [10, 100] {
        assert_eq!(claimed(&transport, limit).await, ["A", "Email"]);
    }
    assert!(Worker::of(&transport).claim_from(&["bulk"], None, 10).await.is_empty());
    resume(&transport, &bulk).await;
    assert_eq!(claimed(&transport, 10).await, ["A", "Email", "Email"]);
}

async fn the_other_types_go_on<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![message("A"), message("A"), message("B")]).await;
    let first = scope(None, None, Some("A"));
    pause(&transport, &first).await;
    for limit in [1, 10, 100] {
        // A broker hands out what came first, and gets it back for a moment.
        let mut found = BTreeSet::new();
        for _ in 0..3 {
            found.extend(claimed(&transport, limit).await);
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["B"]);
        it.advance(MINUTE).await;
    }
    resume(&transport, &first).await;
    assert_eq!(claimed(&transport, 10).await, ["A", "A", "B"]);
}

async fn all_that_is_named_has_to_fit<S: Subject>(it: S) {
    let transport = it.transport();
    let in_queue = |kind: &str, queue: &str| Envelope { queue: queue.into(), ..message(kind) };
    put(&transport, vec![in_queue("A", "q"), in_queue("A", "r"), in_queue("B", "q")]).await;
    pause(&transport, &scope(Some(MAIN), Some("q"), Some("A"))).await;
    assert_eq!(claimed(&transport, 10).await, ["A", "B"]);
    assert_eq!(claimed(&transport, 100).await, ["A", "B"]);
}

async fn a_pause_of_another_transport_means_nothing<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![message("A"), queued_in("q")]).await;
    for other in [scope(Some(OTHER), None, None), scope(Some(OTHER), Some("q"), None), scope(None, Some("Q"), None)] {
        pause(&transport, &other).await;
    }
    assert_eq!(claimed(&transport, 10).await, ["A", "Email"]);
}

async fn dispatches_go_on<S: Subject>(it: S) {
    let transport = it.transport();
    let all = scope(Some(MAIN), None, None);
    pause(&transport, &all).await;
    put(&transport, vec![message("A"), queued_in("q")]).await;
    assert_eq!(survey_of(&transport).await.queues, ["default", "q"]);
    assert_eq!(counts(&transport).await, (2, 0, 0));
}

async fn a_pause_ends_by_itself<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("A")).await;
    let paused = transport.kept().pause(&scope(None, None, Some("A")), &Because::default(), Until::For(HOUR)).await;
    let paused = paused.unwrap();
    assert_eq!(paused.until.unwrap() - paused.since.unwrap(), chrono::TimeDelta::hours(1));
    assert!(claimed(&transport, 10).await.is_empty());
    assert_eq!(transport.kept().pauses().await.unwrap(), std::slice::from_ref(&paused));
    it.advance(2 * HOUR).await;
    assert_eq!(claimed(&transport, 10).await, ["A"]);
    assert!(transport.kept().pauses().await.unwrap().is_empty());
    assert!(transport.kept().resume(&paused.scope, &Because::default()).await.unwrap().is_none());
}

async fn pausing_again_says_why_and_keeps_since_when<S: Subject>(it: S) {
    let store = it.transport().kept();
    let bulk = scope(None, Some("bulk"), None);
    store.pause(&bulk, &by("ada", "provider down"), Until::Resumed).await.unwrap();
    it.advance(HOUR).await;
    let first = store.pauses().await.unwrap().remove(0);
    let again = store.pause(&bulk, &by("bob", "still down"), Until::For(HOUR)).await.unwrap();
    assert_eq!((again.since, again.because), (first.since, by("bob", "still down")));
    it.advance(2 * HOUR).await;
    let anew = store.pause(&bulk, &Because::default(), Until::Resumed).await.unwrap();
    assert!(anew.since > first.since, "the one before was over");
}

async fn only_the_pause_that_is_named_ends<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, queued_in("q")).await;
    let (queue, both) = (scope(None, Some("q"), None), scope(Some(MAIN), Some("q"), None));
    pause(&transport, &queue).await;
    pause(&transport, &both).await;
    resume(&transport, &queue).await;
    assert!(claimed(&transport, 10).await.is_empty());
    resume(&transport, &both).await;
    assert_eq!(claimed(&transport, 10).await, ["Email"]);
    assert!(transport.kept().resume(&both, &Because::default()).await.unwrap().is_none());
}

async fn health_says_what_is_paused<S: Subject>(it: S) {
    let store = it.transport().kept();
    store.pause(&scope(None, Some("bulk"), None), &by("ada", "provider down"), Until::For(HOUR)).await.unwrap();
    assert_eq!(millis(store.vitals().await.unwrap().pauses), millis(store.pauses().await.unwrap()));
    assert_eq!(store.vitals().await.unwrap().pauses.len(), 1);
}

/// As JSON has them, in milliseconds.
fn millis(pauses: Vec<symphony::store::controls::Pause>) -> serde_json::Value {
    serde_json::to_value(pauses).unwrap()
}

async fn paused_suspects_stay<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, queued_in("q")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(HOUR).await;
    transport.rescue().await.unwrap();
    for paused in [scope(None, Some("q"), None), scope(None, None, Some("Email")), scope(Some(MAIN), None, None)] {
        pause(&transport, &paused).await;
        assert!(!survey_of(&transport).await.suspects, "a drain would look for it again and again");
        assert!(Worker::of(&transport).claim_suspect().await.is_none());
        resume(&transport, &paused).await;
    }
    assert!(survey_of(&transport).await.suspects);
    assert!(Worker::of(&transport).claim_suspect().await.is_some());
}

#[test]
fn another_process_takes_nothing_from_the_moment_on_and_who_waits_is_woken() {
    check(json!({}), |it: Postgres| async move {
        let (transport, other) = (it.transport(), it.in_another_process().await);
        let worker = Worker::of(&other);
        put_one(&transport, message("A")).await;
        let paused = Options { queue: Some("default".to_owned()), ..Options::default() };
        pauses::pause(it.engine(), paused.clone()).await.unwrap();
        let mut announced = it.schema.announcements().await;
        // It listens, finds nothing, and is marked as waiting.
        let claim = Claim {
            worker: &worker.id,
            token: Uuid::now_v7(),
            queues: &["default".to_owned()],
            types: None,
            limit: 10,
            reach: Reach::Exhaustive,
            listening: true,
        };
        assert!(other.claim(&claim).await.unwrap().is_empty());
        let resumed = pauses::resume(it.engine(), paused).await.unwrap();
        assert!(resumed.is_some());
        assert_eq!(announced.recv().await.unwrap(), MAIN);
        assert_eq!(worker.claim(10).await.len(), 1);
        let names = [MAIN.into()];
        assert_eq!(other.survey(&names, Claimable::default(), None).await.unwrap().surveys.len(), 1);
    });
}

#[test]
fn who_paused_and_resumed_is_written_down() {
    check(json!({}), |it: Postgres| async move {
        let bulk = |actor: &str| Options {
            transport: Some(MAIN.to_owned()),
            queue: Some("bulk".to_owned()),
            actor: Some(actor.to_owned()),
            reason: Some("provider down".to_owned()),
            ..Options::default()
        };
        pauses::pause(it.engine(), bulk("ada")).await.unwrap();
        pauses::resume(it.engine(), bulk("bob")).await.unwrap();
        pauses::resume(it.engine(), bulk("eve")).await.unwrap();
        let sql =
            "SELECT concat_ws(' ', actor, action, target ->> 'transport', target ->> 'queue', done, reason, ended)
                   FROM {s}.messenger_audit ORDER BY at, id";
        let said: Vec<String> = it.schema.column(sql, &[]).await;
        let who = |actor: &str, action: &str| format!("{actor} {action} main bulk 1 provider down completed");
        assert_eq!(said, [who("ada", "pause"), who("bob", "resume")], "eve has changed nothing");
    });
}

#[test]
fn the_audit_goes_after_its_retention_and_lapsed_pauses_go() {
    check(json!({ "retention": { "audit": "3h" } }), |it: Postgres| async move {
        let store = it.transport().kept();
        store.pause(&scope(None, Some("q"), None), &Because::default(), Until::For(HOUR)).await.unwrap();
        let left = async || {
            let sql = "SELECT (SELECT count(*) FROM {s}.messenger_controls) * 10 + count(*) FROM {s}.messenger_audit";
            it.schema.value::<i64>(sql).await
        };
        assert_eq!((store.cleanup(10).await.unwrap().audit, left().await), (0, 11));
        it.advance(2 * HOUR).await;
        assert_eq!((store.cleanup(10).await.unwrap().audit, left().await), (0, 1));
        it.advance(2 * HOUR).await;
        assert_eq!((store.cleanup(10).await.unwrap().audit, left().await), (1, 0));
    });
}
