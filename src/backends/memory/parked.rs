//! What the store of a transport keeps for a broker: what waits in it is parked.

use super::message::Message;
use super::store::MemoryStore;
use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::carried::Carried;
use crate::store::parked::{Kept, Parked, ParkedCount, ParkedMessages, Parking};
use async_trait::async_trait;
use std::collections::BTreeMap;
use uuid::Uuid;

#[async_trait]
impl ParkedMessages for MemoryStore {
    async fn park(&self, _: &str, messages: &[Parked]) -> Result<Vec<Parking>> {
        let mut state = self.state();
        Ok(messages.iter().map(|it| state.park(it)).collect())
    }

    async fn due(&self, _: &str, limit: usize) -> Result<Vec<Carried>> {
        let state = self.state();
        let now = state.clock.now();
        let mut due: Vec<&Message> = state.waiting_messages().filter(|it| it.available_at <= now).collect();
        due.sort_by_key(|it| it.available_at);
        Ok(due.into_iter().take(limit).map(Message::carried).collect())
    }

    async fn unpark(&self, _: &str, ids: &[Uuid]) -> Result<()> {
        let mut state = self.state();
        ids.iter().for_each(|id| drop(state.take_waiting(*id)));
        Ok(())
    }

    async fn keep(&self, _: &str, kept: &[Kept<'_>], rollups: &[Rollup]) -> Result<()> {
        let mut state = self.state();
        let now = state.clock.now();
        state.counts.write(rollups);
        kept.iter().for_each(|it| state.keep(it, now));
        Ok(())
    }

    async fn count(&self, _: &str) -> Result<Vec<ParkedCount>> {
        let state = self.state();
        let now = state.clock.now();
        let mut queues: BTreeMap<&str, ParkedCount> = BTreeMap::new();
        for it in state.waiting_messages() {
            let none = ParkedCount { queue: it.queue.to_string(), ..ParkedCount::default() };
            let count = queues.entry(&it.queue).or_insert(none);
            *(if it.available_at <= now { &mut count.due } else { &mut count.waiting }) += 1;
        }
        Ok(queues.into_values().collect())
    }

    async fn answered(&self, _: &str, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let state = self.state();
        let is_answered =
            |id: &&Uuid| state.waiting_messages().any(|it| it.id == **id) || state.letters.message(**id).is_some();
        Ok(ids.iter().filter(is_answered).copied().collect())
    }
}
