//! How the queue is: what happened in it, what a person should know, and what to do about it.

pub mod counter;
pub mod diagnosis;
pub mod doctor;
pub mod histogram;
pub mod metrics;
pub mod rollup;
pub mod vitals;
