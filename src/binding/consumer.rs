//! The class `Consumer`: one drain, or one worker.

use super::thrown::{thrown, to_text};
use crate::worker::{self, StoppedBy};
use napi_derive::napi;
use std::sync::Arc;

/// One drain or one worker.
#[napi]
pub struct Consumer {
    consumer: Arc<worker::Consumer>,
}

impl Consumer {
    pub(super) fn new(consumer: Arc<worker::Consumer>) -> Self {
        Self { consumer }
    }
}

#[napi]
impl Consumer {
    /// Runs until it has ended; resolves with the result, JSON text.
    #[napi]
    pub async fn run(&self) -> napi::Result<String> {
        to_text(&self.consumer.clone().run().await.map_err(thrown)?)
    }

    /// Takes outcomes: JSON text of `[batch, index, ms]` or `[batch, index, ms, outcome]`. With `more` they wait for those
    /// of the next call, and are settled together.
    #[napi(catch_unwind)]
    pub fn settle(&self, outcomes: String, more: bool) -> napi::Result<()> {
        self.consumer.report(worker::read_reports(&outcomes).map_err(thrown)?, more);
        Ok(())
    }

    /// Ends it: running handlers may finish first, unless forced.
    #[napi(catch_unwind)]
    pub fn stop(&self, reason: String, force: bool) {
        self.consumer.stop(StoppedBy::named(&reason), force);
    }

    /// Says which types have a handler: JSON text of an array, or `null` for all.
    #[napi(catch_unwind)]
    pub fn set_types(&self, types: String) -> napi::Result<()> {
        self.consumer.set_types(super::thrown::from_text("types", &types)?);
        Ok(())
    }

    /// Whether events about single messages are wanted; those about the consumer itself always come.
    #[napi(catch_unwind)]
    pub fn observe_messages(&self, wanted: bool) {
        self.consumer.observe_messages(wanted);
    }

    /// What it has done so far, JSON text.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> napi::Result<String> {
        to_text(&self.consumer.stats())
    }
}
