//! Connections break and tables are missing; no outcome is lost by it.

use crate::session::{Session, succeed};
use crate::support::kit::{ByHand, LEASE, Worker, counts, many, message, put, put_one};
use crate::support::subject::{Postgres, Subject, check};
use crate::support::until;
use serde_json::{Value, json};
use std::collections::HashSet;
use symphony::message::outcome::Outcome;
use symphony::worker::StoppedBy;

fn on_postgres<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Postgres) -> F) {
    check(crate::settings(), test);
}

#[test]
fn a_drain_survives_broken_connections() {
    on_postgres(|it| async move {
        const MESSAGES: usize = 600;
        put(&it.transport(), many(MESSAGES, || message("Email"))).await;
        let session = Session::new(&it, json!({ "batchSize": 10 }), |_| async {
            tokio::task::yield_now().await;
            Value::Null
        });
        let run = session.start();
        let mut broken = 0;
        for step in 1..=4 {
            session.until_started(step * MESSAGES / 6).await;
            broken += it.schema.disconnect().await;
        }
        let summary = run.await.unwrap();
        assert!(broken >= 4, "{broken}");
        assert_eq!((summary.stopped_by, summary.stats.succeeded), (StoppedBy::Empty, MESSAGES as u64));
        assert_eq!((it.finished().await, counts(&it.transport()).await), (MESSAGES, (0, 0, 0)));
        let started = session.started("id");
        assert_eq!(started.len(), MESSAGES, "a message ran twice");
        assert_eq!(started.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
        assert!(session.log(|log| log.events.iter().any(|it| it["event"] == "error")), "nothing broke");
    });
}

#[test]
fn a_worker_survives_broken_connections() {
    on_postgres(|it| async move {
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), succeed);
        let run = session.start();
        for round in 1..=5 {
            put(&it.transport(), many(10, || message("Email"))).await;
            session.until_started(10 * round).await;
            it.schema.disconnect().await;
            // The test's own sends use the same pool: they wait until it has noticed.
            until("the pool is well again", async || it.transport().depth().await.is_ok()).await;
        }
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 50);
        assert_eq!(it.finished().await, 50);
    });
}

#[test]
fn a_drain_whose_outcomes_cannot_be_written_says_so_and_loses_nothing() {
    on_postgres(|it| async move {
        put_one(&it.transport(), message("Email")).await;
        let subject = it.clone();
        let session = Session::new(&it, json!({}), move |_| {
            let it = subject.clone();
            async move {
                it.schema.execute("ALTER TABLE {s}.messenger_messages_finished RENAME TO away").await;
                Value::Null
            }
        });
        let error = session.consumer.clone().run().await.unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_MIGRATION_MISSING");
        it.schema.execute("ALTER TABLE {s}.away RENAME TO messenger_messages_finished").await;

        it.advance(2 * LEASE).await;
        assert_eq!(it.transport().rescue().await.unwrap().returned, 1);
        let worker = Worker::of(&it.transport());
        let message = worker.claim_suspect().await.unwrap();
        worker.settle(&message, Outcome::Completed).await;
    });
}

/// Otherwise one row that cannot be moved keeps everybody from claiming anything.
#[test]
fn a_rescue_that_fails_is_told_and_the_claim_goes_on() {
    on_postgres(|it| async move {
        put_one(&it.transport(), message("Email")).await;
        Worker::of(&it.transport()).claim_one().await;
        it.advance(2 * LEASE).await;
        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending ADD CONSTRAINT no CHECK (crash_count = 0)").await;
        put(&it.transport(), many(3, || message("Email"))).await;
        let session = Session::new(&it, json!({}), succeed);
        assert_eq!(session.run().await.stats.succeeded, 3);
        let told =
            |it: &Value| it["event"] == "error" && it["message"].as_str().is_some_and(|it| it.contains("rescue"));
        assert!(session.log(|log| log.events.iter().any(told)), "nobody was told");

        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending DROP CONSTRAINT no").await;
        assert_eq!(Session::new(&it, json!({}), succeed).run().await.stats.succeeded, 1);
    });
}

/// Claims go on meanwhile, and say nothing about outcomes.
#[test]
fn a_worker_says_that_it_works_again_once_all_of_it_does() {
    on_postgres(|it| async move {
        it.schema.execute("ALTER TABLE {s}.messenger_messages_finished RENAME TO away").await;
        put_one(&it.transport(), message("Email")).await;
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), succeed);
        let count = |event: &str| session.log(|log| log.events.iter().filter(|it| it["event"] == event).count());
        let run = session.start();
        until("the outcome was refused again and again", async || count("error") >= 3).await;
        let idle = count("idle");
        until("a claim has found nothing", async || count("idle") > idle).await;
        assert_eq!(count("recovered"), 0);
        it.schema.execute("ALTER TABLE {s}.away RENAME TO messenger_messages_finished").await;
        until("it says so", async || count("recovered") == 1).await;
        session.stop();
        assert_eq!((run.await.unwrap().stats.succeeded, count("recovered")), (1, 1));
    });
}

#[test]
fn a_drain_without_tables_says_what_to_do() {
    on_postgres(|it| async move {
        it.schema.execute("DROP SCHEMA {s} CASCADE").await;
        let error = Session::new(&it, json!({}), succeed).consumer.clone().run().await.unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_MIGRATION_MISSING");
        assert!(error.to_string().contains("migrate()"), "{error}");
    });
}

#[test]
fn a_worker_waits_for_its_tables() {
    on_postgres(|it| async move {
        put_one(&it.transport(), message("Email")).await;
        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending RENAME TO away").await;
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), succeed);
        let run = session.start();
        session.until("it has failed", |log| log.events.iter().any(|it| it["event"] == "error")).await;
        it.schema.execute("ALTER TABLE {s}.away RENAME TO messenger_messages_pending").await;
        session.until_started(1).await;
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 1);
    });
}
