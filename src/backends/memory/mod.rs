//! The backend `memory`: the contract of the Postgres backend in one process, for tests. A transport has a store of its
//! own.
//!
//! Nothing outlives the process. Its clock can be set and moved, so that a test need not wait for a delay, a lease
//! or a window. Only the last finished messages are kept; dead letters stay until they are removed.

mod audit;
mod broker;
mod clock;
mod controls;
mod counts;
mod dead_letters;
mod executions;
mod holds;
mod insights;
mod keys;
mod lanes;
mod message;
mod notes;
mod operations;
mod operator_view;
mod parked;
mod pauses;
mod reasons;
mod state;
mod stops;
mod store;
mod test_view;
mod transport;

pub use broker::MemoryBroker;
pub use store::MemoryStore;
pub use test_view::{Finished, Listed, Status};
pub use transport::MemoryTransport;
