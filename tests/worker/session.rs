//! One consumer with its handlers.

use crate::support;
use crate::support::subject::{MAIN, Subject};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use symphony::worker::{Consumer, Handlers, Observer, Options, StoppedBy, Summary, read_reports};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

/// What a handler says: `null` when it succeeded, else an outcome as JavaScript reports it.
pub type Said = Pin<Box<dyn Future<Output = Value> + Send>>;
type Script = Arc<dyn Fn(Message) -> Said + Send + Sync>;

/// A message as handlers receive it.
#[derive(Clone)]
pub struct Message {
    /// All of it.
    pub delivery: Value,
    place: Value,
    aborted: watch::Receiver<Vec<Abort>>,
}

impl Message {
    /// A text of the delivery.
    pub fn text(&self, key: &str) -> &str {
        self.delivery[key].as_str().unwrap()
    }

    /// Waits for the abort signal; answers with its reason.
    pub async fn aborted(mut self) -> String {
        let mine = |it: &&Abort| it.messages.as_ref().is_none_or(|some| some.contains(&self.place));
        let heard = self.aborted.wait_for(|all| all.iter().any(|it| mine(&it))).await.unwrap();
        heard.iter().find(mine).unwrap().reason.clone()
    }
}

/// What happened so far.
#[derive(Default)]
pub struct Log {
    /// Deliveries whose handler was started, in order.
    pub started: Vec<Value>,
    /// How many handlers run.
    pub running: usize,
    /// The most that ran at once.
    pub most: usize,
    /// How often a suspect and another message ran at once.
    pub beside_suspects: usize,
    suspects_running: usize,
    /// Commands other than deliveries.
    pub commands: Vec<Value>,
    /// Events told to the observer.
    pub events: Vec<Value>,
    /// How a handler panicked: an assertion in it has failed.
    panic: Option<JoinError>,
}

impl Log {
    fn enter(&mut self, delivery: &Value, suspect: bool) {
        self.started.push(delivery.clone());
        self.running += 1;
        self.suspects_running += usize::from(suspect);
        self.most = self.most.max(self.running);
        self.beside_suspects += usize::from(self.suspects_running > 0 && self.running > 1);
    }

    fn leave(&mut self, suspect: bool) {
        self.running -= 1;
        self.suspects_running -= usize::from(suspect);
    }
}

/// A consumer at work.
pub struct Session {
    /// The consumer.
    pub consumer: Arc<Consumer>,
    log: Arc<Mutex<Log>>,
}

impl Session {
    /// A consumer of the transport under test. `options` lie over a drain of everything, five at a time.
    pub fn new<S: Subject, F>(it: &S, options: Value, script: impl Fn(Message) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Value> + Send + 'static,
    {
        let mut asked = json!({ "mode": "drain", "transports": [MAIN], "observe": true });
        asked.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let options = Options::read(&asked.to_string(), &it.engine().config()).unwrap();
        let slots = options.max_concurrency;
        let log = Arc::new(Mutex::new(Log::default()));
        let (commands, received) = unbounded_channel();
        let tongue = Arc::new(Tongue { commands, log: log.clone() });
        let consumer = Consumer::new(it.engine().clone(), options, tongue.clone(), Some(tongue));
        let script: Script = Arc::new(move |message| Box::pin(script(message)));
        tokio::spawn(Stage::new(&consumer, slots, script, log.clone()).perform(received));
        Self { consumer, log }
    }

    /// Runs it to its end.
    pub async fn run(&self) -> Summary {
        self.start().await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }

    /// Runs it beside the test. Panics as its handlers do.
    pub fn start(&self) -> tokio::task::JoinHandle<Summary> {
        let (consumer, log) = (self.consumer.clone(), self.log.clone());
        tokio::spawn(async move {
            let outcome = consumer.run().await;
            let panic = log.lock().unwrap().panic.take();
            support::pass_on(panic.map_or(Ok(()), Err));
            outcome.unwrap()
        })
    }

    /// Asks it to stop.
    pub fn stop(&self) {
        self.consumer.stop(StoppedBy::Signal, false);
    }

    /// Looks into the log.
    pub fn log<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log.lock().unwrap())
    }

    /// Waits until the log shows it.
    pub async fn until(&self, what: &str, mut shows: impl FnMut(&Log) -> bool) {
        support::until(what, || std::future::ready(self.log(&mut shows))).await;
    }

    /// Waits until so many handlers have been started.
    pub async fn until_started(&self, count: usize) {
        self.until(&format!("{count} handlers have started"), |log| log.started.len() >= count).await;
    }

    /// A text of each delivery whose handler was started, in order.
    pub fn started(&self, key: &str) -> Vec<String> {
        self.log(|log| log.started.iter().map(|it| it[key].as_str().unwrap().to_owned()).collect())
    }

    /// The reasons of the abort signals.
    pub fn aborts(&self) -> Vec<String> {
        self.log(|log| log.commands.iter().filter_map(|it| Some(it["reason"].as_str()?.to_owned())).collect())
    }
}

/// A handler that succeeds at once.
pub async fn succeed(_: Message) -> Value {
    Value::Null
}

/// A handler that fails at once.
pub async fn fail(_: Message) -> Value {
    failed("refused")
}

/// A handler that never ends.
pub async fn hang(_: Message) -> Value {
    std::future::pending().await
}

/// A failure that another run may help.
pub fn failed(message: &str) -> Value {
    json!({ "as": "failed", "retryable": true, "error": { "class": "SmtpError", "message": message } })
}

/// What the consumer speaks to.
struct Tongue {
    commands: UnboundedSender<Value>,
    log: Arc<Mutex<Log>>,
}

impl Handlers for Tongue {
    fn command(&self, command: String) -> bool {
        self.commands.send(serde_json::from_str(&command).unwrap()).is_ok()
    }
}

impl Observer for Tongue {
    fn observe(&self, events: String) {
        let events: Vec<Value> = serde_json::from_str(&events).unwrap();
        self.log.lock().unwrap().events.extend(events);
    }
}

/// Where handlers run: the part of `lib/consume/runner.ts`.
struct Stage {
    consumer: Weak<Consumer>,
    slots: usize,
    script: Script,
    log: Arc<Mutex<Log>>,
    waiting: VecDeque<(u64, usize, Value)>,
    running: JoinSet<(bool, Value)>,
    abort: watch::Sender<Vec<Abort>>,
}

/// An abort signal: to everything, or to the messages named by batch and index.
struct Abort {
    reason: String,
    messages: Option<Vec<Value>>,
}

impl Stage {
    fn new(consumer: &Arc<Consumer>, slots: usize, script: Script, log: Arc<Mutex<Log>>) -> Self {
        let (waiting, running, abort) = (VecDeque::new(), JoinSet::new(), watch::channel(Vec::new()).0);
        Self { consumer: Arc::downgrade(consumer), slots, script, log, waiting, running, abort }
    }

    async fn perform(mut self, mut commands: UnboundedReceiver<Value>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(ended) = self.running.join_next() => match ended {
                    Ok((suspect, report)) => {
                        self.log.lock().unwrap().leave(suspect);
                        self.report(&json!([report]));
                    }
                    Err(panic) => self.give_up(panic),
                }
            }
            self.fill();
        }
    }

    /// Its outcome will never come: without this the run would wait for it forever, and the test with it.
    fn give_up(&self, panic: JoinError) {
        self.log.lock().unwrap().panic = Some(panic);
        if let Some(consumer) = self.consumer.upgrade() {
            consumer.stop(StoppedBy::Stopped, true);
        }
    }

    fn obey(&mut self, command: Value) {
        match command["do"].as_str().unwrap() {
            "deliver" => {
                let messages = command["messages"].as_array().unwrap().iter().enumerate();
                let batch = command["batch"].as_u64().unwrap();
                self.waiting.extend(messages.map(|(index, it)| (batch, index, it.clone())));
                return;
            }
            "return" => {
                let back =
                    self.waiting.drain(..).map(|(batch, index, _)| json!([batch, index, 0, { "as": "released" }]));
                let back: Value = back.collect();
                self.report(&back);
            }
            "abort" => {
                let some = command["messages"].as_array();
                if let Some(some) = some {
                    self.drop_waiting(some);
                }
                let reason = command["reason"].as_str().unwrap().to_owned();
                self.abort.send_modify(|it| it.push(Abort { reason, messages: some.cloned() }));
            }
            "buried" => {}
            other => panic!("unknown command {other}"),
        }
        self.log.lock().unwrap().commands.push(command);
    }

    fn fill(&mut self) {
        while self.running.len() < self.slots {
            let Some((batch, index, delivery)) = self.waiting.pop_front() else { return };
            let suspect = delivery["crashes"] != 0;
            self.log.lock().unwrap().enter(&delivery, suspect);
            let said =
                (self.script)(Message { delivery, place: json!([batch, index]), aborted: self.abort.subscribe() });
            self.running.spawn(async move {
                let report = match said.await {
                    Value::Null => json!([batch, index, 0.1]),
                    outcome => json!([batch, index, 0.1, outcome]),
                };
                (suspect, report)
            });
        }
    }

    /// These are with others: they are not to be started any more.
    fn drop_waiting(&mut self, places: &[Value]) {
        let (lost, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|(batch, index, _)| places.contains(&json!([batch, index])));
        self.waiting = waiting.into();
        let reports = lost.iter().map(|(batch, index, _)| json!([batch, index, 0, { "as": "released" }]));
        self.report(&reports.collect());
    }

    fn report(&self, reports: &Value) {
        if let Some(consumer) = self.consumer.upgrade() {
            consumer.report(read_reports(&reports.to_string()).unwrap(), false);
        }
    }
}
