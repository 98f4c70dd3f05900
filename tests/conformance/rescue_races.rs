//! What happens in the very moment in which a lease runs out. Leases of no length make every moment that one.

use crate::support::kit::{ByHand, Worker, counts, message, put_one, settlement};
use crate::support::subject::Subject;
use std::time::Duration;
use symphony::message::outcome::Outcome;
use symphony::transport::Drain;

const ROUNDS: usize = 200;

for_stores! {
    a_rescue_and_a_settle_never_both_have_the_message
    a_rescue_and_a_heartbeat_agree_who_is_dead
    a_rescue_and_a_claim_leave_no_message_behind
    eight_rescues_at_once_rescue_once
}

async fn a_rescue_and_a_settle_never_both_have_the_message<S: Subject>(it: S) {
    let transport = it.transport();
    let (mut rescued, mut lead) = (0, Lead::default());
    for _ in 0..ROUNDS {
        put_one(&transport, message("Email")).await;
        let dying = Worker::with_lease(&transport, Duration::ZERO);
        let message = dying.claim_one().await;
        let done = [settlement(&message, Outcome::Completed)];
        let (settled, rescue) = lead.both(dying.settle_all(&done), transport.rescue()).await;
        let (lost, returned) = (settled.unwrap().len() as u64, rescue.unwrap().returned);
        assert_eq!(lost, returned, "lost by one and not taken by the other");

        lead.first_won(returned == 0);
        if returned == 1 {
            rescued += 1;
            let other = Worker::of(&transport);
            let message = other.claim_suspect().await.unwrap();
            other.settle(&message, Outcome::Completed).await;
        }
        transport.rescue().await.unwrap();
    }
    assert_eq!((it.finished().await, counts(&transport).await), (ROUNDS, (0, 0, 0)));
    assert!(rescued > 0 && rescued < ROUNDS, "{rescued} of {ROUNDS}: there was no race");
}

async fn a_rescue_and_a_heartbeat_agree_who_is_dead<S: Subject>(it: S) {
    let transport = it.transport();
    let (mut alive, mut lead) = (0, Lead::default());
    for _ in 0..ROUNDS {
        put_one(&transport, message("Email")).await;
        let dying = Worker::with_lease(&transport, Duration::ZERO);
        let message = dying.claim_one().await;
        let mut reborn = dying.id.clone();
        reborn.lease = Duration::from_secs(60);
        let (beat, rescue) = lead.both(transport.extend(&reborn, 1), transport.rescue()).await;
        let beat = beat.unwrap().is_some();
        assert_eq!(u64::from(!beat), rescue.unwrap().returned);

        lead.first_won(beat);
        let other = Worker::of(&transport);
        match beat {
            true => dying.settle(&message, Outcome::Completed).await,
            false => other.settle(&other.claim_suspect().await.unwrap(), Outcome::Completed).await,
        }
        alive += usize::from(beat);
    }
    assert!(alive > 0 && alive < ROUNDS, "{alive} of {ROUNDS}: there was no race");
}

async fn a_rescue_and_a_claim_leave_no_message_behind<S: Subject>(it: S) {
    let transport = it.transport();
    let mut lead = Lead::default();
    for _ in 0..ROUNDS {
        let dying = Worker::with_lease(&transport, Duration::ZERO);
        dying.claim_from(&["default"], None, 1).await;
        put_one(&transport, message("Email")).await;
        let (claimed, rescue) = lead.both(dying.claim_from(&["default"], None, 1), transport.rescue()).await;
        assert_eq!(claimed.len(), 1);
        let rescued = rescue.unwrap().returned;
        lead.first_won(rescued == 1);
        let returned = rescued + transport.rescue().await.unwrap().returned;
        assert_eq!(returned, 1, "held by a worker that nobody can declare dead");

        let other = Worker::of(&transport);
        let message = other.claim_suspect().await.unwrap();
        other.settle(&message, Outcome::Completed).await;
    }
}

async fn eight_rescues_at_once_rescue_once<S: Subject>(it: S) {
    let transport = it.transport();
    for _ in 0..ROUNDS / 8 {
        put_one(&transport, message("Email")).await;
        Worker::with_lease(&transport, Duration::ZERO).claim_one().await;
        let rescue = |transport: std::sync::Arc<dyn Drain>| async move { transport.rescue().await.unwrap() };
        let rescues: Vec<_> = (0..8).map(|_| tokio::spawn(rescue(transport.clone()))).collect();
        let (mut workers, mut returned) = (0, 0);
        for it in rescues {
            let rescued = it.await.unwrap();
            workers += rescued.workers;
            returned += rescued.returned;
        }
        assert_eq!((workers, returned), (1, 1));
        let other = Worker::of(&transport);
        let message = other.claim_suspect().await.unwrap();
        other.settle(&message, Outcome::Completed).await;
    }
}

/// Two at the same time, and the one that has won a round begins the next a little later. So both win some, whatever
/// each of them takes on this machine, and most rounds are close.
#[derive(Default)]
struct Lead {
    /// In quarters of a millisecond; negative: the first begins earlier.
    of_second: i32,
}

impl Lead {
    async fn both<A, B>(&self, first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
        let wait =
            |quarters: i32| tokio::time::sleep(Duration::from_micros(250) * u32::try_from(quarters).unwrap_or(0));
        let first = async {
            wait(self.of_second).await;
            first.await
        };
        let second = async {
            wait(-self.of_second).await;
            second.await
        };
        tokio::join!(first, second)
    }

    fn first_won(&mut self, won: bool) {
        self.of_second += if won { 1 } else { -1 };
    }
}
