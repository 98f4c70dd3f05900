//! What operators see of messages, and what they can do to them.

use crate::support::kit::{
    ByHand, HOUR, MINUTE, Worker, buried, bury, delayed, many, message, put, put_one, queued_in, urgent,
};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use symphony::message::envelope::Envelope;
use symphony::message::outcome::Outcome;
use symphony::store::contents::Contents;
use symphony::store::controls::Because;
use symphony::store::dead_letters::FailedFilter;
use symphony::store::messages::{MessageFilter, MessageStatus, SCAN, Totals};
use symphony::transport::Drain;
use uuid::Uuid;

for_drains! {
    dead_letters_are_counted;

    // What no broker does.
    messages_of_every_state_are_listed_newest_first
    each_filter_narrows
    text_is_found_in_either_case_and_is_not_a_pattern
    pages_follow_one_another
    a_page_of_large_messages_ends_early
    a_page_looks_at_so_many_and_no_more
    a_cursor_must_be_one
    one_message_wherever_it_is
    a_message_that_waits_is_cancelled
    a_message_that_does_not_wait_is_not
    a_cancelled_message_is_never_claimed
    totals_count_what_is_over
}

async fn list(transport: &Arc<dyn Drain>, filter: MessageFilter) -> Vec<Uuid> {
    transport.inspects().unwrap().list_messages(&filter).await.unwrap().messages.into_iter().map(|it| it.id).collect()
}

fn any() -> MessageFilter {
    MessageFilter::default()
}

async fn finish(transport: &Arc<dyn Drain>, outcome: Outcome) -> Uuid {
    let id = put_one(transport, urgent(10)).await;
    let worker = Worker::of(transport);
    let claimed = worker.claim_one().await;
    assert_eq!(claimed.id, id);
    worker.settle(&claimed, outcome).await;
    id
}

async fn messages_of_every_state_are_listed_newest_first<S: Subject>(it: S) {
    let transport = it.transport();
    let completed = finish(&transport, Outcome::Completed).await;
    let discarded = finish(&transport, Outcome::Discarded { reason: "stale".to_owned() }).await;
    finish(&transport, bury("no")).await;
    let running = put_one(&transport, urgent(10)).await;
    Worker::of(&transport).claim_one().await;
    let waiting = put_one(&transport, message("Email")).await;
    let later = put_one(&transport, delayed(HOUR)).await;

    let page = transport.inspects().unwrap().list_messages(&any()).await.unwrap();
    let seen: Vec<_> = page.messages.iter().map(|it| (it.id, it.status)).collect();
    use MessageStatus::{Completed, Discarded, Pending, Processing};
    let all =
        [(later, Pending), (waiting, Pending), (running, Processing), (discarded, Discarded), (completed, Completed)];
    assert_eq!(seen, all);
    assert_eq!(page.next_cursor, None);
    assert_eq!(page.searched_to, None);
    let Contents::Outline { payload_preview, payload_bytes } = &page.messages[1].contents else { panic!("whole") };
    assert_eq!(serde_json::from_str::<Value>(payload_preview).unwrap(), json!({ "to": "a@b.c" }));
    assert_eq!(*payload_bytes, payload_preview.len() as u64);
    assert!(page.messages[3].finished_at.is_some() && page.messages[2].finished_at.is_none());
    let runs: Vec<_> = page.messages.iter().map(|it| (it.started_at.is_some(), it.worker_id.is_some())).collect();
    assert_eq!(runs, [(false, false), (false, false), (true, true), (true, true), (true, true)]);
    let done = transport.inspects().unwrap().get_message(completed).await.unwrap().unwrap();
    assert_eq!((done.started_at, done.worker_id), (page.messages[4].started_at, page.messages[4].worker_id));
    assert!(done.started_at >= done.created_at && done.started_at <= done.finished_at);
    assert_eq!(page.messages[0].transport, MAIN);
}

async fn each_filter_narrows<S: Subject>(it: S) {
    let transport = it.transport();
    let sms = put_one(&transport, message("Sms")).await;
    let urgent = put_one(&transport, urgent(9)).await;
    let queued = put_one(&transport, queued_in("slow")).await;
    let done = finish(&transport, Outcome::Completed).await;
    let cases = [
        (MessageFilter { r#type: Some("Sms".to_owned()), ..any() }, vec![sms]),
        (MessageFilter { priority: Some(9), ..any() }, vec![urgent]),
        (MessageFilter { queue: Some("slow".to_owned()), ..any() }, vec![queued]),
        (MessageFilter { status: Some(MessageStatus::Completed), ..any() }, vec![done]),
        (MessageFilter { status: Some(MessageStatus::Cancelled), ..any() }, vec![]),
        (MessageFilter { status: Some(MessageStatus::Pending), ..any() }, vec![queued, urgent, sms]),
        (MessageFilter { transport: Some(MAIN.to_owned()), ..any() }, vec![done, queued, urgent, sms]),
        (MessageFilter { transport: Some(OTHER.to_owned()), ..any() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(list(&transport, filter.clone()).await, expected, "{filter:?}");
    }
    let page = transport.inspects().unwrap().list_messages(&any()).await.unwrap().messages;
    let (newest, oldest) = (page[0].created_at.unwrap(), page[3].created_at.unwrap());
    assert_eq!(list(&transport, MessageFilter { created_after: Some(newest), ..any() }).await, [done]);
    assert_eq!(list(&transport, MessageFilter { created_before: Some(oldest), ..any() }).await, [sms]);
}

async fn text_is_found_in_either_case_and_is_not_a_pattern<S: Subject>(it: S) {
    let transport = it.transport();
    let with = |body: &str| Envelope { body: body.into(), ..message("Email") };
    let sale = put_one(&transport, with(r#"{"subject":"100% Off_Sale"}"#)).await;
    put_one(&transport, with(r#"{"subject":"1000 offers"}"#)).await;
    for text in ["OFF_s", "100%", "% o", "_"] {
        assert_eq!(list(&transport, MessageFilter { text: Some(text.to_owned()), ..any() }).await, [sale], "{text}");
    }
    assert!(list(&transport, MessageFilter { text: Some("1%s".to_owned()), ..any() }).await.is_empty());
}

async fn pages_follow_one_another<S: Subject>(it: S) {
    let transport = it.transport();
    let mut ids = put(&transport, many(25, || message("Email"))).await;
    ids.sort();
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page =
            transport.inspects().unwrap().list_messages(&MessageFilter { limit: 10, cursor, ..any() }).await.unwrap();
        seen.extend(page.messages.iter().map(|it| it.id));
        cursor = page.next_cursor.map(|it| it.to_string());
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
}

/// Random digits, which no compression makes much smaller.
fn megabyte() -> Envelope {
    let mut random = fastrand::Rng::with_seed(3);
    let digits: String = (0..1_048_000).map(|_| random.digit(36)).collect();
    Envelope { body: format!(r#"{{"d":"{digits}"}}"#).into(), ..message("Large") }
}

async fn a_page_of_large_messages_ends_early<S: Subject>(it: S) {
    let transport = it.transport();
    let large = megabyte();
    let one = || Envelope { id: Uuid::now_v7(), ..large.clone() };
    let mut sent = Vec::new();
    for _ in 0..10 {
        sent.extend(put(&transport, many(7, one)).await);
    }
    sent.sort();
    sent.reverse();
    for full in [false, true] {
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let filter = MessageFilter { limit: 1_000, full, cursor, ..any() };
            let page = transport.inspects().unwrap().list_messages(&filter).await.unwrap();
            assert!((1..=66).contains(&page.messages.len()), "{} messages", page.messages.len());
            let told = page.messages.iter().map(|it| match &it.contents {
                Contents::Outline { payload_bytes, .. } => *payload_bytes,
                Contents::Whole { payload_text, .. } => payload_text.get().len() as u64,
            });
            assert!(told.into_iter().all(|bytes| (1_048_008..=1_048_010).contains(&bytes)));
            seen.extend(page.messages.iter().map(|it| it.id));
            pages += 1;
            cursor = page.next_cursor.map(|it| it.to_string());
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, sent);
        assert!((2..=4).contains(&pages), "{pages} pages");
    }
}

async fn a_page_looks_at_so_many_and_no_more<S: Subject>(it: S) {
    let transport = it.transport();
    let rare = put_one(&transport, message("Rare")).await;
    for _ in 0..4 {
        put(&transport, many(usize::try_from(SCAN).unwrap() / 4, || message("Email"))).await;
    }
    let rare_ones = |cursor| MessageFilter { r#type: Some("Rare".to_owned()), cursor, ..any() };
    let first = transport.inspects().unwrap().list_messages(&rare_ones(None)).await.unwrap();
    assert!(first.messages.is_empty());
    let ago = Utc::now() - first.searched_to.unwrap();
    assert!(ago < TimeDelta::minutes(10) && ago > TimeDelta::zero(), "searched to {ago} ago");
    let cursor = first.next_cursor.map(|it| it.to_string());
    assert!(cursor.is_some(), "there is more to look at");
    let second = transport.inspects().unwrap().list_messages(&rare_ones(cursor)).await.unwrap();
    assert_eq!(second.messages.iter().map(|it| it.id).collect::<Vec<_>>(), [rare]);
    assert_eq!(second.next_cursor, None);
}

async fn a_cursor_must_be_one<S: Subject>(it: S) {
    let error = it
        .transport()
        .inspects()
        .unwrap()
        .list_messages(&MessageFilter { cursor: Some("x".to_owned()), ..any() })
        .await;
    assert_eq!(error.unwrap_err().code(), "SYMPHONY_SERIALIZATION_FAILED");
}

async fn one_message_wherever_it_is<S: Subject>(it: S) {
    let transport = it.transport();
    let waiting = put_one(&transport, message("Email")).await;
    let found = transport.inspects().unwrap().get_message(waiting).await.unwrap().unwrap();
    assert_eq!((found.status, found.failed_message_id), (MessageStatus::Pending, None));
    let done = finish(&transport, Outcome::Completed).await;
    assert_eq!(
        transport.inspects().unwrap().get_message(done).await.unwrap().unwrap().status,
        MessageStatus::Completed
    );
    transport.inspects().unwrap().cancel(waiting, &Because::default()).await.unwrap();
    let letter = buried(&transport, message("Email")).await;
    let failed = transport.inspects().unwrap().get_message(letter.message_id).await.unwrap().unwrap();
    assert_eq!((failed.status, failed.failed_message_id), (MessageStatus::Failed, Some(letter.id)));
    assert_eq!((failed.id, failed.last_error), (letter.message_id, Some(letter.error)));
    assert!(transport.inspects().unwrap().get_message(Uuid::now_v7()).await.unwrap().is_none());
}

async fn a_message_that_waits_is_cancelled<S: Subject>(it: S) {
    let transport = it.transport();
    let due = put_one(&transport, message("Email")).await;
    let later = put_one(&transport, delayed(HOUR)).await;
    for id in [due, later] {
        assert_eq!(
            transport.inspects().unwrap().cancel(id, &Because::default()).await.unwrap(),
            Some((true, MessageStatus::Cancelled))
        );
        assert_eq!(
            transport.inspects().unwrap().cancel(id, &Because::default()).await.unwrap(),
            Some((false, MessageStatus::Cancelled))
        );
    }
    assert!(transport.depth().await.unwrap().is_empty());
    let cancelled = MessageFilter { status: Some(MessageStatus::Cancelled), ..any() };
    assert_eq!(list(&transport, cancelled).await, [later, due]);
}

async fn a_message_that_does_not_wait_is_not<S: Subject>(it: S) {
    let transport = it.transport();
    let running = put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim_one().await;
    assert_eq!(
        transport.inspects().unwrap().cancel(running, &Because::default()).await.unwrap(),
        Some((false, MessageStatus::Processing))
    );
    worker.settle(&claimed, Outcome::Completed).await;
    assert_eq!(
        transport.inspects().unwrap().cancel(running, &Because::default()).await.unwrap(),
        Some((false, MessageStatus::Completed))
    );
    let letter = buried(&transport, message("Email")).await;
    assert_eq!(
        transport.inspects().unwrap().cancel(letter.message_id, &Because::default()).await.unwrap(),
        Some((false, MessageStatus::Failed))
    );
    assert_eq!(transport.inspects().unwrap().cancel(Uuid::now_v7(), &Because::default()).await.unwrap(), None);
}

async fn a_cancelled_message_is_never_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    let ids = put(&transport, many(200, || message("Email"))).await;
    let cancelling = tokio::spawn({
        let transport = transport.clone();
        async move {
            let mut cancelled = Vec::new();
            for id in ids {
                if let Some((true, _)) = transport.inspects().unwrap().cancel(id, &Because::default()).await.unwrap() {
                    cancelled.push(id);
                }
            }
            cancelled
        }
    });
    let worker = Worker::of(&transport);
    let mut claimed = Vec::new();
    loop {
        let batch = worker.claim(7).await;
        if batch.is_empty() {
            break;
        }
        claimed.extend(batch.into_iter().map(|it| it.id));
    }
    let cancelled = cancelling.await.unwrap();
    let both: Vec<_> = cancelled.iter().filter(|id| claimed.contains(id)).collect();
    assert!(both.is_empty(), "{both:?}");
    assert_eq!(cancelled.len() + claimed.len(), 200);
}

async fn totals_count_what_is_over<S: Subject>(it: S) {
    let transport = it.transport();
    assert_eq!(transport.inspects().unwrap().totals(None).await.unwrap(), Totals::default());
    finish(&transport, Outcome::Completed).await;
    finish(&transport, Outcome::Completed).await;
    finish(&transport, Outcome::Discarded { reason: "stale".to_owned() }).await;
    finish(&transport, bury("no")).await;
    let waiting = put_one(&transport, message("Email")).await;
    transport.inspects().unwrap().cancel(waiting, &Because::default()).await.unwrap();
    let expected = Totals { completed: 2, discarded: 1, cancelled: 1, failed: 1, schedules: 0, capped: false };
    assert_eq!(transport.inspects().unwrap().totals(None).await.unwrap(), expected);
    assert_eq!(transport.inspects().unwrap().totals(Some(MAIN)).await.unwrap(), expected);
    assert_eq!(transport.inspects().unwrap().totals(Some(OTHER)).await.unwrap(), Totals::default());
}

async fn dead_letters_are_counted<S: Subject>(it: S) {
    let transport = it.transport();
    buried(&transport, message("Email")).await;
    buried(&transport, message("Email")).await;
    it.advance(MINUTE).await;
    buried(&transport, message("Sms")).await;
    let of = |message_type: &str| FailedFilter { r#type: Some(message_type.to_owned()), ..FailedFilter::default() };
    assert_eq!(transport.kept().count_failed(&FailedFilter::default()).await.unwrap(), (3, false));
    assert_eq!(transport.kept().count_failed(&FailedFilter { limit: 1, ..of("Email") }).await.unwrap(), (2, false));
    assert_eq!(transport.kept().count_failed(&of("Other")).await.unwrap(), (0, false));
}

#[test]
fn postgres_keeps_no_trace_of_a_cancelled_message_where_none_is_wanted() {
    check(json!({ "retention": { "completed": "none" } }), |it: Postgres| async move {
        let transport = it.transport();
        let id = put_one(&transport, message("Email")).await;
        assert_eq!(
            transport.inspects().unwrap().cancel(id, &Because::default()).await.unwrap(),
            Some((true, MessageStatus::Cancelled))
        );
        assert_eq!(it.finished().await, 0);
        assert!(transport.inspects().unwrap().get_message(id).await.unwrap().is_none());
    });
}
