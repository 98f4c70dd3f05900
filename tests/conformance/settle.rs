//! What each outcome does to a message.

use crate::support::kit::{
    ByHand, HOUR, MINUTE, STACK, WORKER, Worker, bury, counts, failure, ids, keyed, letters, many, message, put,
    put_one, release, retry, settlement, snooze,
};
use crate::support::subject::Subject;
use serde_json::{Value, json};
use std::time::Duration;
use symphony::message::claimed::Claimed;
use symphony::message::envelope::Envelope;
use symphony::message::outcome::{Failure, Outcome};
use symphony::store::dead_letters::FailedMessage;

for_drains! {
    a_completed_message_is_gone
    a_discarded_message_is_gone
    a_retry_waits_and_counts
    handlers_that_succeeded_are_remembered
    every_way_back_remembers_handlers
    a_buried_message_is_a_full_copy
    outcomes_of_every_kind_in_one_call
    a_thousand_outcomes_in_one_call
    outcomes_find_their_messages_in_any_order
    the_error_history_holds_the_last_twenty_runs
    an_error_may_hold_any_text
}

async fn claimed<S: Subject>(it: &S, envelope: Envelope) -> (Worker, Claimed) {
    put_one(&it.transport(), envelope).await;
    let worker = Worker::of(&it.transport());
    let message = worker.claim_one().await;
    (worker, message)
}

async fn a_completed_message_is_gone<S: Subject>(it: S) {
    let (worker, message) = claimed(&it, message("Email")).await;
    worker.settle(&message, Outcome::Completed).await;
    it.advance(HOUR).await;
    assert!(worker.claim(1).await.is_empty());
    assert_eq!(counts(&it.transport()).await, (0, 0, 0));
    assert_eq!(it.finished().await, 1);
    assert!(letters(&it.transport()).await.is_empty());
}

async fn a_discarded_message_is_gone<S: Subject>(it: S) {
    let (worker, message) = claimed(&it, message("Email")).await;
    worker.settle(&message, Outcome::Discarded { reason: "out of date".to_owned() }).await;
    it.advance(HOUR).await;
    assert!(worker.claim(1).await.is_empty());
    assert_eq!(it.finished().await, 1);
    assert!(letters(&it.transport()).await.is_empty());
}

async fn a_retry_waits_and_counts<S: Subject>(it: S) {
    let (worker, first) = claimed(&it, keyed("k")).await;
    worker.settle(&first, retry(MINUTE)).await;
    assert!(worker.claim(1).await.is_empty());
    assert_eq!(counts(&it.transport()).await, (0, 1, 0));
    it.advance(MINUTE).await;
    let second = worker.claim_one().await;
    assert_eq!((second.id, second.retry_count, second.crash_count), (first.id, 1, 0));
    assert_eq!((&second.body, &second.idempotency_key), (&first.body, &first.idempotency_key));
    assert_ne!(second.token, first.token);
}

async fn handlers_that_succeeded_are_remembered<S: Subject>(it: S) {
    let (worker, first) = claimed(&it, message("Email")).await;
    let names = vec!["index".to_owned(), "no\"ti'fy \\ 🦀".to_owned()];
    let failed = |handled| Outcome::Retry { delay: Duration::ZERO, failure: failure("no"), handled };
    worker.settle(&first, failed(names.clone())).await;
    let second = worker.claim_one().await;
    assert_eq!(second.handled, names);
    worker.settle(&second, release()).await;
    let third = worker.claim_one().await;
    assert_eq!(third.handled, names);
    worker.settle(&third, failed(Vec::new())).await;
    let fourth = worker.claim_one().await;
    assert_eq!(fourth.handled, names);
    worker.settle(&fourth, bury("no")).await;
    let letter = letters(&it.transport()).await.remove(0);
    assert_eq!(it.transport().kept().redrive(&[letter.id]).await.unwrap().len(), 1);
    assert_eq!(worker.claim_one().await.handled, names);
}

async fn every_way_back_remembers_handlers<S: Subject>(it: S) {
    let (worker, mut message) = claimed(&it, message("Email")).await;
    let names = |run: usize| (0..=run).map(|n| format!("handler {n}")).collect::<Vec<_>>();
    let ways: [fn(Vec<String>) -> Outcome; 4] = [
        |handled| Outcome::Retry { delay: Duration::ZERO, failure: failure("no"), handled },
        |handled| Outcome::Snooze { delay: Duration::ZERO, handled },
        |handled| Outcome::Release { delay: None, handled, ran: true },
        |handled| Outcome::Release { delay: Some(Duration::ZERO), handled, ran: true },
    ];
    for (run, back) in ways.into_iter().enumerate() {
        worker.settle(&message, back(names(run))).await;
        message = worker.claim_one().await;
        assert_eq!(message.handled, names(run));
    }
    worker.settle(&message, Outcome::Bury { failure: failure("no"), handled: names(4) }).await;
    let letter = letters(&it.transport()).await.remove(0);
    it.transport().kept().redrive(&[letter.id]).await.unwrap();
    assert_eq!(worker.claim_one().await.handled, names(4));
}

async fn a_buried_message_is_a_full_copy<S: Subject>(it: S) {
    let sent = Envelope {
        queue: "email".into(),
        priority: 8,
        headers: Some(r#"{"x":"1"}"#.into()),
        metadata: Some(r#"{"tenant":7}"#.into()),
        ..keyed("k")
    };
    let (worker, first) = claimed(&it, sent.clone()).await;
    worker.settle(&first, retry(Duration::ZERO)).await;
    let second = worker.claim_one().await;
    worker.settle(&second, bury("mailbox is full")).await;
    assert_eq!(counts(&it.transport()).await, (0, 0, 0));

    let letter = letters(&it.transport()).await.remove(0);
    assert_eq!((letter.message_id, &*letter.r#type, &*letter.queue), (sent.id, "Email", "email"));
    assert_eq!((&*letter.transport, letter.priority), (&**it.transport().name(), 8));
    assert_eq!((letter.retry_count, letter.crashes), (1, 0));
    assert_eq!((&*letter.error, letter.error_class.as_deref()), ("mailbox is full", Some("SmtpError")));
    assert_eq!(letter.idempotency_key.as_deref(), Some("k"));
    assert_eq!(letter.created_at, Some(second.created_at));
    let shown = serde_json::to_value(&letter).unwrap();
    assert_eq!(shown["payloadText"].as_str().map(|it| it.replace(' ', "")).as_deref(), Some(r#"{"to":"a@b.c"}"#));
    assert_eq!((&shown["headers"], &shown["metadata"]), (&json!({ "x": "1" }), &json!({ "tenant": 7 })));
    assert_eq!(messages(&letter), ["refused", "mailbox is full"]);
}

/// What the runs of a dead letter said, oldest first.
fn messages(letter: &FailedMessage) -> Vec<String> {
    let history: Vec<Value> = serde_json::from_str(letter.contents.history().unwrap().get()).unwrap();
    let complete = |run: &Value| run["class"] == "SmtpError" && run["at"].as_i64().is_some_and(|at| at > 0);
    let stacks = history.iter().filter(|run| run.get("stack").is_some()).count();
    assert_eq!(stacks, history.len().min(3), "{history:?}");
    assert!(history.iter().rev().take(3).all(|run| run["stack"] == STACK), "{history:?}");
    assert!(history.iter().all(|run| run["ms"] == 12 && run["worker"] == WORKER.to_string()), "{history:?}");
    assert!(history.iter().all(complete), "{history:?}");
    history.iter().map(|run| run["message"].as_str().unwrap().to_owned()).collect()
}

async fn outcomes_of_every_kind_in_one_call<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, many(7, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(10).await;
    let outcomes = [
        Outcome::Completed,
        retry(MINUTE),
        bury("no"),
        release(),
        Outcome::Discarded { reason: String::new() },
        Outcome::Release { delay: Some(HOUR), handled: vec![], ran: true },
        snooze(HOUR),
    ];
    let settlements: Vec<_> = claimed.iter().zip(outcomes).map(|(it, outcome)| settlement(it, outcome)).collect();
    assert!(worker.settle_all(&settlements).await.unwrap().is_empty());
    assert_eq!(it.finished().await, 2);
    assert_eq!(letters(&transport).await[0].message_id, sent[2]);
    assert_eq!(counts(&transport).await, (1, 3, 0));
    assert_eq!(ids(&worker.claim(10).await), [sent[3]]);
}

async fn a_thousand_outcomes_in_one_call<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(1000, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(1000).await;
    let settlements: Vec<_> = claimed.iter().map(|it| settlement(it, Outcome::Completed)).collect();
    assert!(worker.settle_all(&settlements).await.unwrap().is_empty());
    assert_eq!((counts(&transport).await, it.finished().await), ((0, 0, 0), 1000));
}

async fn outcomes_find_their_messages_in_any_order<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(50, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let own = |it: &Claimed| (failure(&it.id.to_string()), vec![it.id.to_string()]);
    for rounds in 0..3 {
        let mut claimed = worker.claim(50).await;
        fastrand::shuffle(&mut claimed);
        for message in claimed.iter().filter(|_| rounds > 0) {
            assert_eq!(message.handled, [message.id.to_string()]);
        }
        let outcome = |(failure, handled)| match rounds {
            0 => Outcome::Retry { delay: Duration::ZERO, failure, handled },
            1 => Outcome::Snooze { delay: Duration::ZERO, handled },
            _ => Outcome::Bury { failure, handled },
        };
        let settlements: Vec<_> = claimed.iter().map(|it| settlement(it, outcome(own(it)))).collect();
        assert!(worker.settle_all(&settlements).await.unwrap().is_empty());
    }
    let letters = letters(&transport).await;
    assert_eq!(letters.len(), 50);
    for letter in letters {
        let id = letter.message_id.to_string();
        assert_eq!(messages(&letter), [id.clone(), id.clone()]);
        assert!(letter.error.contains(&id), "{}", letter.error);
    }
}

async fn the_error_history_holds_the_last_twenty_runs<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let worker = Worker::of(&it.transport());
    for run in 0..23 {
        let message = worker.claim_one().await;
        let outcome =
            Outcome::Retry { delay: Duration::ZERO, failure: failure(&format!("run {run}")), handled: vec![] };
        worker.settle(&message, outcome).await;
    }
    let last = worker.claim_one().await;
    assert_eq!(last.retry_count, 23);
    worker.settle(&last, bury("run 23")).await;
    let wanted: Vec<_> = (4..24).map(|run| format!("run {run}")).collect();
    assert_eq!(messages(&letters(&it.transport()).await[0]), wanted);
}

async fn an_error_may_hold_any_text<S: Subject>(it: S) {
    let (worker, first) = claimed(&it, message("Email")).await;
    let text = "a \0 b \"' \\ \u{1} 🦀 \\u0000";
    let odd = || Failure { stack: Some(text.to_owned()), ..failure(text) };
    let retry = Outcome::Retry { delay: Duration::ZERO, failure: odd(), handled: vec!["a\0b".to_owned()] };
    worker.settle(&first, retry).await;
    let second = worker.claim_one().await;
    assert_eq!(second.handled.len(), 1);
    worker.settle(&second, Outcome::Bury { failure: odd(), handled: vec![] }).await;
    let letter = letters(&it.transport()).await.remove(0);
    let kept = |it: &str| it.contains(" b \"' \\ \u{1} 🦀 \\u0000");
    assert!(kept(&letter.error), "{}", letter.error);
    let history: Vec<Failure> = serde_json::from_str(letter.contents.history().unwrap().get()).unwrap();
    assert_eq!(history.len(), 2);
    assert!(history.iter().all(|run| kept(&run.message) && run.stack.as_deref().is_some_and(kept)), "{history:?}");
}
