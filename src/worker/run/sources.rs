//! The transports of a run, by the numbers that its messages name, and what wakes it when something is sent to them.

use crate::base::listening::Listening;
use crate::transport::Drain;
use crate::worker::context::Context;
use std::sync::Arc;

/// All transports of a run. One that is switched off keeps its number.
pub(super) struct Sources {
    context: Arc<Context>,
    transports: Vec<Arc<dyn Drain>>,
    /// Wake-ups by the transports.
    listening: Vec<Box<dyn Listening>>,
}

impl Sources {
    pub(super) fn new(context: Arc<Context>, transports: Vec<Arc<dyn Drain>>) -> Self {
        let listening = context.listen(&transports);
        Self { context, transports, listening }
    }

    /// The one that messages of this feed come from.
    pub(super) fn get(&self, feed: usize) -> Option<&Arc<dyn Drain>> {
        self.transports.get(feed)
    }

    pub(super) fn name(&self, feed: usize) -> Option<&str> {
        self.get(feed).map(|it| &**it.name())
    }

    pub(super) fn all(&self) -> &[Arc<dyn Drain>] {
        &self.transports
    }

    /// Takes up those that were switched on since.
    pub(super) fn follow<'a>(&mut self, all: impl Iterator<Item = &'a Arc<dyn Drain>>) {
        let new: Vec<_> = all.skip(self.transports.len()).cloned().collect();
        self.listening.extend(self.context.listen(&new));
        self.transports.extend(new);
    }

    /// Whether a transport would wake this consumer right now.
    pub(super) fn is_listening(&self) -> bool {
        self.listening.iter().any(|it| it.is_connected())
    }
}
