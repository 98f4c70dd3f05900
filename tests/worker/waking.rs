//! What ends the rest of a worker that has found nothing. Polls are so far apart that none of it is found by one.

use crate::session::{Message, Session, succeed};
use crate::staying::until_it_waits;
use crate::support::kit::{ByHand, LEASE, MINUTE, Worker, many, message, put, put_one, release, retry};
use crate::support::subject::{MAIN, OTHER, Postgres, Subject, check};
use crate::support::until;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;
use symphony::transport::{Drain, Transport};
use symphony::worker::Summary;
use tokio::sync::{mpsc::UnboundedReceiver, watch};
use tokio::task::JoinHandle;

for_workers! {
    what_it_put_back_is_found_whenever_it_is_due
    a_handler_that_is_added_gets_what_waits_for_it
    a_worker_that_rests_looks_after_the_dead
}

/// A worker that hardly ever polls; `options` lie over that.
fn resting<S: Subject, F>(
    it: &S,
    options: Value,
    script: impl Fn(Message) -> F + Send + Sync + 'static,
) -> (Session, JoinHandle<Summary>)
where
    F: Future<Output = Value> + Send + 'static,
{
    let mut all = json!({ "mode": "run", "pollInterval": 600_000 });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let session = Session::new(it, all, script);
    let run = session.start();
    (session, run)
}

async fn end(session: &Session, run: JoinHandle<Summary>) {
    session.stop();
    run.await.unwrap();
}

fn idles(session: &Session) -> usize {
    session.log(|log| log.events.iter().filter(|it| it["event"] == "idle").count())
}

async fn until_it_rests(session: &Session) {
    until("it found nothing", async || idles(session) > 0).await;
}

async fn what_it_put_back_is_found_whenever_it_is_due<S: Subject>(it: S) {
    let delays = [("First", "snoozed", 200), ("Second", "snoozed", 500), ("Third", "released", 800)];
    put(&it.transport(), delays.map(|(name, ..)| message(name)).into()).await;
    let seen = Mutex::new(HashSet::new());
    let (session, run) = resting(&it, json!({ "listen": false }), move |message| {
        let first = seen.lock().unwrap().insert(message.text("id").to_owned());
        let (_, said, delay) = *delays.iter().find(|it| it.0 == message.text("type")).unwrap();
        async move { if first { json!({ "as": said, "delay": delay }) } else { Value::Null } }
    });
    session.until_started(6).await;
    end(&session, run).await;
}

async fn a_handler_that_is_added_gets_what_waits_for_it<S: Subject>(it: S) {
    put_one(&it.transport(), message("Sms")).await;
    let (session, run) = resting(&it, json!({ "listen": false, "types": ["Email"] }), succeed);
    until_it_rests(&session).await;
    session.consumer.set_types(Some(vec!["Email".to_owned(), "Sms".to_owned()]));
    session.until_started(1).await;
    end(&session, run).await;
}

async fn a_worker_that_rests_looks_after_the_dead<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    Worker::of(&it.transport()).claim_one().await;
    let (session, run) = resting(&it, json!({ "listen": false }), succeed);
    until_it_rests(&session).await;
    it.advance(2 * LEASE).await;
    session.until_started(1).await;
    end(&session, run).await;
}

/// A message of which nobody is told, as from a dispatch that began before anybody waited.
async fn put_unheard(it: &Postgres) {
    it.schema
        .execute(
            "INSERT INTO {s}.messenger_messages_pending (id, message_type, transport_name, body)
             VALUES (gen_random_uuid(), 'Email', 'main', '{}')",
        )
        .await;
}

#[test]
fn being_woken_for_nothing_uses_up_no_look() {
    check(crate::patient(), |it: Postgres| async move {
        let (session, run) = resting(&it, json!({}), succeed);
        until_it_waits(&it).await;
        for _ in 0..5 {
            let before = idles(&session);
            it.schema.execute("SELECT pg_notify('symphony_{s}', 'main')").await;
            until("it has looked", async || idles(&session) > before).await;
        }
        put_unheard(&it).await;
        session.until_started(1).await;
        end(&session, run).await;
    });
}

#[test]
fn what_takes_seconds_to_commit_is_found_too() {
    check(crate::patient(), |it: Postgres| async move {
        let (session, run) = resting(&it, json!({}), succeed);
        until_it_waits(&it).await;
        // At the end of a row of looks that are ever further apart, of which each tells that it found nothing.
        let marked = idles(&session);
        until("it has looked twice", async || idles(&session) >= marked + 2).await;
        put_unheard(&it).await;
        session.until_started(1).await;
        end(&session, run).await;
    });
}

#[test]
fn nobody_is_told_while_a_worker_of_two_transports_is_busy() {
    check(crate::patient(), |it: Postgres| async move {
        const MESSAGES: usize = 20;
        // One row each time that a worker is marked as waiting.
        it.schema
            .execute(
                "CREATE TABLE {s}.marks (id uuid);
                 CREATE FUNCTION {s}.mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   INSERT INTO {s}.marks VALUES (NEW.id);
                   RETURN NULL;
                 END $$;
                 CREATE TRIGGER mark AFTER INSERT OR UPDATE OF waiting ON {s}.messenger_workers
                   FOR EACH ROW WHEN (NEW.waiting) EXECUTE FUNCTION {s}.mark()",
            )
            .await;
        let marks = async || it.schema.value::<i64>("SELECT count(*) FROM {s}.marks").await;
        let pending = async || it.schema.value::<i64>("SELECT count(*) FROM {s}.messenger_messages_pending").await;
        // One claim that takes all and has room for more; or two, between which nothing but its first transport is empty.
        for (transports, size, left) in [([MAIN, OTHER], 2 * MESSAGES, 0), ([OTHER, MAIN], 1, MESSAGES - 2)] {
            let options = json!({ "transports": transports, "batchSize": size, "maxConcurrency": 1 });
            let (open, gate) = watch::channel(false);
            let (session, run) = resting(&it, options, move |_| {
                let mut gate = gate.clone();
                async move {
                    gate.wait_for(|open| *open).await.unwrap();
                    Value::Null
                }
            });
            until_it_waits(&it).await;
            let before = marks().await;
            put(&it.transport(), many(MESSAGES, || message("Email"))).await;
            session.until_started(1).await;
            until("its hands are full", async || pending().await == left as i64).await;
            assert_eq!(marks().await, before, "marked as waiting while it was busy: {transports:?}");
            open.send_replace(true);
            session.until_started(MESSAGES).await;
            until_it_waits(&it).await;
            end(&session, run).await;
        }
    });
}

fn guarded() -> Value {
    let mut settings = crate::patient();
    settings["circuitBreaker"] = json!({ "enabled": true });
    settings
}

/// A worker that rests though a message waits, because its type is paused.
async fn paused(it: &Postgres) -> (Session, JoinHandle<Summary>) {
    it.schema
        .execute(
            "INSERT INTO {s}.messenger_circuits (message_type, state, opened_at, probe_at)
             VALUES ('Email', 'open', now(), now() + interval '1 hour')",
        )
        .await;
    put_one(&it.transport(), message("Email")).await;
    let (session, run) = resting(it, json!({ "listen": false, "types": ["Email"] }), succeed);
    until_it_rests(&session).await;
    assert!(session.started("id").is_empty());
    (session, run)
}

#[test]
fn a_circuit_that_others_close_ends_the_rest() {
    check(guarded(), |it: Postgres| async move {
        let (session, run) = paused(&it).await;
        it.schema.execute("UPDATE {s}.messenger_circuits SET state = 'closed', probe_at = NULL").await;
        session.until_started(1).await;
        end(&session, run).await;
    });
}

#[test]
fn a_try_that_is_granted_ends_the_rest() {
    check(guarded(), |it: Postgres| async move {
        let (session, run) = paused(&it).await;
        it.schema.execute("UPDATE {s}.messenger_circuits SET probe_at = now()").await;
        session.until_started(1).await;
        end(&session, run).await;
    });
}

async fn hears(announced: &mut UnboundedReceiver<String>, what: &str) {
    let said = tokio::time::timeout(Duration::from_secs(30), announced.recv()).await;
    assert_eq!(said.expect(what).unwrap(), MAIN, "{what}");
}

#[test]
fn whatever_is_put_back_is_announced_to_those_that_wait() {
    check(crate::patient(), |it: Postgres| async move {
        let transport = it.transport();
        let mut announced = it.schema.announcements().await;
        let waits = "INSERT INTO {s}.messenger_workers (id, host, pid, transports, lease_until, waiting)
                     VALUES ('0f0f0f0f-0000-7000-8000-000000000000', 'elsewhere', 1, '{main}', 'infinity', true)";
        put(&transport, many(4, || message("Email"))).await;
        let (worker, dead) = (Worker::of(&transport), Worker::with_lease(&transport, Duration::ZERO));
        let (held, _) = (worker.claim(3).await, dead.claim_one().await);
        assert!(announced.try_recv().is_err(), "nobody waits yet");
        it.schema.execute(waits).await;

        worker.settle(&held[0], release()).await;
        hears(&mut announced, "released").await;
        worker.settle(&held[1], retry(Duration::ZERO)).await;
        hears(&mut announced, "failed, to run again at once").await;
        assert!(worker.knows_only(&[]).await);
        hears(&mut announced, "unknown to its worker").await;
        assert_eq!(transport.rescue().await.unwrap().returned, 1);
        hears(&mut announced, "rescued").await;
        assert_eq!(transport.absolve(dead.id.id).await.unwrap(), 1);
        hears(&mut announced, "no suspect any more").await;

        let again = worker.claim_one().await;
        worker.settle(&again, retry(MINUTE)).await;
        put_one(&transport, message("Email")).await;
        hears(&mut announced, "sent").await;
        assert!(announced.try_recv().is_err(), "what is due in a minute wakes nobody");
    });
}

#[test]
fn a_transport_that_is_switched_on_is_waited_for() {
    check(crate::patient(), |it: Postgres| async move {
        // Every poll looks for it, and finds what was sent to it.
        let (session, run) = resting(&it, json!({ "transports": null, "pollInterval": 100 }), succeed);
        until_it_waits(&it).await;
        it.schema.execute("INSERT INTO {s}.messenger_transports (name, type) VALUES ('extra', 'postgres')").await;
        let waits = "SELECT count(*) FROM {s}.messenger_workers WHERE waiting AND 'extra' = ANY (transports)";
        until("it waits for that, too", async || it.schema.value::<i64>(waits).await == 1).await;
        end(&session, run).await;
    });
}

#[test]
fn one_that_was_declared_dead_while_it_waits_says_again_that_it_waits() {
    check(crate::settings(), |it: Postgres| async move {
        let (session, run) = resting(&it, json!({}), succeed);
        for _ in 0..3 {
            until_it_waits(&it).await;
            it.schema.execute("DELETE FROM {s}.messenger_workers").await;
        }
        until_it_waits(&it).await;
        end(&session, run).await;
    });
}

#[test]
fn a_store_that_is_down_holds_up_nothing_in_another() {
    let mut settings = crate::patient();
    settings["transports"] = json!({ "beside": { "type": "memory" } });
    check(settings, |it: Postgres| async move {
        let beside = it.engine().memory("beside").unwrap();
        let options = json!({ "transports": [MAIN, "beside"], "pollInterval": 10 });
        let (session, run) = resting(&it, options, succeed);
        until_it_waits(&it).await;
        it.schema.execute("ALTER TABLE {s}.messenger_messages_pending RENAME TO away").await;
        session.until("it has failed", |log| log.events.iter().any(|it| it["event"] == "error")).await;
        let beside: std::sync::Arc<dyn Drain> = beside.drain().unwrap();
        for round in 1..=5 {
            put_one(&beside, message("Email")).await;
            session.until_started(round).await;
        }
        it.schema.execute("ALTER TABLE {s}.away RENAME TO messenger_messages_pending").await;
        put_one(&it.transport(), message("Email")).await;
        session.until_started(6).await;
        until_it_waits(&it).await;
        end(&session, run).await;
    });
}
