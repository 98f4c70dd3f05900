//! The quick checks: whether the queue does its work, by counts that are cheap to ask for.

use super::{Finding, Severity, some};
use crate::config::{HealthConfig, Thresholds};
use crate::error::Error;
use crate::monitor::metrics::Figures;
use crate::store::circuits::Circuit;
use crate::store::controls::Pause;
use crate::store::schema::Status;
use crate::store::vitals::Vitals;
use chrono::{DateTime, SecondsFormat, Utc};
use std::time::Duration;

/// What is known about the queue. What could not be asked is absent, and `error` says why.
#[derive(Debug, Default)]
pub struct Facts {
    /// How long the database took to answer; `None` where none is configured, or it has not answered.
    pub latency: Option<Duration>,
    /// The schema.
    pub migrations: Option<Schema>,
    /// Counts of all stores.
    pub vitals: Option<Vitals>,
    /// Due messages, all queues together.
    pub queue_depth: Option<u64>,
    /// How long the oldest due message has waited, in milliseconds.
    pub oldest_age_ms: Option<f64>,
    /// Due messages without a handler here.
    pub unhandled: Vec<Unhandled>,
    /// The figures of `health.window`.
    pub figures: Option<Figures>,
    /// What went wrong.
    pub error: Option<Error>,
    /// Transports that are switched off.
    pub switched_off: Vec<String>,
    /// The workers, schedules and transports behind the counts, where they were asked for.
    pub overdue: Overdue,
}

/// A schema and the state of its tables.
#[derive(Debug)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Which migrations it has.
    pub status: Status,
}

/// Due messages of one type without a handler.
#[derive(Debug)]
pub struct Unhandled {
    /// Their type.
    pub message_type: String,
    /// Transport and queue.
    pub lane: String,
    /// How many.
    pub count: u64,
}

/// What is overdue, by name.
#[derive(Debug, Default)]
pub struct Overdue {
    /// Workers past their lease.
    pub workers: Vec<String>,
    /// Schedules that are due.
    pub schedules: Vec<String>,
    /// Transports whose parked messages are due, with the longest of them.
    pub parked: Vec<String>,
}

/// The quick checks, in the order in which a person would look.
pub fn judge(facts: &Facts, thresholds: &HealthConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(database(facts));
    findings.extend(facts.migrations.as_ref().map(migrations));
    if let Some(depth) = facts.queue_depth {
        findings.push(queue_depth(depth, thresholds));
        findings.push(oldest_age(facts.oldest_age_ms, thresholds));
    }
    findings.extend(facts.figures.as_ref().map(|it| error_rate(it, thresholds)));
    if let Some(vitals) = &facts.vitals {
        findings.extend([
            dead_letters(vitals, thresholds),
            stale_workers(vitals, &facts.overdue.workers),
            held_messages(vitals),
            overdue_schedules(vitals, &facts.overdue.schedules),
            parked_messages(vitals, &facts.overdue.parked),
            unhandled_types(&facts.unhandled),
            circuit_breakers(&vitals.circuits),
            pauses(&vitals.pauses),
        ]);
    }
    findings.extend(switched_off(&facts.switched_off));
    findings
}

fn database(facts: &Facts) -> Option<Finding> {
    if let Some(error) = &facts.error {
        return Some(Finding::refused("database", error));
    }
    let millis = (facts.latency?.as_secs_f64() * 1e6).round() / 1e3;
    Some(Finding::ok("database", format!("answered in {millis} ms")).of(millis))
}

fn migrations(Schema { name, status }: &Schema) -> Finding {
    let (check, version) = ("migrations", f64::from(status.version));
    if !status.pending.is_empty() {
        let message = format!("the schema \"{name}\" is at version {} of {}", status.version, status.latest);
        return Finding::error(check, message, "run `await migrate()`, or the files in migrations/").of(version);
    }
    if status.version > status.latest {
        let message = format!("the schema \"{name}\" is at version {}, newer than this build", status.version);
        return Finding::warning(check, message, "deploy the newer version of the package everywhere").of(version);
    }
    Finding::ok(check, format!("the schema \"{name}\" is at version {}", status.version)).of(version)
}

fn queue_depth(depth: u64, thresholds: &HealthConfig) -> Finding {
    let severity = compare(depth, thresholds, |it| it.queue_depth);
    Finding::ok("queueDepth", format!("{depth} messages are due")).of(depth as f64).judged(severity, CONSUME_MORE)
}

fn oldest_age(age_ms: Option<f64>, thresholds: &HealthConfig) -> Finding {
    let Some(age_ms) = age_ms else { return Finding::ok("oldestAge", "nothing waits").of(0.0) };
    let age = millis(age_ms);
    let severity = compare(age, thresholds, |it| it.oldest_age);
    let message = format!("the oldest due message has waited {}", said(age));
    Finding::ok("oldestAge", message).of(age_ms).judged(severity, CONSUME_MORE)
}

const CONSUME_MORE: &str = "consume more often, or with more concurrency";

fn error_rate(figures: &Figures, thresholds: &HealthConfig) -> Finding {
    let Figures { total_processed: runs, total_failed: failed, failure_rate, .. } = *figures;
    let enough = runs >= thresholds.minimum_volume && failed > 0;
    let severity = if enough { compare(failure_rate, thresholds, |it| it.error_rate) } else { Severity::Ok };
    let message = format!("{failed} of {runs} runs failed in the last {}", said(thresholds.window));
    let remedy = "getMetrics() says which types and which errors; fix what they depend on";
    Finding::ok("errorRate", message).of(failure_rate).judged(severity, remedy)
}

fn dead_letters(vitals: &Vitals, thresholds: &HealthConfig) -> Finding {
    let Vitals { recent_dead_letters: recent, dead_letters: all, .. } = *vitals;
    let severity = compare(recent, thresholds, |it| it.dead_letters);
    let message = format!("{recent} messages became dead letters in the last hour, {all} are kept");
    let remedy = "see what failed, fix the cause, then put them back or delete them";
    Finding::ok("deadLetters", message).of(recent as f64).judged(severity, remedy)
}

fn stale_workers(vitals: &Vitals, named: &[String]) -> Finding {
    let (check, count) = ("staleWorkers", vitals.stale_workers);
    if count == 0 {
        return Finding::ok(check, format!("{} workers are at work, none is overdue", vitals.workers)).of(0.0);
    }
    let message = with(format!("{count} workers died, and nobody has taken their messages"), named);
    Finding::warning(check, message, "call consumeBatch(), or start a Worker: any claim rescues them").of(count as f64)
}

fn held_messages(vitals: &Vitals) -> Finding {
    let Vitals { held_by_nobody: nobody, unknown_to_workers: unknown, .. } = *vitals;
    let (check, count) = ("heldMessages", (nobody + unknown) as f64);
    let trouble = [
        (
            nobody,
            "claimed messages are held by nobody: their workers have no row in messenger_workers",
            "call consumeBatch(), or start a Worker: any claim takes them back",
        ),
        (
            unknown,
            "messages are held by living workers that do not know of them",
            "deploy this version everywhere: its workers put them back with each heartbeat; restart older ones",
        ),
    ];
    let (messages, remedies): (Vec<_>, Vec<_>) = trouble
        .into_iter()
        .filter(|(held, ..)| *held > 0)
        .map(|(held, how, remedy)| (format!("{held} {how}"), remedy))
        .unzip();
    if messages.is_empty() {
        return Finding::ok(check, "every claimed message is held by a worker").of(0.0);
    }
    Finding::warning(check, messages.join("; "), remedies.join("; ")).of(count)
}

fn overdue_schedules(vitals: &Vitals, named: &[String]) -> Finding {
    let (check, count) = ("overdueSchedules", vitals.overdue_schedules);
    if count == 0 {
        return Finding::ok(check, "no schedule is overdue").of(0.0);
    }
    let message = with(format!("{count} schedules have been due for more than 5 min"), named);
    let remedy =
        "call runDueSchedules() every minute from a cron route, or start a Scheduler; pause what should not run";
    Finding::warning(check, message, remedy).of(count as f64)
}

fn parked_messages(vitals: &Vitals, named: &[String]) -> Finding {
    let (check, count) = ("parkedMessages", vitals.overdue_parked);
    if count == 0 {
        return Finding::ok(check, "every parked message reaches its broker in time").of(0.0);
    }
    let message = with(format!("{count} parked messages have been due for more than 5 min"), named);
    let remedy = "call consumeBatch() for their transport, or start a Worker: they relay what is due; \
                  if one runs, see whether its broker answers";
    Finding::warning(check, message, remedy).of(count as f64)
}

fn unhandled_types(unhandled: &[Unhandled]) -> Finding {
    let check = "unhandledTypes";
    if unhandled.is_empty() {
        return Finding::ok(check, "every waiting message has a handler here").of(0.0);
    }
    let named: Vec<String> =
        unhandled.iter().map(|it| format!("{} of type {} in {}", it.count, it.message_type, it.lane)).collect();
    let message = format!("messages wait without a handler here: {}", some(&named));
    let remedy = "register a handler for each type, or consume them in a process that has one";
    Finding::warning(check, message, remedy).of(unhandled.iter().map(|it| it.count).sum::<u64>() as f64)
}

fn circuit_breakers(circuits: &[Circuit]) -> Finding {
    let check = "circuitBreakers";
    if circuits.is_empty() {
        return Finding::ok(check, "no type is paused").of(0.0);
    }
    let message = circuits.iter().map(paused).collect::<Vec<_>>().join("; ");
    let remedy = "fix what their handlers depend on; processing resumes by itself";
    Finding::warning(check, message, remedy).of(circuits.len() as f64)
}

/// Somebody has done so on purpose: it is shown, and no trouble.
fn switched_off(names: &[String]) -> Option<Finding> {
    let message = format!("switched off, so that messages are refused and those that wait stay: {}", some(names));
    (!names.is_empty()).then(|| Finding::ok("switchedOff", message).of(names.len() as f64))
}

fn paused(circuit: &Circuit) -> String {
    let Circuit { message_type, failures, runs, reason, .. } = circuit;
    let cause = reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let probe = circuit.probe_at.and_then(|it| DateTime::from_timestamp_millis(it as i64));
    let next = match probe.filter(|_| circuit.state == "open") {
        Some(at) => format!("next try at {}", at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        None => "one message is being tried".to_owned(),
    };
    format!("{message_type} is paused: {failures} of {runs} runs failed{cause}; {next}")
}

fn pauses(pauses: &[Pause]) -> Finding {
    let check = "pauses";
    if pauses.is_empty() {
        return Finding::ok(check, "nobody has paused anything").of(0.0);
    }
    let named: Vec<String> = pauses.iter().map(halted).collect();
    let remedy = "call resume() with the same names when it may go on";
    Finding::warning(check, some(&named), remedy).of(pauses.len() as f64)
}

fn halted(pause: &Pause) -> String {
    let Pause { scope, because, since, until } = pause;
    let at = |it: &DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, true);
    let part = |what: &str, it: Option<String>| it.map(|it| format!(" {what} {it}")).unwrap_or_default();
    let since = part("since", since.as_ref().map(at));
    let by = part("by", because.actor.clone());
    let until = part("until", until.as_ref().map(at));
    let reason = because.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{scope} is paused{since}{by}{until}{reason}")
}

fn compare<T: PartialOrd>(value: T, thresholds: &HealthConfig, of: impl Fn(&Thresholds) -> T) -> Severity {
    if value >= of(&thresholds.error) {
        Severity::Error
    } else if value >= of(&thresholds.warning) {
        Severity::Warning
    } else {
        Severity::Ok
    }
}

fn with(message: String, named: &[String]) -> String {
    if named.is_empty() { message } else { format!("{message}: {}", some(named)) }
}

fn millis(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
}

fn said(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 120.0 { format!("{} s", seconds.round()) } else { format!("{} min", (seconds / 60.0).round()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::rollup::Tally;
    use crate::store::schema::Step;

    fn at_rest() -> Facts {
        let status = Status { version: 12, latest: 12, pending: Vec::new() };
        Facts {
            latency: Some(Duration::from_micros(1_234)),
            migrations: Some(Schema { name: "symphony".to_owned(), status }),
            vitals: Some(Vitals::default()),
            queue_depth: Some(0),
            figures: Some(Figures::of(&Tally::default())),
            ..Facts::default()
        }
    }

    /// What a change of the facts at rest leads to, where it is not `ok`.
    fn wrong(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
        let mut facts = at_rest();
        change(&mut facts);
        let findings = judge(&facts, &HealthConfig::default());
        assert!(findings.iter().all(|it| it.remedy.is_some() == (it.severity != Severity::Ok)), "{findings:?}");
        findings.into_iter().filter(|it| it.severity != Severity::Ok).collect()
    }

    fn vitals(change: impl FnOnce(&mut Vitals)) -> impl FnOnce(&mut Facts) {
        |facts| change(facts.vitals.get_or_insert_default())
    }

    #[test]
    fn what_is_switched_off_is_shown_without_alarm() {
        let facts = Facts { switched_off: vec!["mail".to_owned()], ..at_rest() };
        let findings = judge(&facts, &HealthConfig::default());
        let last = findings.last().unwrap();
        assert_eq!((last.check, last.severity, last.value), ("switchedOff", Severity::Ok, Some(1.0)));
        assert!(last.message.ends_with(": mail"), "{}", last.message);
    }

    #[test]
    fn a_queue_at_rest_has_thirteen_checks_and_no_trouble() {
        let checks: Vec<_> = judge(&at_rest(), &HealthConfig::default()).iter().map(|it| it.check).collect();
        let [database, schema] = ["database", "migrations"];
        let queue = ["queueDepth", "oldestAge", "errorRate", "deadLetters", "staleWorkers", "heldMessages"];
        assert_eq!(
            checks,
            [
                &[database, schema][..],
                &queue,
                &["overdueSchedules", "parkedMessages", "unhandledTypes", "circuitBreakers", "pauses"]
            ]
            .concat()
        );
        assert_eq!(wrong(|_| {}), []);
    }

    #[test]
    fn figures_are_held_against_their_thresholds() {
        let judged = |value, thresholds: &HealthConfig| compare(value, thresholds, |it| it.queue_depth);
        let thresholds = HealthConfig::default();
        assert_eq!([9_999, 10_000, 99_999, 100_000].map(|it| judged(it, &thresholds)), {
            use Severity::{Error, Ok, Warning};
            [Ok, Warning, Warning, Error]
        });
    }

    #[test]
    fn each_trouble_is_found() {
        use Severity::{Error, Warning};
        let circuit = |state: &str| Circuit {
            message_type: "Sms".to_owned(),
            state: state.to_owned(),
            runs: 30,
            failures: 20,
            reason: Some("Smtp".to_owned()),
            opened_at: None,
            probe_at: Some(1_000.0),
        };
        let (open, half_open) = (circuit("open"), circuit("halfOpen"));
        let failing = |failed| Figures::of(&Tally { succeeded: 15, retried: failed, ..Tally::default() });
        let cases: Vec<(Vec<Finding>, &str, Severity, &str)> = vec![
            (wrong(|it| it.queue_depth = Some(10_000)), "queueDepth", Warning, "10000 messages"),
            (wrong(|it| it.oldest_age_ms = Some(3_600_000.0)), "oldestAge", Error, "waited 60 min"),
            (wrong(|it| it.figures = Some(failing(5))), "errorRate", Warning, "5 of 20 runs failed in the last 5 min"),
            (wrong(|it| it.figures = Some(failing(15))), "errorRate", Error, "15 of 30"),
            (
                wrong(vitals(|it| it.recent_dead_letters = 10)),
                "deadLetters",
                Warning,
                "10 messages became dead letters",
            ),
            (wrong(vitals(|it| it.stale_workers = 2)), "staleWorkers", Warning, "2 workers died"),
            (wrong(vitals(|it| it.held_by_nobody = 5)), "heldMessages", Warning, "5 claimed messages"),
            (wrong(vitals(|it| it.unknown_to_workers = 7)), "heldMessages", Warning, "7 messages are held by living"),
            (wrong(vitals(|it| it.overdue_schedules = 3)), "overdueSchedules", Warning, "3 schedules"),
            (wrong(vitals(|it| it.overdue_parked = 9)), "parkedMessages", Warning, "9 parked messages"),
            (
                wrong(vitals(|it| it.circuits = vec![open])),
                "circuitBreakers",
                Warning,
                "Sms is paused: 20 of 30 runs failed (Smtp); next try at 1970-01-01T00:00:01.000Z",
            ),
            (wrong(vitals(|it| it.circuits = vec![half_open])), "circuitBreakers", Warning, "one message is being"),
            (
                wrong(|it| {
                    it.unhandled.push(Unhandled { message_type: "A".to_owned(), lane: "t/q".to_owned(), count: 4 });
                }),
                "unhandledTypes",
                Warning,
                "4 of type A in t/q",
            ),
            (
                wrong(|it| it.error = Some(crate::Error::Timeout { operation: "health", limit_ms: 5 })),
                "database",
                Error,
                "health",
            ),
        ];
        for (found, check, severity, text) in cases {
            assert_eq!(found.iter().map(|it| (it.check, it.severity)).collect::<Vec<_>>(), [(check, severity)]);
            assert!(found[0].message.contains(text), "{}", found[0].message);
        }
    }

    #[test]
    fn few_dead_letters_raise_no_alarm() {
        assert_eq!(wrong(vitals(|it| it.recent_dead_letters = 9)), []);
    }

    #[test]
    fn few_failed_runs_raise_no_alarm() {
        let few = Figures::of(&Tally { retried: 19, ..Tally::default() });
        assert_eq!(wrong(|it| it.figures = Some(few)), []);
    }

    #[test]
    fn a_schema_is_complete_or_not_or_newer() {
        let found = |version, pending: &[&'static str]| {
            let pending = pending.iter().map(|name| Step { version: 12, name }).collect();
            let status = Status { version, latest: 12, pending };
            migrations(&Schema { name: "s".to_owned(), status }).severity
        };
        assert_eq!(
            [found(11, &["later"]), found(12, &[]), found(13, &[])],
            [Severity::Error, Severity::Ok, Severity::Warning]
        );
    }

    #[test]
    fn names_are_told_where_they_are_known() {
        let found = wrong(|facts| {
            facts.overdue.workers = vec!["h pid 5 (90 s)".to_owned()];
            facts.vitals.get_or_insert_default().stale_workers = 1;
        });
        assert!(found[0].message.ends_with(": h pid 5 (90 s)"), "{}", found[0].message);
    }

    #[test]
    fn what_could_not_be_asked_is_left_out() {
        assert_eq!(judge(&Facts::default(), &HealthConfig::default()), []);
    }
}
