//! From message to envelope to transport.
//!
//! A batch is routed as a whole ([`plan`]) and sent with one call per store, however many transports it goes to
//! ([`parcel`]). Each message has its own answer ([`receipt`]): one that is invalid, or that the database refuses,
//! never stops the others.

mod parcel;
mod plan;
mod receipt;
mod slot;

pub use receipt::{Answers, Dispatched, Receipt};

use crate::base::targets::DISPATCH;
use crate::engine::Engine;
use crate::error::Result;
use crate::error::not_capable;
use crate::message::envelope::Envelope;
use crate::message::request;
use futures_util::future::join_all;
use parcel::Parcel;
use plan::Plan;
use std::sync::Arc;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

/// Dispatches a batch: JSON text of an array of requests. One answer per request, in order.
///
/// # Errors
/// Only when the text is not a JSON array; everything else is the answer of the message it concerns.
pub async fn dispatch(engine: &Arc<Engine>, requests: &str) -> Result<Vec<Result<Dispatched>>> {
    let span = span(false);
    let dispatching = async {
        let Plan { messages, parcels } = Plan::of(engine, request::read(requests)?).await;
        let receipts = join_all(parcels.into_iter().map(Parcel::send)).await;
        engine.note_sent();
        Ok(receipt::gather(messages, receipts))
    };
    let answers = dispatching.instrument(span.clone()).await?;
    note(&span, &answers);
    Ok(answers)
}

/// Covers a batch. Types, keys and payloads are the application's, and are not in it.
fn span(atomic: bool) -> Span {
    debug_span!(target: DISPATCH, "dispatch", atomic, messages = Empty, refused = Empty)
}

fn note(span: &Span, answers: &[Result<Dispatched>]) {
    if !span.is_disabled() {
        span.record("messages", answers.len());
        span.record("refused", answers.iter().filter(|it| it.is_err()).count());
    }
}

/// Finds the way of a batch without sending it: the envelopes of each message, for one store that sends them itself.
///
/// # Errors
/// Only when the text is not a JSON array. A message that cannot go everywhere it should has its error, such as
/// [`crate::Error::NotCapable`] for a transport of another store.
pub async fn address(engine: &Arc<Engine>, requests: &str, place: &str) -> Result<Vec<Result<Vec<Envelope>>>> {
    let Plan { messages, parcels } = Plan::of(engine, request::read(requests)?).await;
    let envelope = |(_, slot): (_, Result<slot::Slot>)| {
        let slot = slot?;
        let parcel = parcels.get(slot.parcel).ok_or_else(slot::lost)?;
        let envelope = parcel.envelopes.get(slot.envelope).ok_or_else(slot::lost)?;
        if parcel.transport.place() != place {
            return not_capable(&envelope.transport, "take messages of schedules: they go to transports in Postgres");
        }
        Ok(envelope.clone())
    };
    Ok(messages.into_iter().map(|routed| routed.into_iter().map(envelope).collect()).collect())
}

/// Dispatches a batch of which every message is stored or none.
///
/// # Errors
/// The first thing wrong with any of them; [`crate::Error::NotCapable`] when they go to more than one store.
pub async fn dispatch_atomically(engine: &Arc<Engine>, requests: &str) -> Result<Vec<Dispatched>> {
    let span = span(true);
    let dispatching = async {
        let Plan { messages, parcels } = Plan::of(engine, request::read(requests)?).await.flawless()?;
        let receipts = match <[Parcel; 1]>::try_from(parcels) {
            Ok([only]) => vec![only.send_whole().await?],
            Err(none) if none.is_empty() => Vec::new(),
            Err(several) => {
                let last = several.last().map(|it| it.transport.name().clone()).unwrap_or_default();
                return not_capable(&last, "take part in an atomic batch that also goes to another store");
            }
        };
        engine.note_sent();
        Ok(receipt::gather(messages, receipts))
    };
    let answers = dispatching.instrument(span.clone()).await?;
    note(&span, &answers);
    answers.into_iter().collect()
}
