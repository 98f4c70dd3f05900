//! A bounded drain handles everything that is due, and then ends.

use crate::session::{Session, fail, succeed};
use crate::support::kit::{HOUR, buried, counts, delayed, many, message, put, put_one, queued_in, urgent};
use crate::support::subject::{MAIN, OTHER, Subject};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use symphony::dispatcher::dispatch;
use symphony::message::envelope::Envelope;
use symphony::operate::operations::{Asked, run};
use symphony::store::operations::Action;
use symphony::transport::Drain;
use symphony::worker::StoppedBy;

for_workers! {
    everything_is_handled_once
    nothing_is_drained_at_once
    as_many_run_at_once_as_asked_for
    the_most_urgent_start_first
    transports_are_drained_in_the_order_given
    all_transports_are_drained_where_none_is_named
    only_the_queues_asked_for_are_drained
    queues_take_turns_however_long_a_claim_is_away_from_the_last
    queues_take_turns_over_invocations_with_a_message_limit
    queues_that_are_named_come_in_that_order
    messages_of_unknown_types_stay_untouched
    future_messages_are_left
    messages_sent_by_handlers_are_handled_too
    dead_letters_that_handlers_put_back_are_handled_too
    messages_put_off_for_no_time_are_handled_again
    one_that_fails_stops_no_other
    two_consumers_share_the_work
}

async fn everything_is_handled_once<S: Subject>(it: S) {
    let sent = put(&it.transport(), many(250, || message("Email"))).await;
    let session = Session::new(&it, json!({ "batchSize": 20 }), succeed);
    let summary = session.run().await;
    assert_eq!((summary.stats.claimed, summary.stats.succeeded, summary.stats.runs), (250, 250, 250));
    assert_eq!((summary.drained, summary.stopped_by, summary.queue_depth), (true, StoppedBy::Empty, 0));
    assert_eq!(summary.stats.in_flight, 0);
    assert_eq!(session.started("id").into_iter().collect::<HashSet<_>>().len(), sent.len());
    assert_eq!((it.finished().await, counts(&it.transport()).await), (250, (0, 0, 0)));
}

async fn nothing_is_drained_at_once<S: Subject>(it: S) {
    let summary = Session::new(&it, json!({}), succeed).run().await;
    assert_eq!((summary.stats.claimed, summary.drained, summary.stopped_by), (0, true, StoppedBy::Empty));
}

async fn as_many_run_at_once_as_asked_for<S: Subject>(it: S) {
    put(&it.transport(), many(21, || message("Email"))).await;
    let running = Arc::new(tokio::sync::Barrier::new(7));
    let session = Session::new(&it, json!({ "maxConcurrency": 7, "batchSize": 4 }), move |_| {
        let running = running.clone();
        async move {
            running.wait().await;
            Value::Null
        }
    });
    assert_eq!(session.run().await.stats.succeeded, 21);
    assert_eq!(session.log(|log| log.most), 7);
}

async fn the_most_urgent_start_first<S: Subject>(it: S) {
    let sent = put(&it.transport(), [3, 9, 5, 10, 1, 9].map(urgent).into()).await;
    let session = Session::new(&it, json!({ "maxConcurrency": 1 }), succeed);
    session.run().await;
    let order = [3, 1, 5, 2, 0, 4].map(|n: usize| sent[n].to_string());
    assert_eq!(session.started("id"), order);
}

/// Two messages in each transport.
async fn put_in_both<S: Subject>(it: &S) -> Arc<dyn Drain> {
    let other = it.engine().transport(OTHER).await.unwrap().drain().unwrap();
    put(&it.transport(), many(2, || urgent(10))).await;
    put(&other, many(2, || Envelope { transport: OTHER.into(), ..urgent(1) })).await;
    other
}

async fn transports_are_drained_in_the_order_given<S: Subject>(it: S) {
    for batch_size in [1, 3, 10] {
        put_in_both(&it).await;
        let options = json!({ "transports": [OTHER, MAIN], "maxConcurrency": 1, "batchSize": batch_size });
        let session = Session::new(&it, options, succeed);
        assert_eq!(session.run().await.stats.succeeded, 4);
        assert_eq!(session.started("transport"), [OTHER, OTHER, MAIN, MAIN]);
    }
}

async fn all_transports_are_drained_where_none_is_named<S: Subject>(it: S) {
    put_in_both(&it).await;
    let session = Session::new(&it, json!({ "transports": [] }), succeed);
    assert_eq!(session.run().await.stats.succeeded, 4);
}

async fn only_the_queues_asked_for_are_drained<S: Subject>(it: S) {
    put(&it.transport(), ["a", "b", "c", "a"].map(queued_in).into()).await;
    let options = json!({ "queues": ["c", "a", "nowhere"], "maxConcurrency": 1 });
    let session = Session::new(&it, options, succeed);
    let summary = session.run().await;
    assert_eq!(session.started("queue"), ["c", "a", "a"]);
    assert!(summary.drained);
    assert_eq!(counts(&it.transport()).await, (1, 0, 0));
}

fn queued(queue: &str, count: usize) -> Vec<Envelope> {
    many(count, || queued_in(queue))
}

async fn queues_take_turns_however_long_a_claim_is_away_from_the_last<S: Subject>(it: S) {
    put(&it.transport(), [queued("a", 40), queued("b", 40)].concat()).await;
    let options = json!({ "batchSize": 4, "maxConcurrency": 4, "messageLimit": 24 });
    // Longer than a survey holds, so that there is one before each claim.
    let session = Session::new(&it, options, |_| async {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        Value::Null
    });
    assert_eq!(session.run().await.stats.succeeded, 24);
    let of_b = session.started("queue").iter().filter(|queue| *queue == "b").count();
    assert_eq!(of_b, 12);
}

async fn queues_take_turns_over_invocations_with_a_message_limit<S: Subject>(it: S) {
    put(&it.transport(), [queued("a", 80), queued("b", 80), queued("c", 80)].concat()).await;
    let mut served = HashSet::new();
    // That one of the three is never first in forty has a chance of one in four million.
    for _ in 0..40 {
        let session = Session::new(&it, json!({ "batchSize": 2, "messageLimit": 2 }), succeed);
        assert_eq!(session.run().await.stats.succeeded, 2);
        served.extend(session.started("queue"));
    }
    assert_eq!(served.len(), 3, "{served:?}");
}

async fn queues_that_are_named_come_in_that_order<S: Subject>(it: S) {
    put(&it.transport(), [queued("a", 6), queued("b", 6), queued("c", 6)].concat()).await;
    let options = json!({ "queues": ["c", "a"], "batchSize": 2, "maxConcurrency": 1 });
    let session = Session::new(&it, options, succeed);
    assert_eq!(session.run().await.stats.succeeded, 12);
    assert_eq!(session.started("queue"), [vec!["c"; 6], vec!["a"; 6]].concat());
}

async fn messages_of_unknown_types_stay_untouched<S: Subject>(it: S) {
    put(&it.transport(), ["Sms", "Email", "Sms", "Email"].map(message).into()).await;
    let session = Session::new(&it, json!({ "types": ["Email", "Push"] }), succeed);
    let summary = session.run().await;
    assert_eq!(session.started("type"), ["Email", "Email"]);
    assert_eq!((summary.drained, summary.queue_depth, summary.stats.released), (true, 2, 0));

    let session = Session::new(&it, json!({ "types": null }), succeed);
    session.run().await;
    assert!(session.log(|log| log.started.iter().all(|it| it["retryCount"] == 0)));
    assert_eq!(session.started("type"), ["Sms", "Sms"]);
}

async fn future_messages_are_left<S: Subject>(it: S) {
    put(&it.transport(), vec![delayed(HOUR), message("Email")]).await;
    let summary = Session::new(&it, json!({}), succeed).run().await;
    assert_eq!((summary.stats.claimed, summary.drained, summary.queue_depth), (1, true, 0));
    assert_eq!(counts(&it.transport()).await, (0, 1, 0));
}

async fn messages_sent_by_handlers_are_handled_too<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let (engine, sent) = (it.engine().clone(), Arc::new(AtomicUsize::new(0)));
    let session = Session::new(&it, json!({}), move |_| {
        let (engine, count) = (engine.clone(), sent.fetch_add(1, Ordering::Relaxed));
        async move {
            if count < 20 {
                let request = json!([{ "type": "Email", "payload": {}, "options": { "transport": MAIN } }]).to_string();
                dispatch(&engine, &request).await.unwrap().remove(0).unwrap();
            }
            Value::Null
        }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.drained, summary.queue_depth), (21, true, 0));
}

async fn dead_letters_that_handlers_put_back_are_handled_too<S: Subject>(it: S) {
    let letter = buried(&it.transport(), message("Email")).await;
    put_one(&it.transport(), message("Sms")).await;
    let engine = it.engine().clone();
    let session = Session::new(&it, json!({}), move |message| {
        let (engine, asked) = (engine.clone(), Asked { ids: Some(vec![letter.id]), ..Asked::all(Action::Retry) });
        async move {
            if message.text("type") == "Sms" {
                assert_eq!(run(&engine, &asked).await.unwrap().len(), 1);
            }
            Value::Null
        }
    });
    assert_eq!(session.run().await.stats.succeeded, 2);
}

async fn messages_put_off_for_no_time_are_handled_again<S: Subject>(it: S) {
    put(&it.transport(), many(3, || message("Email"))).await;
    let runs = AtomicUsize::new(0);
    let session = Session::new(&it, json!({}), move |_| {
        let first = runs.fetch_add(1, Ordering::Relaxed) < 3;
        async move { if first { json!({ "as": "snoozed", "delay": 0 }) } else { Value::Null } }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.stats.snoozed, summary.drained), (3, 3, true));
}

async fn one_that_fails_stops_no_other<S: Subject>(it: S) {
    put(&it.transport(), (0..20).map(|n| message(if n % 4 == 0 { "Bad" } else { "Good" })).collect()).await;
    let session = Session::new(&it, json!({ "batchSize": 7 }), |message| async move {
        if message.text("type") == "Bad" { fail(message).await } else { Value::Null }
    });
    let summary = session.run().await;
    assert_eq!((summary.stats.succeeded, summary.stats.retried, summary.drained), (15, 5, true));
    assert_eq!(counts(&it.transport()).await, (0, 5, 0));
}

async fn two_consumers_share_the_work<S: Subject>(it: S) {
    put(&it.transport(), many(300, || message("Email"))).await;
    let (one, two) = (Session::new(&it, json!({}), succeed), Session::new(&it, json!({}), succeed));
    let (first, second) = tokio::join!(one.run(), two.run());
    assert_eq!(first.stats.succeeded + second.stats.succeeded, 300);
    assert_eq!(first.stats.lost + second.stats.lost, 0);
    let all = [one.started("id"), two.started("id")].concat();
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 300);
}
