//! Messages in memory.

use super::state::State;
use super::store::MemoryStore;
use super::test_view::{Finished, Listed};
use crate::counts::rollup::Rollup;
use crate::error::Result;
use crate::message::claimed::Claimed;
use crate::message::edit::Changes;
use crate::message::envelope::Envelope;
use crate::store::Store;
use crate::store::controls::Because;
use crate::store::messages::{KeptMessage, MessageFilter, MessagePage, MessageStatus, Totals};
use crate::transport::{
    Claim, Claimable, Claims, Depth, Drain, Fence, Inspects, Known, Leases, Look, Portion, RescueStep, Rescued, Sent,
    Settlement, Settles, Transport, Unhandled, WorkerId, one_road,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// Messages in memory.
pub struct MemoryTransport {
    name: Arc<str>,
    store: Arc<MemoryStore>,
}

impl MemoryTransport {
    /// An empty transport with the real clock.
    pub fn new(name: Arc<str>) -> Self {
        Self { store: Arc::new(MemoryStore::new(name.clone())), name }
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

    /// Switches it on or off: then it refuses messages, and gives none out.
    pub fn switch(&self, on: bool) {
        self.state().is_off = !on;
    }

    /// Sets at how many crashes a message is buried; at first the default of the configuration.
    pub fn set_max_crashes(&self, crashes: i16) {
        self.state().max_crashes = crashes;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.store.state()
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn place(&self) -> String {
        self.store.identity()
    }

    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<Sent>> {
        let mut state = self.state();
        state.must_be_on()?;
        Ok(state.send(envelopes))
    }

    fn drain(self: Arc<Self>) -> Option<Arc<dyn Drain>> {
        Some(self)
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        Some(self.store.clone())
    }

    fn inspects(&self) -> Option<&dyn Inspects> {
        Some(self)
    }
}

#[async_trait]
impl Claims for MemoryTransport {
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

    async fn depth(&self) -> Result<Vec<Depth>> {
        Ok(self.state().depth())
    }
}

#[async_trait]
impl Settles for MemoryTransport {
    async fn settle_counted(&self, worker: Uuid, settlements: &[Settlement], rollups: &[Rollup]) -> Result<Vec<Fence>> {
        one_road(settlements)?;
        Ok(self.state().settle_counted(worker, settlements, rollups))
    }
}

#[async_trait]
impl Leases for MemoryTransport {
    async fn extend(&self, worker: &WorkerId, _: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(self.state().extend(worker))
    }

    async fn is_asked_to_stop(&self, worker: Uuid) -> Result<bool> {
        Ok(self.state().is_asked_to_stop(worker))
    }

    async fn lost(&self, worker: Uuid, held: &[Fence]) -> Result<Vec<Uuid>> {
        Ok(self.state().lost(worker, held))
    }

    async fn reconcile(&self, worker: &WorkerId, known: &Known, _: Portion) -> Result<usize> {
        Ok(self.state().reconcile(worker.id, known))
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
}

#[async_trait]
impl Inspects for MemoryTransport {
    async fn list_messages(&self, filter: &MessageFilter) -> Result<MessagePage> {
        self.state().page_of_messages(filter)
    }

    async fn get_message(&self, id: Uuid) -> Result<Option<KeptMessage>> {
        Ok(self.state().one_message(id))
    }

    async fn cancel(&self, id: Uuid, because: &Because) -> Result<Option<(bool, MessageStatus)>> {
        Ok(self.state().cancel(id, because))
    }

    async fn edit(&self, id: Uuid, changes: &Changes, because: &Because) -> Result<Option<(bool, MessageStatus)>> {
        Ok(self.state().edit(id, changes, because))
    }

    async fn totals(&self, transport: Option<&str>) -> Result<Totals> {
        Ok(self.state().totals(transport))
    }

    async fn unhandled(&self, types: &[String]) -> Result<Vec<Unhandled>> {
        Ok(self.state().unhandled(types))
    }
}
