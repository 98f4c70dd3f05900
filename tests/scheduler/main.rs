//! Cron expressions and time zones, against tables and other implementations. Needs no database.

// What is not as expected ends the test right there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod agreement;
mod golden;
mod matcher;
mod properties;
