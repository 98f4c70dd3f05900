//! Sections of the configuration, one file each: keys, defaults, bounds, variables.

pub mod circuit_breaker;
pub mod database;
pub mod deduplication;
pub mod features;
pub mod health;
pub mod logging;
pub mod payload;
pub mod priority_routing;
pub mod retention;
pub mod retry;
pub mod routing;
pub mod transport;
pub mod worker;
