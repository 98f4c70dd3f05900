//! The words of the tests: messages, workers, outcomes.

use crate::support::subject::MAIN;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use symphony::Result;
use symphony::message::claimed::Claimed;
use symphony::message::envelope::{Available, Envelope, IdempotencyKey};
use symphony::message::outcome::{Failure, Outcome, Road};
use symphony::store::Store;
use symphony::store::dead_letters::{FailedFilter, FailedMessage};
use symphony::transport::{
    Claim, Claimable, Drain, Fence, Known, Portion, Reach, RescueStep, Rescued, Sent, Settlement, Survey, WorkerId,
};
use uuid::Uuid;

/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// The lease of a [`Worker`].
pub const LEASE: Duration = Duration::from_secs(30);

/// A message, to be handled now.
pub fn message(message_type: &str) -> Envelope {
    Envelope {
        id: Uuid::now_v7(),
        message_type: message_type.into(),
        transport: MAIN.into(),
        queue: "default".into(),
        priority: 5,
        body: r#"{"to":"a@b.c"}"#.into(),
        headers: None,
        metadata: None,
        available: Available::Now,
        key: None,
        max_retries: None,
    }
}

/// A message in a queue.
pub fn queued_in(queue: &str) -> Envelope {
    Envelope { queue: queue.into(), ..message("Email") }
}

/// A message with a priority.
pub fn urgent(priority: u8) -> Envelope {
    Envelope { priority, ..message("Email") }
}

/// A message that waits.
pub fn delayed(delay: Duration) -> Envelope {
    Envelope { available: Available::After(delay), ..message("Email") }
}

/// A message with an idempotency key, whose window is an hour.
pub fn keyed(key: &str) -> Envelope {
    Envelope { key: Some(IdempotencyKey { key: key.to_owned(), window: Some(HOUR), repeats: 0 }), ..message("Email") }
}

/// Messages of one kind.
pub fn many(count: usize, one: impl Fn() -> Envelope) -> Vec<Envelope> {
    (0..count).map(|_| one()).collect()
}

/// What is in a transport.
pub async fn survey_of(transport: &Arc<dyn Drain>) -> Survey {
    transport.survey(&[transport.name().clone()], Claimable::default(), None).await.unwrap().surveys.remove(0)
}

/// Sends a batch of which every message is to be stored; answers with the ids.
pub async fn put(transport: &Arc<dyn Drain>, envelopes: Vec<Envelope>) -> Vec<Uuid> {
    let sent = transport.send(&envelopes).await.unwrap();
    assert_eq!(sent.len(), envelopes.len());
    assert!(sent.iter().all(|it| matches!(it, Sent::Queued { .. })), "{sent:?}");
    envelopes.iter().map(|it| it.id).collect()
}

/// Sends one message that is to be stored.
pub async fn put_one(transport: &Arc<dyn Drain>, envelope: Envelope) -> Uuid {
    put(transport, vec![envelope]).await.remove(0)
}

/// What only tests do to a transport by hand.
pub trait ByHand {
    /// What keeps things beside its messages.
    fn kept(&self) -> Arc<dyn Store>;
    /// A rescue by somebody who is not a worker.
    fn rescue(&self) -> impl Future<Output = Result<Rescued>> + Send;
}

impl ByHand for Arc<dyn Drain> {
    fn kept(&self) -> Arc<dyn Store> {
        self.store().expect("it has a store")
    }

    async fn rescue(&self) -> Result<Rescued> {
        self.rescue_step(RescueStep::WIDE).await
    }
}

/// A consumer.
#[derive(Clone)]
pub struct Worker {
    /// How it is known.
    pub id: WorkerId,
    transport: Arc<dyn Drain>,
}

impl Worker {
    /// A worker with the lease [`LEASE`].
    pub fn of(transport: &Arc<dyn Drain>) -> Self {
        Self::with_lease(transport, LEASE)
    }

    /// A worker whose claims stand so long.
    pub fn with_lease(transport: &Arc<dyn Drain>, lease: Duration) -> Self {
        let id = WorkerId { id: Uuid::now_v7(), host: "test".to_owned(), pid: 1, lease, about: Arc::default() };
        Self { id, transport: transport.clone() }
    }

    /// Claims from all queues.
    pub async fn claim(&self, limit: usize) -> Vec<Claimed> {
        let queues = survey_of(&self.transport).await.queues;
        let queues: Vec<_> = queues.iter().map(String::as_str).collect();
        self.claim_from(&queues, None, limit).await
    }

    /// Claims from the queue `default`, looking that far.
    pub async fn claim_as(&self, reach: Reach, limit: usize) -> Vec<Claimed> {
        self.claim_within(reach, &["default"], None, limit).await
    }

    /// Claims from some queues, in this order, messages of some types.
    pub async fn claim_from(&self, queues: &[&str], types: Option<&[&str]>, limit: usize) -> Vec<Claimed> {
        self.claim_within(Reach::Exhaustive, queues, types, limit).await
    }

    async fn claim_within(&self, reach: Reach, queues: &[&str], types: Option<&[&str]>, limit: usize) -> Vec<Claimed> {
        let (queues, types) = (owned(queues), types.map(owned));
        let claim = Claim {
            worker: &self.id,
            token: Uuid::now_v7(),
            queues: &queues,
            types: types.as_deref(),
            limit,
            reach,
            listening: false,
        };
        self.transport.claim(&claim).await.unwrap()
    }

    /// Claims a message that must be there.
    pub async fn claim_one(&self) -> Claimed {
        let mut claimed = self.claim(1).await;
        assert_eq!(claimed.len(), 1, "nothing to claim");
        claimed.remove(0)
    }

    /// Claims a suspect from any queue.
    pub async fn claim_suspect(&self) -> Option<Claimed> {
        self.claim_suspect_from(&[], None).await
    }

    /// Claims a suspect of some queues and types.
    pub async fn claim_suspect_from(&self, queues: &[&str], types: Option<&[&str]>) -> Option<Claimed> {
        let (queues, types) = (owned(queues), types.map(owned));
        let claim = Claim {
            worker: &self.id,
            token: Uuid::now_v7(),
            queues: &queues,
            types: types.as_deref(),
            limit: 1,
            reach: Reach::Exhaustive,
            listening: false,
        };
        self.transport.claim_suspect(&claim).await.unwrap()
    }

    /// Puts back what it has claimed, but for what it claimed with these; says whether anything was.
    pub async fn knows_only(&self, kept: &[Claimed]) -> bool {
        let known = Known { tokens: kept.iter().map(|it| it.token).collect(), before: Uuid::now_v7() };
        self.transport.reconcile(&self.id, &known, Portion::WIDE).await.unwrap() > 0
    }

    /// Settles one message whose fence must still hold.
    pub async fn settle(&self, message: &Claimed, outcome: Outcome) {
        let lost = self.settle_all(&[settlement(message, outcome)]).await.unwrap();
        assert!(lost.is_empty(), "the lease was lost");
    }

    /// Applies outcomes without counting them; answers with the messages that it did not hold, which were left alone.
    pub async fn settle_all(&self, settlements: &[Settlement]) -> Result<Vec<Uuid>> {
        let mut lost: HashSet<Fence> = HashSet::new();
        for road in [Road::Ended, Road::Returned, Road::Buried] {
            let mut rest: Vec<_> = settlements.iter().filter(|it| it.outcome.road() == road).cloned().collect();
            while !rest.is_empty() {
                let refused = self.transport.settle_counted(self.id.id, &rest, &[]).await?;
                if refused.is_empty() {
                    break;
                }
                rest.retain(|it| !refused.contains(&it.fence()));
                lost.extend(refused);
            }
        }
        Ok(settlements.iter().filter(|it| lost.contains(&it.fence())).map(|it| it.id).collect())
    }

    /// Puts messages back as if they had never been claimed; answers as `settle_all`.
    pub async fn release(&self, held: &[Fence]) -> Result<Vec<Uuid>> {
        let back = |&(id, token)| Settlement { id, token, outcome: Outcome::UNTOUCHED };
        self.settle_all(&held.iter().map(back).collect::<Vec<_>>()).await
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// An outcome for a message.
pub fn settlement(message: &Claimed, outcome: Outcome) -> Settlement {
    Settlement { id: message.id, token: message.token, outcome }
}

/// Failed, to run again.
pub fn retry(delay: Duration) -> Outcome {
    Outcome::Retry { delay, failure: failure("refused"), handled: Vec::new() }
}

/// Failed for good.
pub fn bury(message: &str) -> Outcome {
    Outcome::Bury { failure: failure(message), handled: Vec::new() }
}

/// Postponed by its handler.
pub fn snooze(delay: Duration) -> Outcome {
    Outcome::Snooze { delay, handled: Vec::new() }
}

/// Put back.
pub fn release() -> Outcome {
    Outcome::Release { delay: None, handled: Vec::new(), ran: false }
}

/// Where it was thrown.
pub const STACK: &str = "    at send (mail.ts:1:1)";

/// Whose run it was.
pub const WORKER: Uuid = Uuid::from_u128(7);

/// What a handler threw, after 12 ms.
pub fn failure(message: &str) -> Failure {
    let thrown = Failure::new("SmtpError", message.to_owned());
    Failure { stack: Some(STACK.to_owned()), ms: Some(12), worker: Some(WORKER), ..thrown }
}

/// The ids, in order.
pub fn ids(claimed: &[Claimed]) -> Vec<Uuid> {
    claimed.iter().map(|it| it.id).collect()
}

/// All dead letters, newest first.
pub async fn letters(transport: &Arc<dyn Drain>) -> Vec<FailedMessage> {
    let all = FailedFilter { limit: 1000, full: true, ..FailedFilter::default() };
    transport.kept().list_failed(&all).await.unwrap().messages
}

/// Sends a message and buries it; answers with the dead letter.
pub async fn buried(transport: &Arc<dyn Drain>, envelope: Envelope) -> FailedMessage {
    let id = put_one(transport, envelope).await;
    let worker = Worker::of(transport);
    let message = worker.claim_one().await;
    assert_eq!(message.id, id);
    worker.settle(&message, bury("refused")).await;
    let all = letters(transport).await;
    all.into_iter().find(|it| it.message_id == id).unwrap()
}

/// How many messages are in all queues: due, waiting for their time, claimed.
pub async fn counts(transport: &Arc<dyn Drain>) -> (u64, u64, u64) {
    let depth = transport.depth().await.unwrap();
    depth.iter().fold((0, 0, 0), |sum, it| (sum.0 + it.pending, sum.1 + it.delayed, sum.2 + it.processing))
}
