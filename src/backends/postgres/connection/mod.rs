//! Connections: to whom, how many, how a statement travels over one, and what goes wrong.

pub mod listener;
pub mod pool;
pub mod switches;
pub mod url;

mod announced_pid;
mod borrowed;
mod cancel_request;
pub(in crate::backends::postgres) mod failure;
mod idle;
mod session;
mod shared_sessions;
mod tls;
mod url_tls;
