//! The suite that every transport passes: one file per topic, each test a function over any [`Subject`].
//!
//! `for_stores!` runs its tests for `memory` and `postgres`, the latter twice: on a direct connection, and through a
//! transaction pooler. `for_drains!` adds a broker in memory with its companion, once with a store in memory and once with
//! that in Postgres; `for_brokers!` runs for these two only, and `for_all!` adds `sync`. Nothing sleeps: time is moved by
//! the subject.
//!
//! [`Subject`]: support::subject::Subject

// What is not as expected ends the test right there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod claim;
mod cleanup;
mod companion;
mod dead_letters;
mod deduplication;
mod depth;
mod edits;
mod executions;
mod facets;
mod fence;
mod floors;
mod insights;
mod lease_and_rescue;
mod messages;
mod metrics;
mod operations;
mod order;
mod pauses;
mod redrive;
mod rescue_races;
mod search;
mod send;
mod settle;
mod switched_off;
