//! What operators look at beside messages.

use super::core::Core;
use super::thrown::from_text;
use crate::counts::window::Window;
use crate::operate::insights;
use crate::store::insights::{GroupFilter, Judgement, MOST};
use chrono::{DateTime, Utc};
use napi_derive::napi;
use serde::Deserialize;

#[napi]
impl Core {
    /// Workers and invocations at work.
    #[napi]
    pub async fn workers(&self) -> napi::Result<String> {
        self.answer(insights::workers(&self.engine)).await
    }

    /// How full a queue was, or all of them.
    #[napi]
    pub async fn depths(&self, window: String, transport: Option<String>, queue: String) -> napi::Result<String> {
        let window: Window = from_text("depths options", &window)?;
        self.answer(insights::depths(&self.engine, &window, transport.as_deref(), &queue)).await
    }

    /// Groups of errors.
    #[napi]
    pub async fn error_groups(&self, filter: String) -> napi::Result<String> {
        let filter: GroupFilter = from_text("filter", &filter)?;
        self.answer(insights::error_groups(&self.engine, &filter)).await
    }

    /// Says what is thought of a group; whether it was ever seen.
    #[napi]
    pub async fn judge_error_group(&self, judgement: String) -> napi::Result<String> {
        let judgement: Judgement = from_text("state of a group", &judgement)?;
        self.answer(insights::judge(&self.engine, &judgement)).await
    }

    /// Keys that have refused dispatches.
    #[napi]
    pub async fn refused_keys(&self, options: String) -> napi::Result<String> {
        let RefusedOptions { before, limit } = from_text("options", &options)?;
        self.answer(insights::refused_keys(&self.engine, before, limit.unwrap_or(MOST))).await
    }

    /// Releases that were seen at work.
    #[napi]
    pub async fn releases(&self) -> napi::Result<String> {
        self.answer(insights::releases(&self.engine)).await
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusedOptions {
    #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
    before: Option<DateTime<Utc>>,
    limit: Option<u32>,
}
