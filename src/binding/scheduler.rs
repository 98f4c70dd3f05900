//! Schedules, and cron expressions without any.

use super::callback::{Callback, TextCallback};
use super::core::Core;
use super::thrown::{from_text, thrown, to_text};
use crate::base::listening::Listening;
use crate::base::lock::lock;
use crate::scheduler::{self, Question, manage, run};
use crate::store::controls::Because;
use napi_derive::napi;
use serde::Deserialize;
use std::sync::{Arc, Mutex};

/// The next runs of an expression: JSON text of milliseconds since 1970.
#[napi(catch_unwind)]
pub fn next_runs(expression: String, question: String) -> napi::Result<String> {
    let question: Question = from_text("question about runs", &question)?;
    let runs = scheduler::next_runs(&expression, &question).map_err(thrown)?;
    to_text(&runs.iter().map(chrono::DateTime::timestamp_millis).collect::<Vec<_>>())
}

/// Reads an expression and says what it is, JSON text.
#[napi(catch_unwind)]
pub fn validate_cron(expression: String) -> napi::Result<String> {
    to_text(&scheduler::validate_cron(&expression).map_err(thrown)?)
}

#[napi]
impl Core {
    /// Stores a schedule; answers with it.
    #[napi]
    pub async fn schedule(&self, definition: String) -> napi::Result<String> {
        to_text(&self.logged(manage::put(&self.engine, &definition, None)).await.map_err(thrown)?.shown())
    }

    /// Makes the schedules of a group what the code says.
    #[napi]
    pub async fn define_schedules(&self, schedules: String) -> napi::Result<String> {
        self.answer(manage::define(&self.engine, &schedules)).await
    }

    /// A page of schedules.
    #[napi]
    pub async fn list_schedules(&self, options: String) -> napi::Result<String> {
        let options: ListOptions = from_text("list options", &options)?;
        self.answer(manage::list(&self.engine, options.after.as_deref(), options.limit)).await
    }

    /// One schedule, or `null`. The name is plain text, as everywhere below.
    #[napi]
    pub async fn get_schedule(&self, name: String) -> napi::Result<String> {
        to_text(&self.logged(manage::get(&self.engine, &name)).await.map_err(thrown)?.map(|it| it.shown()))
    }

    /// Pauses a schedule, or lets it go on; answers with it.
    #[napi]
    pub async fn switch_schedule(&self, name: String, enabled: bool, because: String) -> napi::Result<String> {
        let because: Because = from_text("because", &because)?;
        to_text(&self.logged(manage::switch(&self.engine, &name, enabled, &because)).await.map_err(thrown)?.shown())
    }

    /// Dispatches the message of a schedule now; returns the messages, one per transport.
    #[napi]
    pub async fn run_schedule_now(&self, name: String, because: String) -> napi::Result<String> {
        let because: Because = from_text("because", &because)?;
        self.answer(run::run_now(&self.engine, &name, &because)).await
    }

    /// Deletes a schedule; whether there was one.
    #[napi]
    pub async fn delete_schedule(&self, name: String, because: String) -> napi::Result<bool> {
        let because: Because = from_text("because", &because)?;
        self.logged(manage::delete(&self.engine, &name, &because)).await.map_err(thrown)
    }

    /// Runs what is due.
    #[napi]
    pub async fn run_due_schedules(&self, options: String) -> napi::Result<String> {
        let options: run::Options = from_text("options", &options)?;
        self.answer(run::run_due(&self.engine, &options)).await
    }

    /// Calls a function whenever a schedule changes, where the database keeps a session to listen on.
    #[napi(ts_args_type = "changed: (nothing: string) => void")]
    pub async fn watch_schedules(&self, changed: TextCallback) -> napi::Result<ScheduleWatch> {
        let callback = Callback::new(changed);
        let wake = Arc::new(move || {
            callback.call(String::new());
        });
        let store = self.engine.store().map_err(thrown)?;
        let watch = || store.schedules().map_or(Ok(None), |it| it.watch(wake));
        let subscription = self.engine.log().span().in_scope(watch).map_err(thrown)?;
        Ok(ScheduleWatch { subscription: Mutex::new(subscription) })
    }
}

/// A watch on changes of schedules, until it is stopped.
#[napi]
pub struct ScheduleWatch {
    subscription: Mutex<Option<Box<dyn Listening>>>,
}

#[napi]
impl ScheduleWatch {
    /// Ends it.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        lock(&self.subscription).take();
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListOptions {
    after: Option<String>,
    limit: usize,
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_crosses_is_text() {
        let runs = super::next_runs("@yearly".to_owned(), r#"{"count":2}"#.to_owned()).unwrap();
        assert_eq!(runs, "[31536000000,63072000000]");
        let valid = super::validate_cron("@daily".to_owned()).unwrap();
        assert_eq!(valid, r#"{"expression":"0 0 * * *","seconds":false,"hashed":false}"#);
        assert!(super::validate_cron("61 * * * *".to_owned()).unwrap_err().reason.contains("SYMPHONY_INVALID_CRON"));
    }
}
