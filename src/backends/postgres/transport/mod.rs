//! Messages into the table, out of it, and what became of them. Statements go through the store, which has them all.

mod claim;
mod floors;
#[cfg(test)]
mod floors_model;
#[cfg(test)]
mod hot_path;
mod inspect;
mod lanes;
mod leases;
mod send;
mod settle;

use super::store::PostgresStore;
use crate::config::Config;
use floors::AllFloors;
use std::sync::{Arc, Mutex};

/// Messages in Postgres.
pub struct PostgresTransport {
    name: Arc<str>,
    store: Arc<PostgresStore>,
    max_crashes: i32,
    floors: Mutex<AllFloors>,
}

impl PostgresTransport {
    /// The messages of a transport, in the tables of a store.
    pub fn new(name: Arc<str>, store: Arc<PostgresStore>, config: &Config) -> Self {
        let max_crashes = i32::from(config.worker.max_crashes);
        Self { name, store, max_crashes, floors: Mutex::default() }
    }
}
