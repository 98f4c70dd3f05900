//! The worker: claims messages, hands them to handlers, and settles what comes back.
//!
//! ```text
//!            +-------- claim ---------+        +------- settle (in batches) ------+
//!            |                        v        |                                  |
//!      [ transports ]            Consumer::run (one task)  <--- reports --- [ handlers ]
//!            ^                        |  commands: deliver, return, abort          ^
//!            +---- heartbeat          +--------------------------------------------+
//! ```
//!
//! | phase | claims | messages not started | running handlers |
//! |---|---|---|---|
//! | working | yes | wait for a slot | run |
//! | draining | no | handed back, released | run to their end |
//! | aborting | no | - | signals aborted, a short grace |
//! | over | no | - | whatever is left is released, and its late outcome is refused by the fence |
//!
//! A bounded drain and a long-lived worker are the same loop; they differ in what an empty queue means.

mod budget;
mod cleanup;
mod consumer;
mod context;
mod heartbeat;
mod mailbox;
mod options;
mod protocol;
mod run;
mod stats;
mod trouble;

pub use consumer::Consumer;
pub use options::{Mode, Options};
pub use protocol::delivery::inline as inline_batch;
pub use protocol::report::{Report, Said, read as read_reports};
pub use stats::{StoppedBy, Summary};

/// What handles messages. The worker never waits on it: outcomes come back through [`Consumer::report`].
pub trait Handlers: Send + Sync {
    /// Takes a command, JSON text; `false` if nobody listens any more.
    fn command(&self, command: String) -> bool;
}

/// What is told of everything that happens.
pub trait Observer: Send + Sync {
    /// Takes events, JSON text of an array.
    fn observe(&self, events: String);
}
