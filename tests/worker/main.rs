//! The worker with handlers in Rust instead of JavaScript's, over `memory` and `postgres`, the
//! latter also behind a transaction pooler.
//!
//! A [`Session`] is one consumer with its handlers; what each message does is a function of the test.
//!
//! [`Session`]: session::Session

// What is not as expected ends the test right there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

/// For both stores, with retries that come when they are expected and leases as short as they can be.
macro_rules! for_workers {
    ($($test:ident)*) => {
        tests_of!(Memory as memory, crate::settings(); $($test)*);
        tests_of!(Postgres as postgres, crate::settings(); $($test)*);
        tests_of!(Pooled as pooled, crate::settings(); $($test)*);
    };
}

mod delivery;
mod drain;
mod events;
mod harness;
mod leases;
mod limits;
mod out_of_order;
mod outages;
mod retries;
mod session;
mod settling;
mod staying;
mod stopping;
mod suspects;
mod unknown;
mod waking;

/// The settings of tests in which a worker must not find by itself, while it looks after the dead, what it is to be
/// woken for.
fn patient() -> serde_json::Value {
    serde_json::json!({ "worker": { "lease": "1h" } })
}

/// The settings of every other test.
fn settings() -> serde_json::Value {
    serde_json::json!({ "retry": { "default": { "jitter": 0 } }, "worker": { "lease": "1s" } })
}
