//! Handlers that run inside `dispatch()`: the JavaScript side of transport `sync`.

use super::callback::Callback;
use crate::base::lock::lock;
use crate::error::{Error, Result};
use crate::message::claimed::Claimed;
use crate::transport::inline::Inline;
use crate::worker::{Report, Said, inline_batch};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Batches that JavaScript is handling, and where their reports go.
#[derive(Default)]
pub struct InlineHandlers {
    callback: Mutex<Option<Callback>>,
    waiting: Mutex<HashMap<u32, oneshot::Sender<Vec<Report>>>>,
    next: AtomicU32,
}

impl InlineHandlers {
    /// Sets the function that takes batches.
    pub fn listen(&self, callback: Callback) {
        *lock(&self.callback) = Some(callback);
    }

    /// Takes the reports of a batch.
    pub fn settle(&self, batch: u32, reports: Vec<Report>) {
        if let Some(waiting) = lock(&self.waiting).remove(&batch) {
            // Nobody waits any more when the caller's environment has ended.
            let _ = waiting.send(reports);
        }
    }
}

#[async_trait]
impl Inline for InlineHandlers {
    async fn handle(&self, transport: &str, messages: Vec<Claimed>) -> Vec<Result<()>> {
        let gone = || Err(Error::Stopped { what: "the handler runner" });
        let Some(callback) = lock(&self.callback).clone() else {
            return messages.iter().map(|_| gone()).collect();
        };
        let batch = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(batch, sender);
        if !callback.call(inline_batch(batch, transport, &messages)) {
            lock(&self.waiting).remove(&batch);
            return messages.iter().map(|_| gone()).collect();
        }
        let mut said: HashMap<usize, Said> =
            receiver.await.unwrap_or_default().into_iter().map(|it| (it.index, it.said)).collect();
        let answer =
            |(index, message): (usize, &Claimed)| said.remove(&index).map_or_else(gone, |it| verdict(message.id, it));
        messages.iter().enumerate().map(answer).collect()
    }
}

fn verdict(id: Uuid, said: Said) -> Result<()> {
    let failed = |message: String| Err(Error::Handler { message_id: id.to_string(), message });
    match said {
        Said::Completed | Said::Discarded { .. } => Ok(()),
        Said::Failed { error, .. } => failed(error.message),
        Said::Snoozed { .. } | Said::Released { .. } => {
            failed("the handler snoozed the message, which the transport sync cannot do".to_owned())
        }
    }
}
