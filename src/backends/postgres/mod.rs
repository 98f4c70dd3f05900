//! The backend Postgres (`postgres`, alias `supabase`).
//!
//! SQL is in files, listed in [`sql`]; everything here only brings parameters there and rows back.

pub mod connection;
pub mod migrate;
pub mod store;
pub mod transport;

mod instants;
mod parameters;
mod rows;
mod search;
mod sql;

pub use store::PostgresStore;
pub use transport::PostgresTransport;
