//! Workers that are asked to stop.

use super::store::MemoryStore;
use crate::error::Result;
use crate::store::controls::Because;
use crate::store::stops::{Stopping, Stops};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
impl Stops for MemoryStore {
    async fn stop_workers(&self, transport: Option<&str>, ids: Option<&[Uuid]>, _: &Because) -> Result<Vec<Stopping>> {
        let mut state = self.state();
        if transport.is_some_and(|it| *it != *state.name) {
            return Ok(Vec::new());
        }
        let asked = state.ask_to_stop(ids);
        Ok(state.stopping(&asked))
    }

    async fn stopping(&self, ids: &[Uuid]) -> Result<Vec<Stopping>> {
        let mut state = self.state();
        state.ask_to_stop(Some(ids));
        Ok(state.stopping(ids))
    }
}
