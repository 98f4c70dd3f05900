//! What stands under a worker's name and it does not know of comes back, whatever else does not; so does what names
//! one that there never was.

use crate::session::{Message, Session};
use crate::support::kit::{ByHand, LEASE, Worker, counts, many, message, put, put_one};
use crate::support::subject::{MAIN, Postgres, Subject, check};
use crate::support::until;
use serde_json::{Value, json};
use std::future::Future;
use symphony::transport::Rescued;

fn start<F: Future<Output = Value> + Send + 'static>(
    it: &Postgres,
    handler: impl Fn(Message) -> F + Send + Sync + 'static,
) -> Session {
    Session::new(it, json!({ "mode": "run", "pollInterval": 10 }), handler)
}

/// Puts messages of these types under the name of the only worker that there is.
async fn smuggle(it: &Postgres, types: &[&str]) {
    it.schema.execute("ALTER TABLE {s}.messenger_messages_pending ADD CHECK (message_type <> 'Odd')").await;
    let types = types.join(",");
    let insert = format!(
        "INSERT INTO {{s}}.messenger_messages_processing
           (id, status, transport_name, queue_name, message_type, body, locked_at, locked_by, worker_id)
         SELECT gen_random_uuid(), 'processing', '{MAIN}', 'default', type, '{{}}', now(),
                lpad(place::text, 32, '0')::uuid, (SELECT id FROM {{s}}.messenger_workers)
         FROM unnest('{{{types}}}'::text[]) WITH ORDINALITY AS given (type, place)"
    );
    it.schema.execute(&insert).await;
}

#[test]
fn a_message_that_cannot_be_put_back_keeps_no_other_from_coming_back() {
    check(crate::settings(), |it: Postgres| async move {
        put_one(&it.transport(), message("Email")).await;
        let session = start(&it, async |_| Value::Null);
        let run = session.start();
        until("it is registered", async || it.finished().await == 1).await;
        let mut types = ["Email"; 30];
        types[3] = "Odd";
        smuggle(&it, &types).await;
        until("all others are done", async || it.finished().await == 30).await;
        session.stop();
        run.await.unwrap();
        assert_eq!(counts(&it.transport()).await, (0, 0, 1));
    });
}

#[test]
fn a_message_that_cannot_be_put_back_keeps_no_handler_from_hearing_that_its_lease_is_lost() {
    check(crate::settings(), |it: Postgres| async move {
        put_one(&it.transport(), message("Slow")).await;
        let session = start(&it, async |message| {
            assert_eq!(message.aborted().await, "leaseLost");
            Value::Null
        });
        let run = session.start();
        session.until_started(1).await;
        smuggle(&it, &["Odd"]).await;
        until("its heart beats", async || {
            it.schema.value::<i32>("SELECT max(in_flight) FROM {s}.messenger_workers").await == 1
        })
        .await;
        it.schema.execute("DELETE FROM {s}.messenger_messages_processing WHERE message_type = 'Slow'").await;
        it.schema.execute("DELETE FROM {s}.messenger_workers").await;
        until("it knows", async || session.consumer.stats().lost == 1).await;
        session.stop();
        run.await.unwrap();
    });
}

#[test]
fn a_message_that_names_no_worker_that_can_be_is_held_by_nobody_and_comes_back() {
    check(crate::settings(), |it: Postgres| async move {
        let transport = it.transport();
        put(&transport, many(3, || message("Email"))).await;
        let claimed = Worker::of(&transport).claim(2).await;
        Worker::of(&transport).claim(1).await;
        for (message, digit) in claimed.iter().zip(["0", "f"]) {
            let by_hand = "UPDATE {s}.messenger_messages_processing SET worker_id =";
            it.schema.execute(&format!("{by_hand} '{}' WHERE id = '{}'", digit.repeat(32), message.id)).await;
        }
        assert_eq!(transport.kept().vitals().await.unwrap().held_by_nobody, 2);
        it.advance(2 * LEASE).await;
        assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 2, returned: 3, buried: vec![] });
        let crashes = "SELECT crash_count FROM {s}.messenger_messages_pending";
        assert_eq!(it.schema.column::<i16>(crashes, &[]).await, [1; 3]);
    });
}
