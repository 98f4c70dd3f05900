//! Why a message does not run: everything that stands in its way, what would have to be mended first before the rest.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::reasons::Facts;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// Why a message does not run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// Its state.
    pub status: String,
    /// Its transport.
    pub transport: String,
    /// Its queue.
    pub queue: String,
    /// Its type.
    pub r#type: String,
    /// All that stands in its way, the first of it first; one at least.
    pub reasons: Vec<Reason>,
}

/// One of the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// A stable name.
    pub reason: &'static str,
    /// What is so.
    pub message: String,
    /// What to do, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Asks all stores about a message. `types`: those that have a handler here; `None`: handlers live elsewhere.
///
/// # Errors
/// Those of the stores.
pub async fn why(engine: &Arc<Engine>, id: Uuid, types: Option<&[String]>) -> Result<Option<Why>> {
    for store in engine.stores().await? {
        if let Some(facts) = store.facts_about(id).await? {
            let is_off = matches!(engine.transport(&facts.transport).await, Err(Error::TransportDisabled { .. }));
            return Ok(Some(judge(facts, is_off, types)));
        }
    }
    Ok(None)
}

/// What the facts mean. Pure.
fn judge(facts: Facts, is_off: bool, types: Option<&[String]>) -> Why {
    let reasons = if facts.status == "pending" { obstacles(&facts, is_off, types) } else { vec![state(&facts)] };
    let Facts { status, transport, queue, r#type, .. } = facts;
    Why { status, transport, queue, r#type, reasons }
}

/// What stands in the way of one that waits, in the order in which it would have to be mended.
fn obstacles(facts: &Facts, is_off: bool, types: Option<&[String]>) -> Vec<Reason> {
    let Facts { transport, queue, r#type, workers, .. } = facts;
    let mut all = Vec::new();
    if is_off {
        let message = format!("the transport {transport} is switched off");
        all.push(Reason::new("transportOff", message, "set its `enabled` to true again"));
    }
    if let Some(pause) = &facts.pause {
        let since = pause.since.map(|at| format!(" since {}", shown(at))).unwrap_or_default();
        let by = pause.because.actor.as_ref().map(|it| format!(" by {it}")).unwrap_or_default();
        let reason = pause.because.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let until = pause.until.map(|at| format!(" until {}", shown(at))).unwrap_or_default();
        let message = format!("{} is paused{since}{by}{until}{reason}", pause.scope);
        all.push(Reason::new("paused", message, "call resume() with the same names"));
    }
    if let Some(circuit) = &facts.circuit {
        let cause = circuit.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let (failures, runs) = (circuit.failures, circuit.runs);
        let next = circuit.probe_at.and_then(|it| DateTime::from_timestamp_millis(it as i64));
        let next = match next.filter(|_| circuit.state == "open") {
            Some(at) => format!("next try {}", shown(at)),
            None => "one message is being tried".to_owned(),
        };
        let message = format!("the circuit breaker of {type} is open: {failures} of {runs} runs failed{cause}; {next}");
        all.push(Reason::new("circuitOpen", message, "fix what its handlers depend on; it goes on by itself"));
    }
    if facts.due_in.is_none_or(|it| it > 0.0) {
        let at = facts.available_at.and_then(DateTime::from_timestamp_millis);
        let at = at.map_or_else(|| "an instant that never comes".to_owned(), shown);
        let what = if facts.retry_count > 0 { "it waits for its next run until" } else { "it is scheduled for" };
        let message = format!("{what} {at}");
        all.push(Reason::new("scheduled", message, "snooze it with a delay of 0 if it should run now"));
    }
    if *workers == 0 {
        let message = format!("no worker that lives takes the transport {transport}");
        let remedy = "start a Worker, or call consumeBatch(); a drain is one while it runs";
        all.push(Reason::new("noWorker", message, remedy));
    }
    if types.is_some_and(|types| !types.contains(r#type)) {
        let message = format!("nothing here handles the type {type}");
        all.push(Reason::new("noHandler", message, "register a handler for it, or ask a process that has one"));
    }
    if let Some(ahead) = facts.ahead.filter(|it| *it > 0) {
        let (verb, more) = (if ahead == 1 { "is" } else { "are" }, more(ahead));
        let message = format!("{ahead}{more} {verb} before it in {transport}/{queue}");
        all.push(Reason::new("behind", message, "consume more often, or with more concurrency"));
    }
    if facts.suspect {
        let message =
            format!("{} processes died with it in hand: it is handled alone, when nothing else runs", facts.crashes);
        all.push(Reason { reason: "suspect", message, remedy: None });
    }
    if all.is_empty() {
        let message = "nothing stands in its way: the next claim takes it".to_owned();
        all.push(Reason { reason: "next", message, remedy: None });
    }
    all
}

/// Why one that does not wait does not run.
fn state(facts: &Facts) -> Reason {
    let (reason, message, remedy) = match facts.status.as_str() {
        "processing" => match &facts.holder {
            Some(holder) => {
                let place = holder.host.as_ref().zip(holder.pid).map(|(host, pid)| format!(" ({host}, pid {pid})"));
                let (id, place) = (holder.id, place.unwrap_or_default());
                let at = |it: Option<i64>| it.and_then(DateTime::from_timestamp_millis).map(shown).unwrap_or_default();
                let since = at(holder.since);
                if holder.is_alive {
                    let until = at(holder.until);
                    ("claimed", format!("worker {id}{place} has it since {since}, its lease ends {until}"), None)
                } else {
                    let message = format!("worker {id}{place} had it since {since}, and has died");
                    ("claimed", message, Some("any claim takes it back: call consumeBatch(), or start a Worker"))
                }
            }
            None => ("claimed", "a worker has it".to_owned(), None),
        },
        "failed" => ("failed", "it is a dead letter".to_owned(), Some("put it back with retryFailed()")),
        other => ("finished", format!("it is {other}"), None),
    };
    Reason { reason, message, remedy: remedy.map(str::to_owned) }
}

impl Reason {
    fn new(reason: &'static str, message: String, remedy: &str) -> Self {
        Self { reason, message, remedy: Some(remedy.to_owned()) }
    }
}

fn more(count: u64) -> &'static str {
    if i64::try_from(count).is_ok_and(|it| it >= crate::base::limits::DEPTH_CAP) { " or more" } else { "" }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::circuits::Circuit;
    use crate::store::controls::{Because, Pause, Scope};

    fn facts() -> Facts {
        Facts {
            status: "pending".to_owned(),
            transport: "t".to_owned(),
            queue: "q".to_owned(),
            r#type: "A".to_owned(),
            priority: 5,
            retry_count: 0,
            suspect: false,
            crashes: 0,
            due_in: Some(-5.0),
            available_at: Some(0),
            pause: None,
            circuit: None,
            workers: 1,
            ahead: Some(0),
            holder: None,
        }
    }

    fn named(facts: Facts, is_off: bool, types: Option<&[String]>) -> Vec<&'static str> {
        judge(facts, is_off, types).reasons.into_iter().map(|it| it.reason).collect()
    }

    #[test]
    fn everything_that_stands_in_the_way_is_named_in_its_order() {
        let scope = Scope { queue: Some("q".to_owned()), ..Scope::default() };
        let pause = Pause { scope, because: Because::default(), since: None, until: None };
        let circuit = Circuit {
            message_type: "A".to_owned(),
            state: "open".to_owned(),
            runs: 50,
            failures: 41,
            reason: Some("ETIMEDOUT".to_owned()),
            opened_at: None,
            probe_at: Some(0.0),
        };
        let all = Facts {
            pause: Some(pause),
            circuit: Some(circuit),
            due_in: Some(1.0),
            workers: 0,
            ahead: Some(3),
            suspect: true,
            crashes: 2,
            ..facts()
        };
        let order =
            ["transportOff", "paused", "circuitOpen", "scheduled", "noWorker", "noHandler", "behind", "suspect"];
        assert_eq!(named(all.clone(), true, Some(&[])), order);
        let messages: Vec<String> = judge(all, false, None).reasons.into_iter().map(|it| it.message).collect();
        assert_eq!(messages[0], "queue q is paused");
        let open = "the circuit breaker of A is open: 41 of 50 runs failed (ETIMEDOUT); next try 1970-01-01T00:00:00Z";
        assert_eq!(messages[1], open);
        assert_eq!(messages[4], "3 are before it in t/q");
    }

    #[test]
    fn one_that_nothing_keeps_back_is_next() {
        assert_eq!(named(facts(), false, Some(&["A".to_owned()])), ["next"]);
        assert_eq!(named(Facts { due_in: None, ..facts() }, false, None), ["scheduled"]);
    }

    #[test]
    fn one_that_does_not_wait_says_where_it_is() {
        let of = |status: &str| named(Facts { status: status.to_owned(), workers: 0, ..facts() }, true, Some(&[]));
        assert_eq!([of("processing"), of("failed"), of("completed")], [["claimed"], ["failed"], ["finished"]]);
    }
}
