//! Circuit breakers, as one consumer sees them: what it has to report, and what it must leave alone. Pure.
//!
//! ```text
//!            too many failures               the pause is over, one consumer tries one message
//! [ closed ] ----------------> [ open ] ------------------------------------------> [ halfOpen ]
//!      ^                          ^                        it failed                      |  |
//!      |                          `--------------------------------------------------------'  |
//!      `--------------------------------------- it succeeded ---------------------------------'
//! ```

use crate::config::CircuitBreakerConfig;
use crate::store::circuits::{CircuitReport, CircuitState, Probed};
use crate::worker::protocol::report::Said;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Between two reports: how long a type may fail before everyone knows.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two polls when there is nothing to report: how late a pause from elsewhere takes effect.
const LOOK: Duration = Duration::from_secs(2);
/// The shortest delay of a message of a paused type, if claims cannot exclude it.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

/// The breakers of a consumer.
#[derive(Debug, Default)]
pub struct Breaker {
    enabled: bool,
    /// Whether the state of the circuits has been asked for, with or without an answer.
    known: bool,
    /// A pause is over: whether a message may be tried is asked before the next claim.
    asking: bool,
    asked_at: Option<Instant>,
    told_at: Option<Instant>,
    tallies: BTreeMap<String, Tally>,
    /// Types that must not be claimed, and when one may be tried again.
    paused: HashMap<String, Instant>,
    probe: Option<Probe>,
    /// The type whose try has succeeded here.
    closing: Option<String>,
    /// Whether there was nothing to try the last time: then it is not asked for at once.
    tried_in_vain: bool,
}

#[derive(Debug, Default)]
struct Tally {
    runs: u32,
    failures: u32,
    reason: Option<String>,
}

/// A try granted to this consumer.
#[derive(Debug)]
struct Probe {
    message_type: String,
    /// The message, once it is claimed.
    message: Option<Uuid>,
    outcome: Option<Probed>,
}

/// What changed for all consumers, through this one.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// It is paused from now on.
    Opened(CircuitState),
    /// It is back.
    Closed(String),
}

/// What claims leave alone at some time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bars {
    paused: BTreeSet<String>,
    /// Of which type one message may be tried.
    tries: Option<String>,
}

impl Bars {
    /// Whether claims may take something now that they had to leave alone `before`.
    pub fn let_more_pass_than(&self, before: &Self) -> bool {
        (self.tries.is_some() && self.tries != before.tries) || !before.paused.is_subset(&self.paused)
    }
}

impl Breaker {
    /// Breakers as configured; without any, there is never anything to do.
    pub fn new(config: &CircuitBreakerConfig) -> Self {
        Self { enabled: config.any(), ..Self::default() }
    }

    /// Whether claims may be made: not before it is known what is paused.
    pub fn is_ready(&self) -> bool {
        !self.enabled || (self.known && !self.asking)
    }

    /// Counts how a message ended. An error that no retry would fix says nothing about the other side.
    pub fn note(&mut self, id: Uuid, message_type: &str, said: &Said, config: &CircuitBreakerConfig) {
        if !self.enabled {
            return;
        }
        let outcome = match said {
            Said::Completed | Said::Discarded { .. } | Said::Snoozed { .. } => Probed::Succeeded,
            Said::Failed { retryable: true, .. } => Probed::Failed,
            Said::Failed { retryable: false, .. } | Said::Released { .. } => Probed::Released,
        };
        if let Some(probe) = self.probe.as_mut().filter(|it| it.message == Some(id)) {
            probe.outcome = Some(outcome);
        }
        if outcome == Probed::Released || config.of(message_type).is_none() {
            return;
        }
        let tally = self.tallies.entry(message_type.to_owned()).or_default();
        tally.runs += 1;
        if let Said::Failed { error, .. } = said {
            tally.failures += 1;
            tally.reason = Some(error.class.chars().filter(|it| *it != '\0').take(100).collect());
        }
    }

    /// The reports to send now, if it is time to; `last`: nothing will be sent after this.
    /// A try is asked for only where the type is handled here.
    pub fn reports(
        &mut self,
        now: Instant,
        last: bool,
        config: &CircuitBreakerConfig,
        types: Option<&[String]>,
    ) -> Option<Vec<CircuitReport>> {
        if !self.enabled || !(last || self.due().is_none_or(|at| now >= at)) {
            return None;
        }
        if last {
            self.give_back();
        }
        let probed = self.probe.take_if(|it| it.outcome.is_some());
        let over = self.over(now, types);
        let mut reports: BTreeMap<String, CircuitReport> = BTreeMap::new();
        for (name, tally) in std::mem::take(&mut self.tallies) {
            if let Some(it) = report(&mut reports, config, &name) {
                (it.runs, it.failures, it.reason) = (tally.runs, tally.failures, tally.reason);
            }
        }
        self.closing =
            probed.as_ref().filter(|it| it.outcome == Some(Probed::Succeeded)).map(|it| it.message_type.clone());
        if let Some(it) = probed.as_ref().and_then(|probe| report(&mut reports, config, &probe.message_type)) {
            it.probed = probed.as_ref().and_then(|probe| probe.outcome);
        }
        // One try at a time.
        if self.probe.is_none() && !last {
            for name in over {
                if let Some(it) = report(&mut reports, config, &name).filter(|it| it.probed.is_none()) {
                    it.wants_probe = true;
                    break;
                }
            }
        }
        self.told_at = Some(now);
        Some(reports.into_values().collect())
    }

    /// Learns how the circuits are.
    pub fn learn(&mut self, circuits: Vec<CircuitState>, now: Instant, types: Option<&[String]>) -> Vec<Change> {
        (self.known, self.asking) = (true, false);
        let mut changes = Vec::new();
        self.paused.clear();
        for it in circuits {
            if it.state == "closed" {
                if self.closing.take_if(|name| *name == it.message_type).is_some() {
                    changes.push(Change::Closed(it.message_type));
                }
                continue;
            }
            if it.mine && self.probe.is_none() {
                self.probe = Some(Probe { message_type: it.message_type.clone(), message: None, outcome: None });
            }
            let wait = Duration::try_from_secs_f64(it.wait / 1000.0).unwrap_or(LOOK);
            self.paused.insert(it.message_type.clone(), now + wait);
            if it.opened {
                changes.push(Change::Opened(it));
            }
        }
        let pause = if self.tried_in_vain { LOOK } else { PAUSE };
        let asked = self.asked_at.is_some_and(|at| now < at + pause);
        if self.probe.is_none() && !asked && !self.over(now, types).is_empty() {
            (self.asking, self.asked_at) = (true, Some(now));
        }
        changes
    }

    /// The circuits could not be queried: everything is claimed, as without breakers.
    pub fn learn_nothing(&mut self) {
        (self.known, self.asking) = (true, false);
    }

    /// Types handled here whose pause is over.
    fn over(&self, now: Instant, types: Option<&[String]>) -> Vec<String> {
        let handled = |name: &String| types.is_none_or(|it| it.contains(name));
        self.paused.iter().filter(|(name, at)| **at <= now && handled(name)).map(|(name, _)| name.clone()).collect()
    }

    /// When there is something to do next.
    pub fn due(&self) -> Option<Instant> {
        let told = self.told_at?;
        let soon = !self.tallies.is_empty() || self.probe.as_ref().is_some_and(|it| it.outcome.is_some());
        Some(
            told + if self.asking {
                Duration::ZERO
            } else if soon {
                PAUSE
            } else {
                LOOK
            },
        )
    }

    /// What claims have to leave alone.
    pub fn bars(&self) -> Bars {
        let tries = self.probe.as_ref().filter(|it| it.message.is_none() && it.outcome.is_none());
        Bars { paused: self.paused.keys().cloned().collect(), tries: tries.map(|it| it.message_type.clone()) }
    }

    /// The types of the next claim, and whether it is a try, of one message.
    pub fn narrow(&self, types: Option<Arc<[String]>>) -> (Option<Arc<[String]>>, bool) {
        if let Some(probe) = self.probe.as_ref().filter(|it| it.message.is_none() && it.outcome.is_none()) {
            let handled = types.as_ref().is_none_or(|it| it.contains(&probe.message_type));
            if handled {
                return (Some([probe.message_type.clone()].into()), true);
            }
        }
        if self.paused.is_empty() {
            return (types, false);
        }
        let open = |types: Arc<[String]>| types.iter().filter(|it| !self.paused.contains_key(*it)).cloned().collect();
        (types.map(open), false)
    }

    /// The types of suspects that may be claimed: with that of a try, for which there may be nothing but suspects.
    pub fn narrow_suspects(&self, types: Option<Arc<[String]>>) -> Option<Arc<[String]>> {
        if self.paused.is_empty() {
            return types;
        }
        let open = |name: &&String| !self.paused.contains_key(*name) || self.tries(name);
        types.map(|types| types.iter().filter(open).cloned().collect())
    }

    /// Whether a message of this type may be tried, and none has been claimed for it.
    fn tries(&self, message_type: &str) -> bool {
        let open = |it: &&Probe| it.message.is_none() && it.outcome.is_none();
        self.probe.as_ref().filter(open).is_some_and(|it| it.message_type == message_type)
    }

    /// A suspect was claimed, which may be the message to try.
    pub fn claimed_suspect(&mut self, id: Uuid, message_type: &str) {
        if self.tries(message_type) {
            self.probing(Some(id));
        }
    }

    /// A try was claimed, or there was nothing to try.
    pub fn probing(&mut self, message: Option<Uuid>) {
        if let Some(probe) = &mut self.probe {
            probe.message = message;
            probe.outcome = message.is_none().then_some(Probed::Released);
            self.tried_in_vain = message.is_none();
        }
    }

    /// How long a message of this type has to wait, if it is paused and the message is not the one being tried.
    pub fn put_off(&self, id: Uuid, message_type: &str, now: Instant) -> Option<Duration> {
        let tried = self.probe.as_ref().is_some_and(|it| it.message == Some(id));
        let until = self.paused.get(message_type).filter(|_| !tried)?;
        Some(until.saturating_duration_since(now).max(SHORTEST_DELAY))
    }

    fn give_back(&mut self) {
        if let Some(probe) = &mut self.probe {
            probe.outcome.get_or_insert(Probed::Released);
        }
    }
}

/// The report on a type that has a breaker.
fn report<'a>(
    reports: &'a mut BTreeMap<String, CircuitReport>,
    config: &CircuitBreakerConfig,
    name: &str,
) -> Option<&'a mut CircuitReport> {
    let settings = config.of(name)?;
    Some(reports.entry(name.to_owned()).or_insert_with(|| CircuitReport::new(name, settings)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::outcome::Failure;
    use serde_json::json;

    fn config() -> CircuitBreakerConfig {
        let layers = serde_json::from_value(json!({ "config": { "circuitBreaker": { "enabled": true } } })).unwrap();
        crate::config::resolve(&layers).unwrap().circuit_breaker
    }

    fn failed(retryable: bool) -> Said {
        let error = Failure::new("SmtpError", "no".to_owned());
        Said::Failed { retryable, retry_after: None, error, handled: vec![] }
    }

    fn open(name: &str, wait: f64, mine: bool) -> CircuitState {
        CircuitState {
            message_type: name.to_owned(),
            state: if mine { "halfOpen" } else { "open" }.to_owned(),
            runs: 30,
            failures: 20,
            reason: None,
            mine,
            opened: false,
            wait,
        }
    }

    fn types(names: &[&str]) -> Option<Arc<[String]>> {
        Some(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_a_breaker_there_is_nothing_to_do() {
        let off = CircuitBreakerConfig::default();
        let mut breaker = Breaker::new(&off);
        breaker.note(Uuid::nil(), "A", &failed(true), &off);
        assert!(breaker.is_ready());
        assert_eq!(breaker.reports(Instant::now(), true, &off, None), None);
    }

    #[test]
    fn it_asks_before_the_first_claim_and_reports_what_another_run_may_mend() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        assert!(!breaker.is_ready());
        assert_eq!(breaker.reports(start, false, &config, None), Some(vec![]));
        breaker.learn(vec![], start, None);
        assert!(breaker.is_ready());
        for said in [failed(true), failed(false), Said::Completed, Said::Released { delay: None, handled: vec![] }] {
            breaker.note(Uuid::nil(), "A", &said, &config);
        }
        assert_eq!(breaker.reports(start, false, &config, None), None, "not yet");
        let reports = breaker.reports(start + PAUSE, false, &config, None).unwrap();
        assert_eq!((reports.len(), reports[0].runs, reports[0].failures), (1, 2, 1));
        assert_eq!(reports[0].reason.as_deref(), Some("SmtpError"));
    }

    #[test]
    fn a_paused_type_is_not_claimed_and_one_message_is_tried_when_the_pause_is_over() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.reports(start, false, &config, None);
        breaker.learn(vec![open("A", 500.0, false)], start, None);
        assert_eq!(breaker.narrow(types(&["A", "B"])), (types(&["B"]), false));
        assert!(breaker.put_off(Uuid::nil(), "A", start).is_some());
        let over = start + LOOK;
        assert!(breaker.reports(over, false, &config, None).unwrap()[0].wants_probe);
        breaker.learn(vec![open("A", 30_000.0, true)], over, None);
        assert_eq!(breaker.narrow(types(&["A", "B"])), (types(&["A"]), true));
        let id = Uuid::now_v7();
        breaker.probing(Some(id));
        assert_eq!(breaker.narrow(types(&["A", "B"])), (types(&["B"]), false), "one at a time");
        assert_eq!(breaker.put_off(id, "A", over), None);
        breaker.note(id, "A", &Said::Completed, &config);
        let reports = breaker.reports(over + PAUSE, false, &config, None).unwrap();
        assert_eq!(reports[0].probed, Some(Probed::Succeeded));
        breaker.learn(vec![], over, None);
        assert_eq!(breaker.narrow(types(&["A", "B"])), (types(&["A", "B"]), false));
    }

    #[test]
    fn where_a_pause_is_over_it_asks_before_it_claims_and_only_for_what_it_handles() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        let others: Vec<String> = vec!["B".to_owned()];
        breaker.reports(start, false, &config, None);
        breaker.learn(vec![open("A", 0.0, false)], start, Some(&others));
        assert!(breaker.is_ready());
        breaker.learn(vec![open("A", 0.0, false)], start, None);
        assert!(!breaker.is_ready());
        assert!(breaker.reports(start, false, &config, None).unwrap()[0].wants_probe);
        breaker.learn(vec![open("A", 0.0, false)], start, None);
        assert!(breaker.is_ready(), "somebody else has it, or nobody grants it");
    }

    #[test]
    fn claims_may_take_more_when_a_circuit_closes_or_a_try_is_granted() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.reports(start, false, &config, None);
        let mut before = breaker.bars();
        for (circuits, more) in [
            (vec![open("A", 500.0, false)], false),
            (vec![open("A", 500.0, false)], false),
            (vec![open("A", 500.0, true)], true),
            (vec![open("A", 500.0, true)], false),
            (vec![open("B", 500.0, false)], true),
            (vec![], true),
        ] {
            breaker.learn(circuits, start, None);
            let after = breaker.bars();
            assert_eq!(after.let_more_pass_than(&before), more, "{after:?} after {before:?}");
            before = after;
        }
    }

    #[test]
    fn a_try_that_came_to_nothing_is_asked_for_again_later_and_holds_up_no_claim() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.reports(start, false, &config, None);
        breaker.learn(vec![open("A", 0.0, false)], start, None);
        breaker.reports(start, false, &config, None);
        breaker.learn(vec![open("A", 0.0, true)], start, None);
        breaker.probing(None);
        let soon = start + 2 * PAUSE;
        assert!(breaker.reports(soon, false, &config, None).is_some());
        breaker.learn(vec![open("A", 0.0, false)], soon, None);
        assert!(breaker.is_ready());
        assert!(breaker.reports(soon + LOOK, false, &config, None).unwrap()[0].wants_probe);
    }

    #[test]
    fn a_try_that_came_to_nothing_is_given_back() {
        let (config, start) = (config(), Instant::now());
        for end in [true, false] {
            let mut breaker = Breaker::new(&config);
            breaker.reports(start, false, &config, None);
            breaker.learn(vec![open("A", 0.0, true)], start, None);
            if !end {
                breaker.probing(None);
            }
            let reports = breaker.reports(start + PAUSE, end, &config, None).unwrap();
            assert_eq!(reports[0].probed, Some(Probed::Released));
            assert!(!reports[0].wants_probe);
        }
    }
}
