//! The core of `@leadmap/symphony`, a message queue for Node applications on Postgres.
//!
//! ```text
//! dispatch: message -> envelope -> routing -> dispatcher -> transport
//! consume:  transport -> worker (claim, deliver, settle) -> handlers in JavaScript -> retry decision -> transport
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`base`] | numbers, words and texts that several share |
//! | [`config`] | layers, environment, and each section with its keys |
//! | [`log`] | what `tracing` records, on its way to the application's logger |
//! | [`message`] | the data that travels: as it comes in, and in its envelope |
//! | [`policy`] | pure decisions, no I/O and no clock: routing, retries, idempotency |
//! | [`counts`] | what happened, per minute and type of message |
//! | [`search`] | the language in which operators search messages |
//! | [`store`] | what is kept beside messages |
//! | [`transport`] | where messages wait: the trait |
//! | [`backends`] | both, in `postgres`, `memory` and `sync` |
//! | [`engine`] | one configuration with its transports, which everything below borrows |
//! | [`dispatcher`] | message to envelopes to transports |
//! | [`worker`] | claim, deliver, settle; heartbeat, limits, shutdown |
//! | [`scheduler`] | recurring messages: once, cron, interval |
//! | [`monitor`] | the state of the queue, and what to do about it |
//! | [`operate`] | what operators ask for and do: messages, dead letters, pauses, operations |
//! | `binding` | the only module that knows Node exists |

pub mod backends;
pub mod base;
pub mod config;
pub mod counts;
pub mod dispatcher;
pub mod engine;
pub mod error;
pub mod log;
pub mod message;
pub mod monitor;
pub mod operate;
pub mod policy;
pub mod scheduler;
pub mod search;
pub mod store;
pub mod transport;
pub mod worker;

mod binding;
#[cfg(test)]
mod hot_paths;

pub use error::{Error, Result};
