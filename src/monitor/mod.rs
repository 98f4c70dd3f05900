//! The state of the queue: what happened in it, what a person should know, and what to do about it.

pub mod checks;
pub mod doctor;
pub mod health;
pub mod metrics;
pub mod totals;
