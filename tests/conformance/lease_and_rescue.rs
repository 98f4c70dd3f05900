//! A claim stands as long as its worker's lease, and what a dead worker held comes back as suspect.

use crate::support::kit::{
    ByHand, HOUR, LEASE, MINUTE, Worker, bury, counts, ids, letters, many, message, put, put_one, queued_in, retry,
    settlement, snooze, survey_of, urgent,
};
use crate::support::subject::{MAIN, Memory, Postgres, Subject, check};
use std::time::Duration;
use symphony::counts::window::Window;
use symphony::message::claimed::Claimed;
use symphony::message::outcome::{Failure, Outcome};
use symphony::transport::{Claimable, Look, Portion, RescueStep, Rescued};
use uuid::Uuid;

for_drains! {
    a_living_worker_is_left_alone
    a_heartbeat_keeps_the_lease
    a_worker_that_signs_off_leaves_nothing
    nothing_to_rescue_is_nothing;

    // What no broker does.
    a_dead_worker_s_messages_come_back_as_suspects
    a_survey_can_rescue_first
    a_claim_keeps_the_lease
    a_heartbeat_of_a_dead_worker_is_refused
    a_worker_that_was_dead_can_tell
    one_dead_worker_of_two
    what_a_worker_held_that_is_not_registered_comes_back
    what_two_such_workers_held_comes_back_and_the_living_one_between_keeps_its_own
    a_rescue_takes_so_many_and_the_next_one_the_rest
    a_worker_does_not_declare_itself_dead
    only_a_claim_for_suspects_takes_suspects
    a_suspect_is_claimed_from_the_queues_and_types_asked_for
    a_suspect_that_was_handled_is_done
    a_run_that_ended_clears_a_suspect
    a_suspect_that_was_not_started_stays_suspect
    a_survey_sees_suspects_that_would_be_claimed
    suspects_come_by_crashes_and_then_by_priority
    the_third_crash_buries
    a_burial_is_counted_once
    a_death_is_blamed_on_the_suspect_that_ran
    nothing_is_buried_for_deaths_in_company
    a_suspect_is_to_blame_for_all_that_its_worker_held
    a_worker_that_lives_learns_of_a_step
    a_worker_that_claims_again_is_judged_by_its_next_death
    a_suspect_that_crashed_comes_back_late
    suspects_that_crashed_together_do_not_come_back_together
    a_worker_that_lives_takes_back_what_was_counted
    what_nobody_holds_is_not_a_crash_of_a_suspect
}

async fn a_living_worker_is_left_alone<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    it.advance(LEASE / 2).await;
    assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
    worker.settle(&message, Outcome::Completed).await;
}

async fn a_dead_worker_s_messages_come_back_as_suspects<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let claimed = Worker::of(&transport).claim(2).await;
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 1, returned: 2, buried: vec![] });
    assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
    assert!(survey_of(&transport).await.suspects);
    assert_eq!(counts(&transport).await, (3, 0, 0));

    let worker = Worker::of(&transport);
    for old in &claimed {
        let again = worker.claim_suspect().await.unwrap();
        assert_eq!((again.id, again.crash_count, again.retry_count), (old.id, 1, 0));
        assert_eq!((&again.body, &again.message_type), (&old.body, &old.message_type));
    }
    assert!(worker.claim_suspect().await.is_none());
    assert!(!survey_of(&transport).await.suspects);
}

async fn a_survey_can_rescue_first<S: Subject>(it: S) {
    let transport = it.transport();
    let names = [transport.name().clone()];
    put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(2 * LEASE).await;
    let all = Claimable::default();
    let survey = transport.survey(&names, all, None).await.unwrap().surveys.remove(0);
    assert!(survey.queues.is_empty() && !survey.suspects);
    let Look { mut surveys, rescued } = transport.survey(&names, all, Some(RescueStep::WIDE)).await.unwrap();
    assert_eq!(rescued.unwrap().unwrap(), Rescued { workers: 1, returned: 1, buried: vec![] });
    let survey = surveys.remove(0);
    assert!(survey.queues == ["default"] && survey.suspects);
    assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
}

async fn a_heartbeat_keeps_the_lease<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    for _ in 0..5 {
        it.advance(LEASE * 2 / 3).await;
        assert!(transport.extend(&worker.id, 1).await.unwrap().is_some());
        assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
    }
    worker.settle(&message, Outcome::Completed).await;
}

async fn a_claim_keeps_the_lease<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(10, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let first = worker.claim_one().await;
    for _ in 0..5 {
        it.advance(LEASE * 2 / 3).await;
        worker.claim_one().await;
        assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
    }
    worker.settle(&first, Outcome::Completed).await;
}

async fn a_heartbeat_of_a_dead_worker_is_refused<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    assert_eq!(transport.extend(&worker.id, 0).await.unwrap(), None, "it has never claimed");
    worker.claim_one().await;
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap().workers, 1);
    assert_eq!(transport.extend(&worker.id, 1).await.unwrap(), None);
    worker.claim(1).await;
    assert!(transport.extend(&worker.id, 0).await.unwrap().is_some(), "a claim brings it back");
}

async fn a_worker_that_was_dead_can_tell<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let worker = Worker::of(&transport);
    let before = worker.claim(2).await;
    let claims = |messages: &[Claimed]| messages.iter().map(|it| (it.id, it.token)).collect::<Vec<_>>();
    let registered = transport.extend(&worker.id, 2).await.unwrap();
    assert!(transport.lost(worker.id.id, &claims(&before)).await.unwrap().is_empty());
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap().returned, 2);
    let after = worker.claim(1).await;
    assert_eq!(after.len(), 1);
    let again = transport.extend(&worker.id, 3).await.unwrap();
    assert!(again.is_some() && again != registered, "{again:?} {registered:?}");

    // One of the two is its own once more, under another token; the old claim stands no more for that.
    let suspect = worker.claim_suspect().await.unwrap();
    let mut lost =
        transport.lost(worker.id.id, &claims(&[before.clone(), after, vec![suspect]].concat())).await.unwrap();
    lost.sort();
    assert_eq!(lost, ids(&before));
    assert!(transport.lost(worker.id.id, &[]).await.unwrap().is_empty());
}

async fn one_dead_worker_of_two<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(4, || message("Email"))).await;
    let (short, long) = (Worker::of(&transport), Worker::with_lease(&transport, 10 * LEASE));
    let dead = short.claim(2).await;
    let living = long.claim(2).await;
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 1, returned: 2, buried: vec![] });
    for message in &living {
        long.settle(message, Outcome::Completed).await;
    }
    let mut back = vec![long.claim_suspect().await.unwrap().id, long.claim_suspect().await.unwrap().id];
    back.sort();
    assert_eq!(back, ids(&dead));
}

async fn a_worker_that_signs_off_leaves_nothing<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let message = worker.claim_one().await;
    worker.settle(&message, Outcome::Completed).await;
    transport.sign_off(&worker.id).await.unwrap();
    assert_eq!(transport.extend(&worker.id, 0).await.unwrap(), None);
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap(), Rescued::default());
}

/// Nobody's lease is there to run out, so nothing is waited for.
async fn what_a_worker_held_that_is_not_registered_comes_back<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let worker = Worker::of(&transport);
    let before = worker.claim_one().await;
    transport.sign_off(&worker.id).await.unwrap();
    assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 0, returned: 1, buried: vec![] });
    assert_eq!(worker.settle_all(&[settlement(&before, Outcome::Completed)]).await.unwrap(), [before.id]);
    assert_eq!(worker.claim_suspect().await.unwrap().id, before.id);
    assert_eq!(transport.rescue().await.unwrap(), Rescued::default(), "its claim has registered it again");
}

async fn what_two_such_workers_held_comes_back_and_the_living_one_between_keeps_its_own<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(6, || message("Email"))).await;
    let [first, living, last] = [(); 3].map(|()| Worker::of(&transport));
    let (one, kept, two) = (first.claim(2).await, living.claim(2).await, last.claim(2).await);
    transport.sign_off(&first.id).await.unwrap();
    transport.sign_off(&last.id).await.unwrap();
    assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 0, returned: 4, buried: vec![] });
    for message in &kept {
        living.settle(message, Outcome::Completed).await;
    }
    let mut back = Vec::new();
    while let Some(suspect) = living.claim_suspect().await {
        back.push(suspect.id);
    }
    back.sort();
    assert_eq!(back, ids(&[one, two].concat()));
}

async fn a_rescue_takes_so_many_and_the_next_one_the_rest<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(5, || message("Email"))).await;
    Worker::of(&transport).claim(3).await;
    Worker::of(&transport).claim(2).await;
    it.advance(2 * LEASE).await;
    let step = RescueStep { portion: Portion { limit: 2, skip: 0 }, ..RescueStep::WIDE };
    let mut steps = Vec::new();
    for _ in 0..4 {
        let Rescued { workers, returned, .. } = transport.rescue_step(step).await.unwrap();
        steps.push((workers, returned));
    }
    assert_eq!(steps, [(2, 2), (0, 2), (0, 1), (0, 0)]);
}

async fn a_worker_does_not_declare_itself_dead<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(3, || message("Email"))).await;
    let (late, dead) = (Worker::of(&transport), Worker::of(&transport));
    let kept = late.claim(2).await;
    dead.claim(1).await;
    it.advance(2 * LEASE).await;
    let step = RescueStep { by: late.id.id, ..RescueStep::WIDE };
    assert_eq!(transport.rescue_step(step).await.unwrap(), Rescued { workers: 1, returned: 1, buried: vec![] });
    assert!(transport.extend(&late.id, 2).await.unwrap().is_some());
    late.settle(&kept[0], Outcome::Completed).await;
    // Not registered, and it asks: what is in its hand it knows of.
    transport.sign_off(&late.id).await.unwrap();
    assert_eq!(transport.rescue_step(step).await.unwrap(), Rescued::default());
    late.settle(&kept[1], Outcome::Completed).await;
}

/// Lets a message's process die; answers once it is suspect, and due.
async fn crash<S: Subject>(it: &S) -> Rescued {
    let transport = it.transport();
    let worker = Worker::of(&transport);
    match worker.claim_suspect().await {
        Some(_) => {}
        None => drop(worker.claim_one().await),
    }
    it.advance(2 * LEASE).await;
    let rescued = transport.rescue().await.unwrap();
    it.advance(HOUR).await;
    rescued
}

async fn only_a_claim_for_suspects_takes_suspects<S: Subject>(it: S) {
    let transport = it.transport();
    let sent = put(&transport, vec![message("Email"), message("Email")]).await;
    crash(&it).await;
    let worker = Worker::of(&transport);
    assert_eq!(ids(&worker.claim(10).await), [sent[1]]);
    assert_eq!(worker.claim_suspect().await.unwrap().id, sent[0]);
}

async fn a_suspect_is_claimed_from_the_queues_and_types_asked_for<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, queued_in("email")).await;
    crash(&it).await;
    let worker = Worker::of(&transport);
    assert!(worker.claim_suspect_from(&["sms"], None).await.is_none());
    assert!(worker.claim_suspect_from(&[], Some(&["Sms"])).await.is_none());
    assert!(worker.claim_suspect_from(&["sms", "email"], Some(&["Email"])).await.is_some());
}

async fn a_suspect_that_was_handled_is_done<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    crash(&it).await;
    let worker = Worker::of(&transport);
    let suspect = worker.claim_suspect().await.unwrap();
    worker.settle(&suspect, Outcome::Completed).await;
    assert_eq!((it.finished().await, counts(&transport).await), (1, (0, 0, 0)));
}

async fn a_run_that_ended_clears_a_suspect<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let given_back = Outcome::Release { delay: None, handled: vec![], ran: true };
    for outcome in [retry(Duration::ZERO), snooze(Duration::ZERO), given_back] {
        crash(&it).await;
        let worker = Worker::of(&transport);
        let suspect = worker.claim_suspect().await.unwrap();
        assert_eq!(suspect.crash_count, 1, "counted anew");
        worker.settle(&suspect, outcome).await;
        assert!(worker.claim_suspect().await.is_none() && !survey_of(&transport).await.suspects);
    }
    assert_eq!(Worker::of(&transport).claim_one().await.crash_count, 0);
}

async fn a_suspect_that_was_not_started_stays_suspect<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    crash(&it).await;
    let worker = Worker::of(&transport);
    for outcome in [Outcome::UNTOUCHED, Outcome::Release { delay: Some(MINUTE), handled: vec![], ran: false }] {
        let suspect = worker.claim_suspect().await.unwrap();
        worker.settle(&suspect, outcome).await;
        assert!(worker.claim(10).await.is_empty());
    }
    assert!(!survey_of(&transport).await.suspects, "it is not due");
    assert!(worker.claim_suspect().await.is_none());
    it.advance(2 * MINUTE).await;
    let suspect = worker.claim_suspect().await.unwrap();
    worker.settle(&suspect, bury("no")).await;
    assert_eq!(letters(&transport).await[0].crashes, 1);
}

async fn a_survey_sees_suspects_that_would_be_claimed<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, queued_in("email")).await;
    crash(&it).await;
    let names = [transport.name().clone()];
    let (mine, others) = (["email".to_owned()], ["sms".to_owned()]);
    let (handled, unknown) = (["Sms".to_owned(), "Email".to_owned()], ["Sms".to_owned()]);
    for (queues, types, sees) in [
        (None, None, true),
        (Some(&mine[..]), Some(&handled[..]), true),
        (Some(&others[..]), None, false),
        (None, Some(&unknown[..]), false),
    ] {
        let survey = transport.survey(&names, Claimable { queues, types }, None).await.unwrap().surveys.remove(0);
        assert_eq!((survey.suspects, survey.queues), (sees, vec!["email".to_owned()]), "{queues:?} {types:?}");
    }
}

async fn suspects_come_by_crashes_and_then_by_priority<S: Subject>(it: S) {
    let transport = it.transport();
    let twice = put_one(&transport, urgent(10)).await;
    crash(&it).await;
    crash(&it).await;
    let slow = put_one(&transport, urgent(1)).await;
    let urgent = put_one(&transport, urgent(9)).await;
    let dying = Worker::of(&transport);
    assert_eq!(dying.claim(2).await.len(), 2);
    it.advance(HOUR).await;
    transport.rescue().await.unwrap();
    let worker = Worker::of(&transport);
    let mut order = Vec::new();
    while let Some(suspect) = worker.claim_suspect().await {
        order.push(suspect.id);
    }
    assert_eq!(order, [urgent, slow, twice]);
}

async fn the_third_crash_buries<S: Subject>(it: S) {
    let transport = it.transport();
    let id = put_one(&transport, message("Email")).await;
    put_one(&transport, message("Innocent")).await;
    for _ in 1..3 {
        assert_eq!(crash(&it).await, Rescued { workers: 1, returned: 1, buried: vec![] });
    }
    let told = crash(&it).await.buried.remove(0);
    assert_eq!((told.id, told.r#type.as_str(), told.transport.as_str()), (id, "Email", MAIN));
    assert_eq!((told.queue.as_str(), told.crashes, told.retry_count), ("default", 3, 0));
    let all = letters(&transport).await;
    assert_eq!((all.len(), all[0].message_id, all[0].crashes), (1, id, 3));
    assert_eq!((all[0].error_class.as_deref(), all[0].retry_count), (Some("WorkerCrash"), 0));
    assert!(all[0].error.contains("died 3 times"), "{}", all[0].error);
    assert!(all[0].contents.history().unwrap().get().contains("WorkerCrash"));
    assert_eq!(told.error, Failure::new("WorkerCrash", all[0].error.clone()));
    assert_eq!(&*Worker::of(&transport).claim_one().await.message_type, "Innocent");
}

async fn a_burial_is_counted_once<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    let mut buried = Vec::new();
    while buried.is_empty() {
        let worker = Worker::of(&transport);
        if worker.claim_suspect().await.is_none() {
            worker.claim_one().await;
        }
        let (first, second) = {
            it.advance(2 * LEASE).await;
            tokio::join!(transport.rescue(), transport.rescue())
        };
        buried.extend([first, second].into_iter().flat_map(|it| it.unwrap().buried));
        if buried.is_empty() {
            it.advance(MINUTE).await;
        }
    }
    assert_eq!(buried.len(), 1);
    let window = Window { start_time: None, end_time: None, ..Window::default() };
    let rows = transport.kept().counted(&window).await.unwrap().rows;
    let dead: u64 = rows.iter().map(|it| it.tally.dead_lettered).sum();
    let crashes: u64 = rows.iter().filter_map(|it| it.tally.errors.get("WorkerCrash")).map(|it| it.count).sum();
    assert_eq!((dead, crashes), (1, 1));
}

async fn a_death_is_blamed_on_the_suspect_that_ran<S: Subject>(it: S) {
    let transport = it.transport();
    let suspect = put_one(&transport, message("Suspect")).await;
    crash(&it).await;
    let company = put(&transport, many(3, || message("Email"))).await;
    let dying = Worker::of(&transport);
    assert_eq!(dying.claim_suspect().await.unwrap().id, suspect);
    assert_eq!(dying.claim(10).await.len(), 3);
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap().returned, 4);

    let worker = Worker::of(&transport);
    let back = worker.claim(10).await;
    assert_eq!(ids(&back), company, "in their old places");
    assert!(back.iter().all(|it| it.crash_count == 0));
    it.advance(HOUR).await;
    assert_eq!(worker.claim_suspect().await.unwrap().crash_count, 2);
}

/// A worker dies with a suspect and five others in hand, and a rescue comes in steps of two.
async fn die_with_a_suspect<S: Subject>(it: &S) -> (Worker, RescueStep) {
    let transport = it.transport();
    put_one(&transport, message("Suspect")).await;
    crash(it).await;
    put(&transport, many(5, || message("Email"))).await;
    let dying = Worker::of(&transport);
    dying.claim(5).await;
    dying.claim_suspect().await.unwrap();
    it.advance(2 * LEASE).await;
    (dying, RescueStep { portion: Portion { limit: 2, skip: 0 }, ..RescueStep::WIDE })
}

async fn a_suspect_is_to_blame_for_all_that_its_worker_held<S: Subject>(it: S) {
    let (transport, (_, step)) = (it.transport(), die_with_a_suspect(&it).await);
    let mut steps = Vec::new();
    for _ in 0..4 {
        let Rescued { workers, returned, .. } = transport.rescue_step(step).await.unwrap();
        steps.push((workers, returned));
    }
    assert_eq!(steps, [(0, 2), (0, 2), (1, 2), (0, 0)]);
    assert_eq!(Worker::of(&transport).claim(10).await.len(), 5, "the others are no suspects");
    it.advance(HOUR).await;
    let accused = Worker::of(&transport).claim_suspect().await.unwrap();
    assert_eq!((&*accused.message_type, accused.crash_count), ("Suspect", 2));
}

async fn a_worker_that_lives_learns_of_a_step<S: Subject>(it: S) {
    let (transport, (worker, step)) = (it.transport(), die_with_a_suspect(&it).await);
    let before = transport.extend(&worker.id, 6).await.unwrap();
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue_step(step).await.unwrap().returned, 2);
    let after = transport.extend(&worker.id, 6).await.unwrap();
    assert!(after.is_some() && after != before);
    assert_eq!(transport.rescue_step(step).await.unwrap(), Rescued::default(), "what is left is its own");
}

async fn a_worker_that_claims_again_is_judged_by_its_next_death<S: Subject>(it: S) {
    let (transport, (worker, step)) = (it.transport(), die_with_a_suspect(&it).await);
    assert_eq!(transport.rescue_step(step).await.unwrap().returned, 2);
    assert_eq!(worker.claim(5).await.len(), 1);
    it.advance(2 * LEASE).await;
    let Rescued { workers, returned, .. } = transport.rescue().await.unwrap();
    assert_eq!((workers, returned), (1, 5));
    assert!(Worker::of(&transport).claim(10).await.is_empty(), "no suspect ran: all of them are suspects");
}

async fn nothing_is_buried_for_deaths_in_company<S: Subject>(it: S) {
    let transport = it.transport();
    put(&transport, many(4, || message("Email"))).await;
    for _ in 0..5 {
        let dying = Worker::of(&transport);
        assert_eq!(dying.claim(4).await.len(), 4);
        it.advance(2 * LEASE).await;
        let rescued = transport.rescue().await.unwrap();
        assert_eq!((rescued.returned, rescued.buried), (4, vec![]));
        // Each gets a run of its own that ends, and waits again: a message that polls.
        let worker = Worker::of(&transport);
        while let Some(suspect) = worker.claim_suspect().await {
            assert_eq!(suspect.crash_count, 1);
            worker.settle(&suspect, snooze(MINUTE)).await;
        }
        it.advance(2 * MINUTE).await;
    }
}

async fn a_suspect_that_crashed_comes_back_late<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    Worker::of(&transport).claim_one().await;
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    Worker::of(&transport).claim_suspect().await.unwrap();
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    let worker = Worker::of(&transport);
    it.advance(MINUTE / 3).await;
    assert!(!survey_of(&transport).await.suspects && worker.claim_suspect().await.is_none());
    it.advance(MINUTE / 3).await;
    assert_eq!(worker.claim_suspect().await.unwrap().crash_count, 2);
}

/// Else a message that kills its process would meet its neighbour in that process every time, until both are buried.
async fn suspects_that_crashed_together_do_not_come_back_together<S: Subject>(it: S) {
    let transport = it.transport();
    let ids = [put_one(&transport, message("Email")).await, put_one(&transport, message("Email")).await];
    assert_eq!(Worker::of(&transport).claim(2).await.len(), 2);
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    for _ in ids {
        Worker::of(&transport).claim_suspect().await.unwrap();
    }
    it.advance(2 * LEASE).await;
    assert_eq!(transport.rescue().await.unwrap().returned, 2);
    let mut due = Vec::new();
    for id in ids {
        due.push(transport.inspects().unwrap().get_message(id).await.unwrap().unwrap().available_at);
    }
    assert_ne!(due[0], due[1]);
}

async fn a_worker_that_lives_takes_back_what_was_counted<S: Subject>(it: S) {
    let transport = it.transport();
    let old = put_one(&transport, message("Old")).await;
    crash(&it).await;
    let young = put_one(&transport, message("Young")).await;
    let (first, second) = (Worker::of(&transport), Worker::of(&transport));
    assert_eq!(first.claim_suspect().await.unwrap().id, old);
    assert_eq!(second.claim_one().await.id, young);
    it.advance(2 * LEASE).await;
    transport.rescue().await.unwrap();
    assert_eq!(transport.absolve(Uuid::now_v7()).await.unwrap(), 0, "of others nothing");
    assert_eq!(transport.absolve(first.id.id).await.unwrap(), 1);
    assert_eq!(transport.absolve(second.id.id).await.unwrap(), 1);
    assert_eq!(transport.absolve(second.id.id).await.unwrap(), 0);
    assert_eq!(second.claim_one().await.id, young);
    let suspect = first.claim_suspect().await.unwrap();
    assert_eq!((suspect.id, suspect.crash_count), (old, 1), "at once, and as suspect as it was");
}

async fn what_nobody_holds_is_not_a_crash_of_a_suspect<S: Subject>(it: S) {
    let transport = it.transport();
    put_one(&transport, message("Email")).await;
    crash(&it).await;
    let leaving = Worker::of(&transport);
    leaving.claim_suspect().await.unwrap();
    transport.sign_off(&leaving.id).await.unwrap();
    assert_eq!(transport.rescue().await.unwrap(), Rescued { workers: 0, returned: 1, buried: vec![] });
    assert_eq!(Worker::of(&transport).claim_suspect().await.unwrap().crash_count, 1);
}

#[test]
fn how_many_crashes_bury_is_configured() {
    async fn test<S: Subject>(it: S) {
        put_one(&it.transport(), message("Email")).await;
        assert!(crash(&it).await.buried.is_empty());
        assert_eq!(crash(&it).await.buried.remove(0).crashes, 2);
        assert!(letters(&it.transport()).await[0].error.contains("died 2 times"));
    }
    let settings = || serde_json::json!({ "worker": { "maxCrashes": 2 } });
    check::<Memory, _>(settings(), test);
    check::<Postgres, _>(settings(), test);
}

async fn nothing_to_rescue_is_nothing<S: Subject>(it: S) {
    assert_eq!(it.transport().rescue().await.unwrap(), Rescued::default());
}
