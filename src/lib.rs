//! The core of `@leadmap/symphony`, a message queue for Node applications on Postgres.
//!
//! ```text
//! dispatch: message -> envelope -> routing -> dispatcher -> transport
//! consume:  transport -> worker (claim, deliver, settle) -> handlers in JavaScript -> retry decision -> transport
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`message`], [`envelope`] | the data that travels |
//! | [`config`] | model, layers, environment, validation |
//! | [`routing`], [`retry`], [`deduplication`] | pure decisions, no I/O and no clock |
//! | [`dispatcher`] | message to envelopes to transports |
//! | [`transport`] | where messages wait: the trait, and `postgres`, `memory`, `sync` |
//! | [`worker`] | claim, deliver, settle; heartbeat, limits, shutdown |
//! | [`scheduler`] | messages that come again: once, cron, interval |
//! | [`dead_letters`] | messages that could not be handled, listed and redriven |
//! | [`messages`] | messages as operators see them, listed and cancelled |
//! | [`monitor`] | how the queue is, and what to do about it |
//! | [`engine`] | one configuration with its transports, the root of everything above |
//! | `binding` | the only module that knows Node exists |

pub mod config;
pub mod dead_letters;
pub mod deduplication;
pub mod dispatcher;
pub mod engine;
pub mod envelope;
pub mod error;
pub mod message;
pub mod messages;
pub mod monitor;
pub mod retry;
pub mod routing;
pub mod scheduler;
pub mod transport;
pub mod worker;

mod binding;
#[cfg(test)]
mod hot_paths;
mod json_number;

pub use error::{Error, Result};
