//! What people are told about how much there is.

use crate::support::kit::{
    ByHand, HOUR, LEASE, MINUTE, Worker, delayed, many, message, put, put_one, queued_in, urgent,
};
use crate::support::subject::Subject;
use symphony::base::limits::DEPTH_CAP;
use symphony::message::envelope::{Available, Envelope};
use symphony::transport::{Depth, Unhandled};

for_drains! {
    each_queue_is_counted_by_state
    the_oldest_due_message_tells_its_age;

    // What no broker does.
    nothing_is_an_empty_list
    suspects_count_as_pending
    a_count_stops_at_the_cap
    messages_without_a_handler_are_found
    messages_that_are_not_due_need_no_handler
}

async fn nothing_is_an_empty_list<S: Subject>(it: S) {
    assert!(it.transport().depth().await.unwrap().is_empty());
    assert!(it.transport().inspects().unwrap().unhandled(&[]).await.unwrap().is_empty());
}

async fn each_queue_is_counted_by_state<S: Subject>(it: S) {
    let transport = it.transport();
    let later = || Envelope { queue: "a".into(), ..delayed(HOUR) };
    put(&transport, vec![queued_in("a"), queued_in("a"), later(), queued_in("b"), queued_in("c")]).await;
    put(&transport, (1..=10).map(urgent).collect()).await;
    let worker = Worker::of(&transport);
    worker.claim_from(&["a"], None, 1).await;
    worker.claim_from(&["b"], None, 10).await;

    let counted: Vec<_> = transport
        .depth()
        .await
        .unwrap()
        .into_iter()
        .map(|it| (it.queue, it.pending, it.delayed, it.processing))
        .collect();
    let row = |queue: &str, pending, delayed, processing| (queue.to_owned(), pending, delayed, processing);
    assert_eq!(counted, [row("a", 1, 1, 1), row("b", 0, 0, 1), row("c", 1, 0, 0), row("default", 10, 0, 0)]);
}

async fn the_oldest_due_message_tells_its_age<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, urgent(3)).await;
    it.advance(MINUTE).await;
    put(&transport, vec![urgent(9), Envelope { available: Available::After(HOUR), ..urgent(5) }]).await;
    let age = |depth: Vec<Depth>| depth[0].oldest_age_ms;
    let oldest = age(transport.depth().await.unwrap()).unwrap();
    assert!((60_000.0..90_000.0).contains(&oldest), "{oldest}");
    Worker::of(&transport).claim(10).await;
    assert_eq!(age(transport.depth().await.unwrap()), None);
}

async fn suspects_count_as_pending<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    let depth = transport.depth().await.unwrap().remove(0);
    assert_eq!((&*depth.queue, depth.pending, depth.processing), ("default", 1, 0));
    assert!(depth.oldest_age_ms.is_some_and(|age| age >= 60_000.0));
    assert_eq!(transport.inspects().unwrap().unhandled(&[]).await.unwrap()[0].count, 1);
}

async fn a_count_stops_at_the_cap<S: Subject>(it: S) {
    let transport = it.transport();
    let cap = usize::try_from(DEPTH_CAP).unwrap();
    put(&transport, many(cap + 10, || message("Email"))).await;
    assert_eq!(transport.depth().await.unwrap()[0].pending, cap as u64);
    assert_eq!(transport.inspects().unwrap().unhandled(&[]).await.unwrap()[0].count, cap as u64);
    Worker::of(&transport).claim(cap + 5).await;
    let depth = transport.depth().await.unwrap().remove(0);
    assert_eq!((depth.pending, depth.processing), (5, cap as u64));
}

async fn messages_without_a_handler_are_found<S: Subject>(it: S) {
    let transport = it.transport();
    let elsewhere = Envelope { queue: "slow".into(), ..message("Sms") };
    put(&transport, vec![message("Sms"), message("Email"), message("Sms"), elsewhere, message("Fax")]).await;
    let row = |message_type: &str, queue: &str, count| Unhandled {
        message_type: message_type.to_owned(),
        queue: queue.to_owned(),
        count,
    };
    let unhandled = transport.inspects().unwrap().unhandled(&["Email".to_owned(), "Push".to_owned()]).await.unwrap();
    assert_eq!(unhandled, [row("Fax", "default", 1), row("Sms", "default", 2), row("Sms", "slow", 1)]);
    let all = ["Email", "Sms", "Fax"].map(str::to_owned);
    assert!(transport.inspects().unwrap().unhandled(&all).await.unwrap().is_empty());
}

async fn messages_that_are_not_due_need_no_handler<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, delayed(HOUR)).await;
    assert!(transport.inspects().unwrap().unhandled(&[]).await.unwrap().is_empty());
    it.advance(2 * HOUR).await;
    assert_eq!(transport.inspects().unwrap().unhandled(&[]).await.unwrap().len(), 1);
}
