//! Commands of the test kit to a memory transport.

use crate::backends::memory::MemoryTransport;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What a test may ask for.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Command {
    /// Moves the clock.
    Advance {
        /// By so many milliseconds.
        ms: f64,
    },
    /// Stops the clock at an instant, or lets it go again.
    Set {
        /// Milliseconds since 1970; `None`: the real time.
        now: Option<f64>,
    },
    /// Forgets every message.
    Clear,
    /// Shows every message.
    List,
}

/// Does it, and answers with the time or the messages.
pub fn run(transport: &MemoryTransport, command: &Command) -> Value {
    match *command {
        Command::Advance { ms } => transport.advance(Duration::from_secs_f64(ms.clamp(0.0, 1e13) / 1000.0)),
        Command::Set { now } => transport.set_now(now.and_then(|ms| DateTime::from_timestamp_millis(ms as i64))),
        Command::Clear => transport.clear(),
        Command::List => return json!(transport.list()),
    }
    json!(transport.now().timestamp_millis())
}
