//! What a consumer works with.

use super::mailbox::Mailbox;
use super::{Handlers, Observer, Options};
use crate::base::listening::Listening;
use crate::engine::Engine;
use crate::transport::Drain;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a consumer works with, from its beginning to its end.
pub struct Context {
    pub engine: Arc<Engine>,
    pub options: Options,
    pub handlers: Arc<dyn Handlers>,
    pub observer: Option<Arc<dyn Observer>>,
    pub mailbox: Mailbox,
}

impl Context {
    /// Whether events about single messages are wanted.
    pub fn observes_messages(&self) -> bool {
        self.observer.is_some() && self.mailbox.observes_messages()
    }

    /// Wakes the loop when something is sent to these transports, if they can tell.
    pub fn listen(self: &Arc<Self>, transports: &[Arc<dyn Drain>]) -> Vec<Box<dyn Listening>> {
        if !self.options.listen {
            return Vec::new();
        }
        let context = Arc::downgrade(self);
        let wake = Arc::new(move || {
            if let Some(context) = context.upgrade() {
                context.mailbox.sent.store(true, Ordering::Relaxed);
                context.mailbox.wake.notify_one();
            }
        });
        transports.iter().filter_map(|it| it.wakes()?.listen(wake.clone())).collect()
    }
}
