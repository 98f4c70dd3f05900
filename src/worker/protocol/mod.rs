//! What crosses between the worker and the handlers, as JSON text.

pub mod delivery;
pub mod report;
