//! What is kept beside the messages, in the same state as these.

use super::state::State;
use crate::base::lock::lock;
use crate::counts::rollup::Rollup;
use crate::counts::totals::TotalRow;
use crate::counts::window::{Counted, Window};
use crate::error::Result;
use crate::store::counts::Counts;
use crate::store::dead_letters::{DeadLetters, FailedFilter, FailedPage};
use crate::store::executions::{Begun, Execution, Executions};
use crate::store::insights::Insights;
use crate::store::keys::Keys;
use crate::store::vitals::Vitals;
use crate::store::{Cleaned, Store};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard};

/// The store of one memory transport.
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    /// An empty one, of the transport of that name.
    pub fn new(name: Arc<str>) -> Self {
        Self(Mutex::new(State::new(name)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn identity(&self) -> String {
        format!("memory:{}", self.state().name)
    }

    async fn vitals(&self) -> Result<Vitals> {
        Ok(self.state().vitals())
    }

    async fn cleanup(&self, limit: u32) -> Result<Cleaned> {
        Ok(self.state().cleanup(limit))
    }

    fn insights(&self) -> Option<&dyn Insights> {
        Some(self)
    }
}

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        let state = self.state();
        state.letters.page(filter, state.clock.now())
    }

    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        let state = self.state();
        state.letters.count(filter, state.clock.now())
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn duplicate_attempts(&self, key: &str) -> Result<u64> {
        Ok(self.state().duplicate_attempts(key))
    }
}

#[async_trait]
impl Executions for MemoryStore {
    async fn begin_execution(&self, execution: &Execution) -> Result<Begun> {
        let mut state = self.state();
        let now = state.clock.now();
        Ok(state.executions.begin(execution, now))
    }

    async fn end_execution(&self, execution: &Execution, token: i64, done: bool) -> Result<bool> {
        Ok(self.state().executions.end(execution, token, done))
    }
}

#[async_trait]
impl Counts for MemoryStore {
    async fn has_counted(&self, _: &str, rollups: &[Rollup]) -> Result<bool> {
        Ok(self.state().counts.hold(rollups))
    }

    async fn counted(&self, window: &Window) -> Result<Counted> {
        let state = self.state();
        let (start, end, rows) = state.counts.read(&state.name, window, state.clock.now());
        Ok(Counted { start: Some(start), end: Some(end), capped: false, rows })
    }

    async fn ever_counted(&self) -> Result<Vec<TotalRow>> {
        let state = self.state();
        Ok(state.counts.ever(&state.name))
    }
}
