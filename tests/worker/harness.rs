//! What the other tests rely on: an assertion that fails in a handler fails its test, at once.

use crate::session::{Message, Session};
use crate::support::kit::{message, put_one};
use crate::support::subject::{Memory, Subject, check};
use serde_json::{Value, json};

async fn object(_: Message) -> Value {
    panic!("the handler objects")
}

async fn session_of_objectors(it: &Memory, mode: &str) -> Session {
    put_one(&it.transport(), message("Email")).await;
    Session::new(it, json!({ "mode": mode, "pollInterval": 60_000 }), object)
}

#[test]
#[should_panic(expected = "the handler objects")]
fn a_handler_that_panics_fails_the_test_of_a_drain() {
    check(crate::settings(), |it: Memory| async move {
        session_of_objectors(&it, "drain").await.run().await;
    });
}

#[test]
#[should_panic(expected = "the handler objects")]
fn a_handler_that_panics_fails_the_test_of_a_worker() {
    check(crate::settings(), |it: Memory| async move {
        session_of_objectors(&it, "run").await.run().await;
    });
}
