//! Which message goes where: routing, defaults, envelopes. Stores nothing yet.

use super::parcel::Parcel;
use super::slot::{self, Routed, Slot};
use crate::config::{Config, PayloadLimits};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::message::envelope::{Available, Envelope, IdempotencyKey};
use crate::message::limits;
use crate::message::request::Request;
use crate::policy::routing;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// A batch, ready to be sent.
pub struct Plan {
    /// In the order of the requests.
    pub messages: Vec<Routed>,
    /// One a store.
    pub parcels: Vec<Parcel>,
}

impl Plan {
    /// Plans a batch.
    pub async fn of(engine: &Arc<Engine>, requests: Vec<Result<Request<'_>>>) -> Self {
        let mut planner =
            Planner { engine, config: engine.config(), parcels: Vec::new(), known: HashMap::new(), last: None };
        let mut messages = Vec::with_capacity(requests.len());
        for request in requests {
            messages.push(match request.and_then(|it| it.check(&planner.config.payload).map(|()| it)) {
                Ok(request) => planner.place(&request).await,
                Err(error) => vec![("".into(), Err(error))],
            });
        }
        Self { messages, parcels: planner.parcels }
    }

    /// The plan, if every message can go everywhere it should.
    pub fn flawless(self) -> Result<Self> {
        let Self { messages, parcels } = self;
        let mut checked = Vec::with_capacity(messages.len());
        for (index, routed) in messages.into_iter().enumerate() {
            let placed = routed.into_iter().map(|(name, slot)| Ok((name, Ok(slot.map_err(|error| at(index, error))?))));
            checked.push(placed.collect::<Result<Routed>>()?);
        }
        Ok(Self { messages: checked, parcels })
    }
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

/// Finds the way of each message.
struct Planner<'a> {
    engine: &'a Arc<Engine>,
    config: Arc<Config>,
    parcels: Vec<Parcel>,
    /// Transports looked up already.
    known: HashMap<String, Known>,
    /// The way of the message before: most batches are of one type.
    last: Option<Way>,
}

/// Where messages of a type go that say nothing themselves.
#[derive(Clone)]
struct Way {
    message_type: Arc<str>,
    priority: Option<u8>,
    transports: Arc<[Arc<str>]>,
}

/// A transport, with what applies to messages that say nothing themselves.
#[derive(Clone)]
struct Known {
    name: Arc<str>,
    parcel: usize,
    queue: Arc<str>,
    priority: u8,
}

impl Planner<'_> {
    async fn place(&mut self, request: &Request<'_>) -> Routed {
        let way = self.way(request);
        let mut found = Vec::with_capacity(way.transports.len());
        for name in way.transports.iter() {
            let known = self.look_up(name).await;
            let name = known.as_ref().map_or(name, |it| &it.name).clone();
            // A transport may be named twice, by its other name.
            if found.iter().all(|(other, _)| *other != name) {
                found.push((name, known));
            }
        }
        // The caller named them: one that does not exist is a mistake in the call, which must not be half done.
        if request.options.as_ref().is_some_and(|it| it.transport.is_some())
            && let Some(wrong) = found.iter().position(|(_, it)| matches!(it, Err(Error::UnknownTransport { .. })))
        {
            let (name, error) = found.swap_remove(wrong);
            return vec![(name, error.and_then(|known| self.enclose(request, &way, &known)))];
        }
        let enclose =
            |(name, known): (Arc<str>, Result<Known>)| (name, known.and_then(|it| self.enclose(request, &way, &it)));
        found.into_iter().map(enclose).collect()
    }

    fn way(&mut self, request: &Request<'_>) -> Way {
        let options = request.options.as_ref();
        let chosen = options.and_then(|it| it.transport.as_ref()).map(|it| it.as_slice());
        let priority = options.and_then(|it| it.priority);
        let is_the_same = |it: &&Way| *it.message_type == *request.message_type && it.priority == priority;
        if let Some(last) = self.last.as_ref().filter(is_the_same).filter(|_| chosen.is_none()) {
            return last.clone();
        }
        let names = routing::route(&self.config, &request.message_type, priority, chosen);
        let transports = names.into_iter().map(Arc::from).collect();
        let way = Way { message_type: request.message_type.as_ref().into(), priority, transports };
        self.last = chosen.is_none().then(|| way.clone());
        way
    }

    async fn look_up(&mut self, name: &str) -> Result<Known> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let transport = self.engine.transport(name).await?;
        let described = self.engine.described(name)?;
        let place = transport.place();
        let known = Known {
            name: transport.name().clone(),
            parcel: self.parcels.iter().position(|it| it.transport.place() == place).unwrap_or(self.parcels.len()),
            queue: described.queue.as_deref().unwrap_or(&self.config.default_queue).into(),
            priority: described.priority.unwrap_or(self.config.default_priority),
        };
        if known.parcel == self.parcels.len() {
            self.parcels.push(Parcel { transport, envelopes: Vec::new() });
        }
        self.known.insert(name.to_owned(), known.clone());
        Ok(known)
    }

    fn enclose(&mut self, request: &Request<'_>, way: &Way, known: &Known) -> Result<Slot> {
        let envelope = envelope(request, way, known, &self.config)?;
        let parcel = self.parcels.get_mut(known.parcel).ok_or_else(slot::lost)?;
        parcel.envelopes.push(envelope);
        Ok(Slot { parcel: known.parcel, envelope: parcel.envelopes.len() - 1 })
    }
}

fn envelope(request: &Request<'_>, way: &Way, known: &Known, config: &Config) -> Result<Envelope> {
    let options = request.options.as_ref();
    let key = options.and_then(|it| it.idempotency_key.as_deref());
    let queue = options.and_then(|it| it.queue.as_deref());
    Ok(Envelope {
        id: Uuid::now_v7(),
        message_type: way.message_type.clone(),
        transport: known.name.clone(),
        queue: queue.map_or_else(|| known.queue.clone(), Arc::from),
        priority: options.and_then(|it| it.priority).unwrap_or(known.priority),
        body: request.payload.get().into(),
        headers: options.and_then(|it| it.headers).map(|it| it.get().into()),
        metadata: merged(request.metadata, options.and_then(|it| it.metadata), &config.payload)?,
        available: options.map_or(Ok(Available::Now), |it| it.available())?,
        key: key.map(|key| IdempotencyKey {
            key: key.to_owned(),
            window: config.deduplication.window.limit(),
            repeats: 0,
        }),
        max_retries: options.and_then(|it| it.max_retries),
    })
}

/// Metadata of the message, and over it that of the options, key by key.
fn merged(message: Option<&RawValue>, options: Option<&RawValue>, limits: &PayloadLimits) -> Result<Option<Arc<str>>> {
    let (Some(message), Some(options)) = (message, options) else {
        return Ok(message.or(options).map(|it| it.get().into()));
    };
    let read = |raw: &RawValue| {
        serde_json::from_str::<Map<String, Value>>(raw.get())
            .map_err(|error| Error::Serialization { what: "metadata", reason: error.to_string() })
    };
    let mut all = read(message)?;
    all.extend(read(options)?);
    let all = Value::Object(all).to_string();
    limits::fits("options.metadata", "is, with the message's own,", all.len(), &limits.metadata())?;
    Ok(Some(all.into()))
}
