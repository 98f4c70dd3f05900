//! Changing a message that waits, and what the audit says of what is done to one message.

use crate::support::kit::{HOUR, Worker, buried, delayed, message, put_one};
use crate::support::subject::{MAIN, Subject};
use serde_json::{Value, json};
use symphony::Error;
use symphony::message::edit::Edit;
use symphony::operate::{messages, operations};
use symphony::store::contents::Contents;
use symphony::store::controls::Because;
use symphony::store::messages::{KeptMessage, MessageStatus};
use symphony::store::operations::{AuditFilter, Entry};
use uuid::Uuid;

for_stores! {
    what_is_given_changes_and_nothing_else
    every_digit_stays
    one_that_is_made_due_is_claimed
    a_message_that_does_not_wait_stays_as_it_is
    what_a_dispatch_refuses_is_refused
    what_is_done_to_one_message_is_in_the_audit
}

async fn edit<S: Subject>(it: &S, id: Uuid, changes: &Value) -> Result<Option<(bool, MessageStatus)>, Error> {
    let text = changes.to_string();
    let edit: Edit<'_> = serde_json::from_str(&text).unwrap();
    messages::edit(it.engine(), id, edit, &by_ada()).await
}

fn by_ada() -> Because {
    let text = |it: &str| Some(it.to_owned());
    Because { actor: text("ada"), reason: text("a typing error"), role: text("admin") }
}

async fn get<S: Subject>(it: &S, id: Uuid) -> KeptMessage {
    messages::get(it.engine(), id).await.unwrap().unwrap()
}

fn payload(message: &KeptMessage) -> String {
    let Contents::Whole { payload_text, .. } = &message.contents else { panic!("an outline") };
    payload_text.get().replace(' ', "")
}

async fn audit<S: Subject>(it: &S) -> Vec<Entry> {
    operations::audit(it.engine(), &AuditFilter::default()).await.unwrap().entries
}

async fn what_is_given_changes_and_nothing_else<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, delayed(HOUR)).await;
    let before = get(&it, id).await;
    let changes = json!({ "priority": 9, "queue": "other", "maxRetries": 2 });
    assert_eq!(edit(&it, id, &changes).await.unwrap(), Some((true, MessageStatus::Pending)));
    let after = get(&it, id).await;
    assert_eq!((after.priority, &*after.queue, after.max_retries), (9, "other", Some(2)));
    assert_eq!((after.available_at, after.scheduled_at), (before.available_at, before.scheduled_at));
    assert_eq!((payload(&after), after.headers.get()), (payload(&before), before.headers.get()));
    let changes = json!({ "headers": { "tenant": "acme" }, "metadata": { "a": [1] } });
    assert_eq!(edit(&it, id, &changes).await.unwrap(), Some((true, MessageStatus::Pending)));
    let after = get(&it, id).await;
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(after.headers.get()), json!({ "tenant": "acme" }));
    assert_eq!(read(after.metadata.get()), json!({ "a": [1] }));
    assert_eq!((after.priority, payload(&after)), (9, payload(&before)));
}

async fn every_digit_stays<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, message("Email")).await;
    let text = r#"{"payload":{"n":12345678901234567890123,"tiny":0.10000000000000000001}}"#;
    let edit: Edit<'_> = serde_json::from_str(text).unwrap();
    messages::edit(it.engine(), id, edit, &by_ada()).await.unwrap();
    let digits = ["12345678901234567890123", "0.10000000000000000001"];
    let kept = payload(&get(&it, id).await);
    assert!(digits.iter().all(|it| kept.contains(it)), "{kept}");
    let claimed = Worker::of(&transport).claim_one().await;
    assert!(digits.iter().all(|it| claimed.body.contains(it)), "{}", claimed.body);
}

async fn one_that_is_made_due_is_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, delayed(HOUR)).await;
    let worker = Worker::of(&transport);
    assert!(worker.claim(10).await.is_empty());
    edit(&it, id, &json!({ "delay": 0, "queue": "urgent" })).await.unwrap();
    let claimed = worker.claim_one().await;
    assert_eq!((claimed.id, &*claimed.queue), (id, "urgent"));
}

async fn a_message_that_does_not_wait_stays_as_it_is<S: Subject>(it: S) {
    let transport = it.transport();
    let running = put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    let changes = json!({ "payload": { "other": true } });
    assert_eq!(edit(&it, running, &changes).await.unwrap(), Some((false, MessageStatus::Processing)));
    let letter = buried(&transport, message("Email")).await;
    assert_eq!(edit(&it, letter.message_id, &changes).await.unwrap(), Some((false, MessageStatus::Failed)));
    assert_eq!(edit(&it, Uuid::now_v7(), &changes).await.unwrap(), None);
    assert!(payload(&get(&it, running).await).contains("a@b.c"));
    assert!(audit(&it).await.is_empty(), "nothing was done");
}

async fn what_a_dispatch_refuses_is_refused<S: Subject>(it: S) {
    let id = put_one(&it.transport(), message("Email")).await;
    for changes in [
        json!({}),
        json!({ "payload": [1] }),
        json!({ "payload": { "a": "\0" } }),
        json!({ "headers": { "a": 1 } }),
        json!({ "priority": 0 }),
        json!({ "queue": "" }),
        json!({ "delay": -1 }),
        json!({ "delay": 1, "scheduledAt": 1 }),
    ] {
        assert!(edit(&it, id, &changes).await.is_err(), "{changes}");
    }
    let because = Because { actor: Some("a\0".to_owned()), ..Because::default() };
    let priority = Edit { priority: Some(1), ..Edit::default() };
    assert!(messages::edit(it.engine(), id, priority, &because).await.is_err());
    assert_eq!(get(&it, id).await.priority, 5);
}

async fn what_is_done_to_one_message_is_in_the_audit<S: Subject>(it: S) {
    let id = put_one(&it.transport(), message("Email")).await;
    edit(&it, id, &json!({ "payload": { "secret": "hunter2" }, "priority": 1 })).await.unwrap();
    messages::cancel(it.engine(), id, &by_ada()).await.unwrap();
    messages::cancel(it.engine(), id, &by_ada()).await.unwrap();
    let mut entries = audit(&it).await;
    entries.sort_by_key(|it| it.id);
    let actions: Vec<&str> = entries.iter().map(|it| &*it.action).collect();
    assert_eq!(actions, ["edit", "cancel"], "the second time nothing was cancelled, in {MAIN}");
    for entry in &entries {
        let Entry { actor, role, reason, done, ended, target, .. } = entry;
        let said = (actor.as_deref(), role.as_deref(), reason.as_deref());
        assert_eq!(said, (Some("ada"), Some("admin"), Some("a typing error")));
        assert_eq!((*done, ended.as_deref()), (1, Some("completed")));
        assert!(target.get().contains(&id.to_string()) && !target.get().contains("hunter2"), "{target}");
    }
    let target: Value = serde_json::from_str(entries[0].target.get()).unwrap();
    assert_eq!(target["operation"]["changed"], json!(["payload", "priority"]));
}
