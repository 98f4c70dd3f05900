//! What is kept beside the messages, one table or two per file.

pub mod schedules;

mod circuits;
pub(in crate::backends::postgres) mod counts;
mod messages;
