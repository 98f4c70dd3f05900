//! The pure work on each message, for an instruction counter: `scripts/test/instructions.mjs` runs these ignored tests
//! with two numbers of messages and compares. Instructions do not depend on how busy the machine is; time does.

use crate::config::{Layers, LogLevel};
use crate::dispatcher;
use crate::engine::Engine;
use crate::error::Result;
use crate::log;
use crate::message::claimed::Claimed;
use crate::transport::inline::Inline;
use crate::worker;
use async_trait::async_trait;
use chrono::DateTime;
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use tracing::Instrument;
use uuid::Uuid;

/// How many messages; the counter sets it.
pub fn messages() -> usize {
    std::env::var("SYMPHONY_HOT_PATH_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A batch as JavaScript sends it.
fn array_of(item: &str) -> String {
    format!("[{}]", vec![item; messages()].join(","))
}

/// Reading, checking, routing, envelopes, the answers; into memory.
#[test]
#[ignore = "for an instruction counter"]
fn dispatching() {
    let layers: Layers = serde_json::from_value(json!({ "config": { "defaultTransport": "memory" } })).unwrap();
    // As in an application whose logger writes warnings.
    log::install();
    let engine = Arc::new(Engine::new(&layers, Arc::new(Nobody)).unwrap());
    engine.log().set_filter(log::Filter::new(LogLevel::Warn, &engine.config().logging));
    let request = r#"{"type":"EmailMessage","payload":{"to":"ada@example.com","template":"welcome"}}"#;
    let requests = array_of(request);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dispatching = dispatcher::dispatch(&engine, black_box(&requests)).instrument(engine.log().span());
    let answers = runtime.block_on(dispatching).unwrap();
    assert_eq!(black_box(answers).len(), messages());
}

/// A claimed batch as the text that goes to JavaScript.
#[test]
#[ignore = "for an instruction counter"]
fn delivering() {
    let batch: Vec<Claimed> = (0..messages()).map(claimed).collect();
    let text = worker::inline_batch(1, "supabase", black_box(&batch));
    assert!(black_box(text).len() > batch.len());
}

/// What the handlers report, parsed.
#[test]
#[ignore = "for an instruction counter"]
fn reporting() {
    let text = array_of("[7,12,0.125]");
    let reports = worker::read_reports(black_box(&text)).unwrap();
    assert_eq!(black_box(reports).len(), messages());
}

fn claimed(number: usize) -> Claimed {
    Claimed {
        id: Uuid::from_u128(number as u128),
        token: Uuid::nil(),
        message_type: "EmailMessage".to_owned(),
        queue: "default".to_owned(),
        priority: 5,
        body: r#"{"n":1,"to":"ada@example.com","template":"welcome"}"#.to_owned(),
        headers: "{}".to_owned(),
        metadata: "{}".to_owned(),
        created_at: DateTime::UNIX_EPOCH,
        available_at: DateTime::UNIX_EPOCH,
        scheduled_at: None,
        retry_count: 0,
        max_retries: None,
        crash_count: 0,
        idempotency_key: None,
        handled: Vec::new(),
        claimed_at: DateTime::UNIX_EPOCH,
        unreadable: None,
    }
}

struct Nobody;

#[async_trait]
impl Inline for Nobody {
    async fn handle(&self, _: &str, _: Vec<Claimed>) -> Vec<Result<()>> {
        Vec::new()
    }
}
