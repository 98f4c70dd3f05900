//! The floor: the tables and statements of Symphony driven by a bare client, with no queue and no handlers around them.
//!
//! One JSON command per line on stdin, one JSON answer per line on stdout, as `bench/child.mjs` speaks. The statements
//! are the core's own files, so that the floor moves with them.

mod client;
mod drain;
mod enqueue;
mod lanes;
mod latency;
mod measured;
// The core's own list: a statement that changes there changes here.
#[allow(dead_code, missing_docs)]
#[path = "../../../src/backends/postgres/sql/mod.rs"]
mod statement;

use client::Raw;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// What can go wrong; the harness prints it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut stdout = tokio::io::stdout();
    let mut raw = None;
    while let Some(line) = lines.next_line().await? {
        let command: Value = serde_json::from_str(&line)?;
        let answer = match obey(&mut raw, &command).await {
            Ok(result) => json!({ "id": command["id"], "result": result }),
            Err(error) => json!({ "id": command["id"], "error": full(&*error) }),
        };
        stdout.write_all(format!("{answer}\n").as_bytes()).await?;
        stdout.flush().await?;
    }
    Ok(())
}

async fn obey(raw: &mut Option<Raw>, command: &Value) -> Result<Value, Failure> {
    let name = command["do"].as_str().unwrap_or_default();
    let arguments = &command["with"];
    if name == "open" {
        *raw = Some(Raw::open(arguments).await?);
        return Ok(json!({ "version": "tokio-postgres" }));
    }
    let raw = raw.as_mut().ok_or("open comes first")?;
    match name {
        "enqueueBatch" => enqueue::batch(raw, serde_json::from_value(arguments.clone())?).await,
        "enqueueSingle" => enqueue::single(raw, serde_json::from_value(arguments.clone())?).await,
        "drain" => drain::drain(raw, serde_json::from_value(arguments.clone())?).await,
        "produce" => enqueue::produce(raw, serde_json::from_value(arguments.clone())?).await,
        "consume" => drain::consume(raw, serde_json::from_value(arguments.clone())?).await,
        "latency" => latency::latency(raw, serde_json::from_value(arguments.clone())?).await,
        "count" => raw.count().await,
        "close" => Ok(Value::Null),
        other => Err(format!("no command {other}").into()),
    }
}

/// An error with its causes.
fn full(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |it| it.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
