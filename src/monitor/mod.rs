//! How the queue is: what a person should know, and what to do about it.

pub mod diagnosis;
pub mod doctor;
