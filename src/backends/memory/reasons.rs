//! What is known of why a message does not run.

use super::message::Message;
use super::state::State;
use super::store::MemoryStore;
use crate::base::limits::DEPTH_CAP;
use crate::error::Result;
use crate::store::messages::MessageStatus;
use crate::store::reasons::{Facts, Reasons};
use async_trait::async_trait;
use uuid::Uuid;

impl State {
    fn facts_about(&self, id: Uuid) -> Option<Facts> {
        let (now, it) = (self.clock.now(), self.one_message(id)?);
        let waits = it.status == MessageStatus::Pending;
        let paused = self.pauses.at(now);
        let place = |it: &Message| (std::cmp::Reverse(it.priority), it.available_at, it.id);
        let own = self.waiting_messages().find(|it| it.id == id);
        let is_ahead = |own: &Message, it: &Message| {
            it.queue == own.queue && it.available_at <= now && it.crash_count == 0 && place(it) < place(own)
        };
        let ahead = own.filter(|it| it.available_at <= now && it.crash_count == 0).map(|own| {
            let most = usize::try_from(DEPTH_CAP).unwrap_or(usize::MAX);
            self.waiting_messages().filter(|it| is_ahead(own, it)).take(most).count() as u64
        });
        let holder = self.holder(id);
        Some(Facts {
            status: it.status.name().to_owned(),
            transport: it.transport,
            pause: paused.into_iter().find(|pause| waits && pause.scope.covers(&self.name, &it.queue, &it.r#type)),
            queue: it.queue,
            r#type: it.r#type,
            priority: i16::from(it.priority),
            retry_count: it.retry_count,
            suspect: waits && it.crashes > 0,
            crashes: it.crashes,
            due_in: it.available_at.map(|at| (at - now).as_seconds_f64() * 1000.0),
            available_at: it.available_at.map(|it| it.timestamp_millis()),
            circuit: None,
            workers: self.vitals().workers,
            ahead,
            holder,
        })
    }
}

#[async_trait]
impl Reasons for MemoryStore {
    async fn facts_about(&self, id: Uuid) -> Result<Option<Facts>> {
        Ok(self.state().facts_about(id))
    }
}
