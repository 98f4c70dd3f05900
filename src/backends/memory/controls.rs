//! What is paused.

use super::clock::later;
use super::message::Message;
use super::state::State;
use super::store::MemoryStore;
use crate::error::Result;
use crate::store::controls::{Because, Controls, Pause, Scope, Until};
use async_trait::async_trait;

impl State {
    /// Whether nobody has paused a message.
    pub fn is_unpaused(&self, paused: &[Pause], it: &Message) -> bool {
        !paused.iter().any(|pause| pause.scope.covers(&self.name, &it.queue, &it.message_type))
    }
}

#[async_trait]
impl Controls for MemoryStore {
    async fn pause(&self, scope: &Scope, because: &Because, until: Until) -> Result<Pause> {
        let mut state = self.state();
        let now = state.clock.now();
        let until = match until {
            Until::Resumed => None,
            Until::At(at) => Some(at),
            Until::For(span) => Some(later(now, span)),
        };
        let before = state.pauses.take(scope, now).and_then(|it| it.since);
        let since = Some(before.unwrap_or(now));
        let pause = Pause { scope: scope.clone(), because: because.clone(), since, until };
        state.pauses.0.push(pause.clone());
        state.pauses.0.sort_by_key(|it| it.since);
        state.note_scope("pause", scope, because, now);
        Ok(pause)
    }

    async fn resume(&self, scope: &Scope, because: &Because) -> Result<Option<Pause>> {
        let mut state = self.state();
        let now = state.clock.now();
        let resumed = state.pauses.take(scope, now);
        if resumed.is_some() {
            state.note_scope("resume", scope, because, now);
        }
        Ok(resumed)
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        let state = self.state();
        Ok(state.pauses.at(state.clock.now()))
    }
}
