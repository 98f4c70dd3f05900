//! The core's log: what `tracing` records, on its way to the logger of the application.
//!
//! ```text
//! event or span (anywhere) -> layer -> the instance of its scope -> sink -> one call per batch -> JavaScript
//! ```
//!
//! A process has one subscriber and any number of instances, each with a logger and a level of its own. The span of the
//! instance is around everything that is done for it, so the layer finds the sink of an event in its scope. Where no
//! instance wants a level, its macros cost one comparison: the most verbose filter is the process's maximum.

mod fields;
mod filter;
mod instance;
mod layer;
mod sink;

pub use filter::Filter;
pub use instance::Instance;
pub use layer::install;
