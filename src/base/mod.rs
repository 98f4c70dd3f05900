//! What every other room may use: numbers, words and texts that know nothing of messages.

pub mod duration;
pub(crate) mod json_number;
pub mod limits;
pub mod listening;
pub mod lock;
pub mod pattern;
pub(crate) mod redaction;
pub(crate) mod suggestions;
pub mod targets;
