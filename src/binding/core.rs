//! The class `Core`: what each instance holds once.

use super::callback::{Callback, TextCallback};
use super::consumer::Consumer;
use super::inline::InlineHandlers;
use super::memory;
use super::thrown::{from_text, thrown, to_text};
use crate::base::limits::DEPTH_CAP;
use crate::base::lock::lock;
use crate::config::{Layers, LogLevel};
use crate::counts::window::Window;
use crate::dispatcher::{self, Answers};
use crate::engine::Engine;
use crate::error::{Error, Invalid, Result};
use crate::log;
use crate::message::edit::Edit;
use crate::monitor::{doctor, health, metrics, totals};
use crate::operate::{dead_letters, messages, operations, pauses, stops, why};
use crate::policy::routing;
use crate::store::Cleaned;
use crate::store::Store;
use crate::store::admissions::Admission;
use crate::store::controls::Because;
use crate::store::dead_letters::{FailedFilter, Redriven};
use crate::store::executions::{Begun, Execution};
use crate::store::messages::MessageFilter;
use crate::store::operations::AuditFilter;
use crate::store::schema::Schema;
use crate::transport::Transport;
use crate::worker::{self, Observer, StoppedBy};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::future::Future;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tracing::Instrument;
use tracing::instrument::Instrumented;
use uuid::Uuid;

/// How many rows of a kind one clean-up deletes at most, unless told otherwise.
const CLEANUP_LIMIT: u32 = 10_000;

/// Consumers that run in this environment.
type Running = Arc<Mutex<Vec<Weak<worker::Consumer>>>>;

/// One configuration with its transports.
#[napi]
pub struct Core {
    pub(super) engine: Arc<Engine>,
    inline: Arc<InlineHandlers>,
    running: Running,
}

#[napi]
impl Core {
    /// A core from configuration layers, JSON text. Connects to nothing.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, layers: String) -> napi::Result<Self> {
        log::install();
        let inline = Arc::new(InlineHandlers::default());
        let engine = Engine::new(&read_layers(&layers)?, inline.clone()).map_err(thrown)?;
        let running = Running::default();
        // A worker thread that ends would leave its loops, and their connections, behind.
        env.add_env_cleanup_hook(running.clone(), |running| stop_all(&running))?;
        Ok(Self { engine: Arc::new(engine), inline, running })
    }

    /// Takes other configuration layers; throws and changes nothing if they are invalid.
    #[napi(catch_unwind)]
    pub fn configure(&self, layers: String) -> napi::Result<()> {
        self.engine.configure(&read_layers(&layers)?).map_err(thrown)
    }

    /// The configuration in force, JSON text, without secrets.
    #[napi(catch_unwind)]
    pub fn config(&self) -> napi::Result<String> {
        to_text(&*self.engine.config())
    }

    /// Sets the function that takes log lines: JSON text of an array. It is called when the first one waits, with all
    /// that wait by then, and must not throw.
    #[napi(catch_unwind, ts_args_type = "write: (lines: string) => void")]
    pub fn on_log(&self, write: Function<'_, String, ()>) -> napi::Result<()> {
        let take = self.engine.log().taking();
        let write = write.build_threadsafe_function().weak::<true>().build_callback(move |_| Ok(take()))?;
        self.engine.log().listen(Box::new(move || {
            // Where its environment has ended, nobody reads the log any more.
            let _ = write.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }));
        Ok(())
    }

    /// From which level on log lines are wanted; those of single targets as the configuration in force says. The level
    /// is plain text.
    #[napi(catch_unwind)]
    pub fn log_at(&self, level: String) -> napi::Result<()> {
        let level = LogLevel::named(&level).map_err(thrown)?;
        self.engine.log().set_filter(log::Filter::new(level, &self.engine.config().logging));
        Ok(())
    }

    /// Where a message of this type and priority goes.
    #[napi(catch_unwind)]
    pub fn transports_for(&self, message_type: String, priority: Option<u8>) -> Vec<String> {
        let mut names = Vec::new();
        for name in routing::route(&self.engine.config(), &message_type, priority, None) {
            let name = self.engine.named(&name).into_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Under which name the messages of a transport wait.
    #[napi(catch_unwind)]
    pub fn transport_named(&self, name: String) -> String {
        self.engine.named(&name).into_owned()
    }

    /// Dispatches a batch: an array of requests, or `{"atomic":true,"requests":[...]}`.
    #[napi]
    pub async fn dispatch(&self, requests: String) -> napi::Result<String> {
        if requests.starts_with('{') {
            return self.dispatch_atomically(&requests).await;
        }
        let answers = self.logged(dispatcher::dispatch(&self.engine, &requests)).await.map_err(thrown)?;
        to_text(&Answers(&answers))
    }

    async fn dispatch_atomically(&self, text: &str) -> napi::Result<String> {
        let atomic: Atomic<'_> = from_text("dispatch requests", text)?;
        if !atomic.atomic {
            let refusal = Error::invalid(Invalid::Option, "options.atomic", "got false, wants true or nothing");
            return Err(thrown(refusal));
        }
        let dispatching = dispatcher::dispatch_atomically(&self.engine, atomic.requests.get());
        let stored = self.logged(dispatching).await.map_err(thrown)?;
        to_text(&Answers(&stored.into_iter().map(Ok).collect::<Vec<_>>()))
    }

    /// Sets the function that handles messages of transport `sync`.
    #[napi(catch_unwind, ts_args_type = "deliver: (batch: string) => void")]
    pub fn on_inline(&self, deliver: TextCallback) {
        self.inline.listen(Callback::new(deliver));
    }

    /// Takes the outcomes of a batch of transport `sync`.
    #[napi(catch_unwind)]
    pub fn settle_inline(&self, batch: u32, outcomes: String) -> napi::Result<()> {
        self.inline.settle(batch, worker::read_reports(&outcomes).map_err(thrown)?);
        Ok(())
    }

    /// A consumer; nothing happens until it runs.
    #[napi(
        catch_unwind,
        ts_args_type = "options: string, deliver: (command: string) => void, observe: ((events: string) => void) | null"
    )]
    pub fn consumer(
        &self,
        options: String,
        deliver: TextCallback,
        observe: Option<TextCallback>,
    ) -> napi::Result<Consumer> {
        let options = worker::Options::read(&options, &self.engine.config()).map_err(thrown)?;
        let handlers = Arc::new(Callback::new(deliver));
        let observer = observe.map(|it| Arc::new(Callback::new(it)) as Arc<dyn Observer>);
        let consumer = worker::Consumer::new(self.engine.clone(), options, handlers, observer);
        let mut running = lock(&self.running);
        running.retain(|it| it.strong_count() > 0);
        running.push(Arc::downgrade(&consumer));
        Ok(Consumer::new(consumer))
    }

    /// Applies missing migrations.
    #[napi]
    pub async fn migrate(&self, options: String) -> napi::Result<String> {
        let options: MigrateOptions = from_text("migrate options", &options)?;
        let store = self.engine.direct_store(options.schema).map_err(thrown)?;
        let done = self.logged(schema(&*store)?.up()).await.map_err(thrown)?;
        to_text(&json!({ "applied": done.steps, "version": done.version }))
    }

    /// Takes migrations back down to a version.
    #[napi]
    pub async fn rollback(&self, options: String) -> napi::Result<String> {
        let options: RollbackOptions = from_text("rollback options", &options)?;
        let store = self.engine.direct_store(options.schema).map_err(thrown)?;
        let done = self.logged(schema(&*store)?.down(options.to)).await.map_err(thrown)?;
        to_text(&json!({ "reverted": done.steps, "version": done.version }))
    }

    /// The state of the schema.
    #[napi]
    pub async fn migration_status(&self) -> napi::Result<String> {
        let store = self.engine.direct_store(None).map_err(thrown)?;
        self.answer(schema(&*store)?.status()).await
    }

    /// One page of dead letters.
    #[napi]
    pub async fn list_failed(&self, filter: String) -> napi::Result<String> {
        let filter: FailedFilter = from_text("filter", &filter)?;
        self.answer(dead_letters::list(&self.engine, &filter)).await
    }

    /// One dead letter, or `null`.
    #[napi]
    pub async fn get_failed(&self, id: String) -> napi::Result<String> {
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        self.answer(dead_letters::get(&self.engine, id)).await
    }

    /// How many dead letters match, and whether counting stopped at its bound.
    #[napi]
    pub async fn count_failed(&self, filter: String) -> napi::Result<String> {
        let filter: FailedFilter = from_text("filter", &filter)?;
        let (total, capped) = self.logged(dead_letters::count(&self.engine, &filter)).await.map_err(thrown)?;
        to_text(&json!({ "total": total, "capped": capped }))
    }

    /// One page of messages.
    #[napi]
    pub async fn list_messages(&self, filter: String) -> napi::Result<String> {
        let filter: MessageFilter = from_text("filter", &filter)?;
        self.answer(messages::list(&self.engine, &filter)).await
    }

    /// One message, or `null`.
    #[napi]
    pub async fn get_message(&self, id: String) -> napi::Result<String> {
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        self.answer(messages::get(&self.engine, id)).await
    }

    /// Cancels a message that waits; `null` where there is none of this id.
    #[napi]
    pub async fn cancel_message(&self, id: String, because: String) -> napi::Result<String> {
        let because: Because = from_text("because", &because)?;
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        let answer = self.logged(messages::cancel(&self.engine, id, &because)).await.map_err(thrown)?;
        to_text(&answer.map(|(cancelled, status)| json!({ "cancelled": cancelled, "status": status })))
    }

    /// Changes a message that waits; `null` where there is none of this id.
    #[napi]
    pub async fn edit_message(&self, id: String, changes: String, because: String) -> napi::Result<String> {
        let because: Because = from_text("because", &because)?;
        let edit: Edit<'_> = from_text("changes", &changes)?;
        // One that nobody can know: what is wrong with the changes is said first.
        let id = Uuid::parse_str(&id).unwrap_or(Uuid::nil());
        let answer = self.logged(messages::edit(&self.engine, id, edit, &because)).await.map_err(thrown)?;
        to_text(&answer.map(|(edited, status)| json!({ "edited": edited, "status": status })))
    }

    /// Pauses messages; the pause.
    #[napi]
    pub async fn pause(&self, options: String) -> napi::Result<String> {
        let options: pauses::Options = from_text("pause options", &options)?;
        self.answer(pauses::pause(&self.engine, options)).await
    }

    /// Ends a pause; what it was, or `null`.
    #[napi]
    pub async fn resume(&self, options: String) -> napi::Result<String> {
        let options: pauses::Options = from_text("resume options", &options)?;
        self.answer(pauses::resume(&self.engine, options)).await
    }

    /// What is paused.
    #[napi]
    pub async fn pauses(&self) -> napi::Result<String> {
        self.answer(pauses::list(&self.engine)).await
    }

    /// How much is finished and buried.
    #[napi]
    pub async fn totals(&self, options: String) -> napi::Result<String> {
        let options: TotalsOptions = from_text("totals options", &options)?;
        self.answer(messages::totals(&self.engine, options.transport.as_deref())).await
    }

    /// Begins an execution of a route: `{ "runs": token }`, `{ "busy": milliseconds }` or `{ "done": true }`.
    #[napi]
    pub async fn begin_execution(&self, execution: String) -> napi::Result<String> {
        let execution = read_execution(&execution)?;
        let begun = match self.logged(self.engine.stores()).await.map_err(thrown)?.first() {
            Some(store) => self.logged(store.begin_execution(&execution)).await.map_err(thrown)?,
            None => Begun::Runs(0),
        };
        to_text(&match begun {
            Begun::Runs(token) => json!({ "runs": token }),
            Begun::Busy(left) => json!({ "busy": left.as_secs_f64() * 1000.0 }),
            Begun::Done => json!({ "done": true }),
        })
    }

    /// The run with this token has ended, or has failed; whether it still counted.
    #[napi]
    pub async fn end_execution(&self, execution: String, token: i64, done: bool) -> napi::Result<bool> {
        let execution = read_execution(&execution)?;
        match self.logged(self.engine.stores()).await.map_err(thrown)?.first() {
            Some(store) => self.logged(store.end_execution(&execution, token, done)).await.map_err(thrown),
            None => Ok(true),
        }
    }

    /// Asks workers to stop; those that were asked.
    #[napi]
    pub async fn stop_workers(&self, options: String) -> napi::Result<String> {
        let options: stops::Options = from_text("options", &options)?;
        self.answer(stops::stop(&self.engine, options)).await
    }

    /// Which of these workers are still there.
    #[napi]
    pub async fn stopping_workers(&self, ids: String) -> napi::Result<String> {
        let ids: Vec<Uuid> = from_text("ids", &ids)?;
        self.answer(stops::stopping(&self.engine, &ids)).await
    }

    /// Why a message does not run, or `null`.
    #[napi]
    pub async fn why(&self, id: String, options: String) -> napi::Result<String> {
        let options: DoctorOptions = from_text("options", &options)?;
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        self.answer(why::why(&self.engine, id, options.types.as_deref())).await
    }

    /// What an operation would do.
    #[napi]
    pub async fn preview_operation(&self, asked: String) -> napi::Result<String> {
        let asked: operations::Asked = from_text("operation", &asked)?;
        self.answer(operations::preview(&self.engine, &asked)).await
    }

    /// Begins an operation; its entry in the audit.
    #[napi]
    pub async fn start_operation(&self, asked: String) -> napi::Result<String> {
        let asked: operations::Asked = from_text("operation", &asked)?;
        self.answer(operations::start(&self.engine, &asked)).await
    }

    /// Makes a step of an operation; how far it is, or `null` where there is none of this id.
    #[napi]
    pub async fn step_operation(&self, id: String, limit: u32) -> napi::Result<String> {
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        let stepped = self.logged(operations::step(&self.engine, id, limit)).await.map_err(thrown)?;
        to_text(&stepped.map(|it| it.entry))
    }

    /// Ends an operation; how far it has come, or `null`.
    #[napi]
    pub async fn abort_operation(&self, id: String) -> napi::Result<String> {
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        self.answer(operations::abort(&self.engine, id)).await
    }

    /// One entry of the audit, or `null`.
    #[napi]
    pub async fn get_audit(&self, id: String) -> napi::Result<String> {
        let Ok(id) = Uuid::parse_str(&id) else { return Ok("null".to_owned()) };
        self.answer(operations::get(&self.engine, id)).await
    }

    /// One page of the audit.
    #[napi]
    pub async fn list_audit(&self, filter: String) -> napi::Result<String> {
        let filter: AuditFilter = from_text("filter", &filter)?;
        self.answer(operations::audit(&self.engine, &filter)).await
    }

    /// Redrives the dead letters that match.
    #[napi]
    pub async fn retry_failed(&self, asked: String) -> napi::Result<String> {
        let asked: operations::Asked = from_text("operation", &asked)?;
        let touched = self.logged(operations::run(&self.engine, &asked)).await.map_err(thrown)?;
        to_text(&json!({ "retried": touched.into_iter().map(Redriven::from).collect::<Vec<_>>() }))
    }

    /// Deletes the dead letters that match.
    #[napi]
    pub async fn remove_failed(&self, asked: String) -> napi::Result<String> {
        let asked: operations::Asked = from_text("operation", &asked)?;
        let touched = self.logged(operations::run(&self.engine, &asked)).await.map_err(thrown)?;
        to_text(&json!({ "removed": touched.len() }))
    }

    /// Dispatches refused for a key.
    #[napi]
    pub async fn duplicate_attempts(&self, key: String) -> napi::Result<f64> {
        let mut most = 0;
        for store in self.logged(self.engine.stores()).await.map_err(thrown)? {
            most = most.max(self.logged(store.duplicate_attempts(&key)).await.map_err(thrown)?);
        }
        Ok(most as f64)
    }

    /// How much is in each queue.
    #[napi]
    pub async fn depth(&self, options: String) -> napi::Result<String> {
        let options: TransportOptions = from_text("depth options", &options)?;
        let mut all = Vec::new();
        for transport in self.logged(self.transports(options.transports)).await.map_err(thrown)? {
            let Some(drain) = transport.clone().drain() else { continue };
            for depth in self.logged(drain.depth()).await.map_err(thrown)? {
                let capped = [depth.pending, depth.delayed, depth.processing].iter().any(|&n| n >= DEPTH_CAP as u64);
                all.push(json!({
                    "transport": transport.name(), "queue": depth.queue, "pending": depth.pending,
                    "delayed": depth.delayed, "processing": depth.processing, "oldestAge": depth.oldest_age_ms,
                    "capped": capped,
                }));
            }
        }
        to_text(&all)
    }

    /// Due messages of types that have no handler here.
    #[napi]
    pub async fn unhandled(&self, options: String) -> napi::Result<String> {
        let options: TypesOptions = from_text("unhandled options", &options)?;
        let mut all = Vec::new();
        for transport in self.logged(self.transports(options.transports)).await.map_err(thrown)? {
            let Some(messages) = transport.inspects() else { continue };
            for it in self.logged(messages.unhandled(&options.types)).await.map_err(thrown)? {
                all.push(json!({
                    "type": it.message_type, "transport": transport.name(), "queue": it.queue, "count": it.count,
                }));
            }
        }
        to_text(&all)
    }

    /// Deletes what its retention no longer covers.
    #[napi]
    pub async fn cleanup(&self, options: String) -> napi::Result<String> {
        let options: CleanupOptions = from_text("cleanup options", &options)?;
        let mut sum = Cleaned::default();
        for store in self.logged(self.engine.stores()).await.map_err(thrown)? {
            let cleaned = self.logged(store.cleanup(options.limit.unwrap_or(CLEANUP_LIMIT))).await.map_err(thrown)?;
            sum.completed += cleaned.completed;
            sum.failed += cleaned.failed;
            sum.deduplication += cleaned.deduplication;
            sum.schedules += cleaned.schedules;
            sum.metrics += cleaned.metrics;
            sum.executions += cleaned.executions;
            sum.audit += cleaned.audit;
        }
        let Cleaned { completed, failed, deduplication, schedules, metrics, executions, audit } = sum;
        to_text(&json!({
            "completed": completed, "failed": failed, "deduplication": deduplication, "schedules": schedules,
            "metrics": metrics, "executions": executions, "audit": audit,
        }))
    }

    /// The figures of a period.
    #[napi]
    pub async fn metrics(&self, window: String, transport: Option<String>) -> napi::Result<String> {
        let window: Window = from_text("metrics options", &window)?;
        self.answer(metrics::measure(&self.engine, &window, transport.as_deref())).await
    }

    /// What was ever counted.
    #[napi]
    pub async fn ever_counted(&self) -> napi::Result<String> {
        self.answer(totals::measure(&self.engine)).await
    }

    /// Whether a notification about an error may be sent; `null` if no store can say.
    #[napi]
    pub async fn admit_notification(&self, admission: String) -> napi::Result<String> {
        let asked: Admission = from_text("notification", &admission)?;
        for store in self.logged(self.engine.stores()).await.map_err(thrown)? {
            if let Some(admissions) = store.admissions() {
                return self.answer(admissions.admit(&asked)).await;
            }
        }
        Ok("null".to_owned())
    }

    /// The quick checks, for a probe.
    #[napi]
    pub async fn health(&self, options: String) -> napi::Result<String> {
        let options: DoctorOptions = from_text("health options", &options)?;
        to_text(&self.logged(health::check(&self.engine, options.types.as_deref())).await)
    }

    /// All checks, for a person.
    #[napi]
    pub async fn doctor(&self, options: String) -> napi::Result<String> {
        let options: DoctorOptions = from_text("doctor options", &options)?;
        to_text(&self.logged(doctor::examine(&self.engine, options.types.as_deref())).await)
    }

    /// Looks into a memory transport, or moves its clock; for tests.
    #[napi(catch_unwind)]
    pub fn memory(&self, transport: String, command: String) -> napi::Result<String> {
        let command: memory::Command = from_text("memory command", &command)?;
        let transport = self.engine.memory(&transport).map_err(thrown)?;
        to_text(&memory::run(&transport, &command))
    }

    /// Stops every consumer, waits for them to end, and closes every connection. The core may be used again and
    /// connects anew.
    #[napi]
    pub async fn close(&self) {
        let running = take_running(&self.running);
        running.iter().for_each(|consumer| consumer.stop(StoppedBy::Stopped, false));
        for consumer in running {
            consumer.ended().await;
        }
        self.engine.close();
    }

    /// What is done for this instance: its log lines are those of the instance.
    pub(super) fn logged<F: Future>(&self, work: F) -> Instrumented<F> {
        work.instrument(self.engine.log().span())
    }

    /// The same, with its result as JSON text.
    pub(super) async fn answer<T: Serialize>(&self, work: impl Future<Output = Result<T>>) -> napi::Result<String> {
        to_text(&self.logged(work).await.map_err(thrown)?)
    }

    async fn transports(&self, names: Option<Vec<String>>) -> Result<Vec<Arc<dyn Transport>>> {
        self.engine.transports(&names.unwrap_or_else(|| self.engine.usable_names())).await
    }
}

#[derive(Deserialize)]
struct Atomic<'a> {
    atomic: bool,
    #[serde(borrow)]
    requests: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MigrateOptions {
    schema: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackOptions {
    to: i32,
    schema: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransportOptions {
    transports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalsOptions {
    transport: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExecutionOptions {
    route: String,
    id: String,
    /// Milliseconds.
    lease: u64,
}

fn read_execution(text: &str) -> napi::Result<Execution> {
    let ExecutionOptions { route, id, lease } = from_text("execution", text)?;
    Ok(Execution { route, id, lease: Duration::from_millis(lease) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypesOptions {
    types: Vec<String>,
    transports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoctorOptions {
    types: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CleanupOptions {
    limit: Option<u32>,
}

fn read_layers(text: &str) -> napi::Result<Layers> {
    from_text("configuration", text)
}

/// The tables that are migrated.
fn schema(store: &dyn Store) -> napi::Result<&dyn Schema> {
    let none = || Error::NotCapable { name: store.identity(), what: "be migrated" };
    store.schema().ok_or_else(|| thrown(none()))
}

/// The environment ends: nobody will handle what is in hand.
fn stop_all(running: &Running) {
    for consumer in take_running(running) {
        consumer.stop(StoppedBy::Stopped, true);
    }
}

fn take_running(running: &Running) -> Vec<Arc<worker::Consumer>> {
    let mut running = lock(running);
    running.drain(..).filter_map(|consumer| consumer.upgrade()).collect()
}
