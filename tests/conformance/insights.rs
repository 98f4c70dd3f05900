//! What operators look at beside messages.

use crate::support::kit::{ByHand, HOUR, MINUTE, Worker, bury, delayed, keyed, many, message, put, put_one, queued_in};
use crate::support::subject::{MAIN, Postgres, Subject, check};
use chrono::Utc;
use serde_json::json;
use std::sync::Arc;
use symphony::counts::rollup::{Measured, Rollup, Tally, minute_of};
use symphony::counts::window::Window;
use symphony::operate::insights;
use symphony::store::controls::Because;
use symphony::store::insights::{GroupFilter, GroupState, Judgement};
use symphony::transport::{About, Drain};
use uuid::Uuid;

for_stores! {
    workers_are_listed_with_what_they_are
    depths_are_noted_once_a_minute
    errors_are_grouped_and_open_again_when_they_are_back
    keys_that_refused_are_listed_and_others_are_not
}

async fn workers_are_listed_with_what_they_are<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let mut worker = Worker::of(&transport);
    let release = Some("v7".to_owned());
    worker.id.about = Arc::new(About { kind: Some("worker"), concurrency: Some(12), release });
    worker.claim(2).await;
    transport.extend(&worker.id, 2).await.unwrap();
    it.advance(MINUTE).await;
    let other = Worker::of(&transport);
    other.claim(1).await;
    let [second, first] = insights::workers(it.engine()).await.unwrap().try_into().unwrap();
    assert_eq!((second.id, second.alive, second.kind, second.concurrency), (other.id.id, true, None, None));
    assert_eq!((first.id, first.alive, first.in_flight, first.pid), (worker.id.id, false, 2, 1));
    assert_eq!((first.kind.as_deref(), first.concurrency), (Some("worker"), Some(12)));
    assert_eq!((first.release.as_deref(), first.version.as_deref()), (Some("v7"), Some(env!("CARGO_PKG_VERSION"))));
    assert_eq!((first.host.as_str(), first.transports, first.stop_at), ("test", vec![MAIN.to_owned()], None));
    assert!(first.started_at <= first.last_beat_at && first.last_beat_at < first.lease_until);
}

async fn depths_are_noted_once_a_minute<S: Subject>(it: S) {
    let transport = it.transport();
    let depths = |queue: Option<&str>| {
        let (engine, queue) = (it.engine().clone(), queue.map(str::to_owned));
        async move {
            let transport = queue.as_ref().map(|_| MAIN);
            let queue = queue.as_deref().unwrap_or_default();
            insights::depths(&engine, &Window::last(60.0), transport, queue).await.unwrap()
        }
    };
    let cleanup = || async { transport.kept().cleanup(10).await.unwrap() };
    assert_eq!(depths(None).await, []);
    cleanup().await;
    let empty = depths(None).await;
    assert_eq!((empty.len(), empty[0].pending, empty[0].oldest_age), (1, 0, None));
    put(&transport, vec![queued_in("a"), queued_in("a"), queued_in("b"), delayed(3 * HOUR)]).await;
    // Until the next minute nothing more is noted.
    if minute_of(Utc::now()) == empty[0].minute.unwrap() {
        cleanup().await;
        let same = depths(None).await;
        assert!(same.len() == 1 || minute_of(Utc::now()) != empty[0].minute.unwrap(), "{same:?}");
    }
    it.advance(2 * MINUTE).await;
    Worker::of(&transport).claim_from(&["a"], None, 1).await;
    cleanup().await;
    let all = depths(None).await;
    let last = all.last().unwrap();
    assert_eq!((last.pending, last.delayed, last.processing, last.capped), (2, 1, 1, false));
    assert!((119_000.0..180_000.0).contains(&last.oldest_age.unwrap()), "{last:?}");
    let a = depths(Some("a")).await;
    assert_eq!((a.len(), a[0].pending, a[0].delayed, a[0].processing), (1, 1, 0, 1));
    assert_eq!(a[0].minute, last.minute);
}

/// Counts a run that failed.
async fn fail(transport: &Arc<dyn Drain>, class: &str, at: chrono::DateTime<Utc>) {
    let mut tally = Tally::default();
    let mut outcome = bury("no");
    if let symphony::message::outcome::Outcome::Bury { failure, .. } = &mut outcome {
        failure.class = class.to_owned();
    }
    tally.record(Measured { outcome: &outcome, millis: 1.0, waited: 0.0 }, at);
    let (minute, source) = (minute_of(at), Uuid::now_v7());
    let rollup = Rollup { minute, source, message_type: "Email".to_owned(), queue: "default".to_owned(), tally };
    transport.settle_counted(Uuid::nil(), &[], &[rollup]).await.unwrap();
}

async fn errors_are_grouped_and_open_again_when_they_are_back<S: Subject>(it: S) {
    let transport = it.transport();
    let groups = |state| {
        let engine = it.engine().clone();
        async move {
            let filter = GroupFilter { state, ..GroupFilter::default() };
            insights::error_groups(&engine, &filter).await.unwrap()
        }
    };
    let early = Utc::now() - chrono::TimeDelta::minutes(10);
    fail(&transport, "Smtp", early).await;
    fail(&transport, "Smtp", early + chrono::TimeDelta::minutes(3)).await;
    fail(&transport, "Dns", early).await;
    let [smtp, dns] = groups(None).await.try_into().unwrap();
    assert_eq!((smtp.r#type.as_str(), smtp.class.as_str(), smtp.occurrences), ("Email", "Smtp", 2));
    assert_eq!((smtp.state, smtp.first_at, smtp.note), (GroupState::Open, Some(minute_of(early)), None));
    assert!(smtp.last_at > dns.last_at && dns.occurrences == 1);

    let judge = |class: &str, state| {
        let (class, note) = (class.to_owned(), Some("as agreed".to_owned()));
        let (engine, judgement) = (
            it.engine().clone(),
            Judgement { r#type: "Email".to_owned(), class, state, note, because: Because::default() },
        );
        async move { insights::judge(&engine, &judgement).await.unwrap() }
    };
    assert!(judge("Smtp", GroupState::Resolved).await && judge("Dns", GroupState::Ignored).await);
    assert!(!judge("Never", GroupState::Resolved).await);
    assert_eq!(groups(Some(GroupState::Open)).await, []);
    let [resolved] = groups(Some(GroupState::Resolved)).await.try_into().unwrap();
    assert_eq!((resolved.note.as_deref(), resolved.occurrences), (Some("as agreed"), 2));

    let later = Utc::now() + chrono::TimeDelta::seconds(30);
    fail(&transport, "Smtp", later).await;
    fail(&transport, "Dns", later).await;
    let [open] = groups(Some(GroupState::Open)).await.try_into().unwrap();
    assert_eq!((open.class.as_str(), open.occurrences), ("Smtp", 3));
    assert_eq!(groups(Some(GroupState::Ignored)).await[0].occurrences, 2);
}

async fn keys_that_refused_are_listed_and_others_are_not<S: Subject>(it: S) {
    let transport = it.transport();
    let first = put_one(&transport, keyed("a")).await;
    put_one(&transport, keyed("b")).await;
    transport.send(&[keyed("a")]).await.unwrap();
    transport.send(&[keyed("a")]).await.unwrap();
    let keys = insights::refused_keys(it.engine(), None, 10).await.unwrap();
    let [key] = keys.try_into().unwrap();
    assert_eq!((key.idempotency_key.as_str(), key.transport.as_str(), key.refused), ("a", MAIN, 2));
    assert_eq!((key.message_id, key.r#type.as_deref()), (first, Some("Email")));
    assert!(key.expires_at > key.first_seen_at);
    assert_eq!(insights::refused_keys(it.engine(), key.first_seen_at, 10).await.unwrap(), []);
}

#[test]
fn postgres_keeps_groups_when_their_rows_are_merged() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        let early = Utc::now() - chrono::TimeDelta::minutes(5);
        fail(&transport, "Smtp", early).await;
        fail(&transport, "Dns", early).await;
        let (r#type, state) = ("Email".to_owned(), GroupState::Resolved);
        let judgement = Judgement { r#type, class: "Smtp".to_owned(), state, note: None, because: Because::default() };
        assert!(insights::judge(it.engine(), &judgement).await.unwrap());
        let all = || async { insights::error_groups(it.engine(), &GroupFilter::default()).await.unwrap() };
        it.advance(HOUR).await;
        let before = all().await;
        assert_eq!(before.iter().map(|it| (it.occurrences, it.state)).collect::<Vec<_>>().len(), 2);
        transport.kept().cleanup(100).await.unwrap();
        assert_eq!(all().await, before);
        fail(&transport, "Smtp", Utc::now()).await;
        let seen = |groups: Vec<_>| -> Vec<(String, u64, GroupState)> {
            groups
                .into_iter()
                .map(|it: symphony::store::insights::ErrorGroup| (it.class, it.occurrences, it.state))
                .collect()
        };
        let expected = [("Smtp".to_owned(), 2, GroupState::Open), ("Dns".to_owned(), 1, GroupState::Open)];
        assert_eq!(seen(all().await), expected);
        it.advance(HOUR).await;
        transport.kept().cleanup(100).await.unwrap();
        assert_eq!(seen(all().await), expected, "it was seen after it was resolved");
    });
}

#[test]
fn postgres_notes_each_release_once() {
    check(json!({}), |it: Postgres| async move {
        let transport = it.transport();
        let worker = |release: &str| {
            let mut worker = Worker::of(&transport);
            worker.id.about = Arc::new(About { release: Some(release.to_owned()), ..About::default() });
            worker
        };
        let names = || async {
            let releases = insights::releases(it.engine()).await.unwrap();
            releases.into_iter().map(|it| it.release).collect::<Vec<_>>()
        };
        // A short invocation is gone before anybody looks.
        let short = worker("one");
        short.claim(1).await;
        transport.sign_off(&short.id).await.unwrap();
        assert_eq!(names().await, ["one"]);
        worker("one").claim(1).await;
        worker("two").claim(1).await;
        transport.kept().cleanup(10).await.unwrap();
        transport.kept().cleanup(10).await.unwrap();
        assert_eq!(names().await, ["two", "one"]);
    });
}
