//! Outcomes that the database refuses, or cannot take in time, take no other along.

use crate::session::{Message, Session};
use crate::support::kit::{LEASE, Worker, counts, letters, many, message, put};
use crate::support::subject::{Postgres, Subject, check};
use serde_json::{Value, json};
use std::future::{Future, Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use symphony::worker::StoppedBy;

fn on_postgres<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Postgres) -> F) {
    check(crate::settings(), test);
}

/// A handler whose nth message ends as asked, and every other one well.
fn nth(n: usize, outcome: Value) -> impl Fn(Message) -> Ready<Value> + Send + Sync + 'static {
    let started = Arc::new(AtomicUsize::new(0));
    move |_| {
        let mine = started.fetch_add(1, Ordering::Relaxed) == n;
        ready(if mine { outcome.clone() } else { Value::Null })
    }
}

fn failed(message: &str, retryable: bool) -> Value {
    json!({ "as": "failed", "retryable": retryable, "error": { "class": "Error", "message": message }, "handled": [] })
}

#[test]
fn an_outcome_that_the_database_refuses_is_a_dead_letter_that_says_so_and_holds_up_no_other() {
    on_postgres(|it| async move {
        it.schema
            .execute("ALTER TABLE {s}.messenger_messages_pending ADD CHECK (last_error NOT LIKE '%unwritable%')")
            .await;
        put(&it.transport(), many(1_200, || message("Email"))).await;
        let session = Session::new(&it, json!({ "batchSize": 500 }), nth(300, failed("unwritable", true)));
        let summary = session.run().await;
        assert_eq!((summary.stopped_by, summary.stats.claimed), (StoppedBy::Empty, 1_200));
        assert_eq!((summary.stats.succeeded, summary.stats.dead_lettered), (1_199, 1));
        assert_eq!(counts(&it.transport()).await, (0, 0, 0));
        let letters = letters(&it.transport()).await;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].error_class.as_deref(), Some("OutcomeRefused"));
        assert!(letters[0].error.contains("its handler failed, and the database refuses"), "{}", letters[0].error);
    });
}

#[test]
fn a_completed_message_that_the_database_refuses_to_file_is_not_run_again() {
    on_postgres(|it| async move {
        it.schema.execute("ALTER TABLE {s}.messenger_messages_finished ADD CHECK (message_type <> 'Odd')").await;
        let mut all = many(50, || message("Email"));
        all[20] = message("Odd");
        put(&it.transport(), all).await;
        let session = Session::new(&it, json!({}), nth(usize::MAX, Value::Null));
        let summary = session.run().await;
        assert_eq!((summary.stats.succeeded, summary.stats.dead_lettered), (49, 1));
        let letters = letters(&it.transport()).await;
        assert!(letters[0].error.starts_with("it was handled, and"), "{}", letters[0].error);
        assert_eq!((it.finished().await, counts(&it.transport()).await), (49, (0, 0, 0)));
    });
}

/// As in a database whose encoding lacks some letters.
#[test]
fn a_text_that_cannot_be_stored_is_stored_escaped() {
    on_postgres(|it| async move {
        for table in ["messenger_messages_pending", "messenger_messages_finished"] {
            let rule = format!("ALTER TABLE {{s}}.{table} ADD CHECK (last_error ~ '^[ -~]*$')");
            it.schema.execute(&rule).await;
        }
        it.schema.execute("ALTER TABLE {s}.messenger_failed_messages ADD CHECK (error ~ '^[ -~]*$')").await;
        put(&it.transport(), many(60, || message("Email"))).await;
        let (retry, bury) = (failed("zu groß …", true), failed("Größe", false));
        let discard = json!({ "as": "discarded", "reason": "früher" });
        let started = Arc::new(AtomicUsize::new(0));
        let session = Session::new(&it, json!({ "batchSize": 60 }), move |delivery: Message| {
            let n = started.fetch_add(1, Ordering::Relaxed);
            let outcomes = [&retry, &bury, &discard, &Value::Null];
            let said = if delivery.delivery["retryCount"] != json!(0) { Value::Null } else { outcomes[n % 4].clone() };
            ready(said)
        });
        let summary = session.run().await;
        assert_eq!(summary.stats.claimed, 60);
        assert_eq!((summary.stats.retried, summary.stats.dead_lettered, summary.stats.discarded), (15, 15, 15));
        let reasons: Vec<String> = it
            .schema
            .column("SELECT DISTINCT last_error FROM {s}.messenger_messages_finished WHERE status = 'discarded'", &[])
            .await;
        assert_eq!(reasons, ["fr\\u{fc}her"]);
        assert!(letters(&it.transport()).await.iter().all(|it| it.error == "Gr\\u{f6}\\u{df}e"));
    });
}

#[test]
fn a_settling_too_large_for_its_time_limit_gets_smaller() {
    let settings = json!({ "worker": { "lease": "60s" }, "database": { "statementTimeout": "1s" } });
    check(settings, |it: Postgres| async move {
        it.schema
            .execute(
                "CREATE FUNCTION {s}.slow() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN PERFORM pg_sleep(0.005); RETURN new; END $$;
                 CREATE TRIGGER slow BEFORE INSERT ON {s}.messenger_messages_finished
                   FOR EACH ROW EXECUTE FUNCTION {s}.slow()",
            )
            .await;
        put(&it.transport(), many(400, || message("Email"))).await;
        let session = Session::new(&it, json!({ "batchSize": 400 }), nth(usize::MAX, Value::Null));
        let summary = session.run().await;
        assert_eq!((summary.stopped_by, summary.stats.succeeded), (StoppedBy::Empty, 400));
        assert_eq!((it.finished().await, counts(&it.transport()).await), (400, (0, 0, 0)));
    });
}

#[test]
fn what_no_table_takes_stays_behind_and_holds_up_no_other() {
    on_postgres(|it| async move {
        for table in ["messages_pending", "messages_finished", "failed_messages"] {
            let rule = format!("ALTER TABLE {{s}}.messenger_{table} ADD CHECK (message_type <> 'Odd') NOT VALID");
            it.schema.execute(&rule).await;
        }
        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending DROP CONSTRAINT messenger_messages_pending_message_type_check").await;
        let mut all = many(30, || message("Email"));
        all[0] = message("Odd");
        put(&it.transport(), all).await;
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), nth(usize::MAX, Value::Null));
        let run = session.start();
        session.until_started(30).await;
        put(&it.transport(), many(30, || message("Email"))).await;
        session.until_started(60).await;
        crate::support::until("all others are done", async || it.finished().await == 59).await;
        // Somebody takes the rule away again.
        it.schema.execute("ALTER TABLE {s}.messenger_failed_messages DROP CONSTRAINT messenger_failed_messages_message_type_check").await;
        crate::support::until("it is a dead letter", async || letters(&it.transport()).await.len() == 1).await;
        session.stop();
        let summary = run.await.unwrap();
        assert_eq!((summary.stats.succeeded, summary.stats.dead_lettered), (59, 1));
    });
}

#[test]
fn a_schema_of_other_types_buries_nothing() {
    on_postgres(|it| async move {
        put(&it.transport(), many(10, || message("Email"))).await;
        it.schema.execute("ALTER TABLE {s}.messenger_messages ALTER COLUMN crash_count TYPE bigint").await;
        let session = Session::new(&it, json!({}), nth(usize::MAX, Value::Null));
        let error = session.consumer.clone().run().await.unwrap_err();
        assert_eq!(error.code(), "SYMPHONY_MIGRATION_MISSING");
        let (waiting, _, held) = counts(&it.transport()).await;
        assert_eq!((waiting + held, letters(&it.transport()).await.len()), (10, 0));
    });
}

#[test]
fn a_message_that_cannot_be_put_back_keeps_no_other_from_being_rescued() {
    check(json!({ "worker": { "lease": "2s" } }), |it: Postgres| async move {
        let mut all = many(30, || message("Email"));
        all[3] = message("Odd");
        put(&it.transport(), all).await;
        assert_eq!(Worker::of(&it.transport()).claim(30).await.len(), 30);
        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending ADD CHECK (message_type <> 'Odd')").await;
        it.advance(2 * LEASE).await;
        let session = Session::new(&it, json!({ "mode": "run", "pollInterval": 10 }), nth(usize::MAX, Value::Null));
        let run = session.start();
        crate::support::until("all others are done", async || it.finished().await == 29).await;
        session.stop();
        assert_eq!(run.await.unwrap().stats.succeeded, 29);
        assert_eq!(counts(&it.transport()).await, (0, 0, 1));
    });
}
