//! An operation acts on what matched when it began, in steps, each of which counts what it has done.

use crate::support::kit::{
    ByHand, HOUR, MINUTE, Worker, buried, counts, delayed, letters, many, message, put, put_one, queued_in, survey_of,
    urgent,
};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use chrono::{TimeDelta, Utc};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Arc;
use symphony::Error;
use symphony::message::envelope::Envelope;
use symphony::operate::messages;
use symphony::operate::operations::{Asked, abort, audit, get, preview, run, start, step};
use symphony::store::controls::Because;
use symphony::store::messages::{MessageFilter, MessageStatus};
use symphony::store::operations::{Action, AuditFilter, Begin, Entry, Selection, Target, Turn};
use symphony::transport::{Claim, Drain, Reach, Sent};
use uuid::Uuid;

for_stores! {
    retry_puts_letters_back
    remove_deletes_letters
    cancel_ends_what_waits_and_frees_its_key
    snooze_says_when_it_is_due
    move_changes_queue_and_priority
    a_preview_counts_and_does_nothing
    what_comes_later_is_not_among_them
    spans_in_a_query_are_counted_from_the_beginning
    a_step_is_bounded_and_the_next_goes_on
    a_step_that_is_sent_twice_is_done_once
    eight_at_once_do_it_once
    what_is_claimed_meanwhile_is_skipped
    one_that_is_aborted_does_nothing_more
    an_operation_begins_once
    what_matches_by_mistake_is_refused
    the_audit_is_read_page_by_page
    nothing_that_matches_is_an_operation_that_is_over
}

const SNOOZE: Action = Action::Snooze { delay: 3_600_000 };

fn asked(operation: Action, filter: serde_json::Value) -> Asked {
    let filter = Some(RawValue::from_string(filter.to_string()).unwrap());
    Asked { filter, ..Asked::all(operation) }
}

fn moved(transport: Option<&str>, queue: Option<&str>, priority: Option<i16>) -> Action {
    Action::Move { transport: transport.map(str::to_owned), queue: queue.map(str::to_owned), priority }
}

/// Does it to the end; done, skipped and failed.
async fn done<S: Subject>(it: &S, asked: Asked) -> [u64; 3] {
    let id = start(it.engine(), &asked).await.unwrap().id;
    loop {
        let entry = step(it.engine(), id, 1_000).await.unwrap().unwrap().entry;
        if !entry.is_open() {
            return [entry.done, entry.skipped, entry.failed];
        }
    }
}

async fn bury_many(transport: &Arc<dyn Drain>, count: usize) -> Vec<Uuid> {
    put(transport, many(count, || message("Email"))).await;
    let worker = Worker::of(transport);
    for claimed in worker.claim(count).await {
        worker.settle(&claimed, crate::support::kit::bury("refused")).await;
    }
    letters(transport).await.iter().map(|it| it.id).collect()
}

async fn waiting<S: Subject>(it: &S) -> Vec<symphony::store::messages::KeptMessage> {
    let filter = MessageFilter { status: Some(MessageStatus::Pending), ..MessageFilter::default() };
    messages::list(it.engine(), &filter).await.unwrap().messages
}

async fn retry_puts_letters_back<S: Subject>(it: S) {
    let transport = it.transport();
    let mail = buried(&transport, message("Email")).await;
    let kept = buried(&transport, message("Sms")).await;
    let touched = run(it.engine(), &asked(Action::Retry, json!({ "query": "type:Email" }))).await.unwrap();
    assert_eq!((touched.len(), touched[0].id), (1, mail.id));
    assert_eq!(letters(&transport).await.iter().map(|it| it.id).collect::<Vec<_>>(), [kept.id]);
    let again = Worker::of(&transport).claim_one().await;
    assert_eq!((again.id, &*again.message_type), (touched[0].message_id, "Email"));
    assert!(again.headers.contains(&mail.id.to_string()));
}

async fn remove_deletes_letters<S: Subject>(it: S) {
    let transport = it.transport();
    let ids = bury_many(&transport, 3).await;
    let some = Asked { ids: Some(vec![ids[0], ids[2], ids[0], Uuid::now_v7()]), ..Asked::all(Action::Remove) };
    assert_eq!(done(&it, some).await, [2, 0, 0]);
    assert_eq!(letters(&transport).await.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[1]]);
}

async fn cancel_ends_what_waits_and_frees_its_key<S: Subject>(it: S) {
    let transport = it.transport();
    let keyed = crate::support::kit::keyed("k");
    put(&transport, vec![Envelope { queue: "bulk".into(), ..keyed.clone() }, message("Other")]).await;
    put_one(&transport, Envelope { queue: "bulk".into(), ..delayed(HOUR) }).await;
    assert_eq!(done(&it, asked(Action::Cancel, json!({ "queue": "bulk" }))).await, [2, 0, 0]);
    assert_eq!(counts(&transport).await, (1, 0, 0));
    let cancelled = MessageFilter { status: Some(MessageStatus::Cancelled), ..MessageFilter::default() };
    assert_eq!(messages::list(it.engine(), &cancelled).await.unwrap().messages.len(), 2);
    let again = Envelope { id: Uuid::now_v7(), ..keyed };
    assert!(matches!(transport.send(&[again]).await.unwrap()[0], Sent::Queued { .. }));
}

async fn snooze_says_when_it_is_due<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![message("A"), message("B")]).await;
    assert_eq!(done(&it, asked(SNOOZE, json!({ "type": "A" }))).await, [1, 0, 0]);
    assert_eq!(counts(&transport).await, (1, 1, 0));
    it.advance(HOUR / 2).await;
    assert_eq!(Worker::of(&transport).claim(10).await.len(), 1);
    assert_eq!(done(&it, asked(Action::Snooze { delay: 0 }, json!({}))).await, [1, 0, 0]);
    assert_eq!(Worker::of(&transport).claim_one().await.message_type, "A");
}

async fn move_changes_queue_and_priority<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, vec![queued_in("bulk"), urgent(9)]).await;
    assert_eq!(done(&it, asked(moved(None, Some("slow"), Some(10)), json!({ "queue": "bulk" }))).await, [1, 0, 0]);
    assert_eq!(survey_of(&transport).await.queues, ["default", "slow"]);
    assert_eq!(done(&it, asked(moved(None, None, Some(1)), json!({ "query": "priority:9" }))).await, [1, 0, 0]);
    let claimed = Worker::of(&transport).claim(10).await;
    let places: Vec<_> = claimed.iter().map(|it| (&*it.queue, it.priority)).collect();
    assert_eq!(places, [("slow", 10), ("default", 1)]);
}

async fn a_preview_counts_and_does_nothing<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 7).await;
    put(&transport, many(8, || queued_in("bulk"))).await;
    let seen = preview(it.engine(), &Asked::all(Action::Retry)).await.unwrap();
    assert_eq!((seen.matched, seen.capped, seen.samples.len()), (7, false, 5));
    assert_eq!(seen.samples[0].error.as_deref(), Some("refused"));
    let seen = preview(it.engine(), &asked(Action::Cancel, json!({ "query": "queue:bulk" }))).await.unwrap();
    assert_eq!((seen.matched, seen.samples.len(), &*seen.samples[0].queue), (8, 5, "bulk"));
    let newest = waiting(&it).await[0].id;
    assert_eq!(seen.samples[0].id, newest);
    let shown = serde_json::to_value(&seen).unwrap();
    assert!(!shown.to_string().contains("a@b.c"), "no payload");
    let ids = Some(vec![newest]);
    assert_eq!(preview(it.engine(), &Asked { ids, ..Asked::all(Action::Cancel) }).await.unwrap().matched, 1);
    assert_eq!((letters(&transport).await.len(), waiting(&it).await.len()), (7, 8));
    assert!(audit(it.engine(), &AuditFilter::default()).await.unwrap().entries.is_empty());
}

async fn what_comes_later_is_not_among_them<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 2).await;
    put(&transport, many(2, || message("Email"))).await;
    let before = Some(preview(it.engine(), &Asked::all(Action::Retry)).await.unwrap().before);
    // Clocks of a millisecond.
    std::thread::sleep(std::time::Duration::from_millis(2));
    bury_many(&transport, 3).await;
    put(&transport, many(3, || queued_in("late"))).await;
    let late = letters(&transport).await.len();
    assert_eq!(done(&it, Asked { before, ..Asked::all(SNOOZE) }).await, [0, 0, 0], "they were buried with the others");
    assert_eq!(done(&it, Asked { before, ..Asked::all(Action::Retry) }).await, [2, 0, 0]);
    assert_eq!(letters(&transport).await.len(), late - 2);
}

async fn spans_in_a_query_are_counted_from_the_beginning<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    it.advance(MINUTE).await;
    put(&transport, many(2, || message("Email"))).await;
    // By the time of the first step, the last two are older than half a minute, too.
    let old = start(it.engine(), &asked(Action::Cancel, json!({ "query": "created:<-30s" }))).await.unwrap().id;
    it.advance(MINUTE).await;
    let entry = step(it.engine(), old, 10).await.unwrap().unwrap().entry;
    // Where time is moved by moving what is stored, the row of the operation says when it began.
    let began = entry.operation().unwrap().selection.messages.unwrap().query.unwrap();
    assert!(began.starts_with("created:<2"), "{began}");
    assert!(entry.done >= 3);
}

async fn a_step_is_bounded_and_the_next_goes_on<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 25).await;
    put(&transport, many(25, || message("Email"))).await;
    let ids: Vec<Uuid> = waiting(&it).await.iter().map(|it| it.id).collect();
    let by_ids = Asked { ids: Some(ids), ..Asked::all(SNOOZE) };
    for (asked, after) in [
        (Asked::all(Action::Retry), 50),
        (by_ids, 50),
        (asked(moved(None, Some("q"), None), json!({ "query": "type:Email" })), 50),
    ] {
        let because = Because { actor: Some("ada".to_owned()), reason: Some("test".to_owned()), ..Because::default() };
        let matched = Some(25);
        let id = start(it.engine(), &Asked { because: because.clone(), matched, ..asked }).await.unwrap().id;
        let mut last: Option<Entry> = None;
        let mut before = 0;
        for _ in 0..50 {
            let stepped = step(it.engine(), id, 10).await.unwrap().unwrap();
            assert!(stepped.touched.len() <= 10);
            assert_eq!(stepped.entry.done, before + stepped.touched.len() as u64);
            before = stepped.entry.done;
            let over = !stepped.entry.is_open();
            last = Some(stepped.entry);
            if over {
                break;
            }
        }
        let entry = last.unwrap();
        assert_eq!(entry.ended.as_deref(), Some("completed"));
        let names = (entry.actor.as_deref(), entry.reason.as_deref(), entry.matched);
        assert!(names.0 == Some("ada") && names.1 == Some("test") && names.2.is_some());
        assert_eq!(waiting(&it).await.len(), after);
    }
}

async fn a_step_that_is_sent_twice_is_done_once<S: Subject>(it: S) {
    let (transport, store) = (it.transport(), it.transport().kept());
    let ids = bury_many(&transport, 4).await;
    let target = Target { operation: Action::Retry, selection: Selection::default() };
    let (id, because) = (Uuid::now_v7(), Because::default());
    let begin = Begin { id, target: &target, because: &because, matched: None };
    assert!(store.begin(&begin).await.unwrap().is_some());
    let turn = |step| Turn { operation: id, step, cursor: Some(format!("{step}")), is_last: false };
    assert_eq!(store.act(&Action::Retry, &ids[..2], &turn(0)).await.unwrap().len(), 2);
    assert!(store.act(&Action::Retry, &ids[..2], &turn(0)).await.unwrap().is_empty());
    assert!(store.act(&Action::Retry, &ids[2..], &turn(0)).await.unwrap().is_empty(), "its turn is over");
    assert!(store.act(&Action::Retry, &ids[2..], &turn(5)).await.unwrap().is_empty(), "its turn has not come");
    let entry = store.entry(id).await.unwrap().unwrap();
    assert_eq!((entry.done, entry.skipped, entry.steps, entry.cursor.as_deref()), (2, 0, 1, Some("0")));
    assert_eq!((letters(&transport).await.len(), counts(&transport).await.0), (2, 2));
}

async fn eight_at_once_do_it_once<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 120).await;
    let id = start(it.engine(), &Asked::all(Action::Retry)).await.unwrap().id;
    let steppers: Vec<_> = (0..8)
        .map(|_| {
            let engine = it.engine().clone();
            tokio::spawn(async move { while step(&engine, id, 7).await.unwrap().unwrap().entry.is_open() {} })
        })
        .collect();
    for stepper in steppers {
        stepper.await.unwrap();
    }
    let entry = get(it.engine(), id).await.unwrap().unwrap();
    assert_eq!((entry.done, entry.skipped, entry.failed), (120, 0, 0));
    assert_eq!((letters(&transport).await.len(), counts(&transport).await.0), (0, 120));
}

async fn what_is_claimed_meanwhile_is_skipped<S: Subject>(it: S) {
    let transport = it.transport();
    let ids = put(&transport, many(3, || message("Email"))).await;
    let worker = Worker::of(&transport);
    worker.claim_one().await;
    for action in [SNOOZE, moved(None, Some("q"), None), Action::Cancel] {
        assert_eq!(done(&it, Asked { ids: Some(ids.clone()), ..Asked::all(action) }).await, [2, 1, 0]);
    }
    assert_eq!(counts(&transport).await, (0, 0, 1));
}

async fn one_that_is_aborted_does_nothing_more<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 6).await;
    let id = start(it.engine(), &Asked::all(Action::Retry)).await.unwrap().id;
    assert_eq!(step(it.engine(), id, 2).await.unwrap().unwrap().entry.done, 2);
    let aborted = abort(it.engine(), id).await.unwrap().unwrap();
    assert_eq!((aborted.ended.as_deref(), aborted.done), (Some("aborted"), 2));
    let after = step(it.engine(), id, 2).await.unwrap().unwrap();
    assert_eq!((after.touched.len(), after.entry.done, letters(&transport).await.len()), (0, 2, 4));
    assert!(abort(it.engine(), Uuid::now_v7()).await.unwrap().is_none());
    assert!(step(it.engine(), Uuid::now_v7(), 1).await.unwrap().is_none());
}

async fn an_operation_begins_once<S: Subject>(it: S) {
    bury_many(&it.transport(), 3).await;
    let id = Uuid::now_v7();
    let begin = || Asked { id: Some(id), ..Asked::all(Action::Remove) };
    start(it.engine(), &begin()).await.unwrap();
    step(it.engine(), id, 2).await.unwrap();
    assert_eq!(start(it.engine(), &begin()).await.unwrap().done, 2, "the answer to the first was lost");
}

async fn what_matches_by_mistake_is_refused<S: Subject>(it: S) {
    let refused = async |asked: Asked| start(it.engine(), &asked).await.unwrap_err();
    let nowhere = asked(Action::Cancel, json!({ "transport": "nowhere" }));
    assert!(matches!(refused(nowhere).await, Error::UnknownTransport { .. }));
    let empty = asked(Action::Retry, json!({ "query": "  " }));
    assert!(matches!(refused(empty).await, Error::InvalidQuery(_)));
    let odd = asked(Action::Retry, json!({ "query": "typ:A" }));
    assert!(matches!(refused(odd).await, Error::InvalidQuery(_)));
    let both = Asked { ids: Some(vec![]), ..asked(Action::Cancel, json!({ "queue": "q" })) };
    assert!(matches!(refused(both).await, Error::InvalidConfiguration { .. }));
    let nothing = Asked::all(moved(None, None, None));
    assert!(matches!(refused(nothing).await, Error::InvalidConfiguration { .. }));
    let elsewhere = Asked::all(moved(Some("nowhere"), None, None));
    assert!(matches!(refused(elsewhere).await, Error::UnknownTransport { .. }));
}

async fn the_audit_is_read_page_by_page<S: Subject>(it: S) {
    let store = it.transport().kept();
    let because =
        |n: i32| Because { actor: Some(format!("a{}", n % 2)), reason: Some(n.to_string()), ..Because::default() };
    for n in 0..7 {
        let action = if n < 5 { Action::Retry } else { Action::Cancel };
        store.at_once(action, &[], &because(n)).await.unwrap();
    }
    let reasons = async |filter: AuditFilter| {
        let (mut reasons, mut filter) = (Vec::new(), filter);
        loop {
            let page = audit(it.engine(), &filter).await.unwrap();
            reasons.extend(page.entries.into_iter().map(|it| it.reason.unwrap()));
            filter.cursor = page.next_cursor;
            if filter.cursor.is_none() {
                return reasons;
            }
        }
    };
    assert_eq!(reasons(AuditFilter::default()).await, ["6", "5", "4", "3", "2", "1", "0"]);
    assert_eq!(reasons(AuditFilter { limit: 2, ..AuditFilter::default() }).await, ["6", "5", "4", "3", "2", "1", "0"]);
    let odd = AuditFilter { actor: Some("a1".to_owned()), limit: 1, ..AuditFilter::default() };
    assert_eq!(reasons(odd).await, ["5", "3", "1"]);
    let cancelled = AuditFilter { action: Some("cancel".to_owned()), ..AuditFilter::default() };
    assert_eq!(reasons(cancelled).await, ["6", "5"]);
    let later = AuditFilter { after: Some(Utc::now() + TimeDelta::hours(1)), ..AuditFilter::default() };
    assert!(reasons(later).await.is_empty());
}

async fn nothing_that_matches_is_an_operation_that_is_over<S: Subject>(it: S) {
    put_one(&it.transport(), message("A")).await;
    for action in [Action::Retry, Action::Remove] {
        assert_eq!(done(&it, Asked::all(action)).await, [0, 0, 0]);
    }
    for action in [Action::Cancel, SNOOZE] {
        assert_eq!(done(&it, asked(action, json!({ "type": "B" }))).await, [0, 0, 0]);
    }
    assert_eq!(counts(&it.transport()).await, (1, 0, 0));
}

#[test]
fn one_that_the_database_refuses_holds_back_no_other() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        let ids = bury_many(&transport, 40).await;
        let bad: BTreeSet<Uuid> = [ids[0], ids[17], ids[18], ids[39]].into();
        let list = bad.iter().map(|it| format!("'{it}'")).collect::<Vec<_>>().join(", ");
        it.schema
            .execute(&format!(
                "CREATE FUNCTION {{s}}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF old.id IN ({list}) THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '23514'; END IF;
                   RETURN old; END $$;
                 CREATE TRIGGER refuse BEFORE DELETE ON {{s}}.messenger_failed_messages
                   FOR EACH ROW EXECUTE FUNCTION {{s}}.refuse()"
            ))
            .await;
        let id = start(it.engine(), &Asked::all(Action::Retry)).await.unwrap().id;
        let entry = loop {
            let entry = step(it.engine(), id, 1_000).await.unwrap().unwrap().entry;
            if !entry.is_open() {
                break entry;
            }
        };
        assert_eq!((entry.done, entry.skipped, entry.failed), (36, 0, 4));
        assert!(entry.error.unwrap().contains("not this one"));
        assert_eq!(letters(&transport).await.iter().map(|it| it.id).collect::<BTreeSet<_>>(), bad);
    });
}

#[test]
fn what_is_moved_to_another_transport_is_there_and_who_waits_is_woken() {
    check(json!({}), |it: Postgres| async move {
        let (transport, other) = (it.transport(), it.engine().transport(OTHER).await.unwrap().drain().unwrap());
        let worker = Worker::of(&other);
        let claim = Claim {
            worker: &worker.id,
            token: Uuid::now_v7(),
            queues: &["q".to_owned()],
            types: None,
            limit: 10,
            reach: Reach::Exhaustive,
            listening: true,
        };
        assert!(other.claim(&claim).await.unwrap().is_empty());
        put(&transport, many(3, || message("Email"))).await;
        let mut announced = it.schema.announcements().await;
        let elsewhere = asked(moved(Some(OTHER), Some("q"), None), json!({ "transport": MAIN }));
        assert_eq!(done(&it, elsewhere).await, [3, 0, 0]);
        assert_eq!(announced.recv().await.unwrap(), OTHER);
        assert_eq!(worker.claim(10).await.len(), 3);
        assert_eq!(counts(&transport).await, (0, 0, 0));
    });
}

#[test]
fn an_operation_and_what_it_does_are_one_statement() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        bury_many(&transport, 5).await;
        let id = start(it.engine(), &Asked::all(Action::Retry)).await.unwrap().id;
        // What it cannot write down is not done.
        it.schema.execute("ALTER TABLE {s}.messenger_audit ADD CONSTRAINT none CHECK (done = 0)").await;
        let refused = step(it.engine(), id, 10).await;
        assert!(refused.is_err() || refused.unwrap().unwrap().entry.done == 0);
        assert_eq!((letters(&transport).await.len(), counts(&transport).await.0), (5, 0));
    });
}
