//! A transport does what it says it can, and refuses the rest by name.

use crate::support::kit::{HOUR, Worker, delayed, keyed, message, survey_of};
use crate::support::subject::{OnTheSpot, Subject, check};
use serde_json::json;
use symphony::Error;
use symphony::store::dead_letters::FailedFilter;
use symphony::transport::Sent;
use uuid::Uuid;

for_all! {
    it_has_the_name_it_was_given
    it_stores_or_handles
    it_delays_or_refuses
    it_deduplicates_or_does_not
    it_keeps_dead_letters_or_refuses
    an_empty_batch_has_no_answers
}

async fn it_has_the_name_it_was_given<S: Subject>(it: S) {
    let transport = it.transport();
    assert_eq!(&**transport.name(), crate::support::subject::MAIN);
    assert_eq!(transport.store(), it.transport().store());
}

async fn it_stores_or_handles<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = transport.send(&[message("Email"), message("Email")]).await.unwrap();
    let worker = Worker::of(&transport);
    if transport.capabilities().stores {
        assert!(sent.iter().all(|it| matches!(it, Sent::Queued { .. })));
        assert_eq!(survey_of(&transport).await.queues, ["default"]);
        assert_eq!(worker.claim(10).await.len(), 2);
    } else {
        assert!(sent.iter().all(|it| matches!(it, Sent::Handled)));
        assert!(survey_of(&transport).await.queues.is_empty());
        assert!(worker.claim_from(&["default"], None, 10).await.is_empty());
        assert!(worker.claim_suspect().await.is_none());
        assert!(transport.depth().await.unwrap().is_empty());
        assert!(transport.unhandled(&[]).await.unwrap().is_empty());
    }
}

async fn it_delays_or_refuses<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = transport.send(&[message("Email"), delayed(HOUR), message("Email")]).await.unwrap();
    if transport.capabilities().stores {
        assert!(matches!(sent[1], Sent::Queued { .. }));
    } else {
        assert!(matches!(&sent[1], Sent::Failed(Error::NotCapable { .. })), "{:?}", sent[1]);
    }
    assert!(!matches!(sent[0], Sent::Failed(_)) && !matches!(sent[2], Sent::Failed(_)));
}

async fn it_deduplicates_or_does_not<S: Subject>(it: S) {
    let transport = it.transport();
    transport.send(&[keyed("k")]).await.unwrap();
    let second = transport.send(&[keyed("k")]).await.unwrap().remove(0);
    let refused = u64::from(transport.capabilities().stores);
    assert_eq!(matches!(second, Sent::Duplicate { .. }), refused == 1);
    assert_eq!(transport.duplicate_attempts("k").await.unwrap(), refused);
}

async fn it_keeps_dead_letters_or_refuses<S: Subject>(it: S) {
    let transport = it.transport();
    let answers = [
        transport.list_failed(&FailedFilter::default()).await.map(drop),
        transport.get_failed(Uuid::now_v7()).await.map(drop),
        transport.redrive(&[Uuid::now_v7()]).await.map(drop),
        transport.remove_failed(&[Uuid::now_v7()]).await.map(drop),
    ];
    for answer in answers {
        if transport.capabilities().dead_letters {
            answer.unwrap();
        } else {
            let error = answer.unwrap_err();
            assert_eq!((error.code(), error.is_transient()), ("SYMPHONY_TRANSPORT_NOT_CAPABLE", false));
            assert!(error.to_string().contains("\"main\" cannot keep dead letters"), "{error}");
        }
    }
}

async fn an_empty_batch_has_no_answers<S: Subject>(it: S) {
    assert!(it.transport().send(&[]).await.unwrap().is_empty());
}

#[test]
fn sync_answers_for_each_message_in_order() {
    check(json!({}), |it: OnTheSpot| async move {
        let batch = ["Email", "Failing", "Email", "Failing"].map(message);
        let sent = it.transport().send(&batch).await.unwrap();
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
