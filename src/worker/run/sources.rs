//! The transports of a run, by the numbers that its messages name, and what wakes it when something is sent to them.

use crate::base::listening::Listening;
use crate::transport::Drain;
use crate::worker::context::Context;
use std::sync::Arc;

/// All transports of a run. One that is switched off keeps its number.
pub(super) struct Sources {
    context: Arc<Context>,
    transports: Vec<Arc<dyn Drain>>,
    /// The number of the place of each.
    places: Vec<usize>,
    /// Wake-ups by the transports.
    listening: Vec<Box<dyn Listening>>,
}

impl Sources {
    pub(super) fn new(context: Arc<Context>, transports: Vec<Arc<dyn Drain>>) -> Self {
        let listening = context.listen(&transports);
        let mut places = Vec::new();
        number(&transports, &mut places);
        Self { context, transports, places, listening }
    }

    /// The one that messages of this feed come from.
    pub(super) fn get(&self, feed: usize) -> Option<&Arc<dyn Drain>> {
        self.transports.get(feed)
    }

    pub(super) fn name(&self, feed: usize) -> Option<&str> {
        self.get(feed).map(|it| &**it.name())
    }

    /// The number of the place where messages of this feed wait.
    pub(super) fn place(&self, feed: usize) -> Option<usize> {
        self.places.get(feed).copied()
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.places.iter().max().map_or(0, |last| last + 1)
    }

    pub(super) fn all(&self) -> &[Arc<dyn Drain>] {
        &self.transports
    }

    /// Takes up those that were switched on since.
    pub(super) fn follow<'a>(&mut self, all: impl Iterator<Item = &'a Arc<dyn Drain>>) {
        let new: Vec<_> = all.skip(self.transports.len()).cloned().collect();
        self.listening.extend(self.context.listen(&new));
        self.transports.extend(new);
        number(&self.transports, &mut self.places);
    }

    /// Whether a transport would wake this consumer right now.
    pub(super) fn is_listening(&self) -> bool {
        self.listening.iter().any(|it| it.is_connected())
    }
}

/// Numbers the places of the transports that have no number yet.
fn number(transports: &[Arc<dyn Drain>], places: &mut Vec<usize>) {
    for (index, transport) in transports.iter().enumerate().skip(places.len()) {
        let known = transports.iter().take(index).position(|it| it.place() == transport.place());
        let next = places.iter().max().map_or(0, |last| last + 1);
        places.push(known.and_then(|it| places.get(it).copied()).unwrap_or(next));
    }
}
