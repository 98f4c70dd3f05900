//! Which of the claimed messages are started here, and what becomes of the others. Pure.

use crate::message::claimed::Claimed;
use crate::message::outcome::{Failure, Outcome};
use crate::worker::run::feeds::Caught;
use crate::worker::run::in_flight::Held;
use std::time::Duration;

/// The error class of a message that cannot be read.
const UNREADABLE: &str = "UnreadableMessage";

/// What was claimed together.
pub(in crate::worker::run) struct Sorted {
    /// What is started, in order.
    pub(in crate::worker::run) started: Vec<Claimed>,
    /// What is not.
    pub(in crate::worker::run) others: Vec<(Held, Outcome)>,
}

/// Takes out of a batch what must not run now, or cannot. `put_off` says for how long a message has to wait.
pub(in crate::worker::run) fn sort(caught: Caught, put_off: impl Fn(&Claimed) -> Option<Duration>) -> Sorted {
    let Caught { feed, mut messages, stands } = caught;
    if !stands {
        // Others may have it by now: the fence decides, and none of it starts here.
        let others = messages.iter().map(|it| (Held::of(feed, it), Outcome::UNTOUCHED)).collect();
        return Sorted { started: Vec::new(), others };
    }
    let mut others = Vec::new();
    // What cannot be handed to a handler becomes a dead letter, where people can see it.
    for message in messages.extract_if(.., |it| it.unreadable.is_some()) {
        others.push((Held::of(feed, &message), unreadable(message)));
    }
    // The rest goes back for as long as its type is paused.
    for message in messages.extract_if(.., |it| put_off(it).is_some()) {
        let delay = put_off(&message);
        others.push((Held::of(feed, &message), Outcome::Release { delay, handled: Vec::new(), ran: false }));
    }
    Sorted { started: messages, others }
}

fn unreadable(message: Claimed) -> Outcome {
    let failure = Failure::new(UNREADABLE, message.unreadable.unwrap_or_default());
    Outcome::Bury { failure, handled: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;
    use uuid::Uuid;

    const PAUSE: Duration = Duration::from_secs(3);

    fn claimed(message_type: &str, unreadable: Option<&str>) -> Claimed {
        Claimed {
            id: Uuid::now_v7(),
            token: Uuid::now_v7(),
            message_type: message_type.to_owned(),
            queue: "default".to_owned(),
            priority: 5,
            body: "{}".to_owned(),
            headers: "{}".to_owned(),
            metadata: "{}".to_owned(),
            created_at: Utc::now(),
            available_at: Utc::now(),
            scheduled_at: None,
            retry_count: 0,
            max_retries: None,
            crash_count: 0,
            idempotency_key: None,
            handled: Vec::new(),
            claimed_at: Utc::now(),
            unreadable: unreadable.map(str::to_owned),
        }
    }

    fn sorted(stands: bool) -> (Vec<String>, Vec<(String, Outcome)>) {
        let messages = vec![
            claimed("Email", None),
            claimed("Paused", None),
            claimed("Broken", Some("no JSON")),
            claimed("Sms", None),
            claimed("Paused", Some("no JSON")),
        ];
        let put_off = |it: &Claimed| (it.message_type == "Paused").then_some(PAUSE);
        let Sorted { started, others } = sort(Caught { feed: 2, messages, stands }, put_off);
        assert!(others.iter().all(|(held, _)| held.feed == 2));
        (
            started.into_iter().map(|it| it.message_type).collect(),
            others.into_iter().map(|(held, outcome)| (held.message_type, outcome)).collect(),
        )
    }

    #[test]
    fn what_is_paused_goes_back_and_what_cannot_be_read_becomes_a_dead_letter() {
        let (started, others) = sorted(true);
        assert_eq!(started, ["Email", "Sms"]);
        let failure = Failure::new(UNREADABLE, "no JSON".to_owned());
        let buried = Outcome::Bury { failure, handled: Vec::new() };
        let released = Outcome::Release { delay: Some(PAUSE), handled: Vec::new(), ran: false };
        let expected = [("Broken", buried.clone()), ("Paused", buried), ("Paused", released)];
        assert_eq!(others, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
    }

    #[test]
    fn nothing_starts_of_a_claim_whose_lease_may_have_run_out() {
        let (started, others) = sorted(false);
        assert!(started.is_empty() && others.len() == 5);
        assert!(others.iter().all(|(_, outcome)| *outcome == Outcome::UNTOUCHED));
    }
}
