//! What the store of a transport keeps for a broker: what waits in it is parked.

use super::message::Message;
use super::store::MemoryStore;
use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::carried::Carried;
use crate::message::outcome::Road;
use crate::store::parked::{Hold, Kept, Parked, ParkedCount, ParkedMessages, Parking};
use async_trait::async_trait;
use std::collections::BTreeMap;
use uuid::Uuid;

#[async_trait]
impl ParkedMessages for MemoryStore {
    async fn park(&self, _: &str, messages: &[Parked], hold: Hold) -> Result<Vec<Parking>> {
        let mut state = self.state();
        state.must_be_on()?;
        Ok(messages.iter().map(|it| state.park(it, hold)).collect())
    }

    async fn take_due(&self, _: &str, hold: Hold, limit: usize) -> Result<Vec<Carried>> {
        let mut state = self.state();
        let now = state.clock.now();
        let is_due = |it: &&Message| it.available_at <= now && !state.holds.is_held(it.id, now);
        let mut due: Vec<&Message> = state.waiting_messages().filter(is_due).collect();
        due.sort_by_key(|it| (it.available_at, it.id));
        let taken: Vec<Carried> = due.into_iter().take(limit).map(Message::carried).collect();
        taken.iter().for_each(|it| state.holds.hold(it.id, hold, now));
        Ok(taken)
    }

    async fn unpark(&self, _: &str, token: Uuid, ids: &[Uuid]) -> Result<()> {
        let mut state = self.state();
        for id in ids {
            if state.holds.end(*id, token) {
                state.take_waiting(*id);
            }
        }
        Ok(())
    }

    async fn leave(&self, _: &str, token: Uuid, ids: &[Uuid]) -> Result<()> {
        let mut state = self.state();
        for id in ids {
            state.holds.end(*id, token);
        }
        Ok(())
    }

    async fn keep(&self, _: &str, kept: &[Kept<'_>], rollups: &[Rollup]) -> Result<()> {
        Road::of(kept.iter().map(|it| it.outcome))?;
        let mut state = self.state();
        let now = state.clock.now();
        state.counts.write(rollups);
        kept.iter().for_each(|it| state.keep(it, now));
        Ok(())
    }

    async fn is_off(&self, _: &str) -> Result<bool> {
        Ok(self.state().is_off)
    }

    async fn count_parked(&self, _: &str) -> Result<Vec<ParkedCount>> {
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
        let is_answered = |id: &&Uuid| state.is_parked_for_good(**id) || state.letters.message(**id).is_some();
        Ok(ids.iter().filter(is_answered).copied().collect())
    }
}
