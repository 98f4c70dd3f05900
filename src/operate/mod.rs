//! What operators ask for, over all stores.

pub mod dead_letters;
pub mod insights;
pub mod messages;
pub mod operations;
pub mod pauses;
pub mod stops;
pub mod why;
