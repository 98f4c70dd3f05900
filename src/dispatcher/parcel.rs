//! All envelopes of a batch that go to one store, sent together.

use super::receipt::Receipt;
use crate::error::{Error, Result};
use crate::message::envelope::Envelope;
use crate::policy::idempotency::{Occurrence, collapse};
use crate::transport::{Sent, Transport};
use std::borrow::Cow;
use std::sync::Arc;

/// The envelopes for one store.
pub struct Parcel {
    /// Any transport of the store.
    pub transport: Arc<dyn Transport>,
    /// In the order of the batch.
    pub envelopes: Vec<Envelope>,
}

impl Parcel {
    /// Sends, and answers for each envelope by itself.
    pub async fn send(self) -> Vec<Result<Receipt>> {
        let occurrences = self.occurrences();
        let sent = isolating(&*self.transport, &self.distinct(&occurrences)).await;
        self.receipts(&occurrences, sent)
    }

    /// Sends everything or nothing.
    pub async fn send_whole(self) -> Result<Vec<Result<Receipt>>> {
        let occurrences = self.occurrences();
        let sent = self.transport.send(&self.distinct(&occurrences)).await?;
        Ok(self.receipts(&occurrences, sent))
    }

    fn occurrences(&self) -> Vec<Occurrence> {
        let held = self.envelopes.iter().map(|it| Some((&*it.transport, &*it.message_type, &*it.key.as_ref()?.key)));
        collapse(held)
    }

    /// What is really sent: each key once, with the number of its repeats.
    fn distinct(&self, occurrences: &[Occurrence]) -> Cow<'_, [Envelope]> {
        if occurrences.iter().all(|it| *it == Occurrence::First { repeats: 0 }) {
            return Cow::Borrowed(&self.envelopes);
        }
        let first = |(envelope, occurrence): (&Envelope, &Occurrence)| match *occurrence {
            Occurrence::RepeatOf(_) => None,
            Occurrence::First { repeats } => {
                let mut envelope = envelope.clone();
                envelope.key.as_mut().into_iter().for_each(|key| key.repeats = repeats);
                Some(envelope)
            }
        };
        self.envelopes.iter().zip(occurrences).filter_map(first).collect()
    }

    /// Brings the answers for what was sent back to all envelopes: a repeat is a duplicate of its first.
    fn receipts(self, occurrences: &[Occurrence], sent: Vec<Sent>) -> Vec<Result<Receipt>> {
        let mut sent = sent.into_iter();
        let mut receipts: Vec<Result<Receipt>> = Vec::with_capacity(self.envelopes.len());
        for (envelope, occurrence) in self.envelopes.into_iter().zip(occurrences) {
            let answer = match *occurrence {
                Occurrence::First { .. } => sent.next().unwrap_or(FEWER),
                Occurrence::RepeatOf(first) => repeat_of(receipts.get(first)),
            };
            receipts.push(Receipt::of(envelope, answer));
        }
        receipts
    }
}

const FEWER: Sent = Sent::Failed(Error::Internal { what: "the transport has fewer answers than messages" });

fn repeat_of(first: Option<&Result<Receipt>>) -> Sent {
    match first {
        Some(Ok(receipt)) => Sent::Duplicate { of: receipt.message_id },
        Some(Err(Error::Shared(error))) => Sent::Failed(Error::Shared(error.clone())),
        _ => Sent::Failed(Error::Internal { what: "the first message with this key has no answer" }),
    }
}

/// Sends a batch; where the database refuses it for what is in it, halves it until the culprits stand alone, and where
/// a transport in it was switched off a moment ago, goes on without that. A message that came along with thousands of
/// others must not fail for one that none of them knows.
async fn isolating(transport: &dyn Transport, envelopes: &[Envelope]) -> Vec<Sent> {
    match transport.send(envelopes).await {
        Ok(sent) => sent,
        Err(Error::TransportDisabled { name }) if envelopes.iter().any(|it| *it.transport != *name) => {
            without(transport, envelopes, name).await
        }
        Err(error) if error.blames_content() && envelopes.len() > 1 => {
            let (left, right) = envelopes.split_at(envelopes.len() / 2);
            let mut sent = Box::pin(isolating(transport, left)).await;
            sent.extend(Box::pin(isolating(transport, right)).await);
            sent
        }
        Err(error) => {
            let error = Arc::new(error);
            envelopes.iter().map(|_| Sent::Failed(Error::Shared(error.clone()))).collect()
        }
    }
}

/// Sends what goes to other transports, and refuses what goes to the one of this name.
async fn without(transport: &dyn Transport, envelopes: &[Envelope], name: String) -> Vec<Sent> {
    let rest: Vec<Envelope> = envelopes.iter().filter(|it| *it.transport != *name).cloned().collect();
    let mut sent = match rest.len() == envelopes.len() {
        true => Vec::new(),
        false => Box::pin(isolating(transport, &rest)).await,
    }
    .into_iter();
    let refusal = Arc::new(Error::TransportDisabled { name: name.clone() });
    let answer = |it: &Envelope| match *it.transport == *name {
        true => Sent::Failed(Error::Shared(refusal.clone())),
        false => sent.next().unwrap_or(FEWER),
    };
    envelopes.iter().map(answer).collect()
}
