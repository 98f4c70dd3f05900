//! What is kept beside the messages that wait, and how to ask for it.

pub mod dead_letters;
pub mod executions;
pub mod messages;
