//! A transport does what it has a facet for, and refuses the rest by name.

use crate::support::kit::{ByHand, HOUR, Worker, delayed, keyed, message, survey_of};
use crate::support::subject::{MAIN, OnTheSpot, Subject, check};
use serde_json::json;
use symphony::Error;
use symphony::transport::Sent;

for_all! {
    it_has_the_name_it_was_given
    messages_wait_in_it_or_are_handled
    it_delays_or_refuses
    it_deduplicates_or_does_not
    an_empty_batch_has_no_answers
}

async fn it_has_the_name_it_was_given<S: Subject>(it: S) {
    let transport = it.entrance();
    assert_eq!(&**transport.name(), MAIN);
    assert_eq!(transport.place(), it.entrance().place());
}

async fn messages_wait_in_it_or_are_handled<S: Subject>(it: S) {
    let transport = it.entrance();
    let sent = transport.send(&[message("Email"), message("Email")]).await.unwrap();
    let Some(drain) = transport.clone().drain() else {
        assert!(sent.iter().all(|it| matches!(it, Sent::Handled)));
        assert!(transport.store().is_none() && transport.wakes().is_none() && transport.inspects().is_none());
        return;
    };
    assert!(sent.iter().all(|it| matches!(it, Sent::Queued { .. })));
    assert_eq!(survey_of(&drain).await.queues, ["default"]);
    assert_eq!(Worker::of(&drain).claim(10).await.len(), 2);
}

async fn it_delays_or_refuses<S: Subject>(it: S) {
    let transport = it.entrance();
    let sent = transport.send(&[message("Email"), delayed(HOUR), message("Email")]).await.unwrap();
    if transport.drain().is_some() {
        assert!(matches!(sent[1], Sent::Queued { .. }));
    } else {
        assert!(matches!(&sent[1], Sent::Failed(Error::NotCapable { .. })), "{:?}", sent[1]);
    }
    assert!(!matches!(sent[0], Sent::Failed(_)) && !matches!(sent[2], Sent::Failed(_)));
}

async fn it_deduplicates_or_does_not<S: Subject>(it: S) {
    let transport = it.entrance();
    transport.send(&[keyed("k")]).await.unwrap();
    let second = transport.send(&[keyed("k")]).await.unwrap().remove(0);
    let Some(drain) = transport.drain() else { return assert!(matches!(second, Sent::Handled)) };
    assert!(matches!(second, Sent::Duplicate { .. }));
    assert_eq!(drain.kept().duplicate_attempts("k").await.unwrap(), 1);
}

async fn an_empty_batch_has_no_answers<S: Subject>(it: S) {
    assert!(it.entrance().send(&[]).await.unwrap().is_empty());
}

#[test]
fn sync_answers_for_each_message_in_order() {
    check(json!({}), |it: OnTheSpot| async move {
        let batch = ["Email", "Failing", "Email", "Failing"].map(message);
        let sent = it.entrance().send(&batch).await.unwrap();
        for (index, sent) in sent.iter().enumerate() {
            match sent {
                Sent::Handled => assert_eq!(index % 2, 0),
                Sent::Failed(Error::Handler { message_id, message }) => {
                    assert_eq!((message_id, &**message), (&batch[index].id.to_string(), "refused"));
                }
                other => panic!("{other:?}"),
            }
        }
    });
}
