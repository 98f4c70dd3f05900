//! Sections of the configuration, one file each.

pub mod monitoring;
pub mod retention;
pub mod transport;
