//! The transport `memory`: the contract of the Postgres transport in one process, for tests.
//!
//! Nothing outlives the process. Its clock can be set and moved, so that a test need not wait for a delay, a lease
//! or a window. Only the last finished messages are kept; dead letters stay until they are removed.

mod clock;
mod counts;
mod dead_letters;
mod executions;
mod keys;
mod lanes;
mod message;
mod operator_view;
mod state;
mod test_view;

use crate::base::lock::lock;
use crate::counts::rollup::Rollup;
use crate::counts::totals::TotalRow;
use crate::counts::window::{Counted, Window};
use crate::error::Result;
use crate::message::envelope::Envelope;
use crate::store::dead_letters::{FailedFilter, FailedPage, Redriven};
use crate::store::executions::{Begun, Execution};
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use crate::transport::{
    Capabilities, Claim, Claimable, Claimed, Cleaned, Depth, Fence, Known, Look, Portion, RescueStep, Rescued, Sent,
    Settlement, Transport, Unhandled, Vitals, WorkerId, one_road,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use state::State;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
pub use test_view::{Finished, Listed, Status};
use uuid::Uuid;

/// Messages in memory.
pub struct MemoryTransport {
    name: Arc<str>,
    state: Mutex<State>,
}

impl MemoryTransport {
    /// An empty transport with the real clock.
    pub fn new(name: Arc<str>) -> Self {
        let state = Mutex::new(State::new(name.clone()));
        Self { name, state }
    }

    /// The transport's clock, in whole microseconds as in Postgres.
    pub fn now(&self) -> DateTime<Utc> {
        self.state().clock.now()
    }

    /// Stops the clock at an instant; `None`: the real time again.
    pub fn set_now(&self, instant: Option<DateTime<Utc>>) {
        self.state().clock.set(instant);
    }

    /// Moves the clock forward. A stopped one stays stopped, the real one goes on from there.
    pub fn advance(&self, by: Duration) {
        self.state().clock.advance(by);
    }

    /// Forgets all messages, dead letters, idempotency keys and workers. The clock stays as it is.
    pub fn clear(&self) {
        self.state().clear();
    }

    /// Every message, in the order of dispatch; of the finished ones the last 1,000.
    pub fn list(&self) -> Vec<Listed> {
        self.state().list()
    }

    /// How many messages have been finished since the start or the last [`MemoryTransport::clear`].
    pub fn finished(&self) -> Finished {
        self.state().finished.count
    }

    /// Sets at how many crashes a message is buried; at first the default of the configuration.
    pub fn set_max_crashes(&self, crashes: i16) {
        self.state().max_crashes = crashes;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn store(&self) -> String {
        format!("memory:{}", self.name)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { stores: true, dead_letters: true }
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        Ok(self.state().send(envelopes))
    }

    async fn survey(&self, names: &[Arc<str>], claimable: Claimable<'_>, rescue: Option<RescueStep>) -> Result<Look> {
        let mut state = self.state();
        let rescued = rescue.map(|step| Ok(state.rescue(step)));
        Ok(Look { surveys: names.iter().map(|_| state.survey(claimable)).collect(), rescued })
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        Ok(self.state().claim(claim))
    }

    async fn claim_suspect(&self, claim: &Claim<'_>) -> Result<Option<Claimed>> {
        Ok(self.state().claim_suspect(claim))
    }

    async fn settle_counted(&self, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>> {
        one_road(settlements)?;
        Ok(self.state().settle_counted(settlements, rollups))
    }

    async fn has_counted(&self, rollups: &[Rollup]) -> Result<bool> {
        Ok(self.state().counts.hold(rollups))
    }

    async fn counted(&self, window: &Window) -> Result<Counted> {
        let state = self.state();
        let (start, end, rows) = state.counts.read(&self.name, window, state.clock.now());
        Ok(Counted { start: Some(start), end: Some(end), rows })
    }

    async fn ever_counted(&self) -> Result<Vec<TotalRow>> {
        Ok(self.state().counts.ever(&self.name))
    }

    async fn vitals(&self) -> Result<Vitals> {
        Ok(self.state().vitals())
    }

    async fn reconcile(&self, worker: &WorkerId, known: &Known, _: Portion) -> Result<usize> {
        Ok(self.state().reconcile(worker.id, known))
    }

    async fn extend(&self, worker: &WorkerId, _: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(self.state().extend(worker))
    }

    async fn lost(&self, held: &[(Uuid, Uuid)]) -> Result<Vec<Uuid>> {
        Ok(self.state().lost(held))
    }

    async fn absolve(&self, worker: Uuid) -> Result<u64> {
        Ok(self.state().absolve(worker))
    }

    async fn rescue_step(&self, step: RescueStep) -> Result<Rescued> {
        Ok(self.state().rescue(step))
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        self.state().sign_off(worker.id);
        Ok(())
    }

    async fn depth(&self) -> Result<Vec<Depth>> {
        Ok(self.state().depth())
    }

    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>> {
        Ok(self.state().unhandled(types))
    }

    async fn duplicate_attempts(&self, key: &str) -> Result<u64> {
        Ok(self.state().duplicate_attempts(key))
    }

    async fn list_failed(&self, filter: &FailedFilter) -> Result<FailedPage> {
        self.state().letters.page(filter)
    }

    async fn count_failed(&self, filter: &FailedFilter) -> Result<(u64, bool)> {
        Ok(self.state().letters.count(filter))
    }

    async fn list_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        self.state().page_of_messages(filter)
    }

    async fn get_message(&self, id: Uuid) -> Result<Option<KeptMessage>> {
        Ok(self.state().one_message(id))
    }

    async fn cancel(&self, id: Uuid) -> Result<Option<(bool, MessageStatus)>> {
        Ok(self.state().cancel(id))
    }

    async fn totals(&self, transport: Option<&str>) -> Result<Totals> {
        Ok(self.state().totals(transport))
    }

    async fn begin_execution(&self, execution: &Execution) -> Result<Begun> {
        let mut state = self.state();
        let now = state.clock.now();
        Ok(state.executions.begin(execution, now))
    }

    async fn end_execution(&self, execution: &Execution, token: i64, done: bool) -> Result<bool> {
        Ok(self.state().executions.end(execution, token, done))
    }

    async fn redrive(&self, failed: &[Uuid]) -> Result<Vec<Redriven>> {
        Ok(self.state().redrive(failed))
    }

    async fn remove_failed(&self, failed: &[Uuid]) -> Result<u64> {
        Ok(self.state().letters.remove(failed))
    }

    async fn cleanup(&self, limit: u32) -> Result<Cleaned> {
        Ok(self.state().cleanup(limit))
    }
}
