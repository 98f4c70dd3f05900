//! JavaScript functions that Rust calls from its own threads.

use crate::worker::{Handlers, Observer};
use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use std::sync::Arc;

/// A function that takes one text. Weak: it does not keep the process alive.
pub type TextCallback = ThreadsafeFunction<String, (), String, Status, false, true>;

/// A function of one environment (the main thread, or a worker thread).
#[derive(Clone)]
pub struct Callback(Arc<TextCallback>);

impl Callback {
    /// Wraps a function.
    pub fn new(function: TextCallback) -> Self {
        Self(Arc::new(function))
    }

    /// Calls it without waiting; `false` when its environment has ended.
    pub fn call(&self, text: String) -> bool {
        self.0.call(text, ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok
    }
}

impl Handlers for Callback {
    fn command(&self, command: String) -> bool {
        self.call(command)
    }
}

impl Observer for Callback {
    fn observe(&self, events: String) {
        self.call(events);
    }
}
