//! Dead letters can be found, paged through and removed.

use crate::support::kit::{
    ByHand, HOUR, MINUTE, Worker, buried, bury, letters, many, message, put, put_one, settlement,
};
use crate::support::subject::Subject;
use chrono::TimeDelta;
use serde_json::value::RawValue;
use std::sync::Arc;
use symphony::message::envelope::Envelope;
use symphony::message::outcome::Outcome;
use symphony::operate::operations::{Asked, run};
use symphony::store::contents::Contents;
use symphony::store::dead_letters::{FailedFilter, SCAN};
use symphony::store::operations::Action;
use symphony::transport::Drain;
use uuid::Uuid;

for_drains! {
    none_at_first
    each_filter_narrows
    text_is_found_in_error_and_payload_in_either_case
    the_newest_stand_first
    pages_show_each_letter_once
    pages_stay_whole_while_letters_come_and_go
    a_cursor_of_another_kind_is_refused
    one_letter_by_its_id
    a_list_shows_outlines_and_all_of_them_where_it_is_asked
    no_more_than_ten_thousand_letters_are_examined
    removed_letters_are_gone
    a_letter_outlives_everything
}

async fn found(transport: &Arc<dyn Drain>, filter: FailedFilter) -> Vec<Uuid> {
    let mut ids: Vec<_> =
        transport.kept().list_failed(&filter).await.unwrap().messages.into_iter().map(|it| it.message_id).collect();
    ids.sort();
    ids
}

/// Buries so many messages in one statement, so that all have failed at the same instant.
async fn bury_many(transport: &Arc<dyn Drain>, count: usize) -> Vec<Uuid> {
    let sent = put(transport, many(count, || message("Email"))).await;
    let worker = Worker::of(transport);
    let claimed = worker.claim(count).await;
    let all: Vec<_> = claimed.iter().map(|it| settlement(it, bury("no"))).collect();
    assert!(worker.settle_all(&all).await.unwrap().is_empty());
    sent
}

async fn none_at_first<S: Subject>(it: S) {
    let page = it.transport().kept().list_failed(&FailedFilter::default()).await.unwrap();
    assert!(page.messages.is_empty() && page.next_cursor.is_none());
}

async fn each_filter_narrows<S: Subject>(it: S) {
    let transport = it.transport();
    let old = buried(&transport, message("Email")).await;
    it.advance(HOUR).await;
    let new = buried(&transport, Envelope { queue: "sms".into(), ..message("Sms") }).await;
    let old = transport.kept().get_failed(old.id).await.unwrap().unwrap();
    let name = |text: &str| Some(text.to_owned());
    let none = FailedFilter::default;
    let between = old.failed_at.unwrap() + TimeDelta::minutes(30);

    let one = |filter| found(&transport, filter);
    assert_eq!(one(FailedFilter { r#type: name("Sms"), ..none() }).await, [new.message_id]);
    assert_eq!(one(FailedFilter { queue: name("sms"), ..none() }).await, [new.message_id]);
    assert_eq!(one(FailedFilter { failed_after: Some(between), ..none() }).await, [new.message_id]);
    assert_eq!(one(FailedFilter { failed_before: Some(between), ..none() }).await, [old.message_id]);
    assert_eq!(one(FailedFilter { failed_before: old.failed_at, ..none() }).await, [old.message_id]);
    assert_eq!(one(FailedFilter { failed_after: new.failed_at, ..none() }).await, [new.message_id]);
    assert_eq!(one(FailedFilter { ids: Some(vec![old.id, Uuid::now_v7()]), ..none() }).await, [old.message_id]);
    let all = [old.message_id, new.message_id];
    assert_eq!(one(FailedFilter { transport: name(transport.name()), ..none() }).await, all);
    assert_eq!(one(FailedFilter { error_class: name("SmtpError"), ..none() }).await, all);
    for nothing in [
        FailedFilter { transport: name("nowhere"), ..none() },
        FailedFilter { error_class: name("Smtp"), ..none() },
        FailedFilter { r#type: name("sms"), ..none() },
        FailedFilter { ids: Some(vec![]), ..none() },
        FailedFilter { r#type: name("Email"), queue: name("sms"), ..none() },
    ] {
        assert!(one(nothing).await.is_empty());
    }
}

async fn text_is_found_in_error_and_payload_in_either_case<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, Envelope { body: r#"{"name":"Łukasz 100%"}"#.into(), ..message("Email") }).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim_one().await;
    worker.settle(&claimed, bury("Mailbox_FULL")).await;
    for (text, hit) in [
        ("mailbox_full", true),
        ("BOX", true),
        ("lukasz", false),
        ("ukasz 100%", true),
        ("box%full", false),
        ("", true),
    ] {
        let filter = FailedFilter { text: Some(text.to_owned()), ..FailedFilter::default() };
        assert_eq!(found(&transport, filter).await, if hit { vec![id] } else { vec![] }, "{text}");
    }
}

async fn the_newest_stand_first<S: Subject>(it: S) {
    let transport = it.transport();
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(buried(&transport, message("Email")).await.message_id);
        it.advance(MINUTE).await;
    }
    sent.reverse();
    let listed: Vec<_> = letters(&transport).await.iter().map(|it| it.message_id).collect();
    assert_eq!(listed, sent);
}

async fn pages_show_each_letter_once<S: Subject>(it: S) {
    let transport = it.transport();
    let mut sent = bury_many(&transport, 40).await;
    it.advance(MINUTE).await;
    sent.extend(bury_many(&transport, 25).await);
    for size in [1, 7, 64, 65, 66] {
        let (mut seen, pages) = leaf_through(&transport, size).await;
        seen.sort();
        assert_eq!(seen, sent);
        assert_eq!(pages, 65_usize.div_ceil(size as usize), "pages of {size}");
    }
}

/// Everything, page by page; and how many pages there were.
async fn leaf_through(transport: &Arc<dyn Drain>, limit: u32) -> (Vec<Uuid>, usize) {
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page =
            transport.kept().list_failed(&FailedFilter { limit, cursor, ..FailedFilter::default() }).await.unwrap();
        assert!(page.messages.len() <= limit as usize);
        seen.extend(page.messages.iter().map(|it| it.message_id));
        pages += 1;
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string()),
            None => return (seen, pages),
        }
    }
}

async fn pages_stay_whole_while_letters_come_and_go<S: Subject>(it: S) {
    let transport = it.transport();
    let mut sent = bury_many(&transport, 20).await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page =
            transport.kept().list_failed(&FailedFilter { limit: 6, cursor, ..FailedFilter::default() }).await.unwrap();
        seen.extend(page.messages.iter().map(|it| it.message_id));
        let shown: Vec<_> = page.messages.iter().map(|it| it.id).collect();
        transport.kept().remove_failed(&shown[..2]).await.unwrap();
        bury_many(&transport, 3).await;
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string()),
            None => break,
        }
    }
    seen.sort();
    sent.sort();
    assert_eq!(seen, sent);
}

async fn a_cursor_of_another_kind_is_refused<S: Subject>(it: S) {
    for cursor in ["", "7", "1.2", "x.018f0000-0000-7000-8000-000000000000"] {
        let filter = FailedFilter { cursor: Some(cursor.to_owned()), ..FailedFilter::default() };
        let error = it.transport().kept().list_failed(&filter).await.unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_SERIALIZATION_FAILED");
        assert!(error.to_string().contains("nextCursor"), "{error}");
    }
}

async fn one_letter_by_its_id<S: Subject>(it: S) {
    let transport = it.transport();
    let letter = buried(&transport, message("Email")).await;
    assert_eq!(transport.kept().get_failed(letter.id).await.unwrap().unwrap().message_id, letter.message_id);
    assert!(transport.kept().get_failed(letter.message_id).await.unwrap().is_none());
}

async fn a_list_shows_outlines_and_all_of_them_where_it_is_asked<S: Subject>(it: S) {
    let transport = it.transport();
    let text = "ü".repeat(300);
    let envelope = Envelope { body: format!(r#"{{"n":9007199254740993,"t":"{text}"}}"#).into(), ..message("Email") };
    let letter = buried(&transport, envelope).await;
    let one = |full| FailedFilter { full, ..FailedFilter::default() };
    let outline = transport.kept().list_failed(&one(false)).await.unwrap().messages.remove(0);
    let Contents::Outline { payload_preview, payload_bytes } = &outline.contents else { panic!("{outline:?}") };
    assert!(payload_preview.contains("9007199254740993") && payload_preview.chars().count() == 200);
    assert!((618..=640).contains(payload_bytes), "{payload_bytes}");
    let listed = transport.kept().list_failed(&one(true)).await.unwrap().messages.remove(0);
    let alone = transport.kept().get_failed(letter.id).await.unwrap().unwrap();
    for whole in [listed, alone] {
        let payload = whole.contents.payload().unwrap().get().replace(' ', "");
        assert_eq!(payload, format!(r#"{{"n":9007199254740993,"t":"{text}"}}"#));
        assert!(whole.contents.history().unwrap().get().contains("refused"));
    }
}

/// As many letters of the type `Email` as one page examines, the first of them in a queue of its own, and one `Sms` before.
async fn no_more_than_ten_thousand_letters_are_examined<S: Subject>(it: S) {
    let transport = it.transport();
    let sms = buried(&transport, message("Sms")).await;
    it.advance(MINUTE).await;
    let rare = buried(&transport, Envelope { queue: "rare".into(), ..message("Email") }).await;
    it.advance(MINUTE).await;
    let rest = usize::try_from(SCAN).unwrap();
    for _ in 0..rest / 1_000 {
        bury_many(&transport, 1_000).await;
    }
    let page = |filter: FailedFilter| {
        let store = transport.kept();
        async move { store.list_failed(&filter).await.unwrap() }
    };
    let rare_ones = || FailedFilter { queue: Some("rare".to_owned()), ..FailedFilter::default() };
    let first = page(rare_ones()).await;
    assert_eq!(first.messages.len(), 0);
    let reached = first.searched_to.unwrap();
    let rare = transport.kept().get_failed(rare.id).await.unwrap().unwrap();
    assert!(reached > rare.failed_at.unwrap() + TimeDelta::seconds(30), "the rare one was reached");
    let counted = transport.kept().count_failed(&rare_ones()).await.unwrap();
    assert_eq!(counted, (0, true), "the count has seen what the list has");
    let second = page(FailedFilter { cursor: first.next_cursor.map(|it| it.to_string()), ..rare_ones() }).await;
    assert_eq!(second.messages.iter().map(|it| it.message_id).collect::<Vec<_>>(), [rare.message_id]);
    assert_eq!((second.next_cursor, second.searched_to), (None, None));

    // What a type, a time or ids narrow down is not looked past.
    let of_type = FailedFilter { r#type: Some("Sms".to_owned()), queue: Some("default".to_owned()), ..rare_ones() };
    assert_eq!(page(of_type.clone()).await.messages[0].id, sms.id);
    assert_eq!(transport.kept().count_failed(&of_type).await.unwrap(), (1, false));
    let early = FailedFilter { failed_before: Some(reached - TimeDelta::seconds(30)), ..rare_ones() };
    assert_eq!(page(early).await.messages[0].id, rare.id);
    assert_eq!(page(FailedFilter { ids: Some(vec![rare.id]), ..rare_ones() }).await.messages[0].id, rare.id);
    let filter = Some(RawValue::from_string(r#"{"queue":"rare"}"#.to_owned()).unwrap());
    let removed = run(it.engine(), &Asked { filter, ..Asked::all(Action::Remove) }).await.unwrap();
    assert_eq!(removed.len(), 1, "however far it is");
}

async fn removed_letters_are_gone<S: Subject>(it: S) {
    let transport = it.transport();
    bury_many(&transport, 3).await;
    let ids: Vec<_> = letters(&transport).await.iter().map(|it| it.id).collect();
    assert_eq!(transport.kept().remove_failed(&[ids[0], ids[1], ids[0], Uuid::now_v7()]).await.unwrap(), 2);
    assert_eq!(transport.kept().remove_failed(&ids[..1]).await.unwrap(), 0);
    assert_eq!(transport.kept().remove_failed(&[]).await.unwrap(), 0);
    let left: Vec<_> = letters(&transport).await.iter().map(|it| it.id).collect();
    assert_eq!(left, ids[2..]);
}

async fn a_letter_outlives_everything<S: Subject>(it: S) {
    let transport = it.transport();
    let letter = buried(&transport, message("Email")).await;
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let other = worker.claim_one().await;
    worker.settle(&other, Outcome::Completed).await;
    it.advance(48 * HOUR).await;
    transport.kept().cleanup(1000).await.unwrap();
    assert_eq!(letters(&transport).await[0].id, letter.id);
}
