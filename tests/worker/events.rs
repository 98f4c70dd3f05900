//! What an observer is told.

use crate::session::{Session, failed, succeed};
use crate::support::kit::{message, put, put_one};
use crate::support::subject::{MAIN, Subject};
use serde_json::{Value, json};

for_workers! {
    each_outcome_is_told
    nobody_is_told_of_messages_who_does_not_ask
}

async fn each_outcome_is_told<S: Subject>(it: S) {
    let types = ["Good", "Bad", "Worse", "Later", "Never", "Back"];
    let sent = put(&it.transport(), types.map(message).into()).await;
    let session = Session::new(&it, json!({ "messageLimit": 6 }), |message| async move {
        let mut hopeless = failed("no");
        hopeless["retryable"] = json!(false);
        match message.text("type") {
            "Good" => Value::Null,
            "Bad" => failed("try again"),
            "Worse" => hopeless,
            "Later" => json!({ "as": "snoozed", "delay": 5000 }),
            "Never" => json!({ "as": "discarded", "reason": "old" }),
            _ => json!({ "as": "released" }),
        }
    });
    session.run().await;
    let events = session.log(|log| log.events.clone());
    assert_eq!(events[0], json!({ "event": "claimed", "count": 6 }));
    let told = |n: usize, event: &str, more: Value| {
        let id = sent[n].to_string();
        let mut wanted = json!({ "event": event, "id": id, "type": types[n], "transport": MAIN, "retryCount": 0 });
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let got = events.iter().find(|it| it["id"] == id).unwrap();
        assert_eq!(got, &wanted);
    };
    told(0, "completed", json!({}));
    told(1, "retried", json!({ "delay": 1000, "error": { "class": "SmtpError", "message": "try again" } }));
    told(2, "deadLettered", json!({ "error": { "class": "SmtpError", "message": "no" } }));
    told(3, "snoozed", json!({ "delay": 5000 }));
    told(4, "discarded", json!({ "reason": "old" }));
    told(5, "released", json!({}));
    assert_eq!(events.len(), 7);
}

async fn nobody_is_told_of_messages_who_does_not_ask<S: Subject>(it: S) {
    put_one(&it.transport(), message("Email")).await;
    let session = Session::new(&it, json!({ "observe": false }), succeed);
    session.run().await;
    assert!(session.log(|log| log.events.iter().all(|it| it["event"] == "claimed")));
}
