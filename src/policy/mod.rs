//! Pure decisions: clock and chance are passed in.

pub mod idempotency;
pub mod retry;
pub mod routing;
