//! From message to envelope to transport.
//!
//! A batch is routed as a whole and sent with one call a store, however many transports it goes to. Each message has
//! its own answer: one that is invalid, or that the database refuses, never stops the others.

use crate::config::Config;
use crate::deduplication::{Occurrence, collapse};
use crate::engine::Engine;
use crate::envelope::{Available, Envelope, IdempotencyKey};
use crate::error::{Error, Result};
use crate::message::{self, Request};
use crate::routing;
use crate::transport::{Sent, Transport};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Where one copy of a message went.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Its id; for a duplicate the id of the message that holds the key.
    pub message_id: Uuid,
    /// `queued`, `duplicate` or `handled`.
    pub status: &'static str,
    /// The transport.
    pub transport: Arc<str>,
    /// The queue.
    pub queue: Arc<str>,
    /// 1 to 10.
    pub priority: u8,
    /// From when it can be handled, by the transport's clock.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub available_at: DateTime<Utc>,
    /// The instant asked for, if any.
    #[serde(with = "chrono::serde::ts_milliseconds_option", skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<DateTime<Utc>>,
    /// The key given; where none was, the message's id stands for it and deduplicates nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What became of one message: one answer a transport, at least one of them good.
#[derive(Debug)]
pub struct Dispatched {
    /// In the order of its route.
    pub receipts: Vec<(Arc<str>, Result<Receipt>)>,
}

/// As the facade reads it: the first good receipt, and where there are several transports all of them under
/// `messages`. It is written for every message, so nothing stands in it twice.
impl Serialize for Dispatched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = (self.receipts.len() > 1).then(|| self.receipts.iter().map(Copied::of).collect());
        let first = self.receipts.iter().find_map(|(_, receipt)| receipt.as_ref().ok());
        Whole { first, messages: all }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    first: Option<&'a Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Copied<'a>>>,
}

/// One copy of a message that went to several transports.
#[derive(Serialize)]
#[serde(untagged)]
enum Copied<'a> {
    Good(&'a Receipt),
    Bad { transport: &'a str, error: Value },
}

impl<'a> Copied<'a> {
    fn of((transport, receipt): &'a (Arc<str>, Result<Receipt>)) -> Self {
        match receipt {
            Ok(receipt) => Self::Good(receipt),
            Err(error) => Self::Bad { transport, error: error.to_json() },
        }
    }
}

/// Dispatches a batch: JSON text of an array of requests. One answer a request, in order.
///
/// # Errors
/// Only when the text is no JSON array; everything else is the answer of the message it concerns.
pub async fn dispatch(engine: &Arc<Engine>, requests: &str) -> Result<Vec<Result<Dispatched>>> {
    let requests = message::read(requests)?;
    let planned = plan(engine, requests).await;
    Ok(send(planned).await)
}

/// Dispatches a batch of which every message is stored or none.
///
/// # Errors
/// The first thing wrong with any of them; [`Error::NotCapable`] when they go to more than one store.
pub async fn dispatch_atomically(engine: &Arc<Engine>, requests: &str) -> Result<Vec<Dispatched>> {
    let requests = message::read(requests)?;
    let mut planned = plan(engine, requests).await;
    for (index, slots) in planned.messages.iter_mut().enumerate() {
        let problem = slots.iter_mut().find(|slot| slot.1.is_err());
        if let Some((_, problem)) = problem {
            let error = std::mem::replace(problem, Ok(Slot { store: 0, envelope: 0 }));
            return Err(at(index, error.err().unwrap_or(Error::Stopped { what: "the dispatcher" })));
        }
    }
    if let [first, second, ..] = planned.stores.as_slice() {
        let what = "be sent to atomically together with another store";
        let _ = first;
        return crate::transport::not_capable(second.transport.name(), what);
    }
    for store in &mut planned.stores {
        store.answers = Some(store.transport.send(&store.distinct()).await.map(|sent| store.spread(sent)));
    }
    planned.into_answers().into_iter().collect()
}

/// Says which message of a batch an error is about.
fn at(index: usize, error: Error) -> Error {
    match error {
        Error::InvalidMessage { rule, path, problem } => {
            Error::InvalidMessage { rule, path: format!("messages[{index}].{path}"), problem }
        }
        other => other,
    }
}

/// A batch on its way: who gets what, and which answer belongs to which message.
struct Planned {
    /// For each message its transports, each with its place in a store, or why it can not go there.
    messages: Vec<Vec<(Arc<str>, Result<Slot>)>>,
    stores: Vec<Store>,
}

/// A place in a store's batch.
#[derive(Clone, Copy)]
struct Slot {
    store: usize,
    envelope: usize,
}

/// All envelopes of the batch for one store.
struct Store {
    transport: Arc<dyn Transport>,
    envelopes: Vec<Envelope>,
    occurrences: Vec<Occurrence>,
    answers: Option<Result<Vec<Sent>>>,
}

async fn plan(engine: &Arc<Engine>, requests: Vec<Result<Request<'_>>>) -> Planned {
    let config = engine.config();
    let mut planner = Planner {
        engine,
        config,
        planned: Planned { messages: Vec::new(), stores: Vec::new() },
        known: HashMap::new(),
    };
    planner.planned.messages.reserve(requests.len());
    for request in requests {
        let slots = match request.and_then(|it| it.check(planner.config.payload.max_bytes).map(|()| it)) {
            Ok(request) => planner.place(&request).await,
            Err(error) => vec![("".into(), Err(error))],
        };
        planner.planned.messages.push(slots);
    }
    for store in &mut planner.planned.stores {
        store.find_repeats();
    }
    planner.planned
}

/// Finds the way of each message.
struct Planner<'a> {
    engine: &'a Arc<Engine>,
    config: Arc<Config>,
    planned: Planned,
    /// Transports looked up already, with their place among the stores and their defaults.
    known: HashMap<String, Known>,
}

#[derive(Clone)]
struct Known {
    name: Arc<str>,
    store: usize,
    queue: Arc<str>,
    priority: u8,
}

impl Planner<'_> {
    async fn place(&mut self, request: &Request<'_>) -> Vec<(Arc<str>, Result<Slot>)> {
        let chosen = request.options.as_ref().and_then(|it| it.transport.as_ref()).map(|it| it.as_slice());
        let priority = request.options.as_ref().and_then(|it| it.priority);
        let names = routing::route(&self.config, &request.message_type, priority, chosen);
        let mut slots = Vec::with_capacity(names.len());
        for name in names {
            let slot = match self.look_up(&name).await {
                Ok(known) => self.enclose(request, &known),
                Err(error) => Err(error),
            };
            slots.push((name.into(), slot));
        }
        slots
    }

    async fn look_up(&mut self, name: &str) -> Result<Known> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let transport = self.engine.transport(name).await?;
        let described = self.engine.described(name)?;
        let key = transport.store();
        let store = match self.planned.stores.iter().position(|it| it.transport.store() == key) {
            Some(place) => place,
            None => {
                let (envelopes, occurrences) = (Vec::new(), Vec::new());
                self.planned.stores.push(Store { transport: transport.clone(), envelopes, occurrences, answers: None });
                self.planned.stores.len() - 1
            }
        };
        let known = Known {
            name: transport.name().clone(),
            store,
            queue: described.queue.as_deref().unwrap_or(&self.config.default_queue).into(),
            priority: described.priority.unwrap_or(self.config.default_priority),
        };
        self.known.insert(name.to_owned(), known.clone());
        Ok(known)
    }

    fn enclose(&mut self, request: &Request<'_>, known: &Known) -> Result<Slot> {
        let envelope = envelope(request, known, &self.config)?;
        let Some(store) = self.planned.stores.get_mut(known.store) else {
            return Err(Error::Stopped { what: "the dispatcher" });
        };
        store.envelopes.push(envelope);
        Ok(Slot { store: known.store, envelope: store.envelopes.len() - 1 })
    }
}

fn envelope(request: &Request<'_>, known: &Known, config: &Config) -> Result<Envelope> {
    let options = request.options.as_ref();
    let key = options.and_then(|it| it.idempotency_key.as_deref());
    let queue = options.and_then(|it| it.queue.as_deref());
    Ok(Envelope {
        id: Uuid::now_v7(),
        message_type: request.message_type.as_ref().into(),
        transport: known.name.clone(),
        queue: queue.map_or_else(|| known.queue.clone(), Arc::from),
        priority: options.and_then(|it| it.priority).unwrap_or(known.priority),
        body: request.payload.get().into(),
        headers: options.and_then(|it| it.headers).map(|it| it.get().into()),
        metadata: merged(request.metadata, options.and_then(|it| it.metadata))?,
        available: options.map_or(Ok(Available::Now), |it| it.available())?,
        key: key.map(|key| IdempotencyKey { key: key.to_owned(), window: config.deduplication.window, repeats: 0 }),
        max_retries: options.and_then(|it| it.max_retries),
    })
}

/// Metadata of the message, and over it that of the options, key by key.
fn merged(message: Option<&RawValue>, options: Option<&RawValue>) -> Result<Option<Arc<str>>> {
    let (Some(message), Some(options)) = (message, options) else {
        return Ok(message.or(options).map(|it| it.get().into()));
    };
    let read = |raw: &RawValue| {
        serde_json::from_str::<Map<String, Value>>(raw.get())
            .map_err(|error| Error::Serialization { what: "metadata", reason: error.to_string() })
    };
    let mut all = read(message)?;
    all.extend(read(options)?);
    Ok(Some(Value::Object(all).to_string().into()))
}

/// Sends to every store at once and gathers the answers.
async fn send(mut planned: Planned) -> Vec<Result<Dispatched>> {
    let mut sending = Vec::new();
    for (index, store) in planned.stores.iter().enumerate() {
        let (transport, envelopes) = (store.transport.clone(), store.distinct());
        sending.push((index, tokio::spawn(async move { send_isolating(&*transport, &envelopes).await })));
    }
    for (index, answer) in sending {
        let answer = answer.await.unwrap_or_else(|_| vec![]);
        if let Some(store) = planned.stores.get_mut(index) {
            store.answers = Some(Ok(store.spread(answer)));
        }
    }
    planned.into_answers()
}

/// Sends a batch; where the database refuses it for what is in it, halves it until the culprits stand alone. A
/// message that came along with thousands of others must not fail for one that none of them knows.
async fn send_isolating(transport: &dyn Transport, envelopes: &[Envelope]) -> Vec<Sent> {
    match transport.send(envelopes).await {
        Ok(sent) => sent,
        Err(error @ Error::Query { transient: false, .. }) if envelopes.len() > 1 => {
            let (left, right) = envelopes.split_at(envelopes.len() / 2);
            let mut sent = Box::pin(send_isolating(transport, left)).await;
            sent.extend(Box::pin(send_isolating(transport, right)).await);
            drop(error);
            sent
        }
        Err(error) => refuse_all(error, envelopes.len()),
    }
}

/// The same refusal for each message of a batch.
fn refuse_all(error: Error, count: usize) -> Vec<Sent> {
    let error = Arc::new(error);
    (0..count).map(|_| Sent::Failed(Error::Shared(error.clone()))).collect()
}

impl Store {
    fn find_repeats(&mut self) {
        let keys = self.envelopes.iter().map(|it| it.key.as_ref().map(|key| (&*it.transport, key.key.as_str())));
        self.occurrences = collapse(keys);
    }

    /// What is really sent: each key once, with the number of its repeats.
    fn distinct(&self) -> Vec<Envelope> {
        let pairs = self.envelopes.iter().zip(&self.occurrences);
        let first = |(envelope, occurrence): (&Envelope, &Occurrence)| match *occurrence {
            Occurrence::RepeatOf(_) => None,
            Occurrence::First { repeats } => {
                let mut envelope = envelope.clone();
                if let Some(key) = &mut envelope.key {
                    key.repeats = repeats;
                }
                Some(envelope)
            }
        };
        pairs.filter_map(first).collect()
    }

    /// Brings the answers for what was sent back to all envelopes: a repeat is a duplicate of its first.
    fn spread(&self, sent: Vec<Sent>) -> Vec<Sent> {
        let mut sent = sent.into_iter();
        let mut all: Vec<Sent> = Vec::with_capacity(self.envelopes.len());
        for occurrence in &self.occurrences {
            let answer = match *occurrence {
                Occurrence::First { .. } => {
                    sent.next().unwrap_or(Sent::Failed(Error::Stopped { what: "the transport" }))
                }
                Occurrence::RepeatOf(first) => self.repeat_of(first, all.get(first)),
            };
            all.push(answer);
        }
        all
    }

    fn repeat_of(&self, index: usize, first: Option<&Sent>) -> Sent {
        match (first, self.envelopes.get(index)) {
            (Some(Sent::Duplicate { of }), _) => Sent::Duplicate { of: *of },
            (Some(Sent::Failed(Error::Shared(error))), _) => Sent::Failed(Error::Shared(error.clone())),
            (Some(Sent::Queued { .. } | Sent::Handled), Some(envelope)) => Sent::Duplicate { of: envelope.id },
            _ => Sent::Failed(Error::Stopped { what: "the dispatch of the first message with this key" }),
        }
    }
}

impl Planned {
    fn into_answers(self) -> Vec<Result<Dispatched>> {
        let Self { messages, stores } = self;
        let mut answers: Vec<Vec<Option<Result<Receipt>>>> = stores.into_iter().map(Store::into_receipts).collect();
        let mut take = |slot: Slot| {
            let answer = answers.get_mut(slot.store).and_then(|it| it.get_mut(slot.envelope)).and_then(Option::take);
            answer.unwrap_or(Err(Error::Stopped { what: "the dispatcher" }))
        };
        messages
            .into_iter()
            .map(|slots| {
                let receipts: Vec<_> = slots.into_iter().map(|(name, slot)| (name, slot.and_then(&mut take))).collect();
                if receipts.iter().any(|(_, receipt)| receipt.is_ok()) {
                    return Ok(Dispatched { receipts });
                }
                let first = receipts.into_iter().next().map(|(_, receipt)| receipt);
                Err(first.and_then(Result::err).unwrap_or(Error::Stopped { what: "the dispatcher" }))
            })
            .collect()
    }
}

impl Store {
    fn into_receipts(self) -> Vec<Option<Result<Receipt>>> {
        let count = self.envelopes.len();
        let sent = match self.answers {
            Some(Ok(sent)) => sent,
            Some(Err(error)) => refuse_all(error, count),
            None => refuse_all(Error::Stopped { what: "the dispatcher" }, count),
        };
        self.envelopes.into_iter().zip(sent).map(|(envelope, sent)| Some(receipt(envelope, sent))).collect()
    }
}

fn receipt(envelope: Envelope, sent: Sent) -> Result<Receipt> {
    let scheduled_at = if let Available::At(at) = envelope.available { Some(at) } else { None };
    let (message_id, status, available_at) = match sent {
        Sent::Queued { available_at } => (envelope.id, "queued", available_at),
        Sent::Duplicate { of } => (of, "duplicate", scheduled_at.unwrap_or_else(Utc::now)),
        Sent::Handled => (envelope.id, "handled", Utc::now()),
        Sent::Failed(error) => return Err(error),
    };
    Ok(Receipt {
        message_id,
        status,
        transport: envelope.transport,
        queue: envelope.queue,
        priority: envelope.priority,
        available_at,
        scheduled_at,
        idempotency_key: envelope.key.map(|it| it.key),
    })
}
