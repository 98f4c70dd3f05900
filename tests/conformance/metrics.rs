//! What was settled is counted, once, and found again.

use crate::support::kit::{
    ByHand, HOUR, MINUTE, Worker, bury, counts, letters, many, message, put, put_one, release, retry, settlement,
};
use crate::support::subject::{MAIN, Postgres, Subject, check};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::time::Duration;
use symphony::counts::rollup::{Measured, Rollup, Tally, minute_of};
use symphony::counts::window::Window;
use symphony::message::outcome::Outcome;
use symphony::monitor::metrics::{self, Metrics};
use symphony::monitor::totals::{self, Totals};
use symphony::store::Cleaned;
use uuid::Uuid;

for_drains! {
    what_is_settled_is_counted_with_it
    a_settling_is_done_and_counted_as_a_whole_or_not_at_all
    the_counts_tell_whether_a_settling_was_done
    outcomes_of_several_roads_are_not_counted_together
    a_row_replaces_the_one_of_its_source
    what_was_ever_counted_is_the_sum_of_all_rows
    sources_add_up
    a_window_holds_its_minutes_only
    queues_are_told_apart_with_what_they_wait
    percentiles_of_100_000_durations_are_right
}

/// A row with so many quick successes and one failure.
fn row(source: Uuid, minute: DateTime<Utc>, succeeded: usize) -> Rollup {
    let mut tally = Tally::default();
    let quick = Measured { outcome: &Outcome::Completed, millis: 10.0, waited: 4.0 };
    (0..succeeded).for_each(|_| tally.record(quick, minute));
    let failed = retry(Duration::ZERO);
    tally.record(Measured { outcome: &failed, millis: 500.0, waited: 4.0 }, minute);
    Rollup { minute, source, message_type: "Email".to_owned(), queue: "default".to_owned(), tally }
}

async fn measure<S: Subject>(it: &S, window: Window) -> Metrics {
    metrics::measure(it.engine(), &window, None).await.unwrap()
}

async fn what_is_settled_is_counted_with_it<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(3).await;
    let outcomes = [Outcome::Completed, Outcome::Discarded { reason: "old".to_owned() }, Outcome::Completed];
    let settled: Vec<_> = claimed.iter().zip(outcomes).map(|(it, outcome)| settlement(it, outcome)).collect();
    let rollup = row(worker.id.id, minute_of(claimed[0].claimed_at), 9);
    assert!(transport.settle_counted(worker.id.id, &settled, &[rollup]).await.unwrap().is_empty());

    let metrics = measure(&it, Window::default()).await;
    assert_eq!((metrics.total.total_processed, metrics.total.total_succeeded, metrics.total.total_failed), (10, 9, 1));
    assert_eq!(metrics.by_transport.keys().collect::<Vec<_>>(), [MAIN]);
    let email = &metrics.by_message_type["Email"];
    assert!((email.p50_processing_time - 10.0).abs() < 0.2 && (email.p99_processing_time - 500.0).abs() < 10.0);
    assert_eq!((email.total_processing_time, email.average_waiting_time), (590.0, 4.0));
    let errors: Vec<_> = metrics.errors.iter().map(|it| (&*it.class, it.count)).collect();
    assert_eq!(errors, [("SmtpError", 1)]);
    assert!(metrics.errors[0].last_seen > 1.6e12);
}

async fn a_settling_is_done_and_counted_as_a_whole_or_not_at_all<S: Subject>(it: S) {
    let transport = it.transport();
    for outcome in [Outcome::Completed, retry(HOUR), bury("no")] {
        let before = (counts(&transport).await, it.finished().await, letters(&transport).await.len());
        put(&transport, many(5, || message("Email"))).await;
        let worker = Worker::of(&transport);
        let claimed = worker.claim(5).await;
        worker.settle(&claimed[3], release()).await;
        let settled: Vec<_> = claimed.iter().map(|it| settlement(it, outcome.clone())).collect();
        let rollup = row(worker.id.id, minute_of(claimed[0].claimed_at), 9);
        let lost = transport.settle_counted(worker.id.id, &settled, std::slice::from_ref(&rollup)).await.unwrap();
        assert_eq!(lost, [(claimed[3].id, claimed[3].token)], "{outcome:?}");
        assert!(!transport.kept().has_counted(MAIN, &[rollup]).await.unwrap());
        let (waiting, _, held) = counts(&transport).await;
        assert_eq!((waiting, held), (1, 4), "{outcome:?}");
        assert_eq!((it.finished().await, letters(&transport).await.len()), (before.1, before.2), "{outcome:?}");
        let rest: Vec<_> = settled.into_iter().filter(|it| it.id != claimed[3].id).collect();
        assert!(transport.settle_counted(worker.id.id, &rest, &[]).await.unwrap().is_empty());
        let back = worker.claim_one().await;
        worker.settle(&back, Outcome::Completed).await;
    }
    assert_eq!(measure(&it, Window::default()).await.total.total_processed, 0);
}

async fn the_counts_tell_whether_a_settling_was_done<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(2, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let minute = minute_of(Utc::now());
    for (n, message) in worker.claim(2).await.iter().enumerate() {
        let rollup = [row(worker.id.id, minute, 5 + n)];
        assert!(!transport.kept().has_counted(MAIN, &rollup).await.unwrap());
        let settled = [settlement(message, Outcome::Completed)];
        assert!(transport.settle_counted(worker.id.id, &settled, &rollup).await.unwrap().is_empty());
        assert!(transport.kept().has_counted(MAIN, &rollup).await.unwrap());
        // The answer was lost, and it is made again.
        assert_eq!(
            transport.settle_counted(worker.id.id, &settled, &rollup).await.unwrap(),
            [(message.id, message.token)]
        );
        assert!(transport.kept().has_counted(MAIN, &rollup).await.unwrap());
        let others = [row(Uuid::now_v7(), minute, 5 + n), row(worker.id.id, minute - MINUTE, 5 + n)];
        for other in others {
            assert!(!transport.kept().has_counted(MAIN, &[rollup[0].clone(), other]).await.unwrap());
        }
    }
    assert_eq!(measure(&it, Window::default()).await.total.total_succeeded, 6);
}

async fn outcomes_of_several_roads_are_not_counted_together<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(2, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let claimed = worker.claim(2).await;
    let mixed = [settlement(&claimed[0], Outcome::Completed), settlement(&claimed[1], retry(HOUR))];
    let refused = transport.settle_counted(worker.id.id, &mixed, &[]).await.unwrap_err();
    assert_eq!(refused.code(), "SYMPHONY_SERIALIZATION_FAILED");
    assert!(worker.settle_all(&mixed).await.unwrap().is_empty());
}

async fn a_row_replaces_the_one_of_its_source<S: Subject>(it: S) {
    let (transport, source, minute) = (it.transport(), Uuid::now_v7(), minute_of(Utc::now()));
    for succeeded in [5, 7, 7] {
        transport.settle_counted(Uuid::nil(), &[], &[row(source, minute, succeeded)]).await.unwrap();
    }
    assert_eq!(measure(&it, Window::default()).await.total.total_succeeded, 7);
}

/// What was ever counted, of all stores.
async fn ever<S: Subject>(it: &S) -> Totals {
    totals::measure(it.engine()).await.unwrap()
}

async fn what_was_ever_counted_is_the_sum_of_all_rows<S: Subject>(it: S) {
    let (transport, source, minute) = (it.transport(), Uuid::now_v7(), minute_of(Utc::now()));
    for (source, minutes, succeeded) in [(source, 0, 5), (source, 0, 7), (source, 20, 1), (Uuid::now_v7(), 20, 2)] {
        let minute = minute - TimeDelta::minutes(minutes);
        transport.settle_counted(Uuid::nil(), &[], &[row(source, minute, succeeded)]).await.unwrap();
    }
    let [series] = ever(&it).await.series.try_into().unwrap();
    assert_eq!((series.transport.as_str(), series.message_type.as_str()), (MAIN, "Email"));
    assert_eq!((series.outcomes.succeeded, series.outcomes.retried, series.runs), (10, 3, 13));
    assert_eq!((series.processing_seconds, series.waiting_seconds), (1.6, 0.052));
}

async fn sources_add_up<S: Subject>(it: S) {
    let (transport, minute) = (it.transport(), minute_of(Utc::now()));
    for _ in 0..4 {
        transport.settle_counted(Uuid::nil(), &[], &[row(Uuid::now_v7(), minute, 5)]).await.unwrap();
    }
    assert_eq!(measure(&it, Window::default()).await.total.total_succeeded, 20);
}

async fn a_window_holds_its_minutes_only<S: Subject>(it: S) {
    let (transport, now) = (it.transport(), minute_of(Utc::now()));
    for (minutes, succeeded) in [(0, 1), (10, 10), (20, 100)] {
        let minute = now - TimeDelta::minutes(minutes);
        transport.settle_counted(Uuid::nil(), &[], &[row(Uuid::now_v7(), minute, succeeded)]).await.unwrap();
    }
    assert_eq!(measure(&it, Window::last(5.0)).await.total.total_succeeded, 1);
    assert_eq!(measure(&it, Window::last(15.0)).await.total.total_succeeded, 11);
    let span = Window {
        start_time: Some(now - TimeDelta::minutes(20)),
        end_time: Some(now - TimeDelta::minutes(9)),
        ..Window::default()
    };
    assert_eq!(measure(&it, span).await.total.total_succeeded, 110);
}

async fn queues_are_told_apart_with_what_they_wait<S: Subject>(it: S) {
    let (transport, minute) = (it.transport(), minute_of(Utc::now()));
    let waited = |waited: f64, times: usize| {
        let mut tally = Tally::default();
        let run = Measured { outcome: &Outcome::Completed, millis: 1.0, waited };
        (0..times).for_each(|_| tally.record(run, minute));
        tally
    };
    for (queue, tally) in [("mail", waited(10.0, 97)), ("mail", waited(5_000.0, 3)), ("bulk", waited(60_000.0, 1))] {
        let source = Uuid::now_v7();
        let rollup = Rollup { minute, source, message_type: "Email".to_owned(), queue: queue.to_owned(), tally };
        transport.settle_counted(Uuid::nil(), &[], &[rollup]).await.unwrap();
    }
    let metrics = measure(&it, Window::default()).await;
    let is_about = |found: f64, exact: f64| assert!((found - exact).abs() <= exact * 0.021, "{found} {exact}");
    let mail = &metrics.by_queue["mail"];
    assert_eq!((metrics.by_queue.len(), mail.total_succeeded), (2, 100));
    is_about(mail.p50_waiting_time, 10.0);
    is_about(mail.p95_waiting_time, 10.0);
    is_about(mail.p99_waiting_time, 5_000.0);
    is_about(metrics.by_queue["bulk"].p50_waiting_time, 60_000.0);
    is_about(metrics.total.p99_waiting_time, 5_000.0);
}

/// Everything that is told of a period, but for its ends.
async fn told<S: Subject>(it: &S, window: Window) -> serde_json::Value {
    let mut told = serde_json::to_value(measure(it, window).await).unwrap();
    assert_eq!(told["capped"], false);
    told["startTime"].take();
    told["endTime"].take();
    told
}

/// Rows of many consumers over two days and a bit, some of them merged by a build from before the hours.
async fn two_days(it: &Postgres) {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..102 {
        let minute = minute_of(Utc::now());
        let rows: Vec<Rollup> = (0..12)
            .map(|n| {
                let mut tally = Tally::default();
                let outcomes = [Outcome::Completed, retry(HOUR), bury("no"), Outcome::Completed];
                for outcome in &outcomes {
                    let millis = random.u32(1..5_000).into();
                    tally.record(Measured { outcome, millis, waited: random.u32(0..90_000).into() }, minute);
                }
                let queue = format!("queue-{}", n % 3);
                let minute = minute - TimeDelta::minutes(random.i64(0..29));
                let message_type = ["Email", "Sms"][n % 2].to_owned();
                Rollup { minute, source: Uuid::now_v7(), message_type, queue, tally }
            })
            .collect();
        it.transport().settle_counted(Uuid::nil(), &[], &rows).await.unwrap();
        it.advance(HOUR / 2).await;
    }
    it.schema.execute("UPDATE {s}.messenger_metrics SET merged = true WHERE source::text LIKE '%1'").await;
}

#[test]
fn a_long_period_is_exact_to_the_minute_whatever_has_been_merged() {
    check(json!({}), |it: Postgres| async move {
        two_days(&it).await;
        let ago = |minutes| Some(minute_of(Utc::now()) - TimeDelta::minutes(minutes));
        let mut windows: Vec<Window> = [60.0, 185.0, 607.0, 2_881.0, 20_000.0].map(Window::last).into();
        for (start, end) in [(3_000, 17), (2_000, 61), (1_999, 1_500), (400, 210)] {
            windows.push(Window { start_time: ago(start), end_time: ago(end), ..Window::default() });
        }
        let mut before = Vec::new();
        for window in &windows {
            before.push(told(&it, window.clone()).await);
        }
        let hours = "SELECT count(*) FROM {s}.messenger_metrics_hourly";
        for round in 0..14 {
            for (window, expected) in windows.iter().zip(&before) {
                assert_eq!(&told(&it, window.clone()).await, expected, "after {round} merges: {window:?}");
            }
            it.transport().kept().cleanup(100).await.unwrap();
        }
        let minutes: i64 = it.schema.value("SELECT count(*) FROM {s}.messenger_metrics WHERE NOT hourly").await;
        assert!(minutes <= 36, "{minutes} rows are in no hour yet");
        // Fifty hours, three queues, two types.
        assert!((250..=320).contains(&it.schema.value::<i64>(hours).await));
        it.schema.execute("TRUNCATE {s}.messenger_metrics").await;
        let whole = told(&it, Window { start_time: ago(1_440), ..Window::default() }).await;
        assert!(whole["totalProcessed"].as_u64().unwrap() > 1_000, "hours are read without their minutes");
    });
}

#[test]
fn more_rows_than_are_read_at_once_are_told_to_be_a_part() {
    check(json!({}), |it: Postgres| async move {
        it.schema
            .execute(
                "INSERT INTO {s}.messenger_metrics (minute, source, transport_name, message_type, succeeded)
                 SELECT date_trunc('minute', now()) - n / 250 * interval '1 minute', gen_random_uuid(), 'main', 'Email', 1
                 FROM generate_series(0, 24999) n",
            )
            .await;
        let metrics = measure(&it, Window::last(120.0)).await;
        assert_eq!((metrics.capped, metrics.total.total_succeeded), (true, 20_000));
        let minutes = (metrics.end_time - metrics.start_time) / 60_000.0;
        assert!((79.0..=80.1).contains(&minutes), "20,000 rows are those of 80 minutes, not of {minutes}");
        assert!(!measure(&it, Window::last(30.0)).await.capped);
    });
}

#[test]
fn rows_of_many_invocations_are_merged_and_nothing_changes() {
    check(json!({ "retention": { "metrics": "2h" } }), |it: Postgres| async move {
        let transport = it.transport();
        let minute = minute_of(Utc::now());
        for succeeded in 1..=50 {
            let mut rows = [row(Uuid::now_v7(), minute, succeeded), row(Uuid::now_v7(), minute - MINUTE, succeeded)];
            rows.iter_mut().for_each(|it| it.tally.duration_ms += 1.0 / succeeded as f64);
            transport.settle_counted(Uuid::nil(), &[], &rows).await.unwrap();
        }
        it.advance(HOUR + 2 * MINUTE).await;
        let counts = |metrics: Metrics| serde_json::to_value((metrics.total, metrics.errors)).unwrap();
        let before = counts(measure(&it, Window::last(120.0)).await);
        let ever_before = ever(&it).await;
        for _ in 0..4 {
            assert_eq!(transport.kept().cleanup(30).await.unwrap(), Cleaned::default());
            assert_eq!(ever(&it).await, ever_before);
        }
        assert_eq!(counts(measure(&it, Window::last(120.0)).await), before);
        let rows: i64 = it.schema.value("SELECT count(*) FROM {s}.messenger_metrics").await;
        assert!(rows <= 5, "{rows} rows are left of 100");

        put_one(&transport, message("Email")).await;
        it.advance(HOUR).await;
        assert_eq!(
            transport.kept().cleanup(1000).await.unwrap(),
            Cleaned { metrics: rows as u64, ..Cleaned::default() }
        );
        assert_eq!(it.schema.value::<i64>("SELECT count(*) FROM {s}.messenger_metrics").await, 0);
        assert_eq!(counts(measure(&it, Window::last(1000.0)).await), before, "the hours are kept");
        assert_eq!(ever(&it).await, ever_before);
        assert_eq!(ever_before.series[0].outcomes.succeeded, 2 * 50 * 51 / 2);
    });
}

type Draw = fn(&mut fastrand::Rng) -> f64;

/// A standard normal value, by Box and Muller.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (a, b) = (1.0 - random.f64(), random.f64());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

fn lognormal(random: &mut fastrand::Rng) -> f64 {
    (3.0 + 1.2 * normal(random)).exp()
}

fn bimodal(random: &mut fastrand::Rng) -> f64 {
    let (mean, spread) = if random.f64() < 0.7 { (5.0, 0.5) } else { (800.0, 60.0) };
    (mean + spread * normal(random)).max(0.01)
}

fn exponential(random: &mut fastrand::Rng) -> f64 {
    -40.0 * (1.0 - random.f64()).ln()
}

async fn percentiles_of_100_000_durations_are_right<S: Subject>(it: S) {
    let (transport, minute) = (it.transport(), minute_of(Utc::now()));
    let draws: [(&str, Draw); 3] = [("Lognormal", lognormal), ("Bimodal", bimodal), ("Exponential", exponential)];
    for (name, draw) in draws {
        let mut random = fastrand::Rng::with_seed(11);
        let mut durations: Vec<f64> = (0..100_000).map(|_| draw(&mut random)).collect();
        // Two hundred short invocations, over ten minutes.
        for (number, part) in durations.chunks(500).enumerate() {
            let mut tally = Tally::default();
            let run = |millis: &f64| Measured { outcome: &Outcome::Completed, millis: *millis, waited: 0.0 };
            part.iter().for_each(|millis| tally.record(run(millis), minute));
            let minute = minute - TimeDelta::minutes(number as i64 % 10);
            let rollup = Rollup {
                minute,
                source: Uuid::now_v7(),
                message_type: name.to_owned(),
                queue: "default".to_owned(),
                tally,
            };
            transport.settle_counted(Uuid::nil(), &[], &[rollup]).await.unwrap();
        }
        durations.sort_by(f64::total_cmp);
        let metrics = measure(&it, Window::last(30.0)).await;
        let found = &metrics.by_message_type[name];
        assert_eq!(found.total_processed, 100_000);
        for (share, found) in
            [(0.50, found.p50_processing_time), (0.95, found.p95_processing_time), (0.99, found.p99_processing_time)]
        {
            let exact = durations[(share * 100_000.0) as usize - 1];
            let error = (found - exact).abs() / exact;
            assert!(error <= 0.05, "{name} {share}: {found} instead of {exact}");
            println!("{name} p{}: exact {exact:.3}, found {found:.3}, error {:.2} %", share * 100.0, error * 100.0);
        }
        let mean = durations.iter().sum::<f64>() / 100_000.0;
        assert!((found.average_processing_time - mean).abs() <= mean * 1e-3);
    }
}
